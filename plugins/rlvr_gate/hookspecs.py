"""The hooks rlvr-gate calls; implement them in a conftest or a plugin of your own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rlvr_gate.records import ClaimRecord, GateResult, RunRecord


@pytest.hookspec(firstresult=True)
def pytest_rlvr_gate_record(
    config: pytest.Config, gate: GateResult, claims: Sequence[ClaimRecord]
) -> RunRecord | None:
    """Add to the verdicts what the run knows: counts, curves, provenance.

    Called once, in the controlling process, after the last claim. The fixtures room implements it.
    """


@pytest.hookspec
def pytest_rlvr_gate_finished(config: pytest.Config, run: RunRecord) -> None:
    """Receive the finished run, to write or send it somewhere.

    Called once, after pytest_rlvr_gate_record, whatever the gate's state. What an implementation
    raises is told in the terminal and costs the exit status (13), not the verdict. The reports
    room writes its files here, before all others:

        def pytest_rlvr_gate_finished(config, run):
            print(run.gate.state)
    """
