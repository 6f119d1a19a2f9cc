"""Others' solutions: graded, tokenized and scored once; wrong ones never count."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate.records import Benchmark, Checkpoint, Measure, Problem
from rlvr_gate_fixtures.backends import BackendError, Passage, Scored
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend
from rlvr_gate_fixtures.evidence.stored import StoreEvidence
from rlvr_gate_fixtures.measurements.traces.fill import planned_traces, trace
from rlvr_gate_fixtures.measurements.traces.plan import TracesOn
from rlvr_gate_fixtures.measurements.traces.read import KeptSolutions
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run

PROBLEMS = tuple(Problem(f"p{i}", f"{i}+{i}=", str(2 * i), "exact") for i in range(4))
BENCHMARK = Benchmark("sums", "tests", "digest", PROBLEMS)
WANTED = [TracesOn("teacher", "sums", ("base", "rlvr"))]


class Toy:
    """Scores each token of a passage by its id under base, by twice that under rlvr."""

    measures = frozenset({Measure.LOGPROB})

    def __init__(self, dies: str = "") -> None:
        self.scored, self.dies = list[tuple[str, Passage]](), dies

    def identity(self) -> str:
        return "toy/1"

    @contextmanager
    def kept(self):
        yield

    def tokens(self, checkpoint: Checkpoint, texts: Sequence[str]) -> list[tuple[int, ...]]:
        return [tuple(map(int, text.split())) for text in texts]

    def score(self, checkpoints, passages, choices=False):
        (checkpoint,) = checkpoints
        times = 1 if checkpoint.role == "base" else 2
        if checkpoint.role == self.dies:
            raise BackendError("the toy died")
        for at, passage in enumerate(passages):
            self.scored.append((checkpoint.role, passage))
            values = -times * np.array(passage.token_ids, np.float32)
            yield Scored(at, {(Measure.LOGPROB, (0,)): values})


BARE = 77


class Bare:
    """A backend that begins prompts without a template with a token of their own."""

    def __init__(self, inner: ScriptedBackend) -> None:
        self._inner = inner

    def __getattr__(self, name: str):
        return getattr(self._inner, name)

    def encode(self, checkpoint, prompts):
        found = self._inner.encode(checkpoint, prompts)
        return [(BARE, *ids) for ids in found] if checkpoint.bare else found


@pytest.fixture
def run(run_on, tmp_path: Path) -> Run:
    """Right: 2 of p1 (once), 4 of p2; wrong: 9 of p3; nobody's: p9."""
    lines = [("p1", "2"), ("p1", "2"), ("p2", "4"), ("p3", "9"), ("p9", "1")]
    file = tmp_path / "teacher.jsonl"
    file.write_text("\n".join(json.dumps({"id": i, "text": t}) for i, t in lines), "utf-8")
    run = run_on(BENCHMARK, traces=(("teacher", file),))
    run.__dict__["scorer"] = Toy()
    return run


def test_right_ones_are_scored_once_and_read(run: Run) -> None:
    assert planned_traces(run, []) == []
    assert "4 to grade, and to score" in planned_traces(run, WANTED)[0]
    assert trace(run, WANTED, progress=Silent()).scored == 4
    evidence = StoreEvidence(run)
    for role, times in (("base", 1), ("rlvr", 2)):
        found = [x.tolist() for x in evidence.traced("teacher", role, "sums")]
        assert found == [[], [2.0 * times], [4.0 * times], []]
    assert trace(run, WANTED, progress=Silent()).scored == 0
    assert trace(run, [], progress=Silent()).scored == 0
    assert len(run.scorer.scored) == 4
    (line,) = planned_traces(run, WANTED)
    assert line.endswith("2 right of 3 for its problems, nothing to score")


def test_whether_this_machine_can_score_is_asked_of_what_has_no_score(run: Run) -> None:
    class Small(Toy):
        fits = ("base",)

        def check_machine(self, together: Sequence[Sequence[Checkpoint]]) -> None:
            roles = [each.role for at_once in together for each in at_once]
            if not {*roles} <= {*self.fits}:
                raise BackendError(f"no room for {roles}")

    run.__dict__["scorer"] = small = Small()
    with pytest.raises(BackendError, match=r"no room for \['rlvr'\]"):
        trace(run, WANTED, progress=Silent())
    assert {role for role, _ in small.scored} == {"base"}
    small.fits = ("rlvr",)  # base's are kept
    assert trace(run, WANTED, progress=Silent()).scored == 2
    small.fits = ()
    assert trace(run, WANTED, progress=Silent()).scored == 0


def test_what_nobody_scored_is_refused(run: Run) -> None:
    with pytest.raises(LookupError, match=r"traces\('teacher'\)"):
        StoreEvidence(run).traced("teacher", "base", "sums")
    run.__dict__["scorer"] = Toy(dies="rlvr")
    with pytest.raises(BackendError, match="the toy died"):
        trace(run, WANTED, progress=Silent())
    with pytest.raises(LookupError, match="solutions under rlvr"):
        StoreEvidence(run).traced("teacher", "rlvr", "sums")
    assert "2 to score" in planned_traces(run, WANTED)[0]


def test_a_damaged_file_is_made_again(run: Run) -> None:
    trace(run, WANTED, progress=Silent())
    kept = KeptSolutions(run, "teacher", BENCHMARK)
    for damage in (b"", b'{"right": [[1]]}', b"[]"):
        kept.path.write_bytes(damage)
        assert kept.read() is None
    trace(run, WANTED, progress=Silent())
    assert kept.read() is not None


def test_solutions_stand_after_the_prompts_that_the_run_makes(run: Run) -> None:
    """With no chat template for the pair there is none for others' solutions."""
    bare = replace(run, settings=replace(run.settings, chat="none"), backend=Bare(run.backend))
    bare.__dict__["scorer"] = Toy()
    trace(bare, WANTED, progress=Silent())
    assert {passage.prompt_ids[0] for _, passage in bare.scorer.scored} == {BARE}
