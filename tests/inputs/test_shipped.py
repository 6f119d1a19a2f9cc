"""Benchmarks of the literature: rows as their sources have them, and no others by their name."""

from __future__ import annotations

import base64
import json
import pickle  # to write what the reader must refuse
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import BenchmarkError, asked, load
from rlvr_gate_fixtures.inputs.benchmarks.items import identity
from rlvr_gate_fixtures.inputs.benchmarks.shipped import MEMBERS
from rlvr_gate_fixtures.inputs.benchmarks.shipped.livecodebench import _unpacked
from rlvr_gate_fixtures.inputs.benchmarks.spec import is_commit, parse
from rlvr_gate_fixtures.inputs.benchmarks.templates import TEMPLATES
from rlvr_gate_fixtures.verifiers import VERIFIERS
from rlvr_gate_fixtures.verifiers import code as verifier

CASES = [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}]
PACKED = base64.b64encode(zlib.compress(pickle.dumps(json.dumps(CASES)))).decode()
CONTEST = {
    "question_content": "Add.", "question_id": "abc_a", "contest_date": "2024-08-01T00:00:00",
    "difficulty": "easy", "starter_code": "", "public_test_cases": json.dumps(CASES),
    "private_test_cases": PACKED, "metadata": "{}",
}  # fmt: skip
LAYOUTS: Mapping[str, list[tuple[Mapping[str, object], str, str]]] = {
    "gsm8k": [({"question": "2 and 3?", "answer": "2+3=<<2+3=5>>5\n#### 1,005"}, "1005", "")],
    "math500": [
        ({"problem": "?", "answer": "x=5", "level": 2, "unique_id": "test/a/1.json"}, "x=5",
         "level 2"),
        ({"problem": "?", "answer": r"\frac12", "level": "Level 5"}, r"\frac12", "level 5"),
    ],
    "minerva": [
        ({"problem": "?", "solution": r"\boxed{1} then \boxed{4.5e33}", "type": "Physics"},
         "4.5e33", "Physics"),
        ({"question": "?", "answer": "7"}, "7", ""),
    ],
    "olympiadbench": [
        ({"id": 1606, "question": "?", "final_answer": ["$69$,$84$."], "subfield": "Algebra"},
         "$69$,$84$", "Algebra"),
    ],
    "aime24": [
        ({"problem": "?", "answer": "025", "id": 60}, "25", ""),
        ({"Problem": "?", "Answer": 385, "ID": "2024-I-12"}, "385", ""),
        ({"problem": "?", "answer": "000"}, "0", ""),
    ],
    "aime25": [({"problem": "?", "answer": r"336^\circ"}, "336", "")],
    "amc23": [
        ({"problem": "?", "answer": 3159.0, "id": 3.0}, "3159", ""),
        ({"question": "?", "answer": "-1.0"}, "-1", ""),
    ],
    "omni-math-rule": [({"problem": "?", "answer": r"\boxed{2}", "source": "HMMT_2"},
                        r"\boxed{2}", "HMMT_2")],
    "gpqa": [
        ({"Question": " ? ", "Correct Answer": "four\n", **{f"Incorrect Answer {n}": f"no {n}"
          for n in (1, 2, 3)}, "High-level domain": "Physics"}, "", "Physics"),
    ],
    "mmlu-pro": [
        ({"question": "?", "options": ["a", "b", "c"], "answer": "B", "answer_index": 1,
          "category": "law"}, "B", "law"),
    ],
    "mathvista": [
        ({"pid": "1", "question": "?", "query": "Hint: …\nQuestion: ?", "choices": ["No", "Yes"],
          "answer": "Yes", "metadata": {"task": "geometry"}}, "B", "geometry"),
        ({"pid": "2", "question": "?", "query": "Hint: …\nQuestion: ?", "choices": None,
          "answer": "1.2", "metadata": None}, "1.2", ""),
    ],
    "mathvision": [
        ({"id": "4", "question": "<image1>?", "options": ["A", "D", "B"], "answer": "B",
          "subject": "algebra"}, "B", "algebra"),
        ({"id": 5, "question": "<image1>?", "options": [], "answer": "8", "subject": "algebra"},
         "8", "algebra"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "row", "answer", "stratum"),
    [(name, *layout) for name, layouts in LAYOUTS.items() for layout in layouts],
)
def test_rows_as_their_sources_write_them(
    name: str, row: Mapping[str, object], answer: str, stratum: str
) -> None:
    member = MEMBERS[name]
    item = member.item(row, member.options)
    assert item is not None
    assert item.stratum == stratum
    assert item.answer == (answer or "ABCD"[item.question.split("\n").index(_line(item)) - 2])


def _line(item: object) -> str:
    return next(line for line in item.question.split("\n") if line.endswith(") four"))


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("gsm8k", {"question": "?", "answer": "5"}, "no #### in it"),
        ("minerva", {"problem": "?", "solution": "5"}, "no .boxed"),
        ("olympiadbench", {"question": "?", "final_answer": ["1", "2"]}, "one text, got 2"),
        ("aime24", {"problem": "?", "answer": "1000"}, "from 0 to 999, got '1000'"),
        ("aime24", {"problem": "?", "answer": "5 or 6"}, "from 0 to 999"),
        ("mmlu-pro", {"question": "?", "options": ["a", "b"], "answer_index": 2}, "there are 2"),
        ("livecodebench", {**CONTEST, "contest_date": "August"}, "expected a day"),
        ("livecodebench", {**CONTEST, "starter_code": "class Solution:"}, "names no func_name"),
        ("livecodebench", {**CONTEST, "private_test_cases": "!"}, "cannot be unpacked"),
    ],
)
def test_rows_that_are_something_else(name: str, row: Mapping[str, object], message: str) -> None:
    member = MEMBERS[name]
    with pytest.raises(ValueError, match=message):
        member.item(row, member.options)


