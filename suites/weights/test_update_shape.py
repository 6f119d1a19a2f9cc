"""What shape does the update have? RL moves spectra and subspaces little, over all directions."""

import pytest

from rlvr_gate import claim

pytestmark = pytest.mark.weights("spectra")


@claim(
    "singular values barely move: normalised spectral shift of at most 1e-3 (median)",
    id="W4",
    source="arXiv:2511.08567 fig. 4; arXiv:2606.07082",
    bound=1e-3,
)
def test_spectrum_is_kept(pair, bound):
    assert pair.rlvr.update_since(pair.base).spectral_shift() <= bound


@claim("RLVR shifts the spectra less than supervised fine-tuning does", id="W4-sft",
       source="arXiv:2511.08567 fig. 4")  # fmt: skip
@pytest.mark.roles("sft")
def test_spectrum_is_kept_better_than_by_sft(pair):
    rlvr = pair.rlvr.update_since(pair.base)
    assert rlvr.spectral_shift() < pair.role("sft").update_since(pair.base).spectral_shift()


@claim(
    "principal subspaces barely turn: at most 5 degrees, wherever the angle means something",
    id="W5",
    source="arXiv:2511.08567 fig. 4 (a bound of ours; the paper prints none)",
    bound=5.0,
)
def test_subspaces_are_kept(pair, bound):
    assert pair.rlvr.update_since(pair.base).rotation() <= bound


@claim("RLVR turns the principal subspaces less than supervised fine-tuning does (median)",
       id="W5-sft", source="arXiv:2511.08567 fig. 4; arXiv:2606.07082")  # fmt: skip
@pytest.mark.roles("sft")
def test_subspaces_turn_less_than_by_sft(pair):
    rlvr = pair.rlvr.update_since(pair.base)
    assert rlvr.typical_rotation() < pair.role("sft").update_since(pair.base).typical_rotation()


@claim(
    "the update is nearly full rank: 99 % of the directions of a matrix (mean)",
    id="W8",
    source="arXiv:2505.11711 tab. 2",
    bound=0.99,
)
def test_update_is_full_rank(pair, bound):
    assert pair.rlvr.update_since(pair.base).rank_share() >= bound


@claim(
    "the numbers obey the theorems of Weyl, Mirsky and Wedin (a check of this tool)",
    id="W9",
    source="arXiv:2511.08567 app. C",
)
def test_numerics_are_sound(pair):
    assert pair.rlvr.update_since(pair.base).violations() <= 0
