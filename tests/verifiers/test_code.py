"""Programs graded by tests they cannot see: which are right, which text is the program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.grading.pool import Grader, ToGrade
from rlvr_gate_fixtures.processes.environment import bare
from rlvr_gate_fixtures.processes.families import descendants
from rlvr_gate_fixtures.processes.limits import Limits
from rlvr_gate_fixtures.sandbox.cell import NoWallsError
from rlvr_gate_fixtures.verifiers import VERIFIERS
from rlvr_gate_fixtures.verifiers import code as verifier
from rlvr_gate_fixtures.verifiers.programs import program

code = VERIFIERS["code"]
PROMPT = 'import math\n\n\ndef half(n):\n    """ Half of it. """\n    return n / 2\n\n\ndef area(r):\n    """ Of a circle. """\n'
CHECK = "def check(candidate):\n    assert candidate(0) == 0\n    assert abs(candidate(half(2)) - math.pi) < 1e-9\n"


@pytest.fixture(scope="module", autouse=True)
def walls():
    if lacking := verifier.lacks():
        pytest.skip(lacking)
    yield
    verifier._forget_cell()


def filed(**given) -> str:
    return json.dumps(given)


FUNCTION = filed(entry_point="area", prompt=PROMPT, test=CHECK, seconds=1)
ASSERTS = filed(entry_point="", prompt="", test="assert add(2,3)==5\nassert add([1],[2])==[1, 2]")


@pytest.mark.parametrize(
    "completion",
    [
        "    return math.pi * r * r\n",
        "    return math.pi * r ** 2\n\n\nprint(area(3))\n\ndef area(r):\n    return 0\n",
        "```python\nimport math\ndef area(r):\n    return math.pi * r * r\n```",
        "Sure.\n```python\ndef area(r):\n    return math.pi * r * r\n```\nTry it:\n```python\nprint(area(1))\n```",
        "<think>```python\ndef area(r): return 0\n```</think>\n```python\ndef area(r): return math.pi*r*r\n```",
        "def area(r):\n    return math.pi * r * r\n```\nThat is all.",
        "    return math.pi * r * r\n```\n",
        "```python\ndef area(r):\n    return math.pi * r * r",
        "```python\ndef area(r): return 1\n```\nNo, better:\n```python\ndef area(r): return math.pi * r * r\n```",
        "Here it is:\n\ndef area(r):\n    return math.pi * r * r\n\nIt is quadratic.",
        "    return half(2 * math.pi * r * r)<|im_end|>\n    garbage (",
    ],
)
def test_the_program_is_found(completion):
    assert code(completion, FUNCTION).grade is Grade.CORRECT


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        ("    return 3.14 * r * r\n", "a test fails"),
        ("    return None\n", "a test fails"),
        ("    return area\n", "a test fails"),
        ("    return 'a' if r else 0\n", "TypeError"),
        ("    return missing\n", "NameError"),
        ("    return (\n", "SyntaxError"),
        ("", "a test fails"),
        ("```python\nprint('area')\n```", "a test fails"),
        ("<think>    return math.pi * r * r\n", "a test fails"),
        ("    while True: pass\n", "time limit: more than 1 s of CPU time"),
        ("    import os; os._exit(0)\n", "the program ended"),
    ],
)
def test_what_is_wrong_says_why(completion, reason):
    graded = code(completion, FUNCTION)
    assert graded.grade is Grade.WRONG
    assert reason in graded.reason


def test_a_helper_of_the_prompt_is_the_prompts_own_in_the_tests():
    """HumanEval's tests call helpers of the prompt; redefining them helps nobody."""
    forged = "def half(n): return 0\ndef area(r): return 0\n"
    assert code(forged, FUNCTION).grade is Grade.WRONG