def test_code_problems_bring_their_tests() -> None:
    row = {"task_id": "HumanEval/0", "prompt": "def f():\n", "test": "def check(c): ...",
           "entry_point": "f", "canonical_solution": ""}  # fmt: skip
    item = MEMBERS["humaneval"].item(row, {})
    assert item is not None
    assert json.loads(item.answer) == {
        "entry_point": "f", "prompt": "def f():\n", "test": "def check(c): ...",
    }  # fmt: skip
    assert item.question == "def f():\n"


@pytest.mark.parametrize(("number", "split", "there"), [(10, "test", False), (11, "test", True),
                                                        (510, "test", True), (511, "test", False),
                                                        (511, "all", True)])  # fmt: skip
def test_mbpp_asks_its_test_split(number: int, split: str, there: bool) -> None:
    row = {"task_id": number, "text": "Add.", "test_list": ["assert add(1, 2) == 3"],
           "test_setup_code": "import math"}  # fmt: skip
    item = MEMBERS["mbpp"].item(row, {"split": split})
    assert (item is not None) == there
    if item:
        assert item.question.endswith("tests:\n\nassert add(1, 2) == 3")
        assert json.loads(item.answer)["test"] == "import math\nassert add(1, 2) == 3"


def plus(canonical: str, inputs: object, name: str = "f") -> str:
    row = {
        "task_id": "Mbpp/2", "prompt": "?", "entry_point": name, "atol": 0,
        "canonical_solution": canonical, "base_input": inputs, "plus_input": [],
    }  # fmt: skip
    item = MEMBERS["mbpp-plus"].item(row, {})
    assert item is not None
    return str(json.loads(item.answer)["test"])


def test_mbpp_plus_compares_with_its_reference() -> None:
    scope: dict[str, object] = {}
    exec(plus("def f(x):\n  return (x + 0.1, [x])", [[1], [2]]), scope)  # noqa: S102  # our own
    check = scope["check"]
    assert callable(check)
    check(lambda x: [x + 0.1 + 1e-12, (x,)])
    for wrong in (lambda x: (x, [x]), lambda x: None, lambda x: (x + 0.1,)):
        with pytest.raises(AssertionError):
            check(wrong)


def right(test: str, name: str, function: object) -> bool:
    """Whether a release file's test accepts this function."""
    scope: dict[str, object] = {}
    exec(test, scope)  # noqa: S102  # our own
    try:
        scope["check"](function)  # type: ignore[operator]
    except AssertionError:
        return False
    return True


