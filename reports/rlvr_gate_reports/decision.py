"""The decision: may this checkpoint ship, why, and what shipping it costs.

Every report opens with these sentences, so that page, terminal and Markdown tell one story.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rlvr_gate.gate.decide import decide, name
from rlvr_gate.gate.policy import Policy, load_policy, shipped
from rlvr_gate.records import (
    ClaimRecord,
    CurvePoint,
    GateState,
    Interval,
    Kind,
    RunRecord,
    Verdict,
)
from rlvr_gate.visible import one_line
from rlvr_gate_reports import words
from rlvr_gate_reports.reading import (
    Solved,
    benchmark_names,
    class_counts,
    deciding_claims,
    solved,
)

HEADLINES = {
    GateState.OPEN: "May ship",
    GateState.CLOSED: "Do not ship",
    GateState.UNDECIDED: "Do not ship yet",
    GateState.NOT_COMPARABLE: "No answer",
    GateState.NO_DECISION: "No answer",
    GateState.NOT_FINISHED: "No answer yet",
}
ON_A_WAIVER = "May ship on a waiver"
FAILED = "Do not ship: the run failed"
_DECIDED = (GateState.OPEN, GateState.CLOSED, GateState.UNDECIDED)
_NOWHERE = "RLVR leads at no k"
_LONGEST, _NAMED = 120, 3  # characters of a name; benchmarks named in a sentence


@dataclass(frozen=True, slots=True)
class Loss:
    """What happened at the largest k of one benchmark, and to which problems."""

    benchmark: str
    base: float | None
    rlvr: float | None
    gap: CurvePoint | None
    """rlvr minus base at the largest k; None where no curve was computed."""
    problems: tuple[Solved, ...]
    """Lost ones, those of which base solved the largest share first."""
    solved: int
    """Problems that base solved at least once."""
    gained: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to `may we ship`, in the words of every report."""

    headline: str
    reason: str
    then: str
    """What to do where the gate is not open; empty where it is, or where nothing is known."""
    trade: tuple[str, ...]
    """What fell, by how much, and which policy would say otherwise; a sentence each."""
    losses: tuple[Loss, ...]
    """By benchmark, the largest fall first."""
    why: ClaimRecord | None
    """The claim to read first: the one that decided against, or else would under a policy."""

    failed: bool
    """Whether the gate is closed because the run failed, not because a claim was refuted."""

    @property
    def waived(self) -> bool:
        """Whether the gate is open on somebody's word."""
        return self.headline == ON_A_WAIVER

    @property
    def trade_title(self) -> str:
        """What the sentences of `trade` are about: a price, or no more than a change."""
        worst = self.losses[0] if self.losses else None
        paid = worst and (worst.problems or (worst.gap and worst.gap.high < 0))
        return "The trade" if paid else "What changed"

    @property
    def lost(self) -> tuple[str, Solved] | None:
        """Benchmark and problem of the largest loss."""
        found = ((loss.benchmark, loss.problems[0]) for loss in self.losses if loss.problems)
        return next(found, None)


def of(record: RunRecord) -> Decision:
    """Read a record into its decision."""
    failed = _failed(record)
    losses = _losses(record) if record.gate.state in _DECIDED and not failed else ()
    stricter = _stricter(record) if record.gate.state is GateState.OPEN else None
    return Decision(
        headline=_headline(record, failed),
        reason=words.gate_reason(record),
        then=_then(record),
        trade=(*_trade(record, losses), *([_otherwise(*stricter)] if stricter else [])),
        losses=losses,
        why=_why(record, stricter),
        failed=failed,
    )


def _headline(record: RunRecord, failed: bool) -> str:
    if record.gate.state is GateState.OPEN and words.waived(record):
        return ON_A_WAIVER
    return FAILED if failed else HEADLINES[record.gate.state]


def _failed(record: RunRecord) -> bool:
    """Whether tests beside the claims closed the gate, not a claim."""
    return record.gate.state is GateState.CLOSED and not deciding_claims(record)


