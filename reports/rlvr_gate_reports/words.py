"""Numbers and sentences as every report spells them.

Shares are printed as fractions with three decimals (pass@1 0.312), never as percent, so that
estimates, intervals, margins and policy files read alike. U+2212 is the minus sign.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rlvr_gate.gate.decide import name
from rlvr_gate.gate.explain import NO_ESTIMATE
from rlvr_gate.gate.family import tests_of
from rlvr_gate.gate.waivers import (
    EXPIRED,
    MATCHES_NOTHING,
    NOT_NEEDED,
    USED,
    WITHOUT_FORCE,
    spelled,
)
from rlvr_gate.records import (
    PAIR,
    THESE,
    CheckpointFacts,
    ClaimRecord,
    ErrorControl,
    Example,
    Fixed,
    GateState,
    Interval,
    Judgement,
    Kind,
    LookedAt,
    RunRecord,
    Saving,
    StratumRow,
    Unit,
    Verdict,
    WaiverUse,
)
from rlvr_gate.visible import one_line
from rlvr_gate_reports.reading import (
    Solved,
    checkpoints,
    deciding_claims,
    incomparable,
)

STATE_WORDS = {
    GateState.OPEN: "OPEN",
    GateState.CLOSED: "CLOSED",
    GateState.UNDECIDED: "UNDECIDED",
    GateState.NOT_COMPARABLE: "NOT COMPARABLE",
    GateState.NO_DECISION: "NO DECISION",
    GateState.NOT_FINISHED: "NOT FINISHED",
}
FOUND = {
    "holds": "it holds there",
    "contradicts": "the contrary is found there",
    "silent": "not asked there",
}
"""Of a claim in its paper."""
_NAMED, _LONGEST_NAME = 20, 160
_HELD = 4  # claims told with their numbers
_RELATIONS = {">=": "≥", "<=": "≤"}


def number(value: float | None, *, signed: bool = False) -> str:
    """Three decimals; more where rounding would turn a number into a false 0 or 1.

    >>> number(0.3117), number(-0.02, signed=True), number(0.99981), number(0.00004), number(None)
    ('0.312', '−0.020', '0.9998', '0.00004', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{_decimals(abs(value))}f}" if abs(value) < 1000 else f"{value:,.0f}"
    if not text.strip("-0."):
        text = f"{value:.1e}" if value else "0"
    return ("+" if signed and value > 0 else "") + text.replace("-", "−")


def share(value: float) -> str:
    """An estimate in [0, 1] to three decimals; how near it is to an end says nothing.

    >>> share(0.25), share(1e-14), share(0.0), share(1 - 1e-9)
    ('0.250', '< 0.001', '0', '> 0.999')
    """
    if 0 < value < 0.0005:
        return "< 0.001"
    return "> 0.999" if 0.9995 < value < 1 else number(value)


def brief(value: float) -> str:
    """A number for a small cell: two digits of what is far below one.

    >>> brief(0.3117), brief(0.000123), brief(0.0)
    ('0.312', '1.2e−4', '0')
    """
    if 0 < abs(value) < 0.001:
        digits, _, power = f"{value:.1e}".partition("e")
        return f"{digits}e{int(power)}".replace("-", "−")
    return number(value)


def count(value: float) -> str:
    """A whole number with thousands separators."""
    return f"{value:,.0f}"


def interval(bounds: Interval, *, signed: bool = False) -> str:
    """`[0.201, 0.423]`"""
    return f"[{number(bounds.low, signed=signed)}, {number(bounds.high, signed=signed)}]"


def is_difference(judgement: Judgement) -> bool:
    """Whether the estimate compares two quantities, so that its sign should be shown."""
    return judgement.interval.low < 0 or len(judgement.evidence.sides or ()) > 1


def estimate(judgement: Judgement) -> str:
    """`+0.184 [+0.151, +0.217]`: an estimate is never shown without its interval.

    `no estimate`, and no interval that would look like one, where nothing was measured.
    """
    return f"{value(judgement)} {uncertainty(judgement)}".strip()


def value(judgement: Judgement) -> str:
    """The estimate alone; an exact whole number, such as a count, without decimals."""
    if judgement.estimate is None:
        return NO_ESTIMATE
    if is_exact(judgement) and judgement.estimate % 1 == 0:
        return count(judgement.estimate)
    signed = is_difference(judgement)
    return _spelled(judgement, judgement.estimate, judgement.threshold, signed=signed)


