"""What shape does the update have? RL moves spectra and subspaces little, over all directions."""

import pytest

from rlvr_gate import Paper, claim

pytestmark = pytest.mark.weights("spectra")

ORIGINS = (
    "there the two updates have different origins (base to SFT, SFT to RL), learning rates of "
    "1e-5 and 1e-6, and 5,375 steps against about 1,000; ours share a base"
)


@claim(
    "singular values barely move: normalised spectral shift of at most 1e-4 (median)",
    id="W4",
    source="arXiv:2511.08567v1 fig. 4; arXiv:2606.07082v3 sec. 3.2",
    bound=1e-4,
    paper=Paper(
        found="holds",
        said="the second paper has about 1e-5 for RLVR, 1e-4 for on-policy distillation, 1e-3 for "
        "SFT; the first prints no number",
        threshold="ours",
        differs="a mean over matrices, Qwen3-8B; ours the median. Ten times RLVR's level, a tenth "
        "of SFT's",
    ),
)
def test_spectrum_is_kept(pair, bound):
    assert pair.rlvr.update_since(pair.base).spectral_shift() <= bound


@claim(
    "RLVR shifts the spectra less than supervised fine-tuning does",
    id="W4-sft",
    source="arXiv:2511.08567v1 fig. 4; arXiv:2606.07082v3 sec. 3.2",
    paper=Paper(found="holds", said="about 1e-5 against 1e-3", differs=ORIGINS),
)
@pytest.mark.roles("sft")
def test_spectrum_is_kept_better_than_by_sft(pair):
    rlvr = pair.rlvr.update_since(pair.base)
    assert rlvr.spectral_shift() < pair.role("sft").update_since(pair.base).spectral_shift()


@claim(
    "principal subspaces barely turn: at most 5 degrees, wherever the angle means something",
    id="W5",
    source="arXiv:2511.08567v1 fig. 4; arXiv:2606.07082v3",
    bound=5.0,
    paper=Paper(
        found="holds",
        said="angles as curves without numbers; the second paper has under 0.5 degrees in one "
        "layer, and axes to 5 degrees for RLVR over all layers (30 OPD, 100 SFT)",
        threshold="ours",
        differs="the first does not tell k; ours k = 512 of the second, at most an eighth of the "
        "shorter side, and without matrices whose gap the update exceeds",
    ),
)
def test_subspaces_are_kept(pair, bound):
    assert pair.rlvr.update_since(pair.base).rotation() <= bound


@claim(
    "RLVR turns the principal subspaces less than supervised fine-tuning does (median)",
    id="W5-sft",
    source="arXiv:2511.08567v1 fig. 4; arXiv:2606.07082v3",
    paper=Paper(found="holds", said="under 0.5 degrees against over 10 in one layer",
                differs=ORIGINS),
)  # fmt: skip
@pytest.mark.roles("sft")
def test_subspaces_turn_less_than_by_sft(pair):
    rlvr = pair.rlvr.update_since(pair.base)
    assert rlvr.typical_rotation() < pair.role("sft").update_since(pair.base).typical_rotation()


@claim(
    "the update is nearly full rank: 99 % of the directions of a matrix (mean)",
    id="W8",
    source="arXiv:2505.11711v2 tab. 2",
    bound=0.99,
    paper=Paper(
        found="holds",
        said="99.2 to 99.8 % in four models, called nearly full rank",
        threshold="ours",
    ),
)
def test_update_is_full_rank(pair, bound):
    assert pair.rlvr.update_since(pair.base).rank_share() >= bound


@claim(
    "the numbers obey the theorems of Weyl, Mirsky and Wedin (a check of this tool)",
    id="W9",
    source="arXiv:2511.08567v1 sec. 3.2, thm 3.3, cor. 3.4",
    paper=Paper(found="holds", said="theorems, which it cites and bounds updates with"),
)
def test_numerics_are_sound(pair):
    assert pair.rlvr.update_since(pair.base).violations() <= 0
