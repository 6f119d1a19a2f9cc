"""The claims: a row each, and what unfolds from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.gate.explain import notes
from rlvr_gate.records import ClaimRecord, Interval, Judgement, Kind, Unit, Verdict
from rlvr_gate.visible import one_line
from rlvr_gate_reports import svg, words
from rlvr_gate_reports.html.evidence import Block, Link, blocks
from rlvr_gate_reports.html.problems import Place
from rlvr_gate_reports.html.sections.section import SHOWN_CLAIMS, Material, Part, Section
from rlvr_gate_reports.reading import family, for_readers, incomparable

_MANY = 40  # claims
_ROWS, _ROWS_OF_MANY = 50, 8  # of a table beside a claim; the JSON has them all


@dataclass(frozen=True, slots=True)
class Shared:
    """What all claims of a page are shown by."""

    places: Mapping[tuple[str, str], Place]
    """(benchmark, problem) -> where the page shows it."""
    rows: int
    """Of a table beside a claim."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One judgement of a claim, ready to read."""

    statement: str
    verdict: Verdict
    measured: bool
    """Whether there is an estimate."""
    numbers: str
    needs: str
    unit: str
    n: int | None
    notes: tuple[str, ...]
    """What a run of this size can see, and what would decide it."""
    evidence: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim of the table and what unfolds from it."""

    claim: ClaimRecord
    anchor: str
    follows: bool
    """Whether the row above is the same claim at a smaller k."""
    mark: svg.Svg
    edge: str
    """Of a mark with a scale of its own: the distance at either edge."""
    estimate: str
    interval: str
    needs: str
    unit: str
    """Of estimate, interval and threshold."""
    about: str
    """`of these problems alone`, where the verdict is not about others."""
    asked: str
    """Of how many problems, where sampling stopped for the claim before all were asked."""
    p: str
    """Of a finding, adjusted for the number of findings."""
    paper: tuple[str, ...]
    """What the source says of it, and whose the threshold is."""
    reasons: tuple[str, ...]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """The claims of one folder of suites."""

    title: str
    rows: tuple[ClaimRow, ...]
    reach: str
    """Distance from the threshold at either edge of the marks; empty where each has its own."""


@dataclass(frozen=True, slots=True)
class ClaimGroup:
    """The claims of one kind."""

    kind: Kind
    questions: tuple[Question, ...]
    more: int
    """Those left out; the JSON has them all."""
    control: str
    """How the errors of these claims are controlled."""


def read(material: Material) -> list[Part]:
    """One part with a group for each kind of claim there is."""
    record = material.record
    control = {
        Kind.GATE: words.release_and_block(record),
        Kind.FINDING: words.findings_family(record),
    }
    groups = tuple(
        ClaimGroup(
            kind,
            tuple(_questions(claims[:SHOWN_CLAIMS], material)),
            max(len(claims) - SHOWN_CLAIMS, 0),
            control[kind],
        )
        for kind in Kind
        if (claims := for_readers(record.claims, kind))
    )
    return [Part("claims", "Claims", groups)]


def _questions(claims: Sequence[ClaimRecord], material: Material) -> Iterator[Question]:
    """By the folder a claim's test lies in; the folder of what went worst first."""
    by: dict[str, list[ClaimRecord]] = {}
    for claim in claims:
        by.setdefault(_question(claim), []).append(claim)
    for title, members in by.items():
        scale = _shared_scale(members)
        reach = "" if scale is None else words.number(scale)
        yield Question(title, _rows(members, scale, material), reach)


def _question(claim: ClaimRecord) -> str:
    """`Capability`, of a test in `suites/capability/test_pass_at_k.py`."""
    folders = claim.nodeid.split("::")[0].split("/")[:-1]
    said = one_line(folders[-1], 60).replace("_", " ") if folders else ""
    return f"{said[:1].upper()}{said[1:]}" or "Claims"


