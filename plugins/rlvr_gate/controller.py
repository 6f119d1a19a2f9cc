"""The process that decides: it calls the roll, forms the gate and sets the exit status.

Only the process that is no xdist worker decides. A worker tells it what it collected and how it
ended; every verdict comes in a report, and what did not come is missing.
"""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest

from rlvr_gate.gate import wire
from rlvr_gate.gate.decide import EXIT_STATUS, FAILED, Named, decide, undecidable
from rlvr_gate.gate.family import with_p_values
from rlvr_gate.gate.policy import Policy
from rlvr_gate.gate.rollcall import CollectedClaim, RollCall
from rlvr_gate.records import ClaimRecord, GateResult, GateState, Kind, NewWork, RunRecord
from rlvr_gate.redacting import redacted
from rlvr_gate.visible import for_log

result_key = pytest.StashKey[GateResult]()
errand_key = pytest.StashKey[str]()
"""What the user asked for instead of a verdict, such as a plan: such a run may end with 0."""
failures_key = pytest.StashKey[list[str]]()
"""What went wrong in the gate itself, in words."""
asked_key = pytest.StashKey[bool]()

ROOMS = ("rlvr_gate.collected", "rlvr_gate_fixtures.plugin", "rlvr_gate_reports.plugin")
"""Plugins that come with the judge. Without one of them something is left unchecked or untold."""
_LAST_WORD = "rlvr_gate.last_word"
_ASKS = ("--model-pair", "--recorded")

USAGE = "rlvr_gate_usage"
"""Under this name an xdist worker tells what it has refused: the controller ends the run."""
_CLAIMS, _ENDED = "rlvr_gate_claims", "rlvr_gate_ended"
_CRASHES = (Exception, pytest.skip.Exception, pytest.fail.Exception, pytest.exit.Exception)
_ENDINGS = {
    pytest.ExitCode.INTERRUPTED: "the session was interrupted",
    pytest.ExitCode.INTERNAL_ERROR: "pytest met an internal error",
    pytest.ExitCode.USAGE_ERROR: "wrong usage",
    pytest.ExitCode.NO_TESTS_COLLECTED: "no test was collected",
}


class Claimed(Named, Protocol):
    """What the controller needs to know of a claim before it is judged."""

    @property
    def kind(self) -> Kind: ...


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is an xdist worker, which judges but does not decide."""
    return hasattr(config, "workerinput")


def asked(config: pytest.Config) -> bool:
    """Whether a verdict was asked for: then nothing but an open gate may end with 0.

    Found once, so that nobody takes the question back.
    """
    if asked_key not in config.stash:
        config.stash[asked_key] = any(config.getoption(option, None) for option in _ASKS)
    return config.stash[asked_key]


def given(config: pytest.Config) -> list[str]:
    """The command line before anybody could read it."""
    return [
        *shlex.split(os.environ.get("PYTEST_ADDOPTS", "")),
        *map(str, config.invocation_params.args),
    ]


def never_started(config: pytest.Config) -> None:
    """`sys.exit(0)` while pytest loads what a folder has for it is no verdict."""
    ended = sys.exception()
    quiet = isinstance(ended, SystemExit) and not ended.code
    if quiet and any(arg.startswith(_ASKS) for arg in given(config)):
        raise SystemExit(EXIT_STATUS[GateState.NOT_FINISHED])


def absent(config: pytest.Config) -> list[str]:
    """Which of the rooms were switched off."""
    return [name for name in ROOMS if not config.pluginmanager.has_plugin(name)]


class LastWord:
    """Says the exit status, whatever others made of it: a run that was asked for a verdict has
    one, or not 0.

    Refusals quote what others wrote: nothing in them may steer a terminal or a CI system.
    """

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, int, int]:
        try:
            status = yield
        except pytest.UsageError as error:
            error.args = tuple(for_log(text) for text in error.args)
            raise
        except (Exception, SystemExit):
            if is_worker(config) or not asked(config):
                raise
            sys.stderr.write(f"{for_log(traceback.format_exc())}\n")
            return FAILED
        return exit_status(config, status)


def speak_last(manager: pytest.PytestPluginManager) -> None:
    """Of the plugins that wrap a hook the latest has the last word."""
    if manager.has_plugin(_LAST_WORD):
        manager.unregister(name=_LAST_WORD)
    manager.register(LastWord(), _LAST_WORD)


def failed(config: pytest.Config, what: str, error: BaseException) -> None:
    """The gate itself failed: keep the reason for the terminal and the exit status."""
    shown = "".join(traceback.format_exception_only(error)).strip().splitlines()
    config.stash.setdefault(failures_key, []).append(f"{what}: {shown[-1] if shown else error!r}")


def exit_status(config: pytest.Config, status: int) -> int:
    """The status of the whole command, whatever others made of it on the way."""
    if is_worker(config) or not asked(config) or errand_key in config.stash:
        return status
    result = config.stash.get(result_key, None)
    if result is None:
        nothing = undecidable(("nothing was judged",), "")
        sys.stderr.write(f"rlvr-gate: no decision: {nothing.deciding[0]}\n")
        return status or nothing.exit_status
    return FAILED if config.stash.get(failures_key, None) else result.exit_status


def bare_record(gate: GateResult, claims: Sequence[ClaimRecord], command: str) -> RunRecord:
    """The record of a gate of which nothing else is known."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return RunRecord(
        gate=gate, claims=claims, counts={}, problems={}, examples={}, checkpoints=[],
        benchmarks=[], weights={}, curves={}, versions={}, command=command, created=now,
        seconds={}, sampled=NewWork(), samples=0, level=0.95, seed=0,
    )  # fmt: skip


def command(config: pytest.Config) -> str:
    """What the user typed, without secrets."""
    return redacted(" ".join(["pytest", *map(str, config.invocation_params.args)]))


