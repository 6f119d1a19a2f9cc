"""How likely are answers, and how far has the checkpoint gone from its base?"""

import pytest

from rlvr_gate import Paper, claim, numbers

pytestmark = pytest.mark.thorough


@pytest.mark.scores("base", "rlvr", under="base")
@claim(
    "RLVR's answers surprise the base no more than its own do: median perplexity under the base",
    id="K9",
    source="arXiv:2504.13837v5 sec. 4.1, fig. 6",
    paper=Paper(
        found="holds",
        said="closely matches the lower portion of the base's own: medians 1.085 to 1.058 and "
        "1.32 to 1.28 (read off the figure)",
        differs="two problems of AIME24 with 16 answers each; ours all problems, logarithms "
        "paired by problem",
    ),
)
def test_the_base_is_not_surprised(pair, benchmark):
    base = pair.base
    rlvr = base.log_perplexity(benchmark, of=pair.rlvr, by="median")
    assert rlvr <= base.log_perplexity(benchmark, by="median")


@pytest.mark.scores("base", under="base")
@pytest.mark.scores("rlvr", under="rlvr")
@claim(
    "RLVR is surer of its next token: token entropy falls",
    id="K12",
    source="arXiv:2507.14843v4 tab. 5",
    paper=Paper(
        found="contradicts",
        said="no fixed sign: .44 to .52 (ProRL) and .18 to .29 (DAPO), but .37 to .23 and .16, "
        ".33 to .14; answers become fewer all the same",
        differs="T .6, top_p .95, 32 completions; ours T 1, each along its own completions",
    ),
)
def test_token_entropy_falls(pair, benchmark):
    assert pair.rlvr.token_entropy(benchmark) < pair.base.token_entropy(benchmark)


@pytest.mark.scores("base", under=("base", "rlvr"))
@pytest.mark.scores("base", under=("base", "sft"))
@claim(
    "RLVR stays nearer its base than supervised fine-tuning: forward KL along the base's answers",
    id="F0",
    source="arXiv:2509.04259v1 sec. 1, 4",
    paper=Paper(
        found="holds",
        said="on-policy RL is biased towards solutions of small KL to the base, which predicts "
        "how much is forgotten (R2 .71 for language models)",
        differs="the estimator for language models is not told, and learning rates are swept; "
        "ours full vocabulary along the base's completions, one checkpoint each",
    ),
)
def test_it_stays_near_its_base(pair, benchmark):
    base, sft = pair.base, pair.role("sft")
    assert base.divergence_to(pair.rlvr, benchmark) < base.divergence_to(sft, benchmark)


@pytest.mark.traces("teacher")
@claim(
    "RLVR is less at home in others' correct solutions than its base",
    id="K10",
    source="arXiv:2507.14843v4 tab. 2",
    paper=Paper(
        found="holds",
        said="perplexity of correct solutions of R1 and Claude rises where support shrinks (1.24 "
        "to 1.39) and where neither solves (8.76 to 14.91); where it expands it falls, 1.41 to "
        "1.28 (AIME24; rows matched to categories by us); differences of format contribute",
        differs="one solution a problem and perplexities by category; ours all problems of "
        "--traces teacher=FILE, nats a token paired by problem, categories beside",
    ),
)
def test_rlvr_is_less_at_home(pair, benchmark):
    assert numbers.less_at_home(pair, "teacher", benchmark) > 0
