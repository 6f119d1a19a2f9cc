"""A verdict on its way: what arrives is what was sent, or there is no verdict."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from rlvr_gate.gate.wire import WireError, from_properties, to_properties, whole
from rlvr_gate.records import ClaimRecord, Evidence, Interval, Judgement, Kind, Verdict

REFUTED = ClaimRecord(
    "K1", "rlvr solves more", "arXiv", Kind.GATE, "t.py::k1[b]", "b", None, 0.0, Verdict.REFUTED,
    (Judgement("a > b", Verdict.REFUTED, -0.5, Interval(-0.6, -0.4, 0.95), 0.0, ">", "b", 1, 8,
               Evidence(notes=("naïve ␀",))),),
)  # fmt: skip


def test_a_verdict_arrives_as_it_was_sent() -> None:
    sent = [("somebody's", "own"), *to_properties(REFUTED), whole(REFUTED)]
    assert from_properties(sent) == REFUTED


def test_a_report_that_is_no_claims_has_no_verdict() -> None:
    assert from_properties([]) is None
    assert from_properties([("somebody's", "own"), *to_properties(REFUTED)]) is None


def test_no_character_can_be_changed_on_the_way() -> None:
    key, text = whole(REFUTED)
    for place, letter in enumerate(str(text)):
        other = "0" if letter != "0" else "1"
        with pytest.raises(WireError, match="changed after it was judged"):
            from_properties([(key, f"{str(text)[:place]}{other}{str(text)[place + 1 :]}")])


@pytest.mark.parametrize("value", ["", " ", "{}", None, 3, b"bytes", ["a"], "0" * 32])
def test_what_is_no_text_with_its_digest_is_no_verdict(value: object) -> None:
    with pytest.raises(WireError, match="changed after it was judged"):
        from_properties([(whole(REFUTED)[0], value)])


def test_a_refuted_claim_cannot_be_spelled_as_one_that_holds() -> None:
    """Nor does a second record count behind the first, or a prettier one for people."""
    key, text = whole(REFUTED)
    with pytest.raises(WireError, match="changed after it was judged"):
        from_properties([(key, str(text).replace("refuted", "holds"))])
    better = replace(REFUTED, verdict=Verdict.HOLDS)
    for added in (whole(better), ("rlvr_gate.verdict", "holds")):
        assert from_properties([whole(REFUTED), added]) == REFUTED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not JSON", "Expecting value"),
        ("[]", "ClaimRecord: expected an object"),
        ('{"is": "Judgement"}', "expected a ClaimRecord"),
        ('{"is": "ClaimRecord"}', "missing"),
        (json.dumps({"is": "ClaimRecord", "verdict": "wins"}), "'wins' is not a valid Verdict"),
        (json.dumps({"is": "ClaimRecord", "exec": "x"}), "ClaimRecord has no 'exec'"),
    ],
)
def test_a_digest_does_not_make_a_record(text: str, why: str) -> None:
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    with pytest.raises(WireError, match="its verdict is no claim record") as caught:
        from_properties([(whole(REFUTED)[0], f"{digest} {text}")])
    assert why in str(caught.value)


def test_what_people_read_in_junit_is_one_harmless_line() -> None:
    nasty = replace(REFUTED, id="::error::x\n##[group]\x1b[2J\u202e")
    told = dict(to_properties(nasty))
    assert told["rlvr_gate.claim"] == "\\::error::x ##\\[group]␛[2J⟨U+202E⟩"
    assert (told["rlvr_gate.kind"], told["rlvr_gate.verdict"]) == ("gate", "refuted")


def test_a_findings_own_verdict_is_not_called_its_verdict() -> None:
    """All findings together decide what each says: a file written before cannot know it."""
    told = dict(to_properties(replace(REFUTED, kind=Kind.FINDING)))
    assert told["rlvr_gate.verdict_alone"] == "refuted"
    assert "rlvr_gate.verdict" not in told


def test_junit_is_told_the_numbers_of_the_comparison_that_made_the_verdict() -> None:
    told = dict(to_properties(replace(REFUTED, benchmark="b\n::error::", k=8)))
    judged = next(j for j in REFUTED.judgements if j.verdict is REFUTED.verdict)
    assert told["rlvr_gate.benchmark"] == "b ::error::"
    assert told["rlvr_gate.k"] == 8
    assert told["rlvr_gate.estimate"] == judged.estimate
    assert told["rlvr_gate.interval_low"] == judged.interval.low
    assert told["rlvr_gate.interval_high"] == judged.interval.high
    assert (told["rlvr_gate.relation"], told["rlvr_gate.threshold"]) == (
        judged.relation, judged.threshold,
    )  # fmt: skip
    assert told["rlvr_gate.unit"] == "share"
    bare = dict(to_properties(replace(REFUTED, judgements=(), benchmark=None, k=None)))
    assert not {"rlvr_gate.benchmark", "rlvr_gate.k", "rlvr_gate.estimate"} & set(bare)