def uncertainty(judgement: Judgement) -> str:
    """The interval, or `exact` where there is no sampling error; empty without an estimate."""
    if judgement.estimate is None:
        return ""
    if is_exact(judgement):
        return "exact"
    if _counted(judgement):
        return f"(up to {count(judgement.interval.high)})"
    bounds = judgement.interval
    low, high = (
        _spelled(judgement, end, judgement.threshold, signed=is_difference(judgement))
        for end in (bounds.low, bounds.high)
    )
    return f"[{low}, {high}]"


def about(judgement: Judgement | None) -> str:
    """`of these problems alone`, where a verdict is not about others like them; else empty."""
    alone = judgement is not None and judgement.target == THESE
    return "of these problems alone" if alone else ""


def is_exact(judgement: Judgement) -> bool:
    """Whether the number was counted, not sampled: no samples, and nothing left open."""
    return judgement.n is None and judgement.interval.low == judgement.interval.high


def _counted(judgement: Judgement) -> bool:
    """Whether it says how many things are so, and what is open can only add to them."""
    bounds, sampled = judgement.interval, judgement.n is not None or judgement.p_value is not None
    whole = judgement.unit == Unit.COUNT and bounds.high % 1 == 0
    return whole and not sampled and judgement.estimate == bounds.low


def needs(judgement: Judgement) -> str:
    """`> 0`: where the whole interval must lie."""
    relation = _RELATIONS.get(judgement.relation, judgement.relation)
    beside = judgement.threshold if judgement.estimate is None else judgement.estimate
    threshold = _spelled(judgement, judgement.threshold, beside)
    return f"{relation}\N{NO-BREAK SPACE}{threshold}"


def _spelled(of: Judgement, value: float, beside: float, *, signed: bool = False) -> str:
    """A number of a judgement: whole where its unit is of whole things, and not as `beside` is."""
    if of.unit in (Unit.COUNT, Unit.SAMPLES) and value % 1 == 0:
        return count(value).replace("-", "−")
    shown = number(value, signed=signed)
    if value == beside or not math.isfinite(value) or shown.lstrip("+") != number(beside):
        return shown
    digits = next(d for d in range(2, 18) if f"{value:.{d}g}" != f"{beside:.{d}g}")
    return ("+" if signed and value > 0 else "") + f"{value:.{digits}g}".replace("-", "−")


def stratum(row: StratumRow) -> tuple[str, ...]:
    """Stratum, problems, k, `base → rlvr` and the paired difference with its interval."""
    bounds = interval(Interval(row.low, row.high, 0.0), signed=True)
    difference = f"{number(row.difference, signed=True)} {bounds}"
    both = f"{number(row.base)} → {number(row.rlvr)}"
    return row.stratum, str(row.problems), str(row.k), both, difference


def sentence(text: str) -> str:
    """A clause with its capital and its full stop; how it goes on is left as it is.

    >>> sentence("RLVR narrows: more is lost"), sentence("the update is sparse")
    ('RLVR narrows: more is lost.', 'The update is sparse.')
    """
    return f"{text[:1].upper()}{text[1:]}."


def level(value: float) -> str:
    """`95 %`"""
    return f"{100 * value:.4g} %"


def duration(seconds: float) -> str:
    """`< 0.1 s`, `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`"""
    if seconds < 0.05:
        return "< 0.1 s"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def gate_reason(record: RunRecord) -> str:
    """One sentence: which claims decided, and on what numbers."""
    deciding = deciding_claims(record)
    names = _named(record.gate.deciding)
    if record.gate.state is GateState.NOT_FINISHED:
        return "This run has not finished: nothing is known of the gate."
    if record.gate.state is GateState.NO_DECISION:
        return f"The run was not whole, so nothing is decided: {names}."
    if record.gate.state is GateState.OPEN:
        but = f" but what is waived ({waived(record)})" if waived(record) else ""
        return f"Every gate claim holds{but}: {_held(deciding) or names}."
    if not deciding:
        return f"The gate cannot open: {names or 'nothing was judged'}."
    first, *others = deciding
    also = f" So {'are' if others[1:] else 'is'} {_list(others)}." if others else ""
    said = f"{one_line(name(first), _LONGEST_NAME)} is {first.verdict}"
    return f"{said}: {one_line(because(first))}.{also}"


def waived(record: RunRecord) -> str:
    """`C1 on countdown until 2026-12-31, 32 days left: known`, of every waiver in use."""
    used = [use for use in record.gate.waivers if use.state == USED]
    return "; ".join(f"{_until(use)}: {one_line(use.waiver.reason, 300)}" for use in used)


