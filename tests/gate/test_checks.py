"""Checks of a policy: a gain counts only if it survives them all, and nothing gets round one."""

from __future__ import annotations

import itertools
from importlib.resources import files

import pytest

from rlvr_gate.gate.decide import decide
from rlvr_gate.gate.policy import Policy, PolicyError, load_policy, parse_policy, shipped
from rlvr_gate.records import (
    Check,
    ClaimRecord,
    GateResult,
    GateState,
    Interval,
    Judgement,
    Kind,
    Verdict,
)

REAL = load_policy("real")
IDS = ("S2", "K1", *REAL.checked)
HOLDS, REFUTED = Verdict.HOLDS, Verdict.REFUTED


def claim(id: str, verdict: Verdict = HOLDS, on: str = "b", **more: object) -> ClaimRecord:
    judged = Judgement("", verdict, 0.1, Interval(0, 1, 0.95), 0, ">", on, 1, 8)
    found = ClaimRecord(id, "t", "", REAL.kind(id, on, Kind.FINDING), f"n::{id}{on}", on, None,
                        0.0, verdict, (judged,))  # fmt: skip
    return found if not more else skipped(found)


def skipped(of: ClaimRecord) -> ClaimRecord:
    return ClaimRecord(of.id, "t", "", of.kind, of.nodeid, of.benchmark, None, 0.0,
                       Verdict.UNDECIDED, (), reason="needs --thorough", skipped=True)  # fmt: skip


def judged(*claims: ClaimRecord) -> GateResult:
    return decide(claims, REAL, today="2026-01-01")


def all_but(*ids: str) -> list[ClaimRecord]:
    return [claim(id) for id in IDS if id not in ids]


def of(result: GateResult, id: str) -> tuple[Verdict, tuple[str, ...]]:
    return next((r.verdict, r.missing) for r in result.checks if id in r.check.claims)


def test_it_opens_where_everything_holds_and_only_there() -> None:
    result = judged(*all_but())
    assert result.state is GateState.OPEN
    assert {row.verdict for row in result.checks} == {HOLDS}
    assert [row.check for row in result.checks] == list(REAL.checks)


@pytest.mark.parametrize("id", IDS)
def test_it_opens_with_no_check_left_out(id: str) -> None:
    result = judged(*all_but(id))
    assert result.state is GateState.NO_DECISION
    assert f"{id} (required, not judged)" in result.deciding
    if id in REAL.checked:
        assert of(result, id) == (Verdict.UNDECIDED, (f"{id} (not run)",))


@pytest.mark.parametrize("id", IDS)
def test_a_skipped_check_is_undecided_and_says_what_it_needs(id: str) -> None:
    result = judged(*all_but(id), skipped(claim(id)))
    assert result.state is GateState.NO_DECISION
    if id in REAL.checked:
        assert of(result, id) == (Verdict.UNDECIDED, (f"{id} (needs --thorough)",))


@pytest.mark.parametrize(
    ("id", "verdict"), list(itertools.product(IDS, [v for v in Verdict if v is not HOLDS]))
)
def test_any_other_verdict_keeps_it_shut(id: str, verdict: Verdict) -> None:
    result = judged(*all_but(id), claim(id, verdict))
    assert result.state not in (GateState.OPEN, GateState.NO_DECISION)
    assert result.exit_status


@pytest.mark.parametrize("id", REAL.checked)
def test_holding_on_one_benchmark_is_not_holding_on_another(id: str) -> None:
    """Neither where it is refuted there, nor where it was not asked there."""
    refuted = judged(*all_but(), claim(id, REFUTED, "c"))
    assert refuted.state is GateState.CLOSED
    assert of(refuted, id)[0] is REFUTED
    unasked = judged(*all_but(), skipped(claim(id, on="c")))
    assert unasked.state is GateState.NO_DECISION
    assert of(unasked, id)[0] is Verdict.UNDECIDED


def test_a_refuted_check_stays_refuted_where_another_part_was_not_run() -> None:
    policy = Policy("p", checks=(Check("both", ("A", "B")),))
    row = decide([claim("A", REFUTED)], policy, today="2026-01-01").checks[0]
    assert row.verdict is REFUTED
    assert row.missing == ("B (not run)",)


def text(*lines: str) -> str:
    head = ["[policy]", 'name = "mine"', "[[checks]]", 'name = "gradings"', 'claims = ["V2"]']
    return "\n".join([*head, *lines])


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("[[waivers]]", 'claim = "V2"', 'reason = "r"', "until = 2026-12-31"), "not survived"),
        (("[claims.V2]", 'kind = "finding"'), "leave one"),
        (("[[checks]]", 'name = "more"', "claims = []"), "would check nothing"),
        (("[[checks]]", 'name = "gradings"', 'claims = ["S3"]'), "about the same"),
        (("[[checks]]", 'name = "again"', 'claims = ["V2"]'), "about the same"),
        (("[[checks]]", 'claims = ["S3"]'), "name must be"),
        (("[[checks]]", 'name = "n"', 'claims = ["S3"]', "skip = true"), "unknown key 'skip'"),
    ],
)
def test_a_policy_cannot_take_back_what_a_check_asks(lines: tuple[str, ...], says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        parse_policy(text(*lines))


def test_checks_are_a_list_of_tables() -> None:
    with pytest.raises(PolicyError, match="a table of its own"):
        parse_policy('checks = ["V2"]')
    assert parse_policy(text()).required == ("V2",)


def test_one_benchmark_cannot_be_chosen_for_a_check() -> None:
    """`benchmarks` leaves the claim's margin to the others, not its kind."""
    policy = parse_policy(text("[claims.V2]", "margin = 0.01", 'benchmarks = ["easy"]'))
    assert policy.kind("V2", "hard", Kind.FINDING) is Kind.GATE


def test_no_file_goes_by_the_name_of_a_policy_that_checks_more(tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[policy]\nname = "real"\nrequired_claims = ["K1"]\n')
    with pytest.raises(PolicyError, match="name of its own"):
        load_policy(str(file))
    file.write_text(text().replace("mine", "default"))
    with pytest.raises(PolicyError, match="nothing more"):
        load_policy(str(file))


SHIPPED = (files("rlvr_gate") / "policies" / "real.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (SHIPPED + "[claims.V1]\nmargin = 0.9\n", "claims"),
        (SHIPPED + "[claims.R3]\nbound = 0.99\n", "claims"),
        (SHIPPED.replace("level = 0.95", "level = 0.6"), "level"),
        (SHIPPED.replace("level = 0.95", 'target = "these problems"'), "target"),
        (SHIPPED + "[comparability]\nunscored = 0.5\n", "margins"),
        (SHIPPED.replace('"S2", ', ""), "required_claims"),
    ],
)
def test_no_file_goes_by_its_name_and_asks_for_less(tmp_path, changed: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(SHIPPED)
    assert load_policy(str(file)) == load_policy("real")
    file.write_text(changed)
    with pytest.raises(PolicyError, match=f"differs in {says}: give it a name of its own"):
        load_policy(str(file))
    file.write_text(changed.replace('name = "real"', 'name = "ours"'))
    assert load_policy(str(file)).name == "ours"


def test_the_shipped_ones_without_checks_stay_as_they_are() -> None:
    assert {name for name in shipped() if load_policy(name).checks} == {"real"}
