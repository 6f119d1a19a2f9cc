"""One benchmark of the page: curves, solved sets, histogram, and every problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.records import (
    PAIR,
    AskFacts,
    Benchmark,
    ClaimRecord,
    Crossover,
    CurvePoint,
    Expected,
    Interval,
    Kind,
    NumberRow,
    RunRecord,
    Tally,
)
from rlvr_gate.visible import capped
from rlvr_gate_reports import decision, dots, svg, words
from rlvr_gate_reports.html.problems import LONGEST_NAME, Problems
from rlvr_gate_reports.reading import (
    CLASSES,
    accuracy,
    class_counts,
    crossover,
    histogram,
    noise,
    rate,
    role_order,
    solved,
    to_the_end,
)

_SHOWN_STRATA = 1_000
_CURVES = 12  # of one picture; ways of asking have sections of their own

Point = CurvePoint


@dataclass(frozen=True, slots=True)
class Figure:
    """A headline number: never an estimate without its interval or its counts."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True, slots=True)
class BenchmarkPanel:
    """Everything the page says about one benchmark."""

    name: str
    anchor: str
    facts: Benchmark | None
    asked: str
    """How much of it an adaptive run asked; empty where it asked everything."""
    diagnosis: str
    """What happened at the largest k, and to which problems, in a sentence or two."""
    figures: tuple[Figure, ...]
    guaranteed: bool
    """Whether a gate claim about it has an interval that presupposes less than these figures'."""
    curves: svg.Svg
    bands_of: str
    """Whose bands are drawn; empty where all are."""
    roles: tuple[str, ...]
    """Of the curves, in their order."""
    difference: svg.Svg
    reading: str
    crossover: str
    """Where rlvr's lead ends, in a sentence; empty where nobody computed it."""
    strata: tuple[tuple[str, ...], ...]
    more_strata: int
    """Those left out; the JSON has them all."""
    numbers: Mapping[str, object]
    """Of these curves, as the page's script reads them: k's, and of each role its words there."""
    table_head: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]
    classes: Mapping[str, int]
    luck: str
    noise: tuple[tuple[str, str, str], ...]
    """What is expected at half the samples: of rlvr, and of base against itself."""
    proportions: svg.Svg
    scatter: svg.Svg
    """Accuracy of each problem, base against rlvr."""
    asks: tuple[tuple[str, ...], ...]
    """What was asked of each checkpoint, a row for each way of asking."""
    histogram: svg.Svg
    problems: Problems
    strip: svg.Svg
    """A cell for each problem."""


def benchmark_panel(record: RunRecord, name: str, anchor: str) -> BenchmarkPanel:
    """Read one benchmark's counts, curves and examples into a panel."""
    counts = record.counts.get(name, {})
    by_role = record.curves.get(name, {})
    gap = by_role.get("difference", ())
    pair = solved(counts)
    classes = class_counts(pair) if pair else {}
    head, rows = _table(by_role)
    crossed = record.crossovers.get(name)
    strata, problems = record.strata.get(name, ()), Problems(record, name, anchor)
    every_k, drawn = record.every_k.get(name, {}), _main(by_role)
    return BenchmarkPanel(
        name=name,
        anchor=anchor,
        facts=next((b for b in record.benchmarks if b.name == name), None),
        asked=_asked(record, name),
        diagnosis=decision.diagnosis(record, name),
        figures=(
            *_figures(by_role, classes, counts, _chance(record, name)),
            *map(_number_figure, record.numbers.get(name, ())),
        ),
        guaranteed=any(_guaranteed(claim, name) for claim in record.claims),
        curves=svg.curves(drawn, crossover(gap), crossed, every_k),
        bands_of=_bands_of(drawn),
        roles=tuple(
            capped(role, LONGEST_NAME)
            for role in role_order(drawn)
            if drawn[role] and role != "difference"
        ),
        difference=svg.difference(gap, _allowed(crossed), every_k.get("difference", ())),
        reading=_reading(gap),
        crossover=crossed.text if crossed else "",
        strata=tuple(words.stratum(row) for row in strata[:_SHOWN_STRATA]),
        more_strata=max(len(strata) - _SHOWN_STRATA, 0),
        numbers=_numbers({**drawn, **every_k}),
        table_head=head,
        table=rows,
        classes=classes,
        luck=words.luck(pair),
        noise=tuple(_noise(row) for row in noise(record, name)),
        proportions=svg.proportions([(kind, classes.get(kind, 0)) for kind in CLASSES]),
        scatter=dots.scatter([dots.Dot(p.kind, accuracy(p.base), accuracy(p.rlvr)) for p in pair]),
        asks=tuple(_ask(ask) for ask in record.asks if ask.benchmark == name)[:_SHOWN_STRATA],
        histogram=svg.histogram({r: histogram(to_the_end(counts[r])) for r in role_order(counts)}),
        problems=problems,
        strip=dots.strip([(row.kind, row.rests_on) for row in problems.rows if row.kind]),
    )


def _ask(ask: AskFacts) -> tuple[str, ...]:
    """Name, sampling, text around the prompt, and what came back."""
    how = "not recorded"
    if ask.sampling is not None:
        how = (
            f"temperature {ask.sampling.temperature:g}, top-p {ask.sampling.top_p:g}, at most "
            f"{words.count(ask.sampling.max_new_tokens)} tokens"
            + "".join(f", to {text!r}" for text in ask.sampling.stop)
        )
    amounts = (words.count(n) for n in (ask.problems, ask.completions, ask.tokens))
    return (ask.name, how, capped(ask.template, LONGEST_NAME) or "none", *amounts)