@pytest.mark.parametrize(
    ("completion", "grade"),
    [
        ("def add(a,b):\n    return a+b\n```", Grade.CORRECT),
        (
            "```python\ndef add(a,b):\n    return a+b\n```\nTry it:\n```python\nprint(add(1,2))\n```",
            Grade.CORRECT,
        ),
        ("```python\ndef add(a,b):\n    return a+b", Grade.CORRECT),
        ("add = lambda a, b: a + b\ndef add2(): pass", Grade.CORRECT),
        ("", Grade.WRONG),
        ("I cannot do that.", Grade.WRONG),
        ("import math\nBASE = 0\r\ndef add(a, b):\r\n    return a + b or BASE\r\n", Grade.CORRECT),
    ],
)
def test_asserts_as_in_mbpp(completion, grade):
    assert code(completion, ASSERTS).grade is grade


@pytest.mark.parametrize(
    ("program_", "test"),
    [
        ("class P:\n def __init__(s, a): s.a = a\ndef top(ps): return max(p.a for p in ps)", "assert top([P(1), P(4)]) == 4"),
        ("class N:\n def __init__(s, v): s.v, s.n = v, None\ndef l(n): return 1 + (l(n.n) if n.n else 0)", "r = N(1)\nr.n = N(2)\nassert l(r) == 2"),
        ("def sum(a, b): return a * b", "assert sum(10, 15) == 150"),
        ("def only(xs, t): return [x for x in xs if isinstance(x, t)]", "assert only([1, 'a'], int) == [1]"),
        ("def g(n):\n for i in range(n): yield i", "assert list(g(3)) == [0, 1, 2]\nassert sorted(g(2)) == [0, 1]"),
        ("from collections import Counter\ndef c(s): return Counter(s)", "assert c('aab') == {'a': 2, 'b': 1}"),
        ("def f(x): return (x, [1.5], {'k': {1, 2}}, b'x', 2**70, float('inf'), 1j, None)", "assert f(1) == (1, [1.5], {'k': {1, 2}}, b'x', 2**70, float('inf'), 1j, None)"),
        ("def f(x):\n if x < 0: raise ValueError\n return x", "try:\n    f(-1)\n    assert False\nexcept ValueError:\n    pass"),
        ("import re\ndef f(s): return re.search('b', s)", "assert f('abc')\nassert not f('xyz')"),
        ("def f(x): return x / 3", "assert math.isclose(f(1), 0.3333, rel_tol=1e-3)"),
    ],
)  # fmt: skip
def test_values_that_tests_pass_and_get(program_, test):
    graded = code(program_, filed(test=test))
    assert graded.grade is Grade.CORRECT, graded


def test_a_module_in_the_tests_is_pythons_own():
    forged = "class math:\n    isclose = lambda *a, **k: True\ndef f(x): return 0"
    assert code(forged, filed(test="assert math.isclose(f(1), 1)")).grade is Grade.WRONG


def test_a_program_under_test_may_be_called_check():
    test = (
        "def check(candidate):\n    assert candidate(4) is True\n    assert candidate(5) is False"
    )
    answer = filed(entry_point="check", test=test)
    assert code("def check(n): return n % 2 == 0", answer).grade is Grade.CORRECT
    assert code("def check(n): return True", answer).grade is Grade.WRONG


CASES = filed(
    cases=[
        {"input": "1 2\n", "output": "3\n", "testtype": "stdin"},
        {"input": "5 6\n", "output": "11", "testtype": "stdin"},
    ],
    entry_point="",
)


@pytest.mark.parametrize(
    ("completion", "grade", "reason"),
    [
        ("```python\nprint(sum(map(int, input().split())))\n```", Grade.CORRECT, "passes"),
        ("print(sum(map(float, input().split())))", Grade.CORRECT, "passes"),
        ("if __name__ == '__main__':\n    import sys\n    print(sum(map(int, sys.stdin.read().split())))\n    sys.exit(0)", Grade.CORRECT, "passes"),
        ("print(3)", Grade.WRONG, "case 2 gives another output"),
        ("print(sum(map(int, input().split()))); 1/0", Grade.WRONG, "case 1: ZeroDivisionError"),
        ("import os; os._exit(0)", Grade.WRONG, "another output"),
        ("input(); input()", Grade.WRONG, "EOFError"),
        ("while True: print('3')", Grade.WRONG, "case 1"),
        ("open('/proc/self/fd/3').read()", Grade.WRONG, "case 1"),
    ],
)  # fmt: skip
def test_whole_programs_by_what_they_print(completion, grade, reason):
    graded = code(completion, CASES)
    assert (graded.grade, reason in graded.reason) == (grade, True), graded


