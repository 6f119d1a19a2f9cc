"""Along the training run: small multiples, pass@k at a few k against the step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.records import CurvePoint, Curves
from rlvr_gate_reports import exhibits, words
from rlvr_gate_reports.html.sections.section import Material, Part, Section
from rlvr_gate_reports.svg import Svg

_STEP = re.compile(r"step-(\d{1,9})")
_PANELS, _MOST = 4, 1_000  # small multiples of a benchmark; steps that are drawn
_FEWEST = 2  # steps beside base, below which there is no line

Points = Mapping[int, CurvePoint]
"""Step -> pass@k there; base is step 0."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One k of the small multiples."""

    said: str
    picture: Svg


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One benchmark along the run."""

    benchmark: str
    diagnosis: str
    panels: tuple[Panel, ...]


def read(material: Material) -> list[Part]:
    """One part where checkpoints `step-N` were sampled."""
    curves = material.record.curves
    found = tuple(_drawn(name, steps) for name in curves if (steps := _steps(curves[name])))
    return [Part("trajectory", "Trajectory", found)] if found else []


def _steps(curves: Mapping[str, Sequence[CurvePoint]]) -> Mapping[int, Points]:
    """k -> its points along the run, at k's that every checkpoint has; none of fewer steps."""
    at = {0: curves.get("base", ())}
    at |= {int(m[1]): points for role, points in curves.items() if (m := _STEP.fullmatch(role))}
    along = {step: {int(p.k): p for p in at[step]} for step in sorted(at)[:_MOST] if at[step]}
    if len(along) < _FEWEST + 1 or 0 not in along:
        return {}
    common = sorted(set.intersection(*(set(of) for of in along.values())))
    return {k: {step: of[k] for step, of in along.items()} for k in _spread(common)}


def _spread(ks: Sequence[int]) -> list[int]:
    if len(ks) <= _PANELS:
        return list(ks)
    return [ks[round(n * (len(ks) - 1) / (_PANELS - 1))] for n in range(_PANELS)]


def _drawn(benchmark: str, found: Mapping[int, Points]) -> Trajectory:
    reach = [n for points in found.values() for p in points.values() for n in (p.low, p.high)]
    panels = tuple(_panel(k, points, reach) for k, points in found.items())
    return Trajectory(benchmark, " ".join(_told(found)), panels)


def _panel(k: int, points: Points, reach: Sequence[float]) -> Panel:
    line = [(step, p.value, p.low, p.high) for step, p in points.items()]
    said = f"pass@{k}"
    along = Curves(said, {said: line}, "training step", said)
    return Panel(said, exhibits.curves(along, reach))


def _told(found: Mapping[int, Points]) -> Iterator[str]:
    """Where each of the outer k's was highest, and where it ended."""
    for k in dict.fromkeys((min(found), max(found))):
        points = found[k]
        best = max(points, key=lambda step: (points[step].value, -step))
        last = max(points)
        top, end = (words.number(points[step].value) for step in (best, last))
        fell = "" if top == end else f", {end} at the last"
        where = "at the start" if best == 0 else f"at step {best}"
        yield f"pass@{k} was highest {where} ({top}){fell}."


TRAJECTORY = Section("trajectory.html.j2", read)
