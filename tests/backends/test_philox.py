"""Counter-based random numbers: known answers, addresses, uniformity."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rlvr_gate_fixtures.backends.philox import philox4x32, stream_key, uniforms


def words(*values: int) -> list[np.ndarray]:
    return [np.array([value], np.uint64) for value in values]


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            (0xFFFFFFFF,) * 4,
            (0xFFFFFFFF,) * 2,
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers_of_random123(
    counter: tuple[int, ...], key: tuple[int, ...], answer: tuple[int, ...]
) -> None:
    drawn = philox4x32(words(*counter), words(*key))
    assert tuple(int(word[0]) for word in drawn) == answer


def test_a_number_is_the_same_alone_and_among_others() -> None:
    keys = np.full(50, 7, np.uint64)
    samples = np.arange(50, dtype=np.uint64)
    positions = np.arange(50, dtype=np.uint64)[::-1].copy()
    together = uniforms(keys, samples, positions)
    alone = [
        uniforms(keys[i : i + 1], samples[i : i + 1], positions[i : i + 1]) for i in range(50)
    ]
    assert np.array_equal(together, np.concatenate(alone))


def test_numbers_are_uniform_and_every_address_is_another() -> None:
    samples, positions = np.meshgrid(
        np.arange(500, dtype=np.uint64), np.arange(40, dtype=np.uint64)
    )
    keys = np.full(samples.size, stream_key(0, "d", (1, 2)), np.uint64)
    drawn = uniforms(keys, samples.ravel(), positions.ravel())
    assert len(np.unique(drawn)) == drawn.size
    assert stats.kstest(drawn, "uniform").pvalue > 1e-4
    grid = drawn.reshape(40, 500)
    assert abs(np.corrcoef(grid[0], grid[1])[0, 1]) < 0.2
    assert 0 <= drawn.min() <= drawn.max() < 1
    assert np.array_equal(drawn * 2.0**52, np.floor(drawn * 2.0**52))


def test_a_key_knows_seed_checkpoint_and_prompt() -> None:
    keys = {
        stream_key(0, "a", (1, 2)),
        stream_key(1, "a", (1, 2)),
        stream_key(0, "b", (1, 2)),
        stream_key(0, "a", (12,)),
        stream_key(0, "a", (1, 2, 0)),
    }
    assert len(keys) == 5
    assert all(0 <= key < 2**64 for key in keys)
