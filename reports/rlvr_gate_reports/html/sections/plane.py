"""How far checkpoints went from their base, and what that cost: the plane of both, and a table."""

from __future__ import annotations

from dataclasses import dataclass

from rlvr_gate.records import Curves, Distance, Plane
from rlvr_gate_reports import exhibits, words
from rlvr_gate_reports.html.sections.section import Material, Part, Section
from rlvr_gate_reports.reading import role_order
from rlvr_gate_reports.svg import Svg

_DRAWN = 20  # checkpoints with a mark and a name; the table has them all


@dataclass(frozen=True, slots=True)
class Drawn:
    """The section."""

    diagnosis: str
    forgotten: str
    """What is called so here."""
    picture: Svg
    left_out: int
    rows: tuple[tuple[str, ...], ...]


def read(material: Material) -> list[Part]:
    """One part where divergences of several checkpoints were measured."""
    found = material.record.plane
    return [Part("divergence", "Divergence", _drawn(found))] if found else []


def _drawn(plane: Plane) -> Drawn:
    lost = _lost(plane)
    points = {row.role: (row.kl, row.forgotten) for row in plane.rows[:_DRAWN]}
    picture = exhibits.marks(
        Curves(
            "Divergence from base and forgetting",
            {role: [points[role]] for role in role_order(points)},
            "KL from base, nats a token",
            f"pass@{plane.k} lost",
        )
    )
    rows = tuple(
        (
            row.role,
            f"{words.number(row.kl)} [{words.number(row.low)}, {words.number(row.high)}]",
            words.number(row.forgotten, signed=True),
            words.number(row.gained, signed=True),
        )
        for row in plane.rows
    )
    return Drawn(_told(plane), lost, picture, max(len(plane.rows) - _DRAWN, 0), rows)


def _lost(plane: Plane) -> str:
    if plane.prior:
        return f"pass@1 lost on {', '.join(plane.prior)}"
    return f"pass@{plane.k} lost on {plane.benchmark} itself"


def _told(plane: Plane) -> str:
    """The nearest and the farthest checkpoint, each with its cost, and which lost most."""
    near, far = plane.rows[0], plane.rows[-1]
    said = "; ".join(
        f"{row.role} is {which} base ({words.number(row.kl)} nats a token) and {_cost(row)}"
        for which, row in (("nearest", near), ("farthest from", far))
    )
    most = max(plane.rows, key=lambda row: row.forgotten)
    if most.forgotten <= 0:
        return f"{said}. None lost anything."
    return f"{said}." if most in (near, far) else f"{said}; {most.role} {_cost(most)}, the most."


def _cost(row: Distance) -> str:
    if not row.forgotten:
        return "lost nothing"
    return f"{'lost' if row.forgotten > 0 else 'gained'} {words.number(abs(row.forgotten))}"


PLANE = Section("plane.html.j2", read)
