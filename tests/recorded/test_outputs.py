"""verl's newer trainer: a sample may have several outputs, and a file rewards of several kinds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

UID = "0a1b2c3d-0000-4000-8000-00000000000"


def line(i: int, j: int, right: int, turn: int = 0, **more: object) -> dict:
    """An output of sample j of problem i; a later one is asked with what a tool said."""
    told = f"tool: {j}\n" if turn else ""
    return {"input": f"user\nWhat is {i}+5?\n{told}", "output": f"{i} {j} {turn}",
            "gts": str(i + 5), "score": float(right), "step": 0, "reward": float(right),
            "uid": f"{UID}{i}_{j}_{turn}", **more}  # fmt: skip


def write(path: Path, lines: list[dict]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def turns(rights: list[list[int]], many: int) -> list[dict]:
    return [
        line(i, j, right, turn)
        for i, row in enumerate(rights)
        for j, right in enumerate(row)
        for turn in range(1 + many * j)
    ]


def test_outputs_of_one_sample_are_one_sample(kit, tmp_path) -> None:
    base = write(tmp_path / "base.jsonl", turns([[1, 0], [0, 0]], 3))
    rlvr = write(tmp_path / "rlvr.jsonl", turns([[1, 1], [0, 1]], 1))
    recorded = kit.both(base, rlvr)
    assert [(t.n, t.correct) for t in recorded.tallies["base"]] == [(2, 1), (2, 0)]
    assert [(t.n, t.correct) for t in recorded.tallies["rlvr"]] == [(2, 2), (2, 1)]
    texts = [e.text for e in recorded.examples["base"][recorded.tallies["base"][0].problem]]
    assert sorted(texts) == ["0 0 0", "0 1 0\n0 1 1\n0 1 2\n0 1 3"]


def test_numbers_of_another_kind_are_no_outputs(kit, tmp_path) -> None:
    def own(rights: list[list[int]]) -> list[dict]:
        return [one | {"uid": "aime_2024_7"} for one in turns(rights, 0)]

    recorded = kit.both(
        write(tmp_path / "base.jsonl", own([[1, 0]])),
        write(tmp_path / "rlvr.jsonl", own([[1, 1]])),
    )
    assert kit.totals(recorded, "rlvr") == kit.Totals(2, 2, 0, 1)


def test_a_sample_twice_is_refused(bench, tmp_path) -> None:
    lines = turns([[1, 0], [0, 0]], 0)
    twice = write(tmp_path / "base.jsonl", [*lines, line(0, 0, 1)])
    assert "is already on line 1" in bench.refusal(twice, twice)


@pytest.mark.parametrize("first", [0, 1])
def test_rewards_of_several_kinds_are_not_read_as_one(kit, bench, tmp_path, first: int) -> None:
    """Such trainers write null for what a data set's reward function does not say."""
    lines = [
        line(i, j, (i + j) % 2, acc=bool((i + j) % 2) if i % 2 == first else None)
        for i in range(4)
        for j in range(2)
    ]
    base, rlvr = write(tmp_path / "base.jsonl", lines), write(tmp_path / "rlvr.jsonl", lines)
    assert "as where several data sets" in bench.refusal(base, rlvr)
    assert kit.totals(kit.both(base, rlvr, score="score"), "base") == kit.Totals(8, 4, 0, 4)
    assert kit.totals(kit.both(base, rlvr, score="acc"), "base") == kit.Totals(8, 2, 4, 2)
    assert "--recorded-score=x is not in the file; it has" in bench.refusal(base, rlvr, score="x")


def test_a_first_line_without_a_score_is_unscored(kit, bench, tmp_path) -> None:
    lines = turns([[1, 0], [0, 0]], 0)
    lines[0] |= {"score": None, "reward": None}
    path = write(tmp_path / "base.jsonl", lines)
    assert kit.totals(kit.both(path, path), "base") == kit.Totals(4, 0, 1, 0)
    bare = write(tmp_path / "bare.jsonl", [one | {"score": None, "reward": None} for one in lines])
    assert "line 1: no score in it, got the keys input, output" in bench.refusal(bare, bare)