def humaneval_plus(name: str, prompt: str, body: str, inputs: object) -> str:
    """The test of a row as the release file of HumanEval+ has it, beside the few of HumanEval."""
    row = {
        "task_id": "HumanEval/32", "prompt": prompt, "entry_point": name, "atol": 1e-4,
        "canonical_solution": body, "base_input": inputs, "plus_input": [], "contract": "",
        "test": "def check(candidate): pass",
    }  # fmt: skip
    item = MEMBERS["humaneval-plus"].item(row, {})
    assert item is not None
    assert item.question == prompt
    return str(json.loads(item.answer)["test"])


def test_a_release_of_humaneval_plus_compares_with_its_reference() -> None:
    """Not with the few tests of HumanEval that its rows have too."""
    test = humaneval_plus("f", "def f(x):\n", "  return [x, x + 0.5]\n", [[1], [2]])
    assert right(test, "f", lambda x: (x, x + 0.5))
    assert not right(test, "f", lambda x: [x, x + 0.6])
    assert not right(test, "f", lambda x: None)


def test_whatever_root_is_right() -> None:
    poly = "def poly(xs, x):\n  return sum(c * x**i for i, c in enumerate(xs))\n"
    test = humaneval_plus(
        "find_zero", f"{poly}def find_zero(xs):\n", "  return -1.0\n", [[[-1, 0, 1]]]
    )
    assert right(test, "find_zero", lambda xs: -1.0)
    assert right(test, "find_zero", lambda xs: 1 + 1e-6)
    assert not right(test, "find_zero", lambda xs: 0.0)


def test_a_match_is_compared_by_whether_it_is_there() -> None:
    """As evalplus does for Mbpp/737, 787 and 794, whose references return match objects."""
    test = plus("import re\ndef f(x):\n  return re.search('b', x)", [["aa"], ["ab"], ["b"]])
    assert right(test, "f", lambda x: re.search("b+", x))
    assert right(test, "f", lambda x: "b" in x)
    assert right(test, "f", lambda x: object() if "b" in x else None)
    assert not right(test, "f", lambda x: re.search("a", x))
    assert not right(test, "f", lambda x: True)
    assert not right(test, "f", lambda x: None)
    assert not right(test, "f", lambda x: 0)  # there, though it is false


def test_outputs_that_cannot_be_sent_are_passed_over() -> None:
    test = plus("def f(n):\n  return [(n,) * n] * n", [[2], [10**3], [3]])
    asked: list[int] = []

    def function(n: int) -> object:
        asked.append(n)
        return [(n,) * n] * n

    assert right(test, "f", function)
    assert asked == [2, 3]
    assert not right(test, "f", lambda n: [(n,)] * n)


def test_some_answers_have_no_order_and_some_tasks_two_readings() -> None:
    first = plus("def Diff(a, b):\n  return [*({*a} ^ {*b})]", [[[1, 2, 9], [2, 3]]], "Diff")
    assert right(first, "Diff", lambda a, b: [9, 3, 1])
    assert not right(first, "Diff", lambda a, b: [9, 3, 2])
    other = plus("def f(a):\n  return [1, 2]", [[1]])
    assert not right(other, "f", lambda a: [2, 1])
    far = plus("def digit_distance_nums(a, b):\n  return 0", [[1, 256]], "digit_distance_nums")
    assert right(far, "digit_distance_nums", lambda a, b: 12)
    assert not right(far, "digit_distance_nums", lambda a, b: 11)
    flat = "def surface_Area(b, s):\n  return 2 * b * s + b * b"
    area = plus(flat, [[3, 4]], "surface_Area")
    assert right(area, "surface_Area", lambda b, h: 33)
    assert right(area, "surface_Area", lambda b, h: 35)  # of a height
    assert not right(area, "surface_Area", lambda b, h: 34)


def test_quotes_in_a_reference_do_not_end_its_text() -> None:
    scope: dict[str, object] = {}
    exec(plus('def f(x):\n  return "\'\\\\" + x + \'"""\'', [["'"]]), scope)  # noqa: S102
    check = scope["check"]
    assert callable(check)
    check(lambda x: "'\\" + x + '"""')


