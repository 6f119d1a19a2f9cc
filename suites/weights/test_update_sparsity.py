"""How much of the model did the update change, and where? RL leaves most weights alone."""

import pytest

from rlvr_gate import Paper, claim


@claim(
    "training changed the weights at all",
    id="W0",
    source="ours: a checkpoint saved twice",
    paper=Paper(found="silent", said="no paper asks it", threshold="ours"),
)
def test_there_is_an_update(pair):
    assert pair.rlvr.update_since(pair.base).changed() > 0


@claim(
    "the update is sparse: at least 36 % of the weights are unchanged in bfloat16",
    id="W1",
    source="arXiv:2511.08567v1 tab. 1",
    bound=0.36,
    paper=Paper(
        found="holds",
        said="36.3 to 91.7 % unchanged after RL; within 1e-5, arXiv:2505.11711v2 has 68.5 to 96 %",
        threshold="the paper's",
    ),
)
def test_update_is_sparse(pair, bound):
    assert pair.rlvr.update_since(pair.base).unchanged() >= bound


@claim(
    "RLVR leaves more weights unchanged than supervised fine-tuning does",
    id="W1-sft",
    source="arXiv:2511.08567v1 tab. 1",
    paper=Paper(
        found="holds",
        said="SFT .6 to 18.8 %, RL 36.3 to 91.7 %; matched on performance 18.8 against 68.3 % "
        "(14B). Distance from the policy decides, not RL: SFT on in-distribution data leaves 91.2 "
        "and 69.4 % (arXiv:2505.11711v2 tab. 5), DPO on foreign data 6.8 to 7.7 %",
        differs="on two bases alone both were trained, on other data but for one pair; ours "
        "share base and problems",
    ),
)
@pytest.mark.roles("sft")
def test_update_is_sparser_than_sft(pair):
    rlvr = pair.rlvr.update_since(pair.base)
    assert rlvr.unchanged() > pair.role("sft").update_since(pair.base).unchanged()


@claim(
    "of this checkpoint a tolerance of 1e-5 tells the same sparsity as bfloat16, to 5 points",
    id="W2",
    source="ours; compare arXiv:2505.11711v2 tab. 6, arXiv:2511.08567v1 sec. 2.1",
    bound=0.05,
    paper=Paper(
        found="contradicts",
        said="1e-5 tells more than 5 points more than 1e-8 in 8 of the 12 rows of the table, up "
        "to 29.7; the other paper calls the fixed tolerance unreliable",
        threshold="ours",
        differs="the published script rounds the difference to bfloat16 first; ours is exact",
    ),
)
def test_tolerance_inflates_nothing(pair, bound):
    assert pair.rlvr.update_since(pair.base).tolerance_gap() <= bound


@claim(
    "the update is spread evenly: no layer and no matrix type is 10 points from the whole",
    id="W3",
    source="arXiv:2505.11711v2 sec. 3, fig. 3",
    bound=0.10,
    paper=Paper(
        found="holds",
        said="layers and matrix types are similarly sparse (takeaway 2)",
        threshold="ours",
        differs="two models, DPO and PRIME, within 1e-5; ours in bfloat16",
    ),
)
def test_sparsity_is_uniform(pair, bound):
    update = pair.rlvr.update_since(pair.base)
    assert update.spread_over_layers() <= bound
    assert update.spread_over_types() <= bound


@claim(
    "normalisations stay as they were: at least 95 % of their weights are unchanged",
    id="W3-norm",
    source="arXiv:2505.11711v2 sec. 3, fig. 3",
    bound=0.95,
    paper=Paper(
        found="holds",
        said="normalisations get little to no updates (takeaway 2)",
        threshold="ours",
        differs="two models, DPO and PRIME, within 1e-5; ours in bfloat16",
    ),
)
def test_norms_are_unchanged(pair, bound):
    assert pair.rlvr.update_since(pair.base).norms_unchanged() >= bound


@claim(
    "updates come in stripes along queries, keys and values: their rows differ in update ratio "
    "more than chance explains",
    id="W3-rows",
    source="arXiv:2511.08567v1 sec. 2.2, fig. 2-3",
    bound=2.0,
    paper=Paper(
        found="holds",
        said="row-wise stripes in Q, K and V; no clear trend in the columns of Q (fig. 14)",
        threshold="ours",
        differs="seen in smoothed curves of some layers, no number; ours the median over layers",
    ),
)
def test_rows_are_updated_unevenly(pair, bound):
    assert pair.rlvr.update_since(pair.base).uneven_rows("q_proj", "k_proj", "v_proj") > bound


@claim(
    "updates come in stripes across the attention's output: its columns differ in update ratio "
    "more than chance explains",
    id="W3-columns",
    source="arXiv:2511.08567v1 sec. 2.2, fig. 2-3",
    bound=2.0,
    paper=Paper(
        found="holds",
        said="column-wise stripes in O; no clear trend in its rows (fig. 14)",
        threshold="ours",
        differs="seen in smoothed curves of some layers, no number; ours the median over layers",
    ),
)
def test_columns_are_updated_unevenly(pair, bound):
    assert pair.rlvr.update_since(pair.base).uneven_columns("o_proj") > bound


@claim(
    "in fp32 masters the update is dense: fewer than 5 % of the weights are identical",
    id="W10",
    source="arXiv:2509.04259v1 sec. 6; arXiv:2511.08567v1 sec. 2.3",
    bound=0.05,
    paper=Paper(
        found="holds",
        said="trained in fp32 the accuracy is the same without any sparsity; no number",
        threshold="ours",
        differs="the second paper cites the first, and itself raises the learning rate",
    ),
)
@pytest.mark.roles("rlvr-fp32")
def test_masters_are_dense(pair, bound):
    assert pair.role("rlvr-fp32").update_since(pair.base).identical() < bound