def _asked(record: RunRecord, name: str) -> str:
    look = record.saving.looks.get(name) if record.saving else None
    return words.looks(look) if look else ""


def _guaranteed(claim: ClaimRecord, benchmark: str) -> bool:
    deciding = claim.deciding
    ours = claim.kind is Kind.GATE and claim.benchmark == benchmark
    return ours and deciding is not None and deciding.guaranteed and deciding.p_value is not None


def _main(by_role: Mapping[str, Sequence[Point]]) -> Mapping[str, Sequence[Point]]:
    """Curves of the first picture: where many, without those of a single k or asked otherwise."""
    if len(by_role) <= _CURVES:
        return by_role
    return {role: points for role, points in by_role.items() if "(" not in role}


def _bands_of(by_role: Mapping[str, Sequence[Point]]) -> str:
    drawn = [role for role, points in by_role.items() if points and role != "difference"]
    banded = svg.with_bands(drawn)
    return "" if banded == drawn else f"{' and '.join(banded)} alone, since there are many curves"


def _figures(
    by_role: Mapping[str, Sequence[Point]],
    classes: Mapping[str, int],
    counts: Mapping[str, Sequence[Tally]],
    chance: str,
) -> list[Figure]:
    figures = []
    gap = sorted(by_role.get("difference", ()), key=lambda point: point.k)
    for point in dict.fromkeys([0, len(gap) - 1] if gap else []):
        figures.append(_gap_figure(by_role, gap[point]))
    if classes:
        reached = classes["preserved"] + classes["lost"]
        value = words.number(classes["preserved"] / reached) if reached else "–"
        kept = f"{classes['preserved']} of {reached} problems base solved{chance}"
        figures.append(Figure("Retention", value, kept))
        found = f"{classes['gained']} gained, {classes['lost']} lost"
        both = str(classes["gained"] + classes["lost"])
        figures.append(Figure("Discordant problems", both, found))
    roles = [role for role in PAIR if role in counts]
    if roles:
        truncated, unscored = (
            " / ".join(words.number(rate(counts[role], what)) for role in roles)
            for what in ("truncated", "unscored")
        )
        label = f"Truncated, {' / '.join(roles)}"
        figures.append(Figure(label, truncated, f"unscored {unscored}"))
    return figures


def _number_figure(row: NumberRow) -> Figure:
    values = f"{words.share(row.base)} → {words.share(row.rlvr)}"
    gap = CurvePoint(0, row.difference, row.low, row.high)
    return Figure(f"{row.label}, base → rlvr", values, _together(gap))


def _gap_figure(by_role: Mapping[str, Sequence[Point]], gap: Point) -> Figure:
    values = [
        words.number(point.value)
        for role in ("base", "rlvr")
        for point in by_role.get(role, ())
        if point.k == gap.k
    ]
    return Figure(f"pass@{gap.k:g}, base → rlvr", " → ".join(values), _together(gap))


def _chance(record: RunRecord, name: str) -> str:
    """What retention sampling noise alone would leave, where a claim asked."""
    kept = next((_noise(row)[2] for row in noise(record, name)), "")
    return f"; base against itself at half the samples: {kept}" if kept else ""


def _noise(row: Expected) -> tuple[str, str, str]:
    return row.expected, words.number(row.rlvr), words.number(row.itself)


def _allowed(crossed: Crossover | None) -> tuple[int | None, int | None] | None:
    return None if crossed is None else (crossed.low, crossed.high)


def _reading(gap: Sequence[Point]) -> str:
    """The difference panel in a sentence."""
    ahead = [f"{point.k:g}" for point in gap if point.low > 0]
    behind = [f"{point.k:g}" for point in gap if point.high < 0]
    said = []
    if ahead:
        said.append(f"rlvr is ahead, its interval clear of zero, at k = {', '.join(ahead)}")
    if behind:
        said.append(f"base is ahead, the interval clear of zero, at k = {', '.join(behind)}")
    if not said:
        return "At no k is the interval of the difference clear of zero." if gap else ""
    rest = len(gap) - len(ahead) - len(behind)
    return "; ".join(said) + ("; elsewhere it is undecided." if rest else ".")


def _table(
    by_role: Mapping[str, Sequence[Point]],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    roles = role_order(by_role)
    at = {role: {int(point.k): point for point in by_role[role]} for role in roles}
    ks = sorted({k for points in at.values() for k in points})
    rows = tuple(
        (str(k), *(_with_interval(at[role].get(k), role == "difference") for role in roles))
        for k in ks
    )
    return ("k", *roles), rows


def _numbers(by_role: Mapping[str, Sequence[Point]]) -> dict[str, object]:
    head, rows = _table(by_role)
    return {
        "k": [int(row[0]) for row in rows],
        "said": [[capped(role, LONGEST_NAME), [row[n] for row in rows]]
                 for n, role in enumerate(head) if n],
    }  # fmt: skip


def _together(gap: Point) -> str:
    """A difference whose interval stays on one line of a narrow box."""
    return _with_interval(gap, True).replace(", ", ",\N{NO-BREAK SPACE}")


def _with_interval(point: Point | None, signed: bool) -> str:
    if point is None:
        return "–"
    bounds = Interval(point.low, point.high, 0.0)
    value = words.number(point.value, signed=signed)
    return f"{value} {words.interval(bounds, signed=signed)}"
