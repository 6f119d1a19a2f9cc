"""The pytest side of the gate: claims in, verdicts out, the exit status decides.

The other rooms are named as strings so that imports stay inward: fixtures samples and hands out
`pair`, reports writes what people read.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from rlvr_gate import hookspecs
from rlvr_gate.controller import (
    ROOMS,
    Attendant,
    Controller,
    absent,
    asked,
    is_worker,
    never_started,
    speak_last,
)
from rlvr_gate.failures import readable
from rlvr_gate.gate import wire
from rlvr_gate.gate.explain import explain
from rlvr_gate.gate.policy import Policy, PolicyError, load_policy, shipped
from rlvr_gate.gate.worst import worst
from rlvr_gate.records import ClaimRecord, Kind, Paper, Verdict
from rlvr_gate.visible import capped, for_log

if TYPE_CHECKING:
    from rlvr_gate.judging.ledger import Ledger
    from rlvr_gate.judging.settling import Again, Look

pytest_plugins = list(ROOMS)

policy_key = pytest.StashKey[Policy]()
claim_key: pytest.StashKey[ItemClaim] = pytest.StashKey()
ledger_key: pytest.StashKey[Ledger] = pytest.StashKey()
look_key: pytest.StashKey[Look] = pytest.StashKey()
"""At which look a claim is judged, where its benchmark is asked in several steps."""
again_key: pytest.StashKey[Again] = pytest.StashKey()
"""Which judgement of its question a claim's is, where a store remembers."""

_MARKERS = (
    "claim(text, id, source, kind, margin, bound, paper): a claim; use the rlvr_gate.claim "
    "decorator",
    "at_k(*ks): judge this claim at these k instead of the --k ladder",
    "scores(*roles, under, choices, temperature, top_p, sampling, max_new_tokens, template, "
    "samples): score these roles' completions, asked for as in `asks`, under a checkpoint, or "
    "under two and with the divergences between them; with `choices`, what each would choose",
    "gradients(line, noise, spectra): take kernels at this claim's checkpoints, on the way to "
    "those of `line`, and at random updates of the size of those of `noise`; with `spectra` read "
    "those of their weights too",
    "matches(*roles, to, samples): find the temperature at which these roles draw as unsurely as "
    "`to` does, and draw so many samples at it",
    "traces(*names): have others' solutions, given with --traces NAME=FILE, graded, and the right "
    "ones scored under this claim's checkpoints",
    "represents(*roles): have these roles read the texts of --texts, and keep how alike they find "
    "them, layer by layer",
    "traits(*texts, grading): take those kernels over ways of behaving: base's right completions "
    "by stratum, its completions that hold a text or that another grading takes, and passages of "
    "--trait",
    "asks(*roles, temperature, top_p, sampling, max_new_tokens, template, samples, problems, "
    "grading, variant, chat): have these roles asked, or graded, otherwise than the run does; "
    "read with `pair.rlvr.at(temperature=0.6)`",
    "weights(*what): read weights beside samples, or `spectra` of a weight claim's updates",
    "where_named: leave this claim out of runs whose policy does not name it",
    "thorough: judge this claim with --thorough alone, for what it draws or scores beyond the run",
    "roles(*names): further checkpoints this claim reads, given with --checkpoint NAME=REF",
)


_LONGEST_REASON = 2_000  # characters: an exception may quote a whole completion


_LENT = ("k_max", "k_cover", "ks", "benchmarks", "series", "checkpoints")
"""Fixtures that say what a claim is about, beside those whose value the judge knows."""

_SAID = {"id", "text", "source", "kind", "margin", "bound", "paper"}
"""What a claim says of itself."""