CALLS = filed(
    entry_point="twice",
    cases=[{"input": "[1, 2]\n3", "output": "[1, 2, 1, 2]"}, {"input": "[]\n1", "output": "[]"}],
)


@pytest.mark.parametrize(
    ("completion", "grade"),
    [
        ("class Solution:\n    def twice(self, xs: list[int], n: int):\n        return xs + xs", Grade.CORRECT),
        ("def twice(xs, n): return tuple(xs + xs)", Grade.CORRECT),
        ("class Solution:\n    def twice(self, xs, n): return xs", Grade.WRONG),
        ("class L(list):\n    __eq__ = lambda s, o: True\nclass Solution:\n    def twice(self, xs, n): return L()", Grade.WRONG),
        ("class Solution: pass", Grade.WRONG),
    ],
)  # fmt: skip
def test_functions_by_cases(completion, grade):
    assert code(completion, CALLS).grade is grade


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("42", "JSON object"),
        ("{", "JSON object"),
        ("{}", "one of the two"),
        (filed(test="assert (", entry_point=""), "no Python"),
        (filed(test="assert True", entry_point="f"), "defines no check"),
        (filed(tests=["assert True"]), "keys of"),
        (filed(cases=[{"input": 1, "output": "2"}]), "a case with texts"),
        (filed(test="assert f(1)", seconds=0), "whole `seconds`"),
        (filed(test="assert f(1)", seconds=9000), "whole `seconds`"),
        (filed(test="assert f(lambda: 1)"), "cannot be sent"),
    ],
)
def test_an_answer_on_file_that_is_no_test_leaves_it_unscored(answer, said):
    graded = code("def f(x): return x", answer)
    assert graded.grade is Grade.UNSCORED
    assert said in graded.reason


def test_an_answer_on_file_is_no_program_and_is_not_run():
    assert code(FUNCTION, FUNCTION).grade is Grade.WRONG


ONE_SECOND = [filed(**json.loads(answer), seconds=1) for answer in (ASSERTS, CASES)]
WAITS = "import time\ndef add(a, b): pass\ntime.sleep(30)"


@pytest.mark.parametrize("answer", ONE_SECOND, ids=["function", "program"])
@pytest.mark.parametrize("busy", [0, 10**6])
def test_one_that_waits_is_wrong_unless_the_machine_may_have_kept_it(monkeypatch, answer, busy):
    """A sleep is no way to be left out of the count."""
    monkeypatch.setattr(os, "getloadavg", lambda: (busy, 0, 0))
    monkeypatch.setattr(verifier, "_CLOCK", 3)
    graded = code(WAITS, answer)
    if busy:
        assert (graded.grade, graded.reason[:8]) == (Grade.UNSCORED, "timeout:")
    else:
        assert graded.grade is Grade.WRONG
        assert graded.reason.startswith("time limit: it waited for 3 s")


def test_many_slow_cases_have_the_time_they_need(monkeypatch):
    """Longer on the clock than all other verifiers are given, each case within its limit."""
    spins = "import time\nuntil = time.process_time() + 0.3\nwhile time.process_time() < until: pass\nprint(input())"
    slow = filed(entry_point="", cases=[{"input": "1", "output": "1"}] * 6, seconds=2)
    with Grader[int](Limits(wall_seconds=1)) as grader:
        grader.submit([ToGrade(0, "code", spins, slow)])
        while not (decided := grader.poll(1.0)):
            pass
    assert decided[0][1].grade is Grade.CORRECT


def test_all_cases_together_are_bounded_and_that_is_our_failure(monkeypatch):
    monkeypatch.setattr(verifier, "_ALL_CASES", 0.0)
    graded = code("print(1)", CASES)
    assert (graded.grade, graded.reason) == (Grade.UNSCORED, "timeout: 0 cases took 0 s")


