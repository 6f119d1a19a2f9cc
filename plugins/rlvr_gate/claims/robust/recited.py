"""Does a checkpoint know the questions by heart? (arXiv:2507.10532, table 2)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rlvr_gate.judging.quantities import Estimate, Proportion
from rlvr_gate.records import Evidence, Interval, Table, WouldDecide
from rlvr_gate.stats.proportions import proportion_interval

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView

PARTS = (60, 40, 80)
"""Per cent of a question's words that are given; the first is judged."""
CONTROL = "fresh 1, begun 60"
VARIANTS = (*(f"begun {percent}" for percent in PARTS), CONTROL)
PROBE: Mapping[str, Any] = {"chat": "none", "temperature": 0.001, "samples": 1}
"""As good as greedy, and in no template."""
ENOUGH = 0.5
"""Of a benchmark's questions, the share that must have been asked so, to speak for the rest."""
_WORDS = {CONTROL: "60 % of fresh problems"}


def recited(view: CheckpointView, benchmark: str) -> Proportion | Estimate:
    """The share of questions that a checkpoint completes word for word from their first 60 %.

    Clopper-Pearson; what ended in the middle of the rest counts as either. Beside it 40 and 80 %,
    and the control: questions of another seed of the same generator, where there is one, which
    nobody can know by heart. Questions too short to be asked so are left out, and where that is
    more than half of them they too count as either. The claim needs
    ``@pytest.mark.asks(ROLE, variant=recited.VARIANTS, **recited.PROBE)``.
    """
    # Answers that were cut have no part in it: what is cut in the probe is counted as either.
    ledger = replace(view.ledger, even=lambda *_: ())
    ledger.check(benchmark)
    counts = {variant: _counts(view, variant, benchmark) for variant in VARIANTS}
    label = f"{view.role}'s questions gone on with word for word"
    right, open_, asked = counts[VARIANTS[0]] or (0, 0, 0)
    if not asked:
        return _unknown(view, label, benchmark)
    questions = len(view.counts(benchmark))
    note = f"{asked} of {questions} questions have ten words of their own"
    evidence = Evidence(exhibits=(_table(view.role, counts),), notes=(note,))
    if asked < ENOUGH * questions:
        open_, asked = open_ + questions - asked, questions
    if not open_:
        return Proportion(label, right, asked, ledger, benchmark, evidence, asked)
    level = ledger.level
    ends = (proportion_interval(count, asked, level=level) for count in (right, right + open_))
    low, high = (end for end in ends)
    return Estimate(
        label, (right + open_ / 2) / asked, Interval(low.low, high.high, level), ledger,
        benchmark, evidence, asked, bounds=(0.0, 1.0),
    )  # fmt: skip


def _counts(view: CheckpointView, variant: str, benchmark: str) -> tuple[int, int, int] | None:
    """Recited, unknown and asked; None where nobody was."""
    asked = view.at(variant=variant, **PROBE)
    if not asked.source.was_asked(asked.role, benchmark):
        return None
    tallies = asked.counts(benchmark)
    return (
        sum(t.correct for t in tallies),
        sum(t.unscored for t in tallies),
        len(tallies),
    )


def _table(role: str, counts: Mapping[str, Sequence[int] | None]) -> Table:
    rows = [
        (_WORDS.get(variant, f"{variant.partition(' ')[2]} %"), found[2], found[0], found[1])
        for variant, found in counts.items()
        if found is not None
    ]
    head = ("given of a question", "questions", "recited", "ended in the middle")
    return Table(f"What {role} recites", head, rows)


def _unknown(view: CheckpointView, label: str, benchmark: str) -> Estimate:
    why = "no number of samples: no question of this benchmark has ten words of its own"
    return Estimate(
        f"{label} (none has ten words)", None, Interval(0.0, 1.0, view.ledger.level), view.ledger,
        benchmark, Evidence(would_decide=WouldDecide(None, None, why)), bounds=(0.0, 1.0),
    )  # fmt: skip
