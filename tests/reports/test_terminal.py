"""The summary: one screen, styled but without codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from rlvr_gate.records import THESE, Kind, RunRecord, Verdict
from rlvr_gate_reports import terminal
from rlvr_gate_reports.reading import benchmark_names
from rlvr_gate_reports.terminal import HEIGHT, MARKUP, NARROWEST, WIDTH, Line

Run = Callable[..., RunRecord]


def text(lines: Sequence[Line]) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


@pytest.mark.parametrize("state", ["open", "closed", "undecided", "not comparable"])
def test_the_summary_fits_one_screen(run: Run, state: str) -> None:
    lines = text(terminal.summary(run(state, contrast=True)))
    assert len(lines) <= HEIGHT
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith(f"gate {state.upper()}")


def test_it_fits_with_more_claims_and_benchmarks_than_a_screen_holds(run: Run) -> None:
    record = run("closed")
    names = [f"benchmark-{i}" for i in range(9)]
    many = replace(
        record,
        claims=[replace(c, benchmark=b) for b in names for c in record.claims],
        counts=dict.fromkeys(names, record.counts["countdown"]),
        curves=dict.fromkeys(names, record.curves["countdown"]),
        benchmarks=[],
    )
    lines = text(terminal.summary(many))
    told = [c for c in many.claims if c.verdict is Verdict.REFUTED]
    assert len(lines) <= HEIGHT + len(told) + len(names)
    assert max(map(len, lines)) <= WIDTH
    rest = next(line for line in lines if line.startswith("  and "))
    assert re.match(r"  and \d+ more: (holds|undecided) \w", rest)
    assert any(line.startswith("findings") for line in lines), "gate claims must leave them a line"
    for claim in told:
        said = f"{claim.id:<4} {claim.benchmark}"
        assert any("refuted" in line and said in line for line in lines), "never folded away"


@pytest.mark.parametrize("width", [40, 72, 80, 120, 200])
def test_it_is_as_wide_as_the_terminal(run: Run, width: int) -> None:
    lines = text(terminal.summary(run("closed", contrast=True), width))
    assert max(map(len, lines)) <= max(width, NARROWEST)
    assert any(line.startswith("  difference") for line in lines)
    if width >= 120:
        assert max(map(len, lines)) > WIDTH
        assert not any("..." in line for line in lines if line.startswith("  refuted"))


def test_the_worst_benchmarks_curves_are_shown_and_not_the_first_ones(run: Run) -> None:
    record = run("closed", problems=40)
    fine = [replace(p, value=0.4, low=0.3, high=0.5) for p in record.curves["countdown"]["base"]]
    curves = record.curves["countdown"]
    many = replace(
        record,
        counts={"algebra": record.counts["countdown"], **record.counts},
        curves={
            "algebra": {**curves, "rlvr": fine, "base": fine, "difference": fine},
            "countdown": curves,
        },
        benchmarks=[],
    )
    assert benchmark_names(many)[0] == "algebra"
    lines = text(terminal.summary(many))
    assert next(line for line in lines if line.startswith("pass@k on")).startswith(
        "pass@k on countdown"
    )


def test_hostile_names_cannot_widen_colour_or_break_it(hostile_run: RunRecord) -> None:
    lines = text(terminal.summary(hostile_run))
    assert max(map(len, lines)) <= WIDTH
    assert all(line.replace("\u200d", "").isprintable() for line in lines)


def test_every_style_has_markup(run: Run) -> None:
    for state in ("open", "closed", "undecided", "not comparable"):
        record = run(state, problems=20)
        lines = terminal.summary(record)
        assert {span.style for line in lines for span in line} <= set(MARKUP)


def test_the_markup_is_what_pytest_understands(run: Run) -> None:
    from _pytest._io import TerminalWriter

    for style in MARKUP.values():
        assert TerminalWriter().markup("x", **style)


@pytest.mark.parametrize("most", [2, 12])
def test_a_claim_at_several_k_is_one_line(run: Run, most: int) -> None:
    record = run(problems=30)
    one = next(c for c in record.claims if c.id == "K2")
    verdicts = [Verdict.HOLDS, Verdict.UNDECIDED, Verdict.REFUTED, Verdict.NOT_COMPARABLE]
    ladder = [
        replace(one, id="K1k", k=1 << i, verdict=verdicts[min(i // most, 3)])
        for i in range(3 * most)
    ]
    lines = text(terminal.summary(replace(record, claims=[*record.claims, *ladder])))
    found = [line for line in lines if "K1k" in line]
    assert len(found) == 1
    assert len(found[0]) <= WIDTH
    assert ("holds at 12 k  " if most == 12 else "holds 1,2  ") in found[0]


def test_an_empty_run_has_a_summary_too(minimal_run: RunRecord) -> None:
    lines = text(terminal.summary(minimal_run))
    assert lines[1].startswith("The run was not whole, so nothing is decided: no gate claim")


def test_the_summary_reads_as_it_did(run: Run, golden: Callable[[str, str], None]) -> None:
    golden("summary.txt", "\n".join(text(terminal.summary(run()))) + "\n")


def test_who_speaks_of_these_problems_alone_is_named_where_others_do_not(run: Run) -> None:
    record = run("open", problems=30, samples=16)
    gates = [c for c in record.claims if c.kind is Kind.GATE and c.p_value is not None]

    def head(*alone: str) -> str:
        claims = [
            replace(c, judgements=tuple(replace(j, target=THESE) for j in c.judgements))
            if c.id in alone
            else c
            for c in [*gates, replace(gates[0], id="S5", nodeid="s5")]
        ]
        lines = text(terminal.summary(replace(record, claims=claims)))
        return next(line for line in lines if line.startswith("gate claims"))

    assert head().startswith("gate claims    ")
    assert head("S5").startswith("gate claims (S5 of these problems alone)")
    assert head("S5", *(c.id for c in gates)).startswith("gate claims (of these problems alone)")
