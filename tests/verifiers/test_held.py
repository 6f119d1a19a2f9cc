"""`rlvr-gate audit`: every change means what its name says, and lax verifiers are found out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rlvr_gate_fixtures.__main__ import main
from rlvr_gate_fixtures.grading.changes import ChangedAnswer, Gold, changes, value
from rlvr_gate_fixtures.grading.golds import GOLDS
from rlvr_gate_fixtures.grading.held import hold
from rlvr_gate_fixtures.inputs.golds import of_verifier
from rlvr_gate_fixtures.verifiers import VERIFIERS

ECHO = "prompt echoed"


def made(text: str) -> list[ChangedAnswer]:
    return list(changes(Gold(text, text)))


@pytest.mark.parametrize("text", ["42", "-17", "1,234", "3/4", r"-\frac{3}{4}", "0.5", "0", "11"])
def test_numbers_change_into_others_and_back_into_themselves(text: str) -> None:
    number = value(text)
    found = made(text)
    for change in found:
        plain = change.statement.replace("\u2212", "-").replace("dfrac", "frac")
        if plain.endswith("e1"):
            again = value(plain[:-2])
            assert again is not None
            again *= 10
        else:
            again = value(plain)
        assert again is not None, change
        assert (again == number) is change.right, change
    assert {change.right for change in found} == {True, False}


@pytest.mark.parametrize("text", [r"1\frac{4}{5}", "x", "3/0", "1e5", "12,34", "", "9" * 31])
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert value(text) is None


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("B", {"another option", "all options", "brackets and fonts"}),
        ("Yes", {"the opposite", "both words", "capitals"}),
        ("(1, 2)", {"parts reordered", "a part left out", "spacing and sizes"}),
        ("(1, 1)", {"a part left out", "spacing and sizes"}),
        (r"5 \text{ cm}", {"unit dropped"}),
        (r"2\sqrt{3}", {"negated", "one more", "a hundred times", "spacing and sizes"}),
        ("blue whale", set()),
        ("Paris", set()),
    ],
)
def test_other_answers_change_as_what_they_are(text: str, kinds: set[str]) -> None:
    assert {change.kind for change in made(text)} == kinds


@pytest.mark.parametrize("name", [name for name in VERIFIERS if name != "gym"])
def test_shipped_verifiers_hold(name: str) -> None:
    """But for a prompt that holds its answer, which a verifier does not see."""
    if lacking := VERIFIERS[name].lacks():
        pytest.skip(lacking)
    found = hold(name, GOLDS[name])
    wrong = [each for row in found.rows if row.kind != ECHO for each in row.false]
    assert (wrong, found.unscored) == ([], 0)
    assert found.count(right=False)[0] >= 6
    assert found.count(right=True)[0] >= 3


def test_reasoning_gym_s_scorers_hold() -> None:
    pytest.importorskip("reasoning_gym")
    found = hold("gym", of_verifier("gym"))
    assert [each for row in found.rows for each in row.false] == []


OWN = '''
from rlvr_gate.records import Grade, Graded


def lax(completion, answer):
    """The answer is somewhere in it."""
    return Graded(Grade.CORRECT if answer in completion else Grade.WRONG, None, "")


def everything(completion, answer):
    return Graded(Grade.CORRECT, None, "")


def strict(completion, answer):
    return Graded(Grade.CORRECT if completion == answer else Grade.WRONG, None, "")


def nothing(completion, answer):
    return Graded(Grade.WRONG, None, "")


def crashes(completion, answer):
    return 1 / 0
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with verifiers of a user's own, and answers on file."""
    (tmp_path / "my_verifiers.py").write_text(OWN)
    rows = [{"a": str(n), "q": f"What is {n} + 0?"} for n in (12, 345, -7)]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def audited(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    before = list(sys.path)
    status = main(["audit", *arguments])
    assert sys.path == before
    told = capsys.readouterr()
    return status, told.out, told.err


COLUMNS = ("mine.jsonl", "--answer=a", "--problem=q")


def test_a_lax_verifier_of_one_s_own_is_found_out(own: Path, capsys) -> None:
    status, out, _ = audited(capsys, "my_verifiers:lax", *COLUMNS)
    assert status == 0
    assert "my_verifiers:lax, read in: box, tag, sentence, bare" in out
    assert "| a hundred times | wrong | 12 | 12 | 0 | 0 |" in out
    assert "| several boxed | wrong | 3 | 3 | 0 | 0 |" in out
    assert "| prompt echoed | wrong | 3 | 3 | 0 | 0 |" in out
    assert "| as it is | correct | 12 | 12 | 0 | 0 |" in out
    assert "| nothing | wrong | 12 | 0 | 12 | 0 |" in out
    assert "a hundred times: 'So it is $\\\\boxed{1200}$.' for '12'" in out


def test_one_that_accepts_everything_and_one_that_reads_nothing_else(own: Path, capsys) -> None:
    _, out, _ = audited(capsys, "my_verifiers:everything", *COLUMNS)
    assert "| nothing | wrong | 12 | 12 | 0 | 0 |" in out
    _, out, _ = audited(capsys, "my_verifiers:strict", *COLUMNS)
    assert "read in: bare\n" in out
    assert "| with decimals | correct | 3 | 0 | 3 | 0 |" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("my_verifiers:nothing", *COLUMNS), "accepts no answer on file as it is"),
        (("my_verifiers:crashes", *COLUMNS), "accepts no answer on file as it is"),
        (("my_verifiers:absent", *COLUMNS), "the grading worker did not start: AttributeError"),
        (("no_such:thing", *COLUMNS), "the grading worker did not start: ModuleNotFoundError"),
        (("my_verifiers:lax",), "needs a FILE"),
        (("nmber",), "expected one of choice, code,"),
        (("number", "none.jsonl"), "none.jsonl"),
        (("number", "mine.jsonl"), "mine.jsonl, line 1: no column 'answer'"),
    ],
)
def test_what_cannot_be_audited_says_why(own: Path, capsys, arguments, said) -> None:
    status, _, err = audited(capsys, *arguments)
    assert status == 1
    assert said in err
    assert "Traceback" not in err
