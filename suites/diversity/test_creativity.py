"""How much of what is written stands in a corpus, word for word?"""

from rlvr_gate import Paper, claim, numbers


@claim(
    "RLVR writes less of its own: the creativity index of its completions against the corpus "
    "falls",
    id="CI",
    source="arXiv:2410.04265 (version not noted)",
    paper=Paper(
        found="holds",
        said="alignment by human feedback lowers the index by 30.1 % on average (abstract); no "
        "verified reward was looked at",
        differs="web-scale corpora, near matches beside exact ones; ours a local file, exact "
        "spans of 5 to 12 words, paired by problem",
    ),
)
def test_it_writes_less_of_its_own(pair, benchmark, corpus):
    base, rlvr = (numbers.creativity(view, benchmark, corpus) for view in (pair.base, pair.rlvr))
    assert rlvr < base


@claim(
    "training pays where base writes of its own: over tasks the gain rises with base's creativity "
    "index",
    id="CI-gain",
    source="arXiv:2505.24864 (version not noted) fig. 3",
    paper=Paper(
        found="holds",
        said="tasks that gain least have answers of base that overlap most with DOLMA, axis to 8; "
        "no coefficient",
        threshold="ours",
        differs="near matches over DOLMA; ours exact spans of a local file, ten tasks or more",
    ),
)
def test_training_pays_where_base_writes_of_its_own(pair, benchmarks, k_max, corpus):
    assert numbers.creativity_against_gain(pair, max(1, k_max // 2), benchmarks, corpus)