@dataclass(frozen=True, slots=True)
class ItemClaim:
    """What the suite and the policy say about one collected claim."""

    id: str
    text: str
    source: str
    kind: Kind
    margin: float
    bound: float
    level: float
    benchmark: str | None
    k: int | None
    paper: Paper | None


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)
    speak_last(pluginmanager)
    config = pluginmanager.get_plugin("pytestconfig")
    if config is not None:
        config.add_cleanup(lambda: never_started(config))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rlvr-gate", "rlvr-gate: is this RLVR checkpoint fit for release?")
    group.addoption(
        "--gate-policy",
        metavar="NAME|FILE.toml",
        default="default",
        help=f"Which claims decide: a shipped policy ({', '.join(shipped())}) or a TOML file",
    )


def pytest_configure(config: pytest.Config) -> None:
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    if off := absent(config) if asked(config) else ():
        raise pytest.UsageError(f"{off[0]} is switched off: without it no verdict is given")
    try:
        config.stash[policy_key] = load_policy(config.getoption("--gate-policy"))
    except PolicyError as error:
        raise pytest.UsageError(f"--gate-policy: {error}") from None
    config.pluginmanager.register(_attendant(config), "rlvr_gate.attendant")


def _attendant(config: pytest.Config) -> Attendant:
    if is_worker(config):
        return Attendant(_claim_of)
    return Controller(_claim_of, config.stash[policy_key])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        speak_last(early_config.pluginmanager)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        _claim_of(item)


def _claim_of(item: pytest.Item) -> ItemClaim | None:
    """What a test claims, kept with it; None if it is no claim."""
    if claim_key not in item.stash:
        claim = item_claim(item, item.config.stash[policy_key])
        if claim is None:
            return None
        item.stash[claim_key] = claim
    return item.stash[claim_key]


def item_claim(item: pytest.Item, policy: Policy) -> ItemClaim | None:
    """What one collected test claims, after the policy's word; None if it is no claim."""
    mark = item.get_closest_marker("claim")
    if mark is None or not mark.kwargs.keys() >= _SAID:  # a mark that is none of ours is refused
        return None
    params = getattr(getattr(item, "callspec", None), "params", {})
    spec, benchmark = mark.kwargs, params.get("benchmark")
    return ItemClaim(
        id=spec["id"],
        text=spec["text"],
        source=spec["source"],
        kind=policy.kind(spec["id"], benchmark, spec["kind"]),
        margin=policy.margin(spec["id"], benchmark, spec["margin"]),
        bound=policy.bound(spec["id"], benchmark, spec["bound"]),
        level=policy.level_of(spec["id"], benchmark),
        benchmark=benchmark,
        k=params.get("k"),
        paper=spec["paper"],
    )


@pytest.fixture
def margin(request: pytest.FixtureRequest) -> float:
    """The slack of this claim: the policy's, or else the one the claim was declared with."""
    claim: ItemClaim | None = request.node.stash.get(claim_key, None)
    if claim is None:
        pytest.fail("the margin fixture belongs to a claim: decorate the test", pytrace=False)
    return claim.margin


@pytest.fixture
def bound(request: pytest.FixtureRequest) -> float:
    """The number this claim is held against: the policy's, or else the suite's own."""
    claim: ItemClaim | None = request.node.stash.get(claim_key, None)
    if claim is None:
        pytest.fail("the bound fixture belongs to a claim: decorate the test", pytrace=False)
    return claim.bound


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    claim = item.stash.get(claim_key, None)
    if claim is not None:
        from rlvr_gate.judging.ledger import Ledger

        look, sure = item.stash.get(look_key, None), claim.kind is Kind.GATE
        again = item.stash.get(again_key, None) if sure else None
        item.stash[ledger_key] = Ledger.at(look, claim.level, guaranteed=sure, again=again)
        policy = item.config.stash[policy_key]
        item.stash[ledger_key].margins = policy.margins
        item.stash[ledger_key].target = policy.target


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    claim = item.stash.get(claim_key, None)
    if claim is not None and (call.when == "call" or (call.when == "setup" and call.excinfo)):
        record = claim_record(item, claim, call.excinfo, skipped=report.skipped)
        told = wire.to_properties(record)
        item.user_properties.extend(told)  # the teardown report takes these to JUnit XML
        report.user_properties.extend([*told, wire.whole(record)])
        if not record.broken:
            _apply(record, report)
    if claim is not None:
        report.longrepr = readable(report.longrepr)
        report.sections = [(title, for_log(text)) for title, text in report.sections]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.failed and asked(collector.config):
        report.longrepr = readable(report.longrepr)
    return report


