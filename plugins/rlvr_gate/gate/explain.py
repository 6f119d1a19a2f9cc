"""A claim explains itself: record in, lines of text out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rlvr_gate.gate.shown import Shown, exhibits, tables
from rlvr_gate.records import (
    POPULATION,
    THESE,
    ClaimRecord,
    Curves,
    Evidence,
    Facts,
    Heat,
    Judgement,
    Table,
    Target,
)
from rlvr_gate.visible import one_line

NO_ESTIMATE = "no estimate"
"""What every output says instead of a number that nobody measured."""
_ROWS, _CELLS = 6, 8  # of an exhibit; the reports have more room


def explain(claim: ClaimRecord) -> list[str]:
    """What a reader needs to believe or doubt the verdict, without opening anything."""
    where = "".join(
        f", {word}"
        for word in (claim.benchmark, f"k={claim.k}" if claim.k else None)
        if word is not None
    )
    said = f"claim {one_line(claim.id, 80)} is {str(claim.verdict).upper()}"
    lines = [f"{claim.kind} {said}: {one_line(claim.text, 400)}{where}"]
    if claim.reason:
        lines.append(f"  {claim.reason}")
    for judgement in claim.judgements:
        lines += _judged(judgement)
    if claim.source:
        lines.append(f"  source: {claim.source}")
    return [one_line(line) for line in lines]


def numbers(judgement: Judgement) -> str:
    """`+0.214  95% interval [+0.151, +0.277]  must be > 0`."""
    interval, must = judgement.interval, f"{judgement.relation} {judgement.threshold:.4g}"
    if judgement.estimate is None:
        return f"{NO_ESTIMATE}: nothing was measured  must be {must}"
    return (
        f"{judgement.estimate:+.4g}  {interval.level:.4g} interval "
        f"[{interval.low:+.4g}, {interval.high:+.4g}]  must be {must}"
    )


def notes(judgement: Judgement) -> list[str]:
    """What such a run can see, what would decide it, for which problems, where curves cross."""
    evidence, said = judgement.evidence, []
    if look := evidence.look:
        said.append(
            f"judged at look {look.number} of {look.of}, on {look.problems} of "
            f"{look.of_problems} problems, at level {look.level:.4g}; the interval holds "
            f"its {judgement.interval.level:.4g} over all looks"
        )
    if again := evidence.again:
        doubt = f"; {again.doubt}" if again.doubt else ""
        said.append(
            f"judgement {again.number} of this question that the sample store remembers, at "
            f"level {again.level:.4g}; the interval holds its {judgement.interval.level:.4g} "
            f"over all of them{doubt}"
        )
    if power := evidence.power:
        said.append(
            f"a run of this size detects {power.effect:.3g} or more beyond "
            f"the threshold (power {power.power:.0%})"
        )
    if evidence.would_decide:
        said.append(f"if the estimate stays where it is: {evidence.would_decide.text}")
    said += [_other(target) for target in evidence.targets or () if not target.decides]
    if judgement.target == THESE:
        said.append(ALONE)
    if floor := evidence.guess_floor:
        said.append(
            f"guessing from the other problems' answers reaches pass@{floor.k} "
            f"{floor.reaches:.3g}; it solves {floor.guessable} problems"
        )
    said += evidence.notes
    if evidence.crossover:
        said.append(evidence.crossover.text)
    return said


ALONE = (
    "about these problems and no others: only the sampling of completions is uncertain, by a "
    "nominal (normal) interval; nothing is said of other problems, or of another session's noise"
)


def _other(target: Target) -> str:
    """The interval that decides nothing."""
    ends = f"[{target.low:+.4g}, {target.high:+.4g}]"
    if target.target == POPULATION:
        return f"for the population of such problems the interval is {ends}; it decides nothing"
    return (
        "the interval above is about the population of such problems; for this benchmark's "
        f"problems alone it is {ends}"
    )


def _judged(judgement: Judgement) -> list[str]:
    samples = f"   (n={judgement.n})" if judgement.n else ""
    statement = one_line(judgement.statement, 400)
    lines = [f"{statement}{samples}: {judgement.verdict}", f"  {numbers(judgement)}"]
    lines += [f"  {line}" for line in (*notes(judgement), *_beside(judgement.evidence))]
    return [f"  {line}" for line in lines]


def _beside(evidence: Evidence) -> list[str]:
    lines = [f"not comparable: {reason}" for reason in evidence.incomparable]
    lines += [
        f"{side.label:<24} {side.value:.4f}  [{side.low:.4f}, {side.high:.4f}]"
        for side in evidence.sides or ()
    ]
    for each in (*tables(evidence, _ROWS), *exhibits(evidence, _ROWS)):
        lines += drawn(each)
    return lines


def drawn(shown: Shown) -> list[str]:
    """An exhibit in a few lines of text."""
    exhibit = shown.exhibit
    more = [f"  … and {shown.left_out} more"] if shown.left_out else []
    return [f"{exhibit.title or 'beside it'}:", *(f"  {line}" for line in _lines(exhibit)), *more]


def _lines(exhibit: Table | Curves | Heat | Facts) -> list[str]:
    if isinstance(exhibit, Table):
        return [_spelled(zip(exhibit.head, row, strict=True)) for row in exhibit.rows]
    if isinstance(exhibit, Facts):
        return [_spelled(exhibit.facts.items())]
    if isinstance(exhibit, Curves):
        named = exhibit.curves.items()
        return [f"{name}: {_spelled(_thinned(points))}" for name, points in named]
    known = [value for line in exhibit.values for value in line if value is not None]
    size = f"{len(exhibit.rows)} by {len(exhibit.columns)}"
    return [f"{size}, from {_cell(min(known))} to {_cell(max(known))}" if known else size]


def _thinned(points: Sequence[Sequence[float]]) -> list[tuple[str, float]]:
    """At most `_CELLS` of them, first and last among these, each its x and its y."""
    last, steps = len(points) - 1, min(len(points), _CELLS) - 1
    at = dict.fromkeys(round(n * last / max(steps, 1)) for n in range(steps + 1))
    return [(f"{points[i][0]:g}", points[i][1]) for i in at]


def _spelled(named: Iterable[tuple[str, object]]) -> str:
    return "   ".join(f"{name} {_cell(value)}" for name, value in named)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:+.3f}" if isinstance(value, float) else one_line(str(value), 200)
