"""What nobody recorded is unknown, never zero; and reading loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rlvr_gate.judging.readings import truncated
from rlvr_gate.judging.truncation import ALIKE, alike
from rlvr_gate.records import Margins, Tally

ROOMS = [str(Path(__file__).parents[2] / room) for room in ("plugins", "fixtures")]


def test_unknown_truncation_may_be_anything() -> None:
    reading = truncated([Tally("a", 8, 2, truncated=None), Tally("b", 8, 2, truncated=1)])
    assert (reading.low.tolist(), reading.high.tolist()) == ([0.0, 0.0], [1.0, 1.0])


def test_unknown_truncation_is_not_compared() -> None:
    known, unknown = [Tally("a", 8, 2, truncated=8)], [Tally("a", 8, 2, truncated=None)]
    assert alike(known, unknown, Margins(), 0.95) == ALIKE
    assert alike(known, [Tally("a", 8, 2, truncated=0)], Margins(), 0.95) != ALIKE


def test_an_unknown_rate_has_no_number() -> None:
    from rlvr_gate_reports.reading import rate

    assert rate([Tally("a", 8, 2, truncated=None)], "truncated") is None
    assert rate([Tally("a", 8, 2, truncated=None)], "unscored") == 0.0


def test_reading_loads_nothing_heavy(kit) -> None:
    code = (
        "import sys; from pathlib import Path; from rlvr_gate_fixtures.recorded import read; "
        f"read('b', {{role: [Path({str(kit.here)!r}, f'qwen-{{role}}.jsonl')] "
        "for role in ('base', 'rlvr')}); "
        "print([m for m in ('torch', 'pyarrow', 'zstandard', 'pandas') if m in sys.modules])"
    )
    path = {"PYTHONPATH": ":".join(ROOMS)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=path, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_counts_beside_a_harness_do_not_join(bench, kit, tmp_path) -> None:
    counts = tmp_path / "counts.jsonl"
    counts.write_text('{"id": "a", "n": 3, "c": 1}\n')
    assert "lacks 1 of the problems in counts.jsonl: 'a' (counts.jsonl, line 1)" in (
        bench.refusal(counts, kit.here / "qwen-rlvr.jsonl")
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "a is empty: expected a recorded run"),
        (b"\xff\xfe\x00binary", "a: UTF-16, expected UTF-8: convert it with iconv -f UTF-16"),
        (b'{\n "eval": 1,\n', "a: not JSON: "),
        (b"[1, 2]", "a, line 1: expected a JSON object, got list"),
        (b'[{"question": 1, "code": []}, 3]', "a, item 1: missing pred, score"),
        (b"{}", "a: not a known format of recorded runs: "),
        (b"\x1f\x8bno gzip", "cannot read a: "),
    ],
)
def test_files_that_hold_no_run(bench, tmp_path, content: bytes, words: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert words in bench.refusal(path, path)