def test_a_cell_that_was_killed_is_replaced():
    assert code("def add(a, b): return a + b", ASSERTS).grade is Grade.CORRECT
    verifier._cell()._process.end()
    assert code("def add(a, b): return a + b", ASSERTS).grade is Grade.CORRECT


def test_without_walls_nothing_is_run(monkeypatch):
    """Refused, with the remedy, before anything is drawn and again for each completion."""

    def none(*asked):
        raise NoWallsError("namespaces: no; landlock: no")

    verifier._forget_cell()
    verifier._machine.cache_clear()
    monkeypatch.setattr(verifier, "Cell", none)
    try:
        assert "--unsafe-code-execution" in verifier.lacks()
        graded = code("def add(a, b): return a + b", ASSERTS)
    finally:
        verifier._machine.cache_clear()
    assert graded.grade is Grade.UNSCORED
    assert "docs/verifiers.md" in graded.reason


def test_the_opt_in_is_asked_for_by_name(monkeypatch):
    asked = []
    monkeypatch.setattr(verifier, "Cell", lambda walls: asked.append(walls))
    for value in ("", "0", "yes", "1"):
        monkeypatch.setenv(verifier.UNSAFE_CODE, value)
        verifier._new_cell()
    assert ["none" in walls for walls in asked] == [False, False, False, True]


@pytest.mark.parametrize(("given", "value"), [((), None), (("--unsafe-code-execution",), "1")])
def test_the_option_allows_it_in_workers_too(pytester, given, value):
    pytester.makepyfile(
        "from rlvr_gate_fixtures.processes.environment import UNSAFE_CODE, bare\n"
        f"def test_it(): assert bare().get(UNSAFE_CODE) == {value!r}"
    )
    pytester.runpytest_subprocess(*given).assert_outcomes(passed=1)


def test_a_program_that_passes_just_in_time_passes():
    """CPU time is counted coarsely: what has passed is not over its limit."""
    slow = "import time\ndef add(a, b):\n while time.process_time() < 0.9: pass\n return a + b"
    answer = filed(test="assert add(2, 3) == 5", seconds=2)
    assert code(slow, answer).grade is Grade.CORRECT
    assert code(slow.replace("0.9", "9"), answer).reason.startswith(verifier.TIME_LIMIT)


SPINS = (
    "import time\ndef add(a, b):\n until = time.process_time() + {}\n"
    " while time.process_time() < until: pass\n return a {} b"
)


@pytest.mark.parametrize(
    ("reference", "program_", "grade"),
    [
        (SPINS.format(0.6, "+"), SPINS.format(1.2, "+"), Grade.CORRECT),
        (SPINS.format(0.6, "+"), SPINS.format(1.2, "-"), Grade.WRONG),
        (SPINS.format(0.6, "+"), SPINS.format(9, "+"), Grade.WRONG),
        (SPINS.format(0, "+"), SPINS.format(1.2, "+"), Grade.WRONG),
        (SPINS.format(0.6, "-"), SPINS.format(1.2, "+"), Grade.WRONG),
        ("", SPINS.format(1.2, "+"), Grade.WRONG),
    ],
    ids=[
        "slow as the reference",
        "and wrong",
        "slower",
        "quick reference",
        "no reference",
        "none",
    ],
)
def test_a_slow_reference_makes_time(reference, program_, grade):
    """Four times what it needs here, in CPU seconds; one that fails its own tests makes none."""
    answer = filed(test="assert add(2, 3) == 5", seconds=1, reference=reference)
    assert code(program_, answer).grade is grade


def test_a_reference_is_measured_once_for_a_problem(monkeypatch):
    """And again only where a busy machine did not let it finish."""
    answer = filed(test="assert add(2, 3) == 5", seconds=1, reference=SPINS.format(0.6, "+"))
    tests = verifier.unit_tests.on_file(answer)
    cell, found, times = verifier._cell(), iter((None, 3, 9)), []

    def measured(cell, tests):
        times.append(tests)
        return next(found)

    monkeypatch.setattr(verifier, "_measured", measured)
    monkeypatch.setattr(verifier, "_needed", {})
    monkeypatch.setattr(verifier, "_MOST_NEEDED", 1)
    assert [verifier._scaled(cell, tests) for _ in range(3)] == [1, 3, 3]
    assert len(times) == 2
    assert verifier._scaled(cell, replace(tests, test="assert add(2, 4) == 6")) == 9
    assert len(verifier._needed) == 1


