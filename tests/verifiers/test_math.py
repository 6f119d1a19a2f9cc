"""Mathematical answers: one answer's forms are right, its neighbours wrong, the unread unscored.

Rows that algebra decides run in a grading worker, as they do in use; the others need no library.
"""

from __future__ import annotations

import importlib.util
import json
import runpy
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from rlvr_gate.records import Grade, Graded, Problem
from rlvr_gate_fixtures.grading.pool import Grader, ToGrade
from rlvr_gate_fixtures.inputs.benchmarks import answers
from rlvr_gate_fixtures.inputs.benchmarks.jsonl import BenchmarkError
from rlvr_gate_fixtures.processes.limits import Limits
from rlvr_gate_fixtures.verifiers import VERIFIERS, symbolic

math = VERIFIERS["math"]
algebra = pytest.mark.skipif(bool(symbolic.lacks()), reason="needs math-verify")

ALIKE = [
    # answer on file, and other ways to write it
    (r"\frac{1}{2}", "1/2", "0.5", r"\dfrac12", r"x = \frac{2}{4}", r"\tfrac{1}{2}", "½", r"50\%"),
    ("-5", "−5", "–5", "- 5", "$-5$", r"\text{-5}", "x=-5", "-5.0"),
    (r"90^\circ", "90", "90°", r"90^{\circ}", r"90 \text{ degrees}"),
    (r"15\mbox{ cm}^2", "15", r"15 \text{ cm}^2", "15 cm²"),
    ("10080", r"10,\!080", "10,080", "10{,}080"),
    (
        "(3,4]",
        r"\left(3, 4\right]",
        "(3,4.0]",
        r"(3;4]",
        r"3 < x \leq 4",
        r"x \in (3,4]",
        "4 ≥ x > 3",
    ),
    (r"(2,\infty)", "(2, ∞)", r"\left(2,+\infty\right)", "x > 2", r"2<x"),
    ("1,-2", "-2, 1", r"\{1, -2\}", "1 and -2", r"1 \text{ or } -2", "x=1, x=-2", "$1$ and $-2$"),
    ("3, 5, 7", "7, 5, 3", "3; 5; 7", "3, 5 and 7", "3, 5, and 7"),
    ("(1,2),(3,4)", "(3,4), (1,2)", r"(1,2) \text{ and } (3,4)"),
    ("(1, 9/2)", r"(1, \frac{9}{2})", "(1,4.5)", r"(x,y) = \left(1, \tfrac92\right)"),
    (r"(-\infty,2)\cup(3,4]", r"(3,4] \cup (-\infty, 2)", "(−∞,2)∪(3,4]"),
    ("52_8", "52_{8}", "52", r"52_8"),
    ("4:6", "2:3", "2 : 3"),
    (r"\text{Evelyn}", "Evelyn", "evelyn", r"\textbf{Evelyn}."),
    ("(C)", "C", r"\text{(C)}", r"\text{C}"),
    ("y = 2x + 3", "2x+3", "y=2x+3", r"$y = 2x + 3$"),
    (r"1 \pm \sqrt{19}", r"1+\sqrt{19}, 1-\sqrt{19}", r"1 - \sqrt{19} \text{ and } 1 + \sqrt{19}"),
    (r"4\sqrt{2}", r"4\sqrt2", r"4\sqrt(2)", r"4\sqrt{2} \text{ units}", "4√2"),
    ("12:00", "12:00"),
    (r"\emptyset", "∅", r"\varnothing"),
    (r"a_3 = 2, a_{37} = 19", r"a_{37} = 19, \quad a_3 = 2"),
    (r"$m_{\max }=n^{2}-n-1$", "n^2-n-1", r"m_{\max}=n^2-n-1"),
    ("t(0,4]", "(0,4]", r"t \in (0,4]", r"0 < t \leq 4"),
]
"""All of these without algebra."""

