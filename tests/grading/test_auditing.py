"""A handful of stored completions is graded again, and what differs is named."""

from __future__ import annotations

import pytest

from rlvr_gate_fixtures.grading.auditing import HANDFUL, audit, distrusted
from rlvr_gate_fixtures.measurements.samples.fill import fill
from rlvr_gate_fixtures.measurements.samples.plan import make_plan, prompted


@pytest.fixture
def found(store, backend, need):
    """What an audit of 16 samples a problem finds after these changes to the store."""
    asked = need(16)
    fill(make_plan([asked], store, backend), store, backend)

    def audited(*statements: str, seed: str = "0") -> tuple[int, list[str]]:
        for statement in statements:
            with store.keeping() as db:
                assert db.execute(statement).rowcount
        problems = prompted(asked.checkpoint, asked.benchmark, store, backend)
        return audit(store, asked.stream, problems, 16, seed)

    return audited


def test_grades_that_hold_are_no_reason(found):
    looked_at, wrong = found()
    assert HANDFUL / 2 < looked_at <= HANDFUL
    assert wrong == []
    assert distrusted("base", "sums", looked_at, wrong) == []


def test_the_seed_alone_chooses(found):
    change = "UPDATE grades SET grade = 'unscored'"
    assert found(change, seed="0")[1] == found(seed="0")[1] != found(seed="1")[1]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE grades SET grade = 'correct'", "was correct ('wrong'), is now wrong ('wrong')"),
        ("UPDATE grades SET extracted = '7' WHERE grade = 'correct'", "was correct ('7'), is now"),
        ("UPDATE draws SET fingerprint = fingerprint + 1", "has other token ids than were"),
        ("UPDATE draws SET tokens = tokens + 1", "has other token ids than were counted"),
        ("UPDATE bodies SET token_ids = x'020001'", "cannot be read"),
        ("UPDATE bodies SET text = x'0137'", "cannot be read"),
        ("UPDATE bodies SET text = x'0037'", ", is now wrong ('7')"),
        ("DELETE FROM bodies", "cannot be read"),
        ("DELETE FROM draws", "cannot be read"),
    ],
)
def test_what_changed_is_named(found, statement, says):
    looked_at, wrong = found(statement)
    (reason,) = distrusted("base", "sums", looked_at, wrong)
    assert reason.startswith(
        f"stored grades cannot be repeated: of {looked_at} completions of base on sums "
    )
    assert "problem p" in reason
    assert says in reason


def test_who_was_not_asked_is_not_looked_at(store, backend, need):
    asked = need(16)
    problems = prompted(asked.checkpoint, asked.benchmark, store, backend)
    assert audit(store, asked.stream, problems, 16, "0") == (0, [])


def test_what_ran_out_of_time_says_nothing(found):
    change = "UPDATE grades SET grade = 'unscored', reason = 'timeout: no decision within 30 s'"
    assert found(change)[1] == []


def test_many_differences_are_counted_and_few_are_shown(found):
    looked_at, wrong = found("UPDATE grades SET grade = 'unscored'")
    (reason,) = distrusted("base", "sums", looked_at, wrong)
    assert len(wrong) == looked_at
    assert f"; and {looked_at - 4} more; " in reason
