"""What is asked in other words is another question; what is asked as ever keeps its key."""

from __future__ import annotations

from rlvr_gate.records import Sampling
from rlvr_gate_fixtures.store.keys import asked_key


def test_a_variant_and_a_chat_template_are_part_of_a_question() -> None:
    usual = asked_key("rlvr", "D", Sampling(), "")
    assert asked_key("rlvr", "D", Sampling(), "", "", "") == usual
    others = {
        asked_key("rlvr", "D", Sampling(), "", variant, chat)
        for variant in ("", "fresh 1", "fresh 2")
        for chat in ("", "own", "base", "none")
    }
    assert len(others) == 12
    assert usual in others