def _rows(
    claims: Sequence[ClaimRecord], scale: float | None, material: Material
) -> tuple[ClaimRow, ...]:
    above, anchors = [None, *claims], material.claim_anchors
    many = len(material.record.claims) > _MANY
    shared = Shared(material.places, _ROWS_OF_MANY if many else _ROWS)
    return tuple(
        _row(
            claim,
            anchors[id(claim)],
            scale,
            shared,
            follows=last is not None and family(last) == family(claim),
        )
        for last, claim in zip(above, claims, strict=False)
    )


def _row(
    claim: ClaimRecord,
    anchor: str,
    scale: float | None,
    shared: Shared,
    *,
    follows: bool,
) -> ClaimRow:
    judgement = claim.deciding
    own = scale is None or judgement is None or judgement.unit != Unit.SHARE
    reach = _own_scale(judgement) if own or scale is None else scale
    reasons = incomparable(claim) if claim.verdict is Verdict.NOT_COMPARABLE else []
    if claim.reason and claim.reason not in reasons:
        reasons.append(claim.reason)
    return ClaimRow(
        claim=claim,
        anchor=anchor,
        follows=follows,
        mark=_mark(judgement, claim.verdict, reach),
        edge=f"±{reach:.3g}" if own and _distances(judgement) else "",
        estimate="–" if judgement is None else words.value(judgement),
        interval="" if judgement is None else words.uncertainty(judgement),
        needs="–" if judgement is None else words.needs(judgement),
        unit="" if judgement is None else judgement.unit,
        about=words.about(judgement),
        asked=words.asked(judgement),
        p=words.p_value(claim.adjusted_p),
        paper=words.paper(claim),
        reasons=tuple(reasons),
        comparisons=tuple(_comparison(j, shared) for j in claim.judgements),
    )


def _comparison(judgement: Judgement, shared: Shared) -> Comparison:
    def link(problem: str) -> Link:
        return Link(problem, shared.places.get((judgement.benchmark or "", problem)))

    return Comparison(
        statement=judgement.statement,
        verdict=judgement.verdict,
        measured=judgement.estimate is not None,
        numbers=words.estimate(judgement),
        needs=words.needs(judgement),
        unit=judgement.unit,
        n=judgement.n,
        notes=tuple(words.sentence(note) for note in notes(judgement)),
        evidence=blocks(judgement.evidence, link, shared.rows),
    )


def _mark(judgement: Judgement | None, verdict: Verdict, scale: float) -> svg.Svg:
    ends = _distances(judgement)
    return svg.forest(*ends, scale, str(verdict)) if ends else svg.Svg("")


def _distances(judgement: Judgement | None) -> tuple[float, float, float] | None:
    """Interval and estimate as distances from the threshold, signed towards the claim.

    None where nothing was measured: whatever the number may be is no picture of it.
    """
    if judgement is None or judgement.estimate is None:
        return None
    sign = 1.0 if judgement.relation in (">", ">=") else -1.0
    bounds: Interval = judgement.interval
    low, high = (sign * (end - judgement.threshold) for end in (bounds.low, bounds.high))
    return min(low, high), sign * (judgement.estimate - judgement.threshold), max(low, high)


def _shared_scale(claims: Sequence[ClaimRecord]) -> float | None:
    """The distance shown at either edge, and none beyond 1 stretches it.

    Of shares alone: degrees, nats and ratios have each a scale of their own. None where every
    claim is about weights, or nothing was judged in shares.
    """
    judged = [j for c in claims if (j := c.deciding) is not None and j.unit == Unit.SHARE]
    if not judged or not any(claim.benchmark for claim in claims):
        return None
    ends = [abs(end) for j in judged for end in _distances(j) or ()]
    return max((end for end in ends if end <= 1), default=1.0) or 1.0


def _own_scale(judgement: Judgement | None) -> float:
    """As far as the threshold is from 0; where it is 0, as far as the estimate is."""
    ends = _distances(judgement)
    if judgement is None or ends is None:
        return 1.0
    farthest = max(map(abs, ends))
    return abs(judgement.threshold) or (farthest if math.isfinite(farthest) else 0.0) or 1.0


CLAIMS = Section("claims.html.j2", read)
