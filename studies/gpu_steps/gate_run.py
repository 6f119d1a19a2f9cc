"""A whole gate of a pair on one device, and our rate beside a bare `LLM.generate`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gpu_steps.common import ROOT, need_vllm, scaled
from rlvr_gate_fixtures.backends.children.settling import memory_held

PAIR, BENCHMARK = "RLVR_GATE_TEST_PAIR", "RLVR_GATE_TEST_BENCHMARK"
"""Variables that name a pair of real size, and its benchmark."""
_REQUIRED = "test_pass_at_1_rises or test_the_two_runs_are_comparable"
"""K1 and S2: without one that the policy requires there is no verdict."""
_VERDICTS = (0, 1, 10, 11)  # open, closed, undecided, not comparable: the run was whole


def run(quick: bool) -> None:
    """Both checkpoints drawn, engine after engine, by one command; then the ratios."""
    need_vllm()
    pair = os.environ.get(PAIR, "")
    if not pair:
        print("no pair of real size was named (make test-gpu PAIR=BASE,RLVR): the shipped one")
    samples, budget = ("16", "512") if pair else ("2" if quick else "16", "80")
    named = ["--benchmarks", os.environ[BENCHMARK]] if os.environ.get(BENCHMARK) else []
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "pytest", "suites", "-q", "-p", "no:cacheprovider",
            "--model-pair", pair or "base,rlvr", "-k", _REQUIRED, *named,
            f"--samples={samples}", f"--max-new-tokens={budget}", "--backend=vllm",
            f"--sample-store={Path(folder) / 'store'}",
        ]  # fmt: skip
        started, most = time.monotonic(), 0
        with (Path(folder) / "log").open("w+") as log:
            gate = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=_environment())
            while gate.poll() is None:
                most = max(most, memory_held() or 0)
                time.sleep(0.5)
            log.seek(0)
            lines = log.read().strip().splitlines()
        took = time.monotonic() - started
        print(f"gate of {pair or 'base,rlvr'} on vllm: status {gate.returncode} in {took:.0f} s"
              f"{f', at most {most} MiB of the GPU' if most else ''}")  # fmt: skip
        print("\n".join(line for line in lines[-25:] if line.strip()))
        assert gate.returncode in _VERDICTS, "the gate did not come to a verdict"
    sizes = ["--problems", "4", "--samples", "16", "--rounds", "1"] if quick else ["--rounds", "2"]
    checked = ["--checkpoint", pair.partition(",")[0]] if pair else []
    ratios = subprocess.run(
        [sys.executable, "studies/engines.py", "--option", "enforce_eager=true", *sizes, *checked],
        cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=scaled(400),
        check=False,
    )  # fmt: skip
    print(ratios.stdout[ratios.stdout.find("\n\n") :].strip() or ratios.stderr[-1500:])
    assert ratios.returncode == 0, "studies/engines.py failed"


def _environment() -> dict[str, str]:
    rooms = [str(ROOT / name) for name in ("plugins", "fixtures", "reports")]
    path = os.pathsep.join([*rooms, os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    return {**os.environ, "PYTHONPATH": path}