def waivers(record: RunRecord) -> list[str]:
    """A sentence for each waiver, the worst state first: none is silent.

    Those that an open gate rests on are in its reason.
    """
    told = [use for use in record.gate.waivers if use.state in _WAIVERS]
    if record.gate.state is GateState.OPEN:
        told = [use for use in told if use.state != USED]
    told.sort(key=lambda use: list(_WAIVERS).index(use.state))
    return [f"Waiver of {_until(use)}, {_WAIVERS[use.state]}." for use in told]


_WAIVERS = {
    MATCHES_NOTHING: "matches no gate claim of this run: a slip of the pen, or another run's",
    WITHOUT_FORCE: "is without force: what it names is not comparable, or no other claim holds",
    EXPIRED: "has expired: renew it, or take it out of the policy",
    USED: "is in use",
    NOT_NEEDED: "is not needed: what it names holds",
}


def _until(use: WaiverUse) -> str:
    left = days_left(use)
    return f"{one_line(spelled(use.waiver), _LONGEST_NAME)} until {use.waiver.until}" + (
        f", {left}" if left else ""
    )


def days_left(use: WaiverUse) -> str:
    """`32 days left`, `last day`, `3 days ago`; empty where nobody counted."""
    if use.days is None:
        return ""
    if use.days == 0:
        return "last day"
    days = f"{abs(use.days):,} day{'s' if abs(use.days) != 1 else ''}"
    return f"{days} left" if use.days > 0 else f"{days} ago"


def _held(claims: Sequence[ClaimRecord]) -> str:
    """The claims that opened the gate, the sampled ones first, each with its numbers.

    A claim on several benchmarks is told where it came closest to its threshold.
    """
    by_id: dict[str, list[ClaimRecord]] = {}
    for claim in claims:
        by_id.setdefault(claim.id, []).append(claim)
    closest = [min(members, key=_clearance) for members in by_id.values()]
    closest.sort(key=lambda claim: _exactly(claim) is not None)
    shown = [_with_numbers(claim, len(by_id[claim.id])) for claim in closest[:_HELD]]
    more = len(closest) - len(shown)
    return "; ".join([*shown, f"and {more:,} more"] if more else shown)


def _clearance(claim: ClaimRecord) -> float:
    """How far the interval stays from the threshold."""
    judgement = claim.deciding
    if judgement is None:
        return -math.inf
    bounds = judgement.interval
    if judgement.relation in (">", ">="):
        return bounds.low - judgement.threshold
    return judgement.threshold - bounds.high


def _exactly(claim: ClaimRecord) -> Judgement | None:
    judgement = claim.deciding
    return judgement if judgement is not None and is_exact(judgement) else None


def _with_numbers(claim: ClaimRecord, on: int) -> str:
    """`RLVR raises pass@1 (K1 on countdown: +0.150 [+0.116, +0.184], needs > 0)`"""
    said, judgement = one_line(claim.text, _LONGEST_NAME), claim.deciding
    where = f"{one_line(name(claim), _LONGEST_NAME)}{f', least of {on:,}' if on > 1 else ''}"
    if judgement is None or is_exact(judgement):
        return f"{said} ({where})"
    return f"{said} ({where}: {estimate(judgement)}, needs {needs(judgement)})"


def pair(record: RunRecord) -> list[CheckpointFacts]:
    """The facts of base and rlvr, where the record has them."""
    return [c for c in checkpoints(record) if c.role in PAIR]


def because(claim: ClaimRecord) -> str:
    """Why a claim has its verdict, in one line without a full stop."""
    judgement = claim.deciding
    if claim.verdict is Verdict.NOT_COMPARABLE:
        return "; ".join(incomparable(claim)) or "a pre-check failed"
    if judgement is None:
        return claim.reason or "nothing was measured"
    text = f"{judgement.statement} needs {needs(judgement)}, got {estimate(judgement)}"
    return f"{text}; {claim.reason}" if claim.reason else text


def gate_tally(record: RunRecord) -> str:
    """`2 of 3 gate claims hold.`; empty where there are none."""
    gates = [claim for claim in record.claims if claim.kind is Kind.GATE]
    held = sum(claim.verdict is Verdict.HOLDS for claim in gates)
    return f"{held} of {len(gates)} gate claims {_verb(Verdict.HOLDS, held)}." if gates else ""


def findings(record: RunRecord) -> str:
    """`Findings never decide: 4 hold, 1 is refuted.`; empty where there are none."""
    claims = [claim for claim in record.claims if claim.kind is Kind.FINDING]
    verdicts = [claim.verdict for claim in claims if not claim.skipped]
    tallied = [(v, verdicts.count(v)) for v in Verdict if v in verdicts]
    parts = [f"{n} {_verb(v, n)}" for v, n in tallied]
    skipped = len(claims) - len(verdicts)
    if skipped:
        parts.append(f"{skipped} {'was' if skipped == 1 else 'were'} skipped")
    return f"Findings never decide: {', '.join(parts)}." if parts else ""


