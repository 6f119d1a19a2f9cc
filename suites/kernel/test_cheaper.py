"""Can what is cheap to see tell how far the tangent kernel turned?"""

import pytest

from rlvr_gate import Paper, claim, numbers

pytestmark = [pytest.mark.thorough, pytest.mark.gradients(spectra=True)]


@claim(
    "principal angles of weights order checkpoints like the turn of the tangent kernel does",
    id="E4",
    source="ours; the angles are arXiv:2511.08567v1's and arXiv:2606.07082v3's",
    bound=0.8,
    paper=Paper(
        found="silent",
        said="both papers read weights alone, for what they may tell of what was learned",
        threshold="ours",
    ),
)
@pytest.mark.roles("sft")
def test_angles_track_the_kernel(pair, series, benchmark, bound):
    checkpoints = [*series, pair.role("sft")]
    assert numbers.weights_track_kernel(pair.base, checkpoints, benchmark) >= bound
