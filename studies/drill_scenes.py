"""Where a drill takes place: what runs the checkpoints, what can break there, how it is mended."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

from drill_traces import command_line, descendants
from serving import Served, available

from rlvr_gate_fixtures.inputs.checkpoints import resolve

OURS = "rlvr_gate_fixtures."
"""In the command line of everything that a run starts."""
CHILD = f"{OURS}backends."
GRADER = f"{OURS}grading"
PAIR = ("base", "rlvr")

KILL = "kill -9 pytest"
INTERRUPT, TERMINATE, HANG_UP = "Ctrl-C", "SIGTERM", "SIGHUP"
SIGNALS = {
    KILL: signal.SIGKILL,
    INTERRUPT: signal.SIGINT,
    TERMINATE: signal.SIGTERM,
    HANG_UP: signal.SIGHUP,
}
WORKER = "kill -9 grading worker"
FULL = "disk full"


class Scene(ExitStack):
    """A run in children of its own, with the transformers backend."""

    exact = True
    """Whether another run draws the very same samples."""
    grace = 0.3
    """Seconds in which a run's processes must be gone after it."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        super().__init__()
        self.folder, self.rng = folder, rng

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def open(self) -> None:
        """Start what outlasts the runs."""

    def faults(self) -> list[str]:
        """Those this machine can stage."""
        return [*self._ends(), "kill -9 child", WORKER]

    def outlived(self, fault: str) -> bool:
        """Whether the run must go on to its end all the same."""
        return fault == WORKER

    def options(self, fault: str = "") -> list[str]:
        """What pytest is told."""
        return []

    def calm(self) -> list[str]:
        """Likewise for the run that nothing disturbs."""
        return self.options()

    def working(self, pytest: int) -> list[int]:
        """Processes of ours that the run with this process id has started."""
        return _children(pytest, OURS)

    def strike(self, fault: str, pytest: int, progress: float) -> None:
        """Break something of the run with this process id, of which this part is drawn."""
        if fault in SIGNALS:
            os.kill(pytest, SIGNALS[fault])
        else:
            _kill(*_children(pytest, GRADER if fault == WORKER else CHILD))

    def mend(self) -> None:
        """Bring back what a run cannot bring back itself."""

    def _ends(self) -> list[str]:
        known = [*SIGNALS]
        return [*known, FULL] if sys.platform == "linux" and os.geteuid() == 0 else known


class Servers(Scene):
    """A vLLM server for each checkpoint."""

    exact = False  # vLLM's last bits depend on the batch

    away, gone = "server away", "server gone"

    def open(self) -> None:
        if not available():
            raise SystemExit("--backend server needs vLLM: see make test-vllm")
        self._down: Served | None = None
        self._servers = [
            self.enter_context(Served(resolve(r, r).path, self.folder / f"{r}.log")) for r in PAIR
        ]

    def faults(self) -> list[str]:
        return [*self._ends(), self.away, self.gone, self.away, self.gone]

    def outlived(self, fault: str) -> bool:
        return fault == self.away

    def options(self, fault: str = "") -> list[str]:
        urls = [f"--backend-option={r}={s.url}" for r, s in zip(PAIR, self._servers, strict=True)]
        retries = "1" if fault == self.gone else "20"
        return ["--backend=server", *urls, f"--backend-option=retries={retries}"]

    def strike(self, fault: str, pytest: int, progress: float) -> None:
        if fault not in (self.away, self.gone):
            return super().strike(fault, pytest, progress)
        self._down = self._servers[progress >= 0.5]  # base is drawn first
        self._down.kill()

    def mend(self) -> None:
        down, self._down = self._down, None
        if down:
            down.start()


class Nodes(Scene):
    """A Ray cluster: a head without CPUs and two nodes with one each, all on this machine."""

    grace = 20.0  # for the cluster to notice that a driver is gone

    worker, one, every = "kill -9 worker", "kill -9 node", "kill -9 all nodes"
    size = 2

    def open(self) -> None:
        os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": str(self.folder)}
        os.environ.pop("RAY_ADDRESS", None)
        try:
            from ray.cluster_utils import Cluster
        except ImportError:
            raise SystemExit("--backend ray needs Ray: see make test-ray") from None
        self._little: dict[str, Any] = {
            "object_store_memory": 80 << 20, "include_dashboard": False,
        }  # fmt: skip
        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, **self._little}
        )
        self.callback(self._cluster.shutdown)
        self._nodes: list[Any] = []
        self.mend()

    def faults(self) -> list[str]:
        return [*self._ends(), "kill -9 child", self.worker, self.one, self.one, self.every]

    def outlived(self, fault: str) -> bool:
        return fault in (self.one, self.every, self.worker)

    def options(self, fault: str = "") -> list[str]:
        address = f"--backend-option=address={self._cluster.address}"
        return ["--backend=ray", address, *self._inner()]

    def calm(self) -> list[str]:
        """Without Ray: its samples are to be those of the engine alone."""
        return self._inner()

    def working(self, pytest: int) -> list[int]:
        return [*super().working(pytest), *(p for n in self._nodes for p in _children(_raylet(n)))]

    def strike(self, fault: str, pytest: int, progress: float) -> None:
        if fault == self.worker:
            _kill(*_children(_raylet(self.rng.choice(self._nodes))))
        elif fault in (self.one, self.every):
            struck = self._nodes if fault == self.every else [self.rng.choice(self._nodes)]
            for node in struck:  # as a machine that loses power: raylet and workers
                _kill(_raylet(node), *descendants(_raylet(node)))
        else:
            super().strike(fault, pytest, progress)

    def mend(self) -> None:
        """A new node for every one that is gone, after a while."""
        for node in [n for n in self._nodes if not command_line(_raylet(n))]:
            self._cluster.remove_node(node, allow_graceful=False)
            self._nodes.remove(node)
            time.sleep(self.rng.uniform(0, 3))
        while len(self._nodes) < self.size:
            self._nodes.append(self._cluster.add_node(num_cpus=1, **self._little))

    def _inner(self) -> list[str]:
        return ["--backend-option=device=cpu", "--backend-option=threads=1"]


SCENES = {"transformers": Scene, "server": Servers, "ray": Nodes}


def _children(pid: int, kind: str = CHILD) -> list[int]:
    return [child for child in descendants(pid) if kind in command_line(child)]


def _raylet(node: Any) -> int:
    return int(node.all_processes["raylet"][0].process.pid)


def _kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