def finding(claim: ClaimRecord) -> str:
    """`K2 on countdown: refuted`, as decided among all findings."""
    return f"{one_line(name(claim), _LONGEST_NAME)}: {is_verdict(claim).removeprefix('is ')}"


def source(claim: ClaimRecord) -> str:
    """Where a claim comes from, and in a word what is said of it there."""
    if claim.paper is None:
        return claim.source
    return f"{claim.source} ({FOUND[claim.paper.found]})"


def paper(claim: ClaimRecord) -> tuple[str, ...]:
    """What the source says of a claim, whose its threshold is, and what differs there."""
    told = claim.paper
    if told is None:
        return ()
    parts = (
        f"{claim.source}: {FOUND[told.found]}. Reported: {told.said}.",
        f"Threshold: {told.threshold}." if told.threshold != "none" else "",
        f"Otherwise there: {told.differs}." if told.differs else "",
    )
    return tuple(filter(None, parts))


def p_value(value: float | None) -> str:
    """`p 0.012`, `p < 0.0001`; empty where there is none."""
    if value is None:
        return ""
    return "p < 0.0001" if value < 0.0001 else f"p {value:.2g}"


def release_and_block(record: RunRecord) -> str:
    """Both error rates of the gate, and which of the two each number is about."""
    errors = record.gate.errors
    if errors is None:
        return ""
    many = errors.comparisons > 1
    return (
        f"False release at most {level(errors.false_release)} (opens although a gate claim is "
        "false: all must hold, an intersection-union test, not corrected for their number); "
        f"false block at most {level(errors.false_block)} (closes although all are true: any "
        f"refuted one closes it, a union{', the tails add up' if many else ''}). "
        + _promise(errors, record.sampled.unremembered)
    )


def _promise(errors: ErrorControl, unremembered: int) -> str:
    """What both rates rest on."""
    if not errors.assumed:
        both = (
            "Both take problems, or their clusters, to be independent, and nothing of how their "
            "values spread (Gaffke's bound, to which no exception is known)."
        )
        return f"{both} {_again(errors)}{_unknown(unremembered)}"
    return (
        f"The tails of {errors.assumed} of {errors.comparisons} comparisons are nominal: nothing "
        "bounds their numbers (no promise for laws with rare far-out problems), or they are about "
        "these problems alone (normal intervals of the sampling)."
    )


def _again(errors: ErrorControl) -> str:
    """Over which judgements both rates hold."""
    if errors.judged is None:
        return (
            "They count one judgement of one checkpoint: judged again, which nobody remembers "
            "here, or the best of several candidates, the errors add up."
        )
    of = "the first" if errors.judged == 1 else f"number {errors.judged:,}"
    return (
        f"They hold over all judgements of these questions that the sample store remembers, and "
        f"this is {of}; of the best of several candidates the errors add up."
    )


def _unknown(completions: int) -> str:
    if not completions:
        return ""
    return (
        f" {completions:,} completions were in the store before the first judgement it "
        "remembers: had they been judged, nobody would know it here."
    )


def error_line(record: RunRecord) -> str:
    """Both error rates in one line."""
    errors = record.gate.errors
    if errors is None:
        return ""
    again = f"; over all judgements, this is number {errors.judged:,}" if errors.judged else ""
    unknown = _unknown(record.sampled.unremembered)
    again += f";{unknown}" if unknown else ""
    if errors.assumed:
        again += f"; nominal for {errors.assumed} of {errors.comparisons} comparisons"
    return (
        f"false release ≤ {level(errors.false_release)} (all gate claims must hold), false block "
        f"≤ {level(errors.false_block)} (any refuted closes it){again}"
    )


def findings_family(record: RunRecord) -> str:
    """How the findings are corrected for their number, and how many stay decided."""
    comparisons, tests = tests_of(record.claims)
    if not tests:
        return ""
    twice = comparisons - tests
    counted = f" ({twice} said in other words, counted once)" if twice else ""
    return (
        "Findings are a family of their own: a verdict stands where the two-sided p-value of its "
        f"comparison, adjusted by Holm over all {tests} tests{counted}, is at most "
        f"{level(1 - record.level)}, so that with at most this chance any of them is wrong; "
        "intervals are each finding's own."
    )