BY_ALGEBRA = [
    (r"\frac{1}{\sqrt{n}}", r"\sqrt{\frac{1}{n}}", r"n^{-1/2}", r"\frac{\sqrt{n}}{n}"),
    ("e^{16} - 1", "-1 + e^{16}", r"(e^8-1)(e^8+1)"),
    (r"\frac{\pi}{2}", "pi/2", r"\frac12 \pi", r"0.5\pi"),
    ("x^2 - 1", "(x-1)(x+1)", "-1+x^2"),
    (r"\sin^2 x", r"1 - \cos^2 x"),
    (r"I\frac{d\omega}{dt}+2B\omega=T", r"I \frac{d\omega}{dt} = T - 2B\omega"),
    ("E_1 + 2E_2", "2E_{2}+E_{1}"),
    ("3x + 4y + 14 = 0", "6x+8y+28=0", "-3x - 4y = 14"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{bmatrix} 1 \\ 4/2 \end{bmatrix}"),
    ("2", r"\sqrt{4}", r"\frac{2\sqrt{2}}{\sqrt{2}}", r"\log_2 4"),
    (r"3 + 4i", "4i+3"),
    (r"\left(\sqrt{8}, 1\right)", r"(2\sqrt{2}, 1)"),
    (r"10^{\frac{-5+\sqrt{13}}{6}}, 10^{\frac{-5-\sqrt{13}}{6}}",
     r"10^{-\frac{5+\sqrt{13}}{6}}, 10^{\frac{\sqrt{13}-5}{6}}"),
]  # fmt: skip

UNLIKE = [
    (r"\frac{1}{2}", "2", "1/3", "-1/2", "5", "0.51", r"\frac{2}{1}", "1, 2"),
    ("62", r"\frac{6}{2}", "6", "2", "6, 2", "(6,2)"),
    ("210", "2_{10}", "210_8"),
    ("52_8", "52_9", "42", "53"),
    ("(0,1)", "(0, 1.5)", "[0,1]", "[0,1)", "(1,0)", "0", r"\{0,1\}", "0, 1", "(0,1,2)"),
    ("D = (0,1)", "D = (0, 1.5)"),
    ("n = 2, 3, 4", "n = 1, 2, 3", "2, 3", "2, 3, 4, 5", "2", "(2,3,4)"),
    ("k = 45, n = 2", "k = 2, n = 45"),
    ("12:00", "1:00", "12", "0:12"),
    ("1:10", "2:20"),
    ("1331 and 1728", "1728", "1331", "1331, 1729"),
    ("(2,1),(1,2)", "(1,2)", "(1,2),(1,2)", "1,2"),
    ("x > 5", "x < 5", r"x \geq 5", "5"),
    (r"\text{east}", "west", "5", "eastern", "east or west"),
    (
        "42",
        "17+25",
        r"6 \cdot 7",
        "6*7",
        r"\frac{80+4}{2}",
        r"\binom{42}{1}",
        r"50-8",
        r"\sum_{k} 42",
    ),
    ("5", "east", "x > 5", "(5, 6)", "5, 6", "5 or 6", r"\pm 5"),
    ("0.3333", r"\frac13"),
]
UNLIKE_BY_ALGEBRA = [
    ("5", "5x", r"5\sqrt{2}", r"5\pi", "x = 5y"),
    ("3x + 4y + 14 = 0", "3x - y + 13 = 0", "0", "3x + 4y + 14", "14"),
    ("7 = 11a+c", "11a+c", "7"),
    (r"\sqrt{2}", "1.41421", "1.4142136", r"-\sqrt{2}", r"\sqrt{3}"),
    (r"\pi", "3.14", "3.1416", "22/7"),
    ("|x|", "x", "-x"),
    ("x", "x^2/|x|", "y", "x+10^{-20}"),
    (r"1 - \frac{1}{e}", r"1 + \frac{1}{e}"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 3 \end{pmatrix}", "(1,2)"),
    (r"\begin{pmatrix} 1 & 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    ("f(x)", "f(y)"),
    (r"\frac{dM}{dt} = 10^5 M^6", r"\frac{dM}{dt} = 20^5 M^6", r"\frac{dN}{dt} = 10^5 M^6"),
    (r"c^2(\gamma^2-1)\sin^2 \theta", r"c^2(\gamma^2-2)\sin^2 \theta"),
    ("2^{1009}", "2^{1009}+1"),
    (r"\frac{100!}{2^{50}}", r"\frac{100!}{2^{50}}+1"),
    (r"\lceil n/2 \rceil", r"\lceil n/3 \rceil"),
    (r"\lfloor\sqrt{n-1}\rfloor", r"\lfloor\sqrt{n-2}\rfloor"),
    ("n(n-1)", "-(n(n-1))", "n^2", "0"),
    ("I(0)", "-(I(0))", "0", "I"),
    (r"\angle BEA_1 = \sqrt{2}", r"\angle BEA_2 = \sqrt{2}"),
    (r"\arcsin(10/13)", "10/13", r"\arccos(10/13)"),
    (r"\frac{63}{400}\pi", r"\frac{64}{400}\pi"),
]  # fmt: skip


def flat(table: Iterable[tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(answer, form) for answer, *forms in table for form in (answer, *forms)]


def others(table: Iterable[tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(answer, form) for answer, *forms in table for form in forms]


STUDIES = Path(__file__).parents[2] / "studies"
ROWS = runpy.run_path(str(STUDIES / "grader_rows.py"))["ROWS"]
WRITTEN = [
    json.loads(line)
    for line in (STUDIES / "written_rows.jsonl").read_text("utf-8").split("\n")[:-1]
]


def boxed(form: str) -> str:
    return f"Thus it is $\\boxed{{{form}}}$."


@pytest.mark.parametrize(("answer", "form"), flat(ALIKE))
def test_forms_of_one_answer_are_right_without_algebra(answer: str, form: str) -> None:
    for completion in (
        boxed(form),
        f"The answer is ${form.strip('$')}$.",
        f"<answer>{form}</answer>",
    ):
        if form.count("$") < 3 or "The" not in completion:
            assert math(completion, answer).grade is Grade.CORRECT, completion


@pytest.mark.parametrize(("answer", "form"), others(UNLIKE))
def test_neighbours_are_wrong_without_algebra(answer: str, form: str) -> None:
    assert math(boxed(form), answer).grade is Grade.WRONG
    assert math(f"The answer is {form}.", answer).grade is Grade.WRONG


def graded(rows: Iterable[tuple[str, str]], limits: Limits | None = None) -> list[Graded]:
    """Decisions of a worker about completions of these answers."""
    return graded_by((("math", form, answer) for answer, form in rows), limits)


def graded_by(rows: Iterable[tuple[str, str, str]], limits: Limits | None = None) -> list[Graded]:
    """Decisions of a worker: verifier, completion, answer on file."""
    found: list[Graded] = []
    with Grader[int](limits) as grader:
        grader.submit(ToGrade(i, *row) for i, row in enumerate(rows))
        while grader.pending:
            found += [decision for _, decision in grader.poll(1.0)]
    return found


@algebra
def test_what_structure_does_not_decide_algebra_does() -> None:
    for table, grade in ((BY_ALGEBRA, Grade.CORRECT), (UNLIKE_BY_ALGEBRA, Grade.WRONG)):
        rows = [(answer, boxed(form)) for answer, form in others(table)]
        decided = graded(rows)
        assert not [(row, d) for row, d in zip(rows, decided, strict=True) if d.grade is not grade]


@algebra
def test_the_rows_on_which_the_graders_of_the_field_differ() -> None:
    decided = graded([(answer, text) for _, text, answer, _ in ROWS])
    assert len(ROWS) == 53
    verdicts = [(row[0], d.grade is Grade.CORRECT) for row, d in zip(ROWS, decided, strict=True)]
    assert verdicts == [(row[0], row[3]) for row in ROWS]
    assert Grade.UNSCORED not in {d.grade for d in decided}


@algebra
def test_what_models_write_is_graded_as_was_said_before_a_verifier_was_asked() -> None:
    rows = [(by, text, answer) for by, text, answer, _ in WRITTEN]
    decided = graded_by(rows)
    verdicts = [d.grade is Grade.CORRECT for d in decided]
    expected = [right for *_, right in WRITTEN]
    assert [row for row, v, e in zip(rows, verdicts, expected, strict=True) if v is not e] == []
    assert len(rows) == 1720
    assert {row[0] for row in rows} == {"number", "integer", "math", "choice"}
    unscored = [row for row, d in zip(rows, decided, strict=True) if d.grade is Grade.UNSCORED]
    assert unscored == []


@pytest.mark.parametrize(
    "answer", ["", " ", "$$", r"\frac{1}{2", "(1,2", "[1}", r"\boxed{", "1," * 300, "x" * 3000]
)
def test_an_answer_on_file_that_cannot_be_read_is_unscored(answer: str) -> None:
    for completion in ("5", boxed("5"), answer, "", boxed(answer)):
        assert math(completion, answer).grade is Grade.UNSCORED


@algebra
def test_an_answer_on_file_that_is_no_expression_never_makes_a_completion_wrong() -> None:
    unread = r"F_n = \sum_{k} F_k F_{n-k-1}"
    assert graded([(unread, boxed(r"x^2"))])[0].grade is Grade.UNSCORED
    assert graded([(unread, boxed(unread))])[0].grade is Grade.CORRECT


READ = [
    (r"\boxed{x+1} Wait, no: \boxed{x+2}", "x+2", "x+1"),
    ("<think>\\boxed{x+1}</think> It is \\boxed{x+2}.", "x+2", "x+1"),
    ("<think>\\boxed{x+1}", None, "x+1"),
    (r"\boxed{x+1}<|im_end|>\boxed{x+2}", "x+1", "x+2"),
    (r"\boxed{x+1}" + "\n\nQuestion: 2?\nAnswer: \\boxed{x+2}", "x+1", "x+2"),
    (r"so it is \boxed{x+1", None, "x+1"),
    ("The answer is $\\pi$.\n\nQuestion: and twice?\nThe answer is $2\\pi$.", r"\pi", r"2\pi"),
    (r"\boxed{x+2} and so \boxed{x+1", None, "x+2"),
    (r"\boxed{x+1}\boxed{x+2}", None, "x+1"),
    (r"\boxed{x+1}, \boxed{x+2}, \boxed{x+3}", "x+1, x+2, x+3", "x+3"),
    ("\n".join(rf"- $\boxed{{x+{i}}}$" for i in range(60)), None, "x+59"),
    (r"\boxed{x+1 \text{ or } x+2}", None, "x+1"),
    (r"\boxed{x+1} Final Answer: The final answer is $x+2$. I hope it is correct.", "x+2", "x+1"),
    ("The answer is $x+1$ or $x+2$.", None, "x+1"),
    ("The answer is $x+1$ because $x+2$ is not.", "x+1", "x+2"),
    ("Put it in \\boxed{}. I get\n$y = x+1$", "x+1", "y"),
    ("x+1", "x+1", "x"),
    ("We see $x+2$ first.\nThen it follows that $y = x+1$.", "x+1", "x+2"),
]


@pytest.mark.parametrize(("completion", "is_", "is_not"), READ)
def test_which_part_of_a_completion_is_read(completion: str, is_: str | None, is_not: str) -> None:
    """By the worker's rules, with algebra out of play: equal letter by letter, or not correct."""
    if is_ is not None:
        assert math(completion, is_).grade is Grade.CORRECT
    assert math(completion, is_not).grade is not Grade.CORRECT


@pytest.mark.parametrize("frame", ["The answer is {}.", "So it is {}.", "{}"])
@pytest.mark.parametrize("answer", [r"90^\circ", r"\frac43", "90", r"3R^2", "50\\%"])
def test_a_number_within_an_expression_is_not_the_answer(answer: str, frame: str) -> None:
    assert math(frame.format(answer), answer).grade is Grade.CORRECT
    for changed in ("-({})", "{}+1", "{} + x", "x^2+{}", "n-{}", "2 \\cdot {}", "{}(x+1)"):
        assert math(frame.format(changed.format(answer)), answer).grade is not Grade.CORRECT


@pytest.mark.parametrize(
    "completion",
    [
        "Total - 90",
        "45+45=90.",
        "the answer is 90 (degrees)",
        "a 90-hour week",
        "There are:\n- 90 hens",
        "It is 5 + 3 and then 90",
        "The answer is 90. It is 45 + 45.",
        "the answer is **90** (that is, 45+45)",
    ],
)
def test_a_dash_or_a_bracket_beside_a_number_is_no_expression(completion: str) -> None:
    assert math(completion, "90").grade is Grade.CORRECT


@pytest.mark.parametrize("answer", ["7", "x+7", "(7,8)", "east", "7_8", "(6,7]", "1, 7"])
def test_a_completion_that_offers_everything_answers_nothing(answer: str) -> None:
    forms = [*map(str, range(10)), "x+7", "(7,8)", "(6,7]", "east", "7_8", "1, 7"]
    forms.remove(answer)
    for offered in ([*forms, answer], [answer, *forms]):
        for completion in (
            boxed(", ".join(offered)),
            boxed(r" \text{ or } ".join(offered)),
            " ".join(map(boxed, offered)).replace("Thus it is", "").replace(".", ""),
            " or ".join(rf"\boxed{{{form}}}" for form in offered),
            "The answer is " + " or ".join(offered),
            "<answer>" + ", ".join(offered) + "</answer>",
        ):
            assert math(completion, answer).grade is not Grade.CORRECT, completion


BOMBS = [
    r"9^{9^{9}}", r"10^{10^{10^{10}}}", r"9^9^9", r"100000!", r"((99!)!)!",
    r"\sum_{k=1}^{10^9} k^k", r"\binom{1000000000}{500000000}", r"\exp(\exp(\exp(99)))",
    r"(((x+1)^{99})^{99})^{99}",
    "(" * 5000 + "x" + ")" * 5000, r"\sqrt{" * 300 + "2" + "}" * 300, "x+" * 200_000 + "1",
    "1," * 500_000, r"\frac{" * 100_000, "x" * 1_000_000, "{" * 100_000 + "}" * 100_000,
]  # fmt: skip


@algebra
def test_bombs_are_bounded_and_the_worker_goes_on() -> None:
    started = time.monotonic()
    limits = Limits(cpu_seconds=1, wall_seconds=20)
    rows = [("x+2", boxed(bomb)) for bomb in BOMBS] + [("5", r"\boxed{\sqrt{25}}")]
    *decided, last = graded(rows, limits)
    assert last.grade is Grade.CORRECT
    assert not [d for d in decided if d.grade is Grade.CORRECT]
    assert all(d.reason for d in decided)
    assert time.monotonic() - started < 60


def test_algebra_runs_nowhere_but_in_a_worker() -> None:
    undecided = math(boxed("(x-1)(x+1)"), "x^2-1")
    assert (undecided.grade, undecided.reason) == (
        Grade.UNSCORED,
        "algebra runs only in a grading worker",
    )
    code = "import sys; import rlvr_gate_fixtures.verifiers; print('sympy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_the_library_a_benchmark_is_refused_before_anything_is_drawn(monkeypatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        symbolic, "find_spec", lambda name: None if name == "math_verify" else found(name)
    )
    with pytest.raises(
        BenchmarkError, match=r"'math' cannot be used: .*pip install 'rlvr-gate\[math\]'"
    ):
        answers.check([Problem("a", "1+1", "2", "math")], lambda problem: problem.id)
    answers.check([Problem("a", "1+1", "2", "number")], lambda problem: problem.id)
