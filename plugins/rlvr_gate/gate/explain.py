"""A claim explains itself: record in, lines of text out."""

from __future__ import annotations

from collections.abc import Mapping

from rlvr_gate.records import ClaimRecord, Judgement
from rlvr_gate.visible import one_line

NOISE = "beside base against itself"
"""Key of the evidence that shows what two runs of one model lose and gain."""
_TABLES = (
    NOISE,
    "conclusions",
    "guessable problems",
    "deciding problems",
    "lost problems",
    "gained problems",
)


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
    interval = judgement.interval
    return (
        f"{judgement.estimate:+.4g}  {interval.level:.4g} interval "
        f"[{interval.low:+.4g}, {interval.high:+.4g}]  "
        f"must be {judgement.relation} {judgement.threshold:.4g}"
    )


def notes(judgement: Judgement) -> list[str]:
    """What such a run can see, what would decide it, for which problems, where curves cross."""
    said = []
    look = judgement.evidence.get("look")
    if isinstance(look, Mapping):
        said.append(
            f"judged at look {look['number']} of {look['of']}, on {look['problems']} of "
            f"{look['of problems']} problems, at level {look['level']:.4g}; the interval holds "
            f"its {judgement.interval.level:.4g} over all looks"
        )
    power = judgement.evidence.get("power")
    if isinstance(power, Mapping):
        said.append(
            f"a run of this size detects {power['minimum detectable effect']:.3g} or more beyond "
            f"the threshold (power {power['power']:.0%})"
        )
    more = judgement.evidence.get("would decide")
    if isinstance(more, Mapping):
        said.append(f"if the estimate stays where it is: {more['text']}")
    for target in _list(judgement.evidence.get("targets")):
        if isinstance(target, Mapping) and not target["decides"]:
            said.append(
                "the interval above is about the population of such problems; for this "
                f"benchmark's problems alone it is [{target['low']:+.4g}, {target['high']:+.4g}]"
            )
    floor = judgement.evidence.get("guess floor")
    if isinstance(floor, Mapping):
        said.append(
            f"guessing from the other problems' answers reaches pass@{floor['k']} "
            f"{floor['pass@k by guessing']:.3g}; it solves {floor['guessable problems']} problems"
        )
    said += map(str, _list(judgement.evidence.get("notes")))
    crossover = judgement.evidence.get("crossover")
    if isinstance(crossover, Mapping):
        said.append(str(crossover["text"]))
    return said


def _judged(judgement: Judgement) -> list[str]:
    samples = f"   (n={judgement.n})" if judgement.n else ""
    statement = one_line(judgement.statement, 400)
    lines = [f"  {statement}{samples}: {judgement.verdict}", f"    {numbers(judgement)}"]
    lines += [f"    {sentence}" for sentence in notes(judgement)]
    for reason in _list(judgement.evidence.get("not comparable")):
        lines.append(f"    not comparable: {reason}")
    for curve in _list(judgement.evidence.get("curves")):
        if isinstance(curve, Mapping):
            lines.append(
                f"    {curve['label']:<24} {curve['value']:.4f}  "
                f"[{curve['low']:.4f}, {curve['high']:.4f}]"
            )
    for title in _TABLES:
        rows = _list(judgement.evidence.get(title))
        if rows:
            lines.append(f"    {title}:")
        for row in rows[:6]:
            if isinstance(row, Mapping):
                lines.append("      " + "   ".join(f"{k} {_cell(v)}" for k, v in row.items()))
        if len(rows) > 6:
            lines.append(f"      … and {len(rows) - 6} more")
    return lines


def _cell(value: object) -> str:
    return f"{value:+.3f}" if isinstance(value, float) else one_line(str(value), 200)


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