def claim_record(
    item: pytest.Item,
    claim: ItemClaim,
    excinfo: pytest.ExceptionInfo[BaseException] | None,
    *,
    skipped: bool,
) -> ClaimRecord:
    """Form a claim's answer from what its test compared and how it ended."""
    judgements = tuple(item.stash[ledger_key].judgements)
    verdict = worst([judgement.verdict for judgement in judgements])
    asserted = excinfo is not None and excinfo.errisinstance(AssertionError)
    broken = excinfo is not None and not skipped
    if asserted and verdict is not Verdict.HOLDS and judgements:
        broken = False  # the assertion failed because the comparison did: that is the verdict
    reason = _overridden(item, claim)
    if reason:
        verdict, broken = Verdict.UNDECIDED, True
    elif excinfo is not None and (broken or skipped):
        verdict = Verdict.UNDECIDED
        reason = str(excinfo.value) if skipped else f"raised {excinfo.exconly(tryshort=True)}"
    elif not judgements:
        reason = "the test compared nothing, so nothing was judged"
    return ClaimRecord(
        id=claim.id,
        text=claim.text,
        source=claim.source,
        kind=claim.kind,
        nodeid=item.nodeid,
        benchmark=claim.benchmark,
        k=claim.k,
        margin=claim.margin,
        verdict=verdict,
        judgements=judgements,
        reason=capped(reason, _LONGEST_REASON),
        broken=broken,
        skipped=skipped,
        paper=claim.paper,
    )


def _overridden(item: pytest.Item, claim: ItemClaim) -> str:
    """Which of our fixtures gave the test something else than ours; a name is easily taken."""
    given: dict[str, object] = getattr(item, "funcargs", {})
    ours = {"margin": claim.margin, "bound": claim.bound, "benchmark": claim.benchmark,
            "k": claim.k}  # fmt: skip
    strange = [name for name, value in ours.items() if name in given and given[name] != value]
    noted_by = getattr(getattr(given.get("pair"), "base", None), "ledger", None)
    if "pair" in given and noted_by is not item.stash[ledger_key]:
        strange.append("pair")
    strange += [name for name in _LENT if name in given and _made_elsewhere(name, item)]
    named = ", ".join(strange)
    return f"the fixture {named} was overridden: give yours another name" if strange else ""


def _made_elsewhere(name: str, item: pytest.Item) -> bool:
    """Whether a suite or conftest has a fixture of its own under a name that we lend."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return name in known and not known[name][-1].func.__module__.startswith("rlvr_gate")


def _apply(record: ClaimRecord, report: pytest.TestReport) -> None:
    """Let the verdict, not the bare assertion, be what pytest reports."""
    if record.verdict is Verdict.HOLDS or record.kind is Kind.FINDING:
        if not report.skipped:
            report.outcome, report.longrepr = "passed", None
        return
    report.outcome, report.longrepr = "failed", "\n".join(explain(record))


def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, str] | None:
    if not isinstance(report, pytest.TestReport):
        return None
    told = dict(report.user_properties)
    if report.when != "call" or report.skipped:
        return None
    if wire.ALONE in told and report.passed:
        return "finding", ".", "FINDING"  # its verdict is known when all findings are
    verdict = told.get("rlvr_gate.verdict")
    if verdict is None:
        return None
    if verdict == Verdict.HOLDS:
        return "passed", ".", "HOLDS"
    return "failed", str(verdict)[0].upper(), str(verdict).upper()


def pytest_report_header() -> str:
    return f"rlvr-gate: {__file__}"
