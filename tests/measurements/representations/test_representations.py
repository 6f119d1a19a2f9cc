"""Which checkpoints read the run's texts, and what of it is kept."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate.kernels.measured import TextKernels
from rlvr_gate.records import Checkpoint
from rlvr_gate_fixtures.backends import BackendError, InFloat32
from rlvr_gate_fixtures.evidence.stored import StoreEvidence
from rlvr_gate_fixtures.measurements.representations import plan
from rlvr_gate_fixtures.measurements.representations.fill import planned_texts, represent
from rlvr_gate_fixtures.measurements.representations.read import Represented
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run


class Toy:
    """Reads without a model; dies at the role `dies`."""

    def __init__(self, dies: str = "", name: str = "toy/1") -> None:
        self.read = list[str]()
        self.dies, self._name = dies, name

    def identity(self) -> str:
        return self._name

    @contextmanager
    def kept(self):
        yield

    def represent(self, checkpoint: Checkpoint, texts, tell) -> TextKernels:
        if checkpoint.role == self.dies:
            raise BackendError("the toy died")
        self.read.append(checkpoint.role)
        tell(len(texts))
        return TextKernels(np.stack([np.eye(len(texts), dtype=np.float32)] * 3))


@pytest.fixture
def run(run_on, tmp_path: Path, monkeypatch) -> Run:
    monkeypatch.setattr(plan, "parameters", lambda folder: 1000)
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(f"text {i}" for i in range(50)), "utf-8")
    run = run_on(texts=(str(texts),))
    run.__dict__["differentiator"] = Toy()
    return run


def take(run: Run, *roles: str) -> None:
    represent(run, roles, progress=Silent())


def test_texts_are_read_once_and_kept(run: Run) -> None:
    assert planned_texts(run, []) == []
    (line,) = planned_texts(run, ["base", "rlvr"])
    assert line.startswith("representations of 50 texts in base, rlvr, 2 to take: at most 1 s")
    take(run, "base")
    take(run, "base", "rlvr")
    take(run)
    assert run.reader.read == ["base", "rlvr"]
    assert planned_texts(run, ["base"])[0].endswith("kept from an earlier run")
    found = StoreEvidence(run).represented("rlvr").kernels
    assert found.shape == (3, 50, 50)


def test_what_nobody_read_is_refused_with_the_marker(run: Run) -> None:
    with pytest.raises(LookupError, match=r"represents\('rlvr'\), and give --texts"):
        StoreEvidence(run).represented("rlvr")


def test_whether_weights_fit_is_asked_of_every_checkpoint_before_one_reads(run: Run) -> None:
    class Small(Toy):
        def check_float32(self, asked: InFloat32) -> None:
            assert asked.beside == 0
            if [each.role for each in asked.weights] == ["rlvr"]:
                raise BackendError(f"{asked.what} is too large")

    run.__dict__["differentiator"] = small = Small()
    with pytest.raises(BackendError, match="rlvr reading is too large"):
        take(run, "base", "rlvr")
    assert small.read == []
    take(run, "base")
    take(run, "base")
    assert small.read == ["base"]


def test_what_was_read_before_a_failure_is_kept(run: Run) -> None:
    run.__dict__["differentiator"] = Toy(dies="rlvr")
    with pytest.raises(BackendError, match="the toy died"):
        take(run, "base", "rlvr")
    assert Represented(run).read("base") is not None
    assert Represented(run).read("rlvr") is None


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 torn", None])
def test_a_damaged_file_is_read_again(run: Run, damage: bytes | None) -> None:
    take(run, "base")
    path = Represented(run).path("base")
    if damage is None:
        with path.open("wb") as file:
            np.savez(file, kernels=np.zeros((3, 4, 4)))
    else:
        path.write_bytes(damage)
    assert Represented(run).read("base") is None
    take(run, "base")
    assert run.reader.read == ["base", "base"]


def test_another_engine_checkpoint_or_text_is_another_file(run: Run) -> None:
    here = Represented(run).path("base")
    assert Represented(run).path("rlvr") != here
    run.__dict__["differentiator"] = Toy(name="toy/2")
    assert Represented(run).path("base") != here
    run.__dict__["differentiator"] = Toy()
    run.__dict__["texts"] = (*run.texts, "more")
    assert Represented(run).path("base") != here
