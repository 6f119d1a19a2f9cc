"""Blocks of samples: all of them, once, whatever is lost on the way."""

from __future__ import annotations

import random

import pytest

from rlvr_gate_fixtures.backends.owed import LEAST, MOST, Owed, Span, Stretch


def samples(spans: tuple[Span, ...]) -> list[tuple[int, int]]:
    return [(position, i) for position, start, stop in spans for i in range(start, stop)]


def test_blocks_are_all_that_was_asked_in_order() -> None:
    owed = Owed([(0, 0, 500), (1, 7, 7), (2, 3, 400)], workers=2)
    blocks = []
    while owed:
        blocks.append(owed.take())
    drawn = [place for block in blocks for place in samples(block.spans)]
    assert drawn == [*((0, i) for i in range(500)), *((2, i) for i in range(3, 400))]


def test_blocks_shrink_to_a_least_and_never_grow_past_a_most() -> None:
    owed = Owed([(0, 0, 100_000)], workers=4)
    sizes = []
    while owed:
        sizes.append(len(owed.take()))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == MOST
    assert set(sizes[:-1]) >= {LEAST}
    assert len(sizes) > 4 * 4


def test_little_work_is_spread_over_all_workers() -> None:
    owed = Owed([(0, 0, 10)], workers=4)
    assert [len(owed.take()) for _ in range(4)] == [3, 3, 3, 1]
    assert not owed


def test_what_has_not_arrived_is_owed_again_and_goes_out_first() -> None:
    owed = Owed([(0, 0, 300), (1, 0, 300)], workers=2)
    block = owed.take()
    left = len(owed)
    for sample in (0, 1, 5):
        assert block.arrived(0, sample)
    assert not block.arrived(0, 5)
    assert not block.arrived(1, 299)
    owed.back(block.rest())
    assert len(owed) == left + len(block)
    again = owed.take()
    assert again.spans[:2] == ((0, 2, 5), (0, 6, 150))
    assert again.lost == 1
    assert again.rest().lost == 2


def test_a_block_that_has_all_arrived_owes_nothing() -> None:
    owed = Owed([(0, 0, 1)], workers=1)
    block = owed.take()
    assert block.arrived(0, 0)
    owed.back(block.rest())
    assert not owed


@pytest.mark.parametrize("seed", range(20))
def test_every_sample_arrives_once_however_often_blocks_are_lost(seed: int) -> None:
    rng = random.Random(seed)
    spans = [(n, start := rng.randrange(5), start + rng.randrange(200)) for n in range(30)]
    owed = Owed(spans, workers=rng.randrange(1, 9))
    out: list[Stretch] = []
    seen: list[tuple[int, int]] = []
    while owed or out:
        if owed and (not out or rng.random() < 0.5):
            out.append(owed.take())
            continue
        block = out.pop(rng.randrange(len(out)))
        for place in samples(block.spans):
            if rng.random() < 0.6:
                assert block.arrived(*place)
                seen.append(place)
        if block:
            owed.back(block.rest())
    assert sorted(seen) == samples(tuple(spans))