class Attendant:
    """In every process: lists the claims as they are collected, and notes how the session ended.

    Args:
        claim_of: what a test claims; None if it is no claim.
    """

    def __init__(self, claim_of: Callable[[pytest.Item], Claimed | None]) -> None:
        self._claim_of = claim_of
        self._items: list[pytest.Item] = []
        self.ended = ""
        """What ended the session early, in words."""

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self._items.append(item)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        selected = {item.nodeid for item in session.items}
        found: dict[str, CollectedClaim] = {}
        for item in [*self._items, *session.items]:
            claim = self._claim_of(item)
            if claim is not None:
                found[item.nodeid] = CollectedClaim(
                    item.nodeid, claim.id, claim.kind, claim.benchmark, claim.k,
                    selected=item.nodeid in selected,
                )  # fmt: skip
        self.tell(session.config, list(found.values()))

    def tell(self, config: pytest.Config, claims: Sequence[CollectedClaim]) -> None:
        """A worker's list goes to the controller when the worker ends."""
        output: dict[str, object] = config.workeroutput  # type: ignore[attr-defined]  # xdist's own door
        output[_CLAIMS] = [claim.to_wire() for claim in claims]

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        with self._noting(session.config):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        with self._noting(session.config):
            return (yield)

    @contextmanager
    def _noting(self, config: pytest.Config) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.ended = str(getattr(error, "msg", None) or error) or type(error).__name__
            if isinstance(error, pytest.exit.Exception):  # pytest prints what it says
                error.msg = for_log(error.msg)
                error.args = (error.msg,)
            if is_worker(config):
                what = USAGE if isinstance(error, pytest.UsageError) else _ENDED
                config.workeroutput[what] = self.ended  # type: ignore[attr-defined]  # xdist's own door
            raise


class Controller(Attendant):
    """In the process that decides: hears every report, and decides when the session has ended."""

    def __init__(self, claim_of: Callable[[pytest.Item], Claimed | None], policy: Policy) -> None:
        super().__init__(claim_of)
        self._policy = policy
        self._roll = RollCall()

    def tell(self, config: pytest.Config, claims: Sequence[CollectedClaim]) -> None:
        self._roll.collect(claims)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._roll.note(f"{report.nodeid or 'a file'} could not be collected")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if str(report.outcome) == "rerun":  # pytest-rerunfailures: the last one counts
            return
        try:
            record = wire.from_properties(report.user_properties)
        except wire.WireError as error:
            return self._roll.note(f"{report.nodeid}: {error}")
        if record is not None and report.when in ("setup", "call"):
            self._roll.answer(report.nodeid, record)
        elif report.failed:
            self._roll.fail(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        told: Mapping[str, Any] = getattr(node, "workeroutput", None) or {}
        if USAGE in told:
            raise pytest.UsageError(told[USAGE])
        if _CLAIMS in told:
            self._roll.collect(CollectedClaim.from_wire(claim) for claim in told[_CLAIMS])
        if _ENDED in told:
            pytest.exit(f"worker {node.gateway.id} ended early: {told[_ENDED]}")
        if error is not None or _CLAIMS not in told:
            self._roll.note(f"worker {node.gateway.id} died: {error or 'it said nothing'}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        config = session.config
        if not asked(config) and not self._roll.collected:
            return  # a guest in somebody else's run
        claims = self._roll.claims
        try:
            claims = with_p_values(claims)
            gate = self._decide(config, claims, int(exitstatus))
        except _CRASHES as error:
            failed(config, "the gate could not be decided", error)
            gate = undecidable(("the gate could not be decided",), self._policy.name)
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            failed(config, "pytest met an internal error", RuntimeError(self.ended or "see above"))
        config.stash[result_key] = gate
        self._publish(config, gate, claims)
        session.exitstatus = exit_status(config, int(exitstatus))

    def _decide(
        self, config: pytest.Config, claims: Sequence[ClaimRecord], status: int
    ) -> GateResult:
        errand = config.stash.get(errand_key, None)
        if errand and not status:
            return replace(undecidable((errand,), self._policy.name), exit_status=status)
        for room in absent(config):
            self._roll.note(f"the plugin {room} was switched off")
        if self.ended or status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._roll.note(_ending(status, self.ended))
        gaps = self._roll.gaps(self._policy.required)
        gate = decide(claims, self._policy, self._roll.failed_tests, gaps)
        usage = status == pytest.ExitCode.USAGE_ERROR
        return replace(gate, exit_status=status) if usage else gate

    def _publish(
        self, config: pytest.Config, gate: GateResult, claims: Sequence[ClaimRecord]
    ) -> None:
        try:
            record = self._record(config, gate, claims)
            config.hook.pytest_rlvr_gate_finished(config=config, run=record)
        except _CRASHES as error:
            failed(config, "a report could not be made", error)

    def _record(
        self, config: pytest.Config, gate: GateResult, claims: Sequence[ClaimRecord]
    ) -> RunRecord:
        bare = bare_record(gate, claims, command(config))
        if not claims:
            return bare
        try:
            told = config.hook.pytest_rlvr_gate_record(config=config, gate=gate, claims=claims)
            # whoever makes the record, what was decided stays as it is
            return bare if told is None else replace(told, gate=gate, claims=claims)
        except _CRASHES as error:
            if gate.state is not GateState.NO_DECISION:  # else there may be nothing to read yet
                failed(config, "the run's record could not be made", error)
            return bare


def _ending(status: int, why: str) -> str:
    """How a session that was not whole has ended."""
    ending = _ENDINGS.get(pytest.ExitCode(status)) if status < 6 else None
    ending = ending or f"the session ended with status {status}"
    return f"{ending}: {why}" if why else ending