def test_a_window_of_days_has_both_its_ends() -> None:
    member = MEMBERS["livecodebench"]

    def asked_for(first: str, last: str) -> bool:
        return member.item(CONTEST, {"from": first, "to": last}) is not None

    assert asked_for("2024-08-01", "2024-08-01")
    assert not asked_for("2024-08-02", "2025-01-01")
    assert not asked_for("2024-01-01", "2024-07-31")
    item = member.item(CONTEST, member.options)
    assert item is not None
    assert [case["input"] for case in json.loads(item.answer)["cases"]] == ["1 2\n"] * 2


class Attack:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('was run')",)


@pytest.mark.parametrize("value", [Attack(), ["a", "b"], b"bytes", 3, None])
def test_what_is_pickled_is_never_run(value: object) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        packed = base64.b64encode(zlib.compress(pickle.dumps(value, protocol))).decode()
        with pytest.raises(ValueError, match="not one text: nothing else is read"):
            _unpacked(packed)


def test_one_pickled_text_is_read_without_pickle() -> None:
    for protocol in (2, 3, 4, 5):
        for text in ("short", "é" * 300, "x" * 70_000):
            packed = base64.b64encode(zlib.compress(pickle.dumps(text, protocol))).decode()
            assert _unpacked(packed) == text


def contest(id: str, day: str, tests: object, **more: object) -> dict[str, object]:
    """A row as test*.jsonl of livecodebench/code_generation_lite has it."""
    packed = base64.b64encode(zlib.compress(pickle.dumps(json.dumps(tests)))).decode()
    return {
        "question_title": id, "question_content": f"Solve {id}.", "platform": "atcoder",
        "question_id": id, "contest_id": id[:3], "contest_date": f"{day}T00:00:00",
        "starter_code": "", "difficulty": "medium", "public_test_cases": json.dumps(CASES),
        "private_test_cases": packed, "metadata": "{}", **more,
    }  # fmt: skip


def test_a_file_of_contest_problems_is_asked_by_date_and_graded(tmp_path: Path) -> None:
    """Hidden tests decide, of whole programs and of a class's method; both ends of the window."""
    hidden = [{"input": "40 2\n", "output": "42\n", "testtype": "stdin"}]
    calls = [{"input": "[3, 1]\n2", "output": "[1, 3, 2]", "testtype": "functional"}]
    method = {
        "starter_code": "class Solution:\n    def put(self, a: List[int], b: int) -> List[int]:\n",
        "metadata": '{"func_name": "put"}', "platform": "leetcode",
        "public_test_cases": json.dumps([{**calls[0], "input": "[]\n2", "output": "[2]"}]),
    }  # fmt: skip
    rows = [
        contest("abc_early", "2024-07-31", hidden),
        contest("abc_sum", "2024-08-01", hidden),
        contest("3456", "2024-08-31", calls, **method),
        contest("abc_late", "2024-09-01", hidden),
    ]
    file = tmp_path / "test6.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    known = load(f"livecodebench?file={file}&from=2024-08-01&to=2024-08-31")
    assert [problem.id for problem in known.problems] == ["abc_sum", "3456"]
    sums, puts = (problem.answer for problem in known.problems)
    code = VERIFIERS["code"]
    if code.lacks():
        pytest.skip("this machine offers no walls")
    assert code("```python\nprint(sum(map(int, input().split())))\n```", sums).grade == "correct"
    assert code("```python\nprint(3)\n```", sums).reason == "case 2 gives another output"
    solved = "```python\nclass Solution:\n    def put(self, a, b):\n        return {}\n```"
    assert code(solved.format("sorted(a) + [b]"), puts).grade == "correct"
    assert code(solved.format("[b]"), puts).grade == "wrong"
    verifier._forget_cell()


def test_a_bomb_of_tests_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlvr_gate_fixtures.bounds.UNPACKED", 1000)
    packed = base64.b64encode(zlib.compress(pickle.dumps("x" * 10**6))).decode()
    with pytest.raises(ValueError, match="unpack to more than is read"):
        _unpacked(packed)


