"""Copies among stored samples, from the backend to the verdict on comparability."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlvr_gate.claims.views import CheckpointView, PairView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Ask, Benchmark, Checkpoint, Problem, Sampling, Stream, Verdict
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend, coins
from rlvr_gate_fixtures.evidence.stored import StoreEvidence
from rlvr_gate_fixtures.measurements.samples.draw import Wanted, prepare
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run, Settings
from rlvr_gate_fixtures.store.samples import Store

PROBLEMS = tuple(Problem(f"p{i}", f"{i}+{i}=", str(2 * i), "exact") for i in range(30))
BENCHMARK = Benchmark("sums", "tests", "digest", PROBLEMS)


class Seeded(ScriptedBackend):
    """Gives sample i of rlvr what sample `i % period` gets."""

    period = 1_000_000

    def _text(self, checkpoint, stream, prompt, sample):
        period = self.period if checkpoint.role == "rlvr" else 1_000_000
        return super()._text(checkpoint, stream, prompt, sample % period)


class Restarted(Seeded):
    """Long texts, each its own; samples of rlvr in a few problems begin again after `period`."""

    few = 0

    def _text(self, checkpoint, stream, prompt, sample):
        again = checkpoint.role == "rlvr" and int(prompt.partition(b"+")[0]) < self.few
        return f"{prompt} {sample % self.period if again else sample}", -40.0


def evidence(
    folder: Path, period: int, target: int | None = None, few: int | None = None
) -> StoreEvidence:
    settings = Settings(
        base="b", rlvr="r", contrasts=(), benchmarks=("sums",), samples=64, store=folder,
        backend="scripted", backend_options={}, seed=0, temperature=1.0, top_p=1.0,
        max_new_tokens=16, target=target,
    )  # fmt: skip
    checkpoints = {
        role: Checkpoint(role, role, Path("/x") / role, role * 16, "Llama", "T", (0,), "t")
        for role in ("base", "rlvr")
    }
    kind = Seeded if few is None else Restarted
    backend = kind({"*": coins(BENCHMARK, 0.5)})
    backend.period, backend.few = period, few
    streams = {
        role: Stream(c.digest, Sampling(), (0,), backend.identity(), 0)
        for role, c in checkpoints.items()
    }
    run = Run(settings, checkpoints, {"sums": BENCHMARK}, streams, backend)
    prepare(run, [Wanted(Ask(role), BENCHMARK, settings.rounds) for role in checkpoints],
            progress=Silent())  # fmt: skip
    return StoreEvidence(run)


def test_independent_samples_agree_as_often_as_chance_has_it(tmp_path: Path) -> None:
    found = evidence(tmp_path, 1_000_000)
    assert found.comparability("sums") == []
    for role in ("base", "rlvr"):
        seen = found.repeats("sums")[role]
        assert seen.chance == pytest.approx(0.5)
        assert abs(seen.alike - seen.chance) < 0.05


@pytest.mark.parametrize("target", [None, 4])
def test_a_backend_that_ignores_the_sample_is_not_comparable(
    tmp_path: Path, target: int | None
) -> None:
    found = evidence(tmp_path, 1, target)
    (reason,) = found.comparability("sums")
    assert reason.startswith("rlvr's samples repeat each other: 1 of the pairs agree, 0.5 would")


def test_nothing_is_said_without_log_probabilities(tmp_path: Path) -> None:
    found = evidence(tmp_path, 1)
    with Store.open(tmp_path) as store:
        store.rows("UPDATE draws SET logprob = NULL")
    again = StoreEvidence(found.run)
    assert again.repeats("sums") == {}
    assert again.comparability("sums") == []


def test_copies_in_a_few_problems_are_found_there(tmp_path: Path) -> None:
    """A restart drew one sample of two problems again and again: the mean over all sees little."""
    (reason,) = evidence(tmp_path, 1, few=2).comparability("sums")
    assert reason.startswith("rlvr's samples repeat each other: ")
    assert reason.endswith("(for sure in 2 problems)")


def test_few_copies_are_told_and_keep_nothing_from_being_judged(tmp_path: Path) -> None:
    found = evidence(tmp_path, 63, few=1)
    assert found.comparability("sums") == []
    ledger = Ledger()
    views = (CheckpointView(role, found, ledger) for role in ("base", "rlvr"))
    judged = PairView(*views).asked_the_same("sums")
    assert judged.verdict is Verdict.HOLDS
    assert any(
        note.startswith("samples of rlvr's are copies in 1 problem for sure, too few to matter")
        for note in judged.evidence.notes
    )
