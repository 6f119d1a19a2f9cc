"""Which weights does the update hit? RL avoids principal weights, and runs agree on the rest."""

import pytest

from rlvr_gate import claim

pytestmark = pytest.mark.weights("spectra")


@claim(
    "the update hits small weights more than chance and bfloat16 rounding explain",
    id="W6-low",
    source="arXiv:2511.08567 fig. 5",
)
def test_small_weights_are_hit(pair):
    assert pair.rlvr.update_since(pair.base).low_beyond_rounding() > 0


@claim(
    "the update avoids principal weights more than chance and bfloat16 rounding explain",
    id="W6",
    source="arXiv:2511.08567 fig. 5",
)
def test_principal_weights_are_avoided(pair):
    assert pair.rlvr.update_since(pair.base).principal_beyond_rounding() > 0


@claim(
    "two RLVR runs change the same weights more than chance explains",
    id="W7",
    source="arXiv:2511.08567 tab. 2; arXiv:2505.11711 tab. 4",
)
@pytest.mark.roles("rlvr-2")
def test_runs_agree(pair):
    rlvr, second = (c.update_since(pair.base) for c in (pair.rlvr, pair.role("rlvr-2")))
    assert rlvr.shared_with(second) > 0
