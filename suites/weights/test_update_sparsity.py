"""How much of the model did the update change, and where? RL leaves most weights alone."""

import pytest

from rlvr_gate import claim


@claim("training changed the weights at all", id="W0", source="a checkpoint saved twice")
def test_there_is_an_update(pair):
    assert pair.rlvr.update_since(pair.base).changed() > 0


@claim(
    "the update is sparse: at least 36 % of the weights are unchanged in bfloat16",
    id="W1",
    source="arXiv:2511.08567 tab. 1; arXiv:2505.11711",
    bound=0.36,
)
def test_update_is_sparse(pair, bound):
    assert pair.rlvr.update_since(pair.base).unchanged() >= bound


@claim(
    "RLVR leaves more weights unchanged than supervised fine-tuning does",
    id="W1-sft",
    source="arXiv:2511.08567 tab. 1",
)
@pytest.mark.roles("sft")
def test_update_is_sparser_than_sft(pair):
    rlvr = pair.rlvr.update_since(pair.base)
    assert rlvr.unchanged() > pair.role("sft").update_since(pair.base).unchanged()


@claim(
    "a tolerance of 1e-5 tells the same sparsity as bfloat16 does, to 5 points",
    id="W2",
    source="arXiv:2505.11711 tab. 6; arXiv:2511.08567 def. 2.2",
    bound=0.05,
)
def test_tolerance_inflates_nothing(pair, bound):
    assert pair.rlvr.update_since(pair.base).tolerance_gap() <= bound


@claim(
    "the update is spread evenly: no layer and no matrix type is 10 points from the whole",
    id="W3",
    source="arXiv:2505.11711 sec. 4",
    bound=0.10,
)
def test_sparsity_is_uniform(pair, bound):
    update = pair.rlvr.update_since(pair.base)
    assert update.spread_over_layers() <= bound
    assert update.spread_over_types() <= bound


@claim(
    "normalisations stay as they were: at least 95 % of their weights are unchanged",
    id="W3-norm",
    source="arXiv:2505.11711 sec. 4",
    bound=0.95,
)
def test_norms_are_unchanged(pair, bound):
    assert pair.rlvr.update_since(pair.base).norms_unchanged() >= bound


@claim(
    "updates come in stripes: rows differ in their update ratio more than chance explains",
    id="W3-rows",
    source="arXiv:2511.08567 sec. 3",
    bound=2.0,
)
def test_rows_are_updated_unevenly(pair, bound):
    assert pair.rlvr.update_since(pair.base).uneven_rows() > bound


@claim(
    "in fp32 masters the update is dense: fewer than 5 % of the weights are identical",
    id="W10",
    source="arXiv:2509.04259 sec. 5; arXiv:2511.08567 sec. 5",
    bound=0.05,
)
@pytest.mark.roles("rlvr-fp32")
def test_masters_are_dense(pair, bound):
    assert pair.role("rlvr-fp32").update_since(pair.base).identical() < bound