@pytest.mark.parametrize("name", MEMBERS)
def test_each_says_what_pins_it(name: str) -> None:
    member = MEMBERS[name]
    assert member.template in TEMPLATES
    assert member.verifier in VERIFIERS
    assert member.licence
    assert member.hub or member.where
    assert not member.hub or not member.hub.revision or is_commit(member.hub.revision)
    assert all(len(digest) == 64 for digest in (*member.questions, *member.contents))


# Whether it is what its name says


@pytest.fixture(name="file")
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two rows that are all there is of a GSM8K."""
    rows = [{"question": f"{n} and 1?", "answer": f"#### {n + 1}"} for n in (1, 2)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    what = identity(asked._items(asked.understood(parse(f"gsm8k?file={path}"))))
    known = replace(
        MEMBERS["gsm8k"], rows=2, contents=(what.contents,), questions=(what.questions,)
    )
    monkeypatch.setattr(asked, "MEMBERS", {**MEMBERS, "gsm8k": known})
    return path


def test_the_known_rows_go_by_the_name(file: Path) -> None:
    loaded = benchmarks.load(f"gsm8k?file={file}")
    assert (loaded.name, loaded.notes) == ("gsm8k", ())
    assert loaded.problems[0].prompt.startswith("1 and 1?\nPlease reason step by step")
    assert "2 rows, questions " in loaded.source


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("#### 2", "#### 4"),
        lambda text: text.replace("1 and", "7 and"),
        lambda text: text.split("\n")[0],
        lambda text: f"{text}\n{text}",
    ],
    ids=["an answer", "a question", "one less", "each twice"],
)
def test_no_other_rows_go_by_the_name(file: Path, change) -> None:
    file.write_text(change(file.read_text()))
    with pytest.raises(BenchmarkError, match="not the questions and answers of gsm8k: expected 2"):
        benchmarks.load(f"gsm8k?file={file}")


def test_the_order_of_rows_is_nothing(file: Path) -> None:
    file.write_text("\n".join(reversed(file.read_text().split("\n"))))
    assert len(benchmarks.load(f"gsm8k?file={file}").problems) == 2


def test_a_map_over_the_known_questions_may_use_the_name(file: Path) -> None:
    named = file.rename(file.with_name("gsm8k.jsonl"))
    fields = "problem=question,answer=answer,verifier=exact"
    assert benchmarks.load(f"{named}:{fields},gold=####").notes == ()
    assert "answers are written otherwise" in benchmarks.load(f"{named}:{fields}").notes[0]


def test_answers_that_nobody_can_read_are_left_out_and_told(file: Path, monkeypatch) -> None:
    file.write_text(file.read_text().replace("#### 2", "#### two"))
    known = replace(asked.MEMBERS["gsm8k"], contents=())
    monkeypatch.setattr(asked, "MEMBERS", {"gsm8k": known})
    loaded = benchmarks.load(f"gsm8k?file={file}")
    assert [problem.answer for problem in loaded.problems] == ["3"]
    assert any("1 answer on file cannot be read and left out" in note for note in loaded.notes)
    assert any("this release has not seen these 2 questions" in note for note in loaded.notes)


def test_the_identity_of_questions_never_changes_by_accident(file: Path) -> None:
    items = asked._items(asked.understood(parse(f"gsm8k?file={file}")))
    assert identity(items).questions == (
        "24a1b2f5550a246053b0b16be55e181f25ac0d8ea27e12f75ee5de603a3f0df7"
    )
    assert benchmarks.load(f"gsm8k?file={file}").digest == (
        "796da63eb7817faceb287da4fbbba22793a1ff837143db2035e82a07506c943d"
    )


def test_another_seed_lets_no_other_questions_pass_unseen(tmp_path: Path) -> None:
    wrong = {f"Incorrect Answer {n}": f"no {n}" for n in (1, 2, 3)}
    path = tmp_path / "easy.jsonl"
    path.write_text(json.dumps({"Question": "1 + 1?", "Correct Answer": "2", **wrong}))
    with pytest.raises(BenchmarkError, match="expected 198 rows"):
        benchmarks.load(f"gpqa?file={path}")
    loaded = benchmarks.load(f"gpqa?file={path}&seed=7")
    assert loaded.name == "gpqa?seed=7"
    assert "gpqa?seed=7: this release has not seen these 1 questions" in loaded.notes[0]