def test_a_range_without_end_holds_nobody_up():
    answer = filed(test="for x in f(1): pass\nassert False")
    graded = code("def f(n): return range(10**18)", answer)
    assert (graded.grade, graded.reason[:13]) == (Grade.WRONG, "OverflowError")


def test_graded_in_a_worker_the_grades_are_the_same_twice():
    completions = [
        "def add(a, b): return a + b",
        "def add(a, b): return a - b",
        "import random\ndef add(a, b): return a + b if random.random() < .5 else 0",
        "import os\nos.kill(os.getppid(), 9)\ndef add(a, b): return a + b",
        "def add(a, b): return list({'x', 'y', 'z'})[0]",
    ]

    def grades():
        with Grader[int]() as grader:
            grader.submit(ToGrade(n, "code", text, ASSERTS) for n, text in enumerate(completions))
            found = {}
            while grader.pending:
                found |= {ask.key: graded for ask, graded in grader.poll(0.5)}
            return [found[n] for n in range(len(completions))]

    first = grades()
    assert [g.grade for g in first[:2]] == [Grade.CORRECT, Grade.WRONG]
    assert Grade.UNSCORED not in {g.grade for g in first}
    assert grades() == first


@pytest.mark.parametrize("which", ["the worker", "what it started"])
def test_what_is_killed_in_the_middle_loses_no_grade(which):
    texts = [f"def add(a, b): return a {'+' if n % 2 else '-'} b" for n in range(12)]
    found: dict[int, Grade] = {}
    with Grader[int]() as grader:
        grader.submit(ToGrade(n, "code", text, ASSERTS) for n, text in enumerate(texts))
        killed = False
        while grader.pending:
            found |= {ask.key: graded.grade for ask, graded in grader.poll(0.5)}
            if found and not killed:
                killed = True
                worker = grader._worker._process.process.pid
                for pid in [worker] if which == "the worker" else descendants(worker):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
    assert killed
    assert [found[n] is Grade.CORRECT for n in range(12)] == [n % 2 == 1 for n in range(12)]
    assert Grade.UNSCORED not in found.values()


ADD = "def add(a, b):\n    return a + b\n"


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("1. So:\n   ```python\n   def add(a, b):\n       return a + b\n   ```\n2. Done.", ADD),
        (f"[BEGIN]\n{ADD}[DONE]\n\nYou are an expert", ADD),
        (f"Here it is.\n[PYTHON]\n{ADD}[/PYTHON]\n[TESTS]\nassert False", ADD),
        ("Sure:\n```python\nadd = lambda a, b: a + b\n```\n```\nadd(1, 2)\n```",
         "add = lambda a, b: a + b\n"),
    ],
    ids=["in an item of a list", "as MBPP's examples", "as Code Llama's", "by its name"],
)  # fmt: skip
def test_a_program_is_found_however_it_stands(completion, expected):
    assert program(completion, "", "add") == expected


def test_what_equals_a_name_does_not_define_it():
    demonstration = f"```python\n{ADD}```\nCheck:\n```python\nadd == add\nadd(1, 2) == 3\n```"
    assert program(demonstration, "", "add") == ADD


def test_texts_that_are_hard_to_parse_cost_little():
    for text in (
        "(" * 99_999,
        "-" * 99_999 + "1",
        "a." * 49_999,
        "```\n" * 20_000,
        "x\n" * 49_999,
        "1+" * 49_999,
    ):
        program(text, PROMPT, "area")


def test_importing_the_verifiers_starts_nothing():
    source = "import sys, rlvr_gate_fixtures.verifiers; print('ctypes' in sys.modules, 'numpy' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", source], env=bare(), capture_output=True, text=True
    )
    assert ran.stdout.split()[1] == "False", os.fspath(sys.executable)
