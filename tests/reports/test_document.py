"""The JSON report: its schema, its determinism, and that every figure follows from its counts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from rlvr_gate.gate.explain import explain
from rlvr_gate.gate.wire import to_properties
from rlvr_gate.records import (
    CheckpointFacts,
    Evidence,
    GateState,
    Interval,
    Kind,
    NewWork,
    RunRecord,
    Sampling,
    Tally,
    Unit,
    Verdict,
    Waiver,
    WaiverUse,
)
from rlvr_gate.records.plain import told
from rlvr_gate_reports import document, html, markdown, terminal, words
from rlvr_gate_reports.notices import notices

Run = Callable[..., RunRecord]
GOLDEN = Path(__file__).parent / "golden"
STATES = ("open", "closed", "undecided", "not comparable")


def errors(loaded: object) -> list[ValidationError]:
    return list(Draft202012Validator(document.schema()).iter_errors(loaded))


def load(record: RunRecord) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(document.dumps(record), parse_constant=_refuse)
    return loaded


def _refuse(constant: str) -> object:
    raise AssertionError(f"{constant} is not JSON")


def test_the_schema_is_a_schema_and_describes_every_top_level_key() -> None:
    schema: Any = document.schema()
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"]["const"] == document.SCHEMA
    assert set(schema["then"]["required"]) == set(schema["properties"])


@pytest.mark.parametrize("name", ["first", "revision-1"])
def test_reports_that_earlier_versions_wrote_fit_the_schema(name: str) -> None:
    """Of the first version, and of the last one before revisions were told."""
    loaded = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    assert "revision" not in loaded
    assert errors(loaded) == []
    assert any("is a required property" in e.message for e in errors({**loaded, "revision": 2}))


def test_what_is_written_says_its_revision_and_lacks_nothing(run: Run) -> None:
    loaded = load(run(problems=4, samples=8, contrast=True))
    schema: Any = document.schema()
    assert set(loaded) == set(schema["properties"])
    for name, there in (("claim", loaded["claims"][0]), ("judgement",
                        loaded["claims"][0]["judgements"][0])):  # fmt: skip
        assert set(there) == set(schema["$defs"][name]["properties"])
    assert set(loaded["gate"]) == set(schema["properties"]["gate"]["properties"])
    for name in loaded.keys() - {"revision"}:
        assert errors({k: v for k, v in loaded.items() if k != name}), name


@pytest.mark.parametrize("state", STATES)
def test_what_nobody_measured_is_no_number_in_any_report(run: Run, state: str) -> None:
    record = run(state, problems=12, samples=16)
    judged = replace(
        record.claims[0].judgements[0], verdict=Verdict.UNDECIDED, estimate=None,
        interval=Interval(0.0, 1.0, 0.95), threshold=0.25, n=None, p_value=None,
        evidence=Evidence(),
    )  # fmt: skip
    claim = replace(
        record.claims[0], id="Z1", kind=Kind.FINDING, judgements=(judged,),
        verdict=Verdict.UNDECIDED,
    )  # fmt: skip
    unmeasured = replace(record, claims=[claim], gate=replace(record.gate, deciding=("Z1",)))
    loaded = load(unmeasured)
    assert errors(loaded) == []
    for there in (loaded["claims"][0], loaded["claims"][0]["judgements"][0]):
        assert there["estimate"] is None
    page = html.render(unmeasured)
    row = page[page.index('id="claim-z1') :]
    row = row[: row.index("</details>")]
    junit = "\n".join(f"{key} {value}" for key, value in to_properties(claim))
    lines = terminal.summary(unmeasured)
    told = "\n".join("".join(span.text for span in line) for line in lines)
    [cells] = [line for line in markdown.render(unmeasured).splitlines() if "**Z1**" in line]
    [line] = [line for line in told.splitlines() if " Z1 " in line]
    for said in (row, cells, line, junit, "\n".join(explain(claim)), words.because(claim)):
        assert "no estimate" in said.lower()
        assert not re.search(r"0[.]500|\[[+]?0, |nan|None", said), said
    assert 'class="forest' not in row


def test_a_count_that_more_may_be_added_to_says_how_many(run: Run) -> None:
    counted = replace(
        run(problems=4, samples=8).claims[0].judgements[0], unit=Unit.COUNT, n=None, p_value=None,
        estimate=0.0, interval=Interval(0.0, 2.0, 0.95),
    )  # fmt: skip
    assert words.estimate(counted) == "0 (up to 2)"
    assert words.estimate(replace(counted, interval=Interval(0.0, 0.0, 0.95))) == "0 exact"
    for sampled in (replace(counted, n=8), replace(counted, p_value=0.5)):
        assert words.estimate(sampled) == "0 [0, 2]"


@pytest.mark.parametrize("gate", [GateState.OPEN, GateState.CLOSED])
@pytest.mark.parametrize(
    ("state", "days", "said"),
    [
        ("used", 32, "32 days left"),
        ("used", 1, "1 day left"),
        ("not needed", 0, "last day, is not needed"),
        ("without force", 3, "3 days left, is without force"),
        ("matches nothing", 200, "200 days left, matches no gate claim of this run"),
        ("expired", -2, "2 days ago, has expired: renew it"),
        ("used", None, "until 2026-07-01"),
    ],
)
def test_a_waiver_is_told_with_its_state_and_time_left_in_every_report(
    run: Run, state: str, days: int | None, said: str, gate: GateState
) -> None:
    record = run(problems=4, samples=8)
    use = WaiverUse(Waiver("C1", "count<down>", "known: ticket 7", "2026-07-01"), state, days)
    waived = replace(record, gate=replace(record.gate, waivers=(use,), state=gate))
    loaded = load(waived)
    assert errors(loaded) == []
    assert loaded["gate"]["waivers"][0]["state"] == state
    assert loaded["run"]["days_left"] == {"C1 on count<down>": days}
    lines = terminal.summary(waived)
    told = " ".join("".join(span.text for span in line).strip() for line in lines)
    page = markdown.render(waived)
    assert said in html.render(waived)
    assert said in told
    assert said in page
    assert "## Waivers" in page
    assert any(said in order for order in notices(waived))


def test_a_waiver_leaves_the_samples_part_as_it_is_from_day_to_day(run: Run) -> None:
    record = run(problems=4, samples=8)
    ours, theirs = (
        load(replace(record, gate=replace(record.gate, waivers=(
            WaiverUse(Waiver("C1", None, "known", "2026-07-01"), "used", days),))))
        for days in (5, 4)
    )  # fmt: skip
    assert {key for key in ours if ours[key] != theirs[key]} == {"run"}


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_the_gate_fits_the_schema(run: Run, state: str) -> None:
    loaded = load(run(state, problems=12, samples=16, contrast=True))
    assert errors(loaded) == []
    assert loaded["gate"]["state"] == state


def test_the_least_and_the_worst_record_fit_the_schema(
    minimal_run: RunRecord, hostile_run: RunRecord
) -> None:
    assert errors(load(minimal_run)) == []
    assert errors(load(hostile_run)) == []


@pytest.mark.parametrize(
    "path", ["claims.0", "gate", "run", "counts.countdown.countdown-000.base"]
)
def test_the_schema_refuses_what_it_does_not_know(run: Run, path: str) -> None:
    loaded = load(run(problems=4, samples=8))
    inner: Any = loaded
    for key in path.split("."):
        inner = inner[int(key) if key.isdigit() else key]
    inner["unheard_of"] = 1
    assert errors(loaded)


def numbers_of(schema: Any, name: str = "") -> Iterator[str]:
    """The property that holds each number a document may have."""
    if isinstance(schema, list):
        for each in schema:
            yield from numbers_of(each, name)
    if not isinstance(schema, dict):
        return
    kinds = schema.get("type", ())
    named = schema.get("$ref", "").rpartition("/")[2] in ("estimate", "p", "level", "k", "n")
    if named or {"number", "integer"} & set([kinds] if isinstance(kinds, str) else kinds):
        yield name
    for key, inner in schema.items():
        if key == "properties":
            for called, of in inner.items():
                yield from numbers_of(of, called)
        elif key != "units":
            yield from numbers_of(inner, name)


def test_every_number_of_the_document_has_a_unit() -> None:
    """By the name of its property; where the unit depends on the claim, it stands beside it."""
    schema: Any = document.schema()
    found = set(numbers_of({**schema, "$defs": {}}))
    found |= {n for each in schema["$defs"].values() for n in numbers_of(each) if n}
    units = {name for name in schema["units"] if name != "$comment"}
    assert len(found) > 60
    assert found - units == set()
    assert units - found <= {"interval", "rows", "facts", "exit_status"}  # made of numbers


def test_a_claim_says_what_its_numbers_are_counted_in(run: Run) -> None:
    record = run(problems=4, samples=8)
    turned = replace(record.claims[0].judgements[0], unit=Unit.DEGREES)
    claim = replace(record.claims[0], judgements=(turned,), verdict=turned.verdict)
    loaded = load(replace(record, claims=[claim]))
    assert loaded["claims"][0]["unit"] == loaded["claims"][0]["judgements"][0]["unit"] == "degrees"
    page = html.render(replace(record, claims=[claim]))
    assert "<small>degrees</small>" in page
    assert "(degrees)" in page


def test_the_same_record_gives_the_same_bytes(run: Run) -> None:
    assert document.dumps(run(problems=8)) == document.dumps(run(problems=8))


def test_the_order_in_which_tests_finished_leaves_no_trace(run: Run) -> None:
    record = run(problems=8)
    shuffled = replace(
        record,
        claims=list(record.claims)[::-1],
        counts={b: dict(list(roles.items())[::-1]) for b, roles in record.counts.items()},
        curves={b: dict(list(roles.items())[::-1]) for b, roles in record.curves.items()},
    )
    assert document.dumps(shuffled) == document.dumps(record)


def test_what_changes_between_runs_over_the_same_samples_lives_under_run(run: Run) -> None:
    record = run(problems=8)
    again = replace(
        record, command="pytest -n 2", created="2027-01-01T00:00:00Z", versions={"python": "3.13"},
        seconds={"judge": 9.0}, sampled=NewWork(reused=4096),
    )  # fmt: skip
    ours, theirs = load(record), load(again)
    assert {key for key in ours if ours[key] != theirs[key]} == {"run"}


def test_every_curve_can_be_recomputed_from_the_counts(run: Run) -> None:
    loaded = load(run(problems=20, samples=32))
    for role in ("base", "rlvr"):
        counts = [by_role[role] for by_role in loaded["counts"]["countdown"].values()]
        for point in loaded["curves"]["countdown"][role]:
            k = int(point["k"])
            missed = [math.comb(c["n"] - c["correct"], k) / math.comb(c["n"], k) for c in counts]
            assert point["value"] == pytest.approx(1 - fmean(missed), abs=1e-12)


def test_counts_keep_the_order_of_the_benchmark(run: Run) -> None:
    record = run(problems=5)
    flipped = {role: tallies[::-1] for role, tallies in record.counts["countdown"].items()}
    ids = [f"countdown-{i:03d}" for i in range(5)]
    assert list(load(record)["counts"]["countdown"]) == ids
    turned = load(replace(record, counts={"countdown": flipped}))
    assert list(turned["counts"]["countdown"]) == ids[::-1]


def test_a_claim_shows_the_numbers_of_the_judgement_that_decided_it(run: Run) -> None:
    record = run("closed", problems=30)
    claim = next(c for c in record.claims if c.id == "K1")
    fine = replace(claim.judgements[0], verdict=type(claim.verdict).HOLDS, estimate=0.9)
    two = replace(claim, judgements=(fine, *claim.judgements))
    shown = load(replace(record, claims=[two]))["claims"][0]
    assert shown["estimate"] == claim.judgements[0].estimate != 0.9
    assert [j["estimate"] for j in shown["judgements"]] == [0.9, shown["estimate"]]


def test_a_claim_without_a_judgement_has_no_numbers(run: Run) -> None:
    record = run(problems=4)
    bare = replace(record.claims[0], judgements=(), reason="no such checkpoint: sft")
    shown = load(replace(record, claims=[bare]))["claims"][0]
    assert (shown["estimate"], shown["interval"], shown["n"]) == (None, None, None)
    assert shown["reason"] == "no such checkpoint: sft"


def test_numbers_that_are_not_finite_become_null() -> None:
    given = {"a": math.nan, "b": [math.inf, -math.inf], "c": 0.1, "d": True, "e": 3}
    assert told(given) == {"a": None, "b": [None, None], "c": 0.1, "d": True, "e": 3}


def test_floats_keep_their_full_precision(run: Run) -> None:
    record = run(problems=8)
    judged = next(c for c in record.claims if c.id == "K1").judgements[0]
    shown = next(c for c in load(record)["claims"] if c["id"] == "K1")
    assert shown["estimate"] == judged.estimate
    bounds: Interval = judged.interval
    assert (shown["interval"]["low"], shown["interval"]["high"]) == (bounds.low, bounds.high)


def test_evidence_that_is_not_json_is_an_error_that_names_its_type() -> None:
    with pytest.raises(TypeError, match="JSON value, got complex"):
        told({"p": [1j]})


def test_numpy_numbers_are_numbers() -> None:
    np = pytest.importorskip("numpy")
    assert told({"a": np.float64(0.5), "b": np.int64(3)}) == {"a": 0.5, "b": 3}


def test_a_checkpoint_carries_all_that_determines_its_completions() -> None:
    facts = CheckpointFacts(
        "rlvr", "hub/x@main", "ab" * 32, "vllm/bfloat16", Sampling(0.6, 0.95, 512), (2, 7), 3,
        {"gsm8k": "cd" * 32}, {"vllm": "0.33.0"},
    )  # fmt: skip
    shown: Any = document._checkpoint(facts)
    assert shown["sampling"] == {"temperature": 0.6, "top_p": 0.95, "max_new_tokens": 512}
    assert shown["versions"] == {"vllm": "0.33.0"}
    assert set(shown) == set(CheckpointFacts.__dataclass_fields__)


def test_a_count_carries_all_of_a_tally_but_what_all_its_problems_share() -> None:
    shown: Any = document._counts({"base": [Tally("p", 4, 1, 1, 1, 2, 40)]})
    assert set(shown["p"]["base"]) == set(Tally.__dataclass_fields__) - {
        "problem",
        "stratum",
        "cluster",
        "rounds",
    }


def test_the_json_report_reads_as_it_did(run: Run, golden: Callable[[str, str], None]) -> None:
    golden("gate.json", document.dumps(run(problems=4, samples=8)))
