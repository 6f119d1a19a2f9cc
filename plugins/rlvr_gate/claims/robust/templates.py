"""Is RLVR as good under its base's chat template, and under none, as under its own?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rlvr_gate.records import (
    CHATS,
    Evidence,
    Exhibit,
    Facts,
    Interval,
    Judgement,
    Table,
    Unit,
    Verdict,
)

if TYPE_CHECKING:
    from rlvr_gate.claims.views import CheckpointView, PairView

OWN = CHATS[0]
_SHOWN = {"own": "its own", "base": "base's", "none": "none"}


def keeps_under_templates(
    pair: PairView, samples: int, benchmark: str, margin: float
) -> list[Judgement]:
    """Whether RLVR's pass@1 under each other chat template falls by at most a margin.

    Two comparisons, of its base's template and of none with its own. Where a template makes the
    same prompts, token by token, nothing can change, and that is said. Beside them both
    checkpoints under each template, and the fair gain: RLVR under its own against base under the
    one that suits it best, chosen on a third of the problems and judged on the others. The claim
    needs ``@pytest.mark.asks("base", "rlvr", chat=("own", "base", "none"), samples=samples)``.
    """
    pair.base.ledger.check(benchmark)
    asked = {chat: pair.at(chat=chat, samples=samples) for chat in CHATS}
    shown = _table(asked, benchmark), _fair(asked, benchmark)
    own = asked[OWN].rlvr
    return [
        _same(own, chat, benchmark, margin, shown)
        if _prompts(own, benchmark) == _prompts(asked[chat].rlvr, benchmark)
        else _judged(own, asked[chat].rlvr, benchmark, margin, shown)
        for chat in CHATS[1:]
    ]


def _prompts(view: CheckpointView, benchmark: str) -> str:
    """The digest of what it read; `_table` has had it read."""
    return view.source.facts(view.role).prompt_digests[benchmark]


def _judged(
    own: CheckpointView,
    other: CheckpointView,
    benchmark: str,
    margin: float,
    shown: tuple[Exhibit, ...],
) -> Judgement:
    change = other.pass_at(1, benchmark) - own.pass_at(1, benchmark)
    return change.beside(*shown) > -margin


def _same(
    own: CheckpointView, chat: str, benchmark: str, margin: float, shown: tuple[Exhibit, ...]
) -> Judgement:
    """Nothing to compare: the very same completions answer both."""
    said = "no chat template" if chat == "none" else "base's chat template"
    return own.ledger.note(
        Judgement(
            statement=f"rlvr pass@1 under {said} - under its own > {-margin:g}",
            verdict=Verdict.HOLDS,
            estimate=0.0,
            interval=Interval(0.0, 0.0, own.ledger.level),
            threshold=-margin,
            relation=">",
            benchmark=benchmark,
            k=1,
            n=None,
            unit=Unit.SHARE,
            evidence=Evidence(
                notes=(f"{said} makes the same prompts as its own, token by token",),
                exhibits=shown,
            ),
        )
    )


def _table(asked: Mapping[str, PairView], benchmark: str) -> Table:
    rows = [
        (
            _SHOWN[chat],
            pair.base.pass_at(1, benchmark).value,
            pair.rlvr.pass_at(1, benchmark).value,
        )
        for chat, pair in asked.items()
    ]
    return Table("pass@1 by chat template", ("chat template", "base", "rlvr"), rows)


def _fair(asked: Mapping[str, PairView], benchmark: str) -> Facts:
    """RLVR's own template against base's best, which other problems have chosen."""
    from rlvr_gate.claims.temperatures.hull import chooses

    of_base = {chat: pair.base.pass_at(1, benchmark) for chat, pair in asked.items()}
    choosing = chooses(asked[OWN].base.counts(benchmark))
    if choosing.all() or not choosing.any():
        return Facts({}, "Fair gain")
    best = max(of_base, key=lambda chat: float(np.mean(of_base[chat].low[choosing])))
    gap = asked[OWN].rlvr.pass_at(1, benchmark) - of_base[best]
    rest = gap.among((~choosing).tolist(), "problems that chose nothing")
    ends = rest.interval(rest.ledger.level)
    facts: dict[str, float | str] = {
        "base's best template": _SHOWN[best],
        "rlvr under its own less base under that": rest.value,
        "low": ends.low,
        "high": ends.high,
    }
    return Facts(facts, "Fair gain")
