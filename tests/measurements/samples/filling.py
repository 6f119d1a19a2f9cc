"""A process that fills a store, to be killed: `filling.py STORE SAMPLES DELAY`.

Prints how many completions its backend had handed over when it ended by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rlvr_gate.records import Benchmark, Checkpoint, Problem, Sampling, Stream
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend, coins
from rlvr_gate_fixtures.measurements.samples.fill import fill
from rlvr_gate_fixtures.measurements.samples.plan import Need, make_plan
from rlvr_gate_fixtures.store.samples import Store

PROBLEMS = tuple(Problem(f"p{i}", f"{i}+{i}=", str(2 * i), "exact") for i in range(10))
BENCHMARK = Benchmark("sums", "tests", "digest of sums", PROBLEMS)
CHECKPOINT = Checkpoint("base", "base", Path("/x/base"), "D1", "Llama", "T1", (0,), "template")


class Counted(ScriptedBackend):
    handed_over = 0

    def complete(self, checkpoint, stream, requests):
        for drawn in super().complete(checkpoint, stream, requests):
            yield drawn
            self.handed_over += 1


def setting(samples: int, delay: float = 0.0) -> tuple[Counted, Need]:
    backend = Counted({"*": coins(BENCHMARK, 0.3)}, delay=delay)
    stream = Stream(CHECKPOINT.digest, Sampling(), (0,), backend.identity(), 0)
    return backend, Need(CHECKPOINT, BENCHMARK, stream, samples)


def main(store_path: str, samples: str, delay: str) -> None:
    backend, need = setting(int(samples), float(delay))
    with Store.open(Path(store_path)) as store:
        try:
            fill(make_plan([need], store, backend), store, backend)
        finally:
            sys.stdout.write(f"{backend.handed_over}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