def text(record: RunRecord, decision: Decision) -> str:
    """The decision as a few lines of plain text, to be copied into a chat or a ticket."""
    refs = " -> ".join(f"{c.role} {one_line(c.ref, _LONGEST)}" for c in words.pair(record))
    state = words.STATE_WORDS[record.gate.state]
    lines = [
        f"{decision.headline}: gate {state}, policy {one_line(record.gate.policy, _LONGEST)}, "
        f"exit status {record.gate.exit_status}",
        refs, decision.reason, decision.then, _titled(decision), *words.waivers(record),
        words.findings(record),
    ]  # fmt: skip
    return "\n".join(line for line in lines if line)


def _titled(decision: Decision) -> str:
    return " ".join([f"{decision.trade_title}:", *decision.trade]) if decision.trade else ""


def _then(record: RunRecord) -> str:
    """What to do next."""
    state = record.gate.state
    if _failed(record):
        return (
            "This is no verdict on RLVR: a test beside the claims failed; mend it and run again."
        )
    if state is GateState.UNDECIDED:
        found = [_would_decide(claim) for claim in deciding_claims(record)]
        known = [each for each in found if each]
        if not known:
            return "What would decide it is not known: add problems, then samples."
        more = f" (and {len(known) - 1} more below)" if known[1:] else ""
        return f"{known[0][0].upper()}{known[0][1:]}{more}."
    if state is GateState.NOT_COMPARABLE:
        return "Mend that and run again; until then no number here is about the release."
    if state is GateState.NO_DECISION:
        return "This is no verdict: mend what is named and run again; what is stored is kept."
    return ""


def _would_decide(claim: ClaimRecord) -> str:
    judgement = claim.deciding
    found = None if judgement is None else judgement.evidence.would_decide
    return "" if found is None else f"{found.text} ({one_line(name(claim), _LONGEST)})"


def _losses(record: RunRecord) -> tuple[Loss, ...]:
    found = [_loss(record, benchmark) for benchmark in benchmark_names(record)]
    return tuple(sorted(filter(None, found), key=_worst))


def _worst(loss: Loss) -> tuple[float, float]:
    return (loss.gap.value if loss.gap else 0.0), -len(loss.problems)


def diagnosis(record: RunRecord, benchmark: str) -> str:
    """What happened on one benchmark; empty where the gate is about something else."""
    if record.gate.state not in _DECIDED or _failed(record):
        return ""
    loss = _loss(record, benchmark)
    return "" if loss is None else f"{_moved(loss)} {_problems(loss)}".strip()


def _loss(record: RunRecord, benchmark: str) -> Loss | None:
    curves = record.curves.get(benchmark, {})
    gap = max(curves.get("difference", ()), key=lambda point: point.k, default=None)
    problems = solved(record.counts.get(benchmark, {}))
    if gap is None and not problems:
        return None
    base, rlvr = (
        next((p.value for p in curves.get(role, ()) if gap and p.k == gap.k), None)
        for role in ("base", "rlvr")
    )
    classes = class_counts(problems)
    lost = sorted((p for p in problems if p.kind == "lost"), key=lambda p: p.difference)
    reached = classes["lost"] + classes["preserved"]
    return Loss(benchmark, base, rlvr, gap, tuple(lost), reached, classes["gained"])


def _trade(record: RunRecord, losses: Sequence[Loss]) -> list[str]:
    if not losses:
        return []
    worst, *others = losses
    where = f"On {one_line(worst.benchmark, _LONGEST)} " if others else ""
    sentences = [f"{where}{_moved(worst)}" if worst.gap else "", _problems(worst)]
    told = record.crossovers.get(worst.benchmark)
    if told is not None and told.k is not None:
        lead = _lead(told.k, told.low, told.high) if told.last_lead else _NOWHERE
        sentences.append(f"{lead}.")
    return [s for s in (*sentences, _elsewhere(others)) if s]


def _moved(loss: Loss) -> str:
    """`pass@256 fell from 0.950 to 0.630 (−0.320 [−0.416, −0.228]).`"""
    gap = loss.gap
    if gap is None:
        return ""
    change = (
        f"{words.number(gap.value, signed=True)} "
        f"{words.interval(Interval(gap.low, gap.high, 0.0), signed=True)}"
    )
    ends = f"from {words.number(loss.base)} to {words.number(loss.rlvr)} ({change})"
    if gap.high < 0:
        return f"pass@{gap.k:g} fell {ends}."
    if gap.low > 0:
        return f"pass@{gap.k:g} rose {ends}."
    return f"pass@{gap.k:g} went {ends}: the interval holds 0, so neither fall nor rise is shown."