def surprise(example: Example) -> str:
    """`surprise 0.412 under base, 0.031 under rlvr (nats per token)`; empty where not scored."""
    said = ", ".join(f"{number(nats)} under {role}" for role, nats in example.surprise.items())
    return f"surprise {said} (nats per token)" if said else ""


def beforehand(record: RunRecord) -> str:
    """Whether policy and claims were settled before there was anything to look at, a sentence."""
    if record.beforehand.fixed is Fixed.BEFORE:
        return "Policy, claims and design were fixed before the first draw."
    if record.beforehand.fixed is Fixed.CHANGED:
        return f"Changed since the first draw: {'; '.join(record.beforehand.changed)}."
    return "Whether policy and claims were fixed before the first draw is unknown."


def short_digest(digest: str) -> str:
    """The first twelve letters and digits of a digest."""
    kept = "".join(c for c in digest.rsplit(":", 1)[-1] if c.isascii() and c.isalnum())
    return kept[:12]


def slug(text: str) -> str:
    """A name as one CSS class: `not comparable` is `not-comparable`."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower())


def saving(saved: Saving | None) -> str:
    """What adaptive samples saved; empty where their number was fixed.

    >>> saving(Saving(completions=64, tokens=500, fixed_completions=256, fixed_tokens=2000))
    'adaptive samples: 64 of 256 completions (4.0x fewer), 500 of about 2,000 tokens (4.0x fewer)'
    """
    return f"adaptive samples: {used_of(saved)}" if saved else ""


def used_of(saved: Saving | None) -> str:
    """The same without its first words."""
    if saved is None:
        return ""
    parts = [
        f"{used:,} of {about}{fixed:,} {what} ({fixed / max(used, 1):.1f}x fewer)"
        for used, about, fixed, what in (
            (saved.completions, "", saved.fixed_completions, "completions"),
            (saved.tokens, "about ", saved.fixed_tokens, "tokens"),
        )
    ]
    return ", ".join(parts)


def asked(judgement: Judgement | None) -> str:
    """`50 of 100 problems`, of a claim settled before all were asked; else empty."""
    look = None if judgement is None else judgement.evidence.look
    if look is None or look.problems == look.of_problems:
        return ""
    return f"{look.problems:,} of {look.of_problems:,} problems"


def looks(look: LookedAt) -> str:
    """How far a benchmark was asked until its claims were settled.

    >>> looks(LookedAt(looks=1, of_looks=2, problems=50, of_problems=100))
    '50 of 100 problems asked: every claim was settled at look 1 of 2'
    """
    asked = f"{look.problems:,} of {look.of_problems:,} problems asked"
    if look.looks < look.of_looks:
        return f"{asked}: every claim was settled at look {look.looks} of {look.of_looks}"
    ended = look.problems if look.to_the_end is None else look.to_the_end
    more = f", {ended:,} of them to the end" if ended < look.problems else ""
    return f"{asked}{more}, in {look.of_looks} looks"


def luck(problems: Sequence[Solved]) -> str:
    """How much of what was lost and gained rests on luck; empty where nothing was."""
    from rlvr_gate.stats.support import Sureness

    said = []
    for kind in ("lost", "gained"):
        tags = [problem.rests_on for problem in problems if problem.kind == kind]
        counts = [f"{tags.count(str(tag))} {tag}" for tag in Sureness if str(tag) in tags]
        if tags:
            said.append(f"of {len(tags)} {kind}: {', '.join(counts)}")
    text = "; ".join(said)
    over = ". Solid: at 5 % over all problems together" if "solid" in text else ""
    return f"{text[0].upper()}{text[1:]}{over}." if text else ""


def _decimals(size: float) -> int:
    for decimals in range(3, 7):
        rounded = round(size, decimals)
        if (rounded != 0 or size == 0) and (rounded != 1 or size == 1):
            return decimals
    return 7


def is_verdict(claim: ClaimRecord) -> str:
    """`holds`, `is refuted`, `was skipped`"""
    return "was skipped" if claim.skipped else _verb(claim.verdict, 1)


def _verb(verdict: Verdict, number_: int) -> str:
    if verdict is Verdict.HOLDS:
        return "hold" if number_ != 1 else "holds"
    return f"{'are' if number_ != 1 else 'is'} {verdict}"


def _list(claims: Sequence[ClaimRecord]) -> str:
    names = [one_line(name(claim), _LONGEST_NAME) for claim in claims]
    if len(names) > _NAMED:
        return _named(names)
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]


def _named(names: Sequence[str]) -> str:
    shown = [one_line(each, _LONGEST_NAME) for each in names[:_NAMED]]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(shown)}{more}"