def _problems(loss: Loss) -> str:
    """`32 of 95 problems that base solved are lost (16 solid), none is gained.`"""
    if not loss.solved:
        return f"base solved no problem; {loss.gained:,} gained." if loss.gained else ""
    if not loss.problems:
        return (
            f"None of the {loss.solved:,} problems that base solved is lost, "
            f"{_gained(loss.gained)}."
        )
    lost, solid = len(loss.problems), sum(p.rests_on == "solid" for p in loss.problems)
    return (
        f"{lost:,} of {loss.solved:,} problems that base solved {'is' if lost == 1 else 'are'} "
        f"lost ({solid:,} solid), {_gained(loss.gained)}."
    )


def _gained(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'} gained" if number else "none is gained"


def _lead(k: int, low: int | None, high: int | None) -> str:
    """Where rlvr's lead ends, with every k that the simultaneous band allows."""
    if low is None:
        return f"RLVR's lead ends at k* = {k}"
    return (
        f"RLVR's lead ends at k* = {k} ("
        + (f"{low} to {high} possible" if high is not None else f"{low} or later possible")
        + ")"
    )


def _elsewhere(losses: Sequence[Loss]) -> str:
    """The other benchmarks, by where pass@k at their largest k went."""
    ways: dict[str, list[str]] = {"fell": [], "rose": [], "shows neither": []}
    for loss in losses:
        if loss.gap is not None:
            way = "fell" if loss.gap.high < 0 else "rose" if loss.gap.low > 0 else "shows neither"
            ways[way].append(one_line(loss.benchmark, 40))
    said = [f"{way} on {_few(names)}" for way, names in ways.items() if names]
    return f"Elsewhere pass@k at the largest k {', '.join(said)}." if said else ""


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


Stricter = tuple[Policy, ClaimRecord, GateState]


def _stricter(record: RunRecord) -> Stricter | None:
    """A shipped policy that would not open with these verdicts, and the claim it would ask."""
    for ref in shipped():
        policy = load_policy(ref)
        if policy.name == record.gate.policy or not _about_the_same(policy, record):
            continue
        state = decide(_under(policy, record), policy).state
        flipped = [c for c in record.claims if _asks_more(policy, c)]
        against = [c for c in flipped if c.verdict is Verdict.REFUTED] or flipped
        if against and state in (GateState.CLOSED, GateState.UNDECIDED):
            return policy, against[0], state
    return None


def _about_the_same(policy: Policy, record: RunRecord) -> bool:
    """Whether it asks all that this run's gate asked, and more."""
    gates = {claim.id for claim in record.claims if claim.kind is Kind.GATE}
    return gates < {id for id, entry in policy.claims.items() if entry.kind is Kind.GATE}


def _under(policy: Policy, record: RunRecord) -> list[ClaimRecord]:
    return [
        replace(claim, kind=policy.kind(claim.id, claim.benchmark, claim.kind))
        for claim in record.claims
    ]


def _asks_more(policy: Policy, claim: ClaimRecord) -> bool:
    """Whether the policy lets a finding decide, at the margin it was judged at."""
    return (
        claim.kind is Kind.FINDING
        and claim.verdict is not Verdict.HOLDS
        and policy.kind(claim.id, claim.benchmark, claim.kind) is Kind.GATE
        and policy.margin(claim.id, claim.benchmark, claim.margin) == claim.margin
    )


def _otherwise(policy: Policy, claim: ClaimRecord, state: GateState) -> str:
    """`With --gate-policy=coverage C1 on countdown decides too: as judged here (refuted), …`"""
    return (
        f"With --gate-policy={policy.name} {one_line(name(claim), _LONGEST)} decides too: as "
        f"judged here ({claim.verdict}) the gate would be {words.STATE_WORDS[state]}."
    )


def _why(record: RunRecord, stricter: Stricter | None) -> ClaimRecord | None:
    """What decided against, else what would, else the refuted finding that comes first."""
    if record.gate.state is not GateState.OPEN:
        return next(iter(deciding_claims(record)), None)
    if stricter:
        return stricter[1]
    refuted = (c for c in record.claims if c.verdict is Verdict.REFUTED and not c.skipped)
    return next(refuted, None)
