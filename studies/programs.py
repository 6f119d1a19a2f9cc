"""The verifier `code` on HumanEval: references, references gone wrong, recorded completions.

    python studies/programs.py --data PATH                    # references, and mutated ones
    python studies/programs.py --data PATH --recorded 100     # and that many recorded samples each
    python studies/programs.py --data PATH --clock 100        # the gap to the published figures
    python studies/programs.py --data PATH --speed 40         # what a run costs, kind by kind

A mutated reference has to fail. Two kinds, each made from what the reference returns: every
call gives another value; or only the last call that the tests make does, and all others are right.
Recorded completions (CodeGen-16B) are graded by the verifier's own rule, and once more cut at the
stop words of arXiv:2107.03374, which is what the published figures were made with.
"""

from __future__ import annotations

import argparse
import copy
import gzip
import json
import math
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any, NamedTuple, TypeVar

from rlvr_gate.records import Grade, Graded, Problem
from rlvr_gate.stats.passk import pass_at_k
from rlvr_gate_fixtures.grading.pool import Grader, ToGrade
from rlvr_gate_fixtures.inputs.benchmarks import load
from rlvr_gate_fixtures.processes.families import descendants
from rlvr_gate_fixtures.processes.limits import Limits
from rlvr_gate_fixtures.sandbox.cell import UNSAFE, Cell, NoWallsError
from rlvr_gate_fixtures.verifiers.programs import program

Key = TypeVar("Key")

_PUBLISHED = {1: 0.2165, 10: 0.4961, 100: 0.7256}
_TIMED = """
import signal, time
signal.setitimer(signal.ITIMER_PROF, 0.4)
_started = time.process_time()
exec({program!r}, {{}})
print(time.process_time() - _started)
"""
_STOP = re.compile(r"\nclass|\ndef|\n#|\nif|\nprint")
_OTHER = """

def _another(value):
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, dict):
        return {**value, "another": 1}
    return type(value)([*value, "another"])


_right, _calls = NAME, [0]


def NAME(*arguments):
    _calls[0] += 1
    value = _right(*arguments)
    return _another(value) if FROM <= _calls[0] else value
"""
"""Goes behind a reference: what every value is taken for."""


class Reference(NamedTuple):
    """A problem of HumanEval, and its solution."""

    problem: Problem
    solution: str
    name: str
    test: str

    def mutated(self, first: int) -> str:
        """A block in which the calls from the `first` on are wrong."""
        other = _OTHER.replace("NAME", self.name).replace("FROM", str(first))
        return f"```python\n{self.problem.prompt}{self.solution}\n{other}\n```"

    def calls(self) -> int:
        """How often the tests call it; the reference is trusted and runs right here."""
        known: dict[str, Any] = {}
        exec(f"{self.problem.prompt}{self.solution}\n{self.test}", known)  # noqa: S102 - as above
        count = 0

        def counted(*arguments: object) -> object:
            nonlocal count
            count += 1
            return known[self.name](*copy.deepcopy(arguments))

        known["check"](counted)
        return count


def main() -> None:
    options = _options()
    found = list(_references(options.data / "problems/HumanEval.jsonl.gz"))
    if options.speed:
        return _speed(found[0], options.speed)
    if options.clock:
        return _clock(options.data, found, options.clock)
    last = {each.problem.id: each.calls() for each in found}
    kinds: Mapping[str, Callable[[Reference], str]] = {
        "reference": lambda each: each.solution,
        "every call another value": lambda each: each.mutated(1),
        "the last call alone another value": lambda each: each.mutated(last[each.problem.id]),
    }
    print("| programs | graded | correct | wrong | unscored |\n|---|---|---|---|---|")
    for kind, made in kinds.items():
        _line(kind, found, made)
    if options.recorded:
        _recorded(options.data, [each.problem for each in found], options.recorded)


def _speed(each: Reference, rounds: int) -> None:
    """Milliseconds of one program with its tests: on the clock, and of CPU time.

    All ways in turn, so that they share whatever else the machine does.
    """
    whole = f"{each.problem.prompt}{each.solution}\n{each.test}\ncheck({each.name})\n"
    known = json.loads(each.problem.answer)
    job = {name: known[name] for name in ("entry_point", "prompt", "test")}
    alone = [sys.executable, "-c", whole]
    limits = Limits()
    with ExitStack() as stack:
        ways = [Way("a Python of its own, no walls", partial(subprocess.run, alone), ())]
        for name, cell, tree in _cells(stack):
            ways.append(Way(f"{name}, one process", partial(cell.run, whole, limits), tree))
        for name, cell, tree in _cells(stack):
            run = partial(cell.judged, known["reference"], job, limits)
            ways.append(Way(f"{name}, with a judge", run, tree))
        before = [_spent(way.tree) for way in ways]
        taken = [[_taken(way.run) for way in ways] for _ in range(rounds)]
        spent = [1000 * (_spent(w.tree) - b) / rounds for w, b in zip(ways, before, strict=True)]
    print("| a run | median ms | CPU ms | of a Python of its own |\n|---|---|---|---|")
    for way, clock, cpu in zip(ways, zip(*taken, strict=True), spent, strict=True):
        print(f"| {way.name} | {median(clock):.0f} | {cpu:.1f} | {cpu / spent[0]:.2f} |")


class Way(NamedTuple):
    """A way of running a program, and the processes that take part."""

    name: str
    run: Callable[[], object]
    tree: Sequence[int]


def _cells(stack: ExitStack) -> Iterator[tuple[str, Cell, Sequence[int]]]:
    for name in UNSAFE:
        others = descendants(os.getpid())
        try:
            cell = stack.enter_context(closing(Cell([name])))
        except NoWallsError as error:
            print(f"not here: {error}")
            continue
        yield name, cell, sorted({*descendants(os.getpid())} - {*others})


def _taken(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - started)


def _spent(tree: Sequence[int]) -> float:
    """CPU seconds of these processes and of all that they have waited for; of none: our own."""
    if not tree:
        of = resource.getrusage(resource.RUSAGE_CHILDREN)
        return of.ru_utime + of.ru_stime
    stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in tree)
    return sum(sum(map(int, stat[11:15])) for stat in stats) / os.sysconf("SC_CLK_TCK")


def _clock(data: Path, found: Iterable[Reference], samples: int) -> None:
    """Recorded samples cut at the stop words, as CodeT's harness runs them: program and tests in
    one process, of which it gives them a tenth of a second on the clock."""
    texts = _texts(data, [each.problem for each in found])
    taken: dict[str, list[float]] = {}
    with closing(Cell()) as cell:
        for each in found:
            wholes = [
                f"{each.problem.prompt}{_STOP.split(text, maxsplit=1)[0]}\n{each.test}\n"
                f"check({each.name})"
                for text in texts[each.problem.id][:samples]
            ]
            of = {whole: _cpu(cell, whole) for whole in set(wholes)}
            taken[each.problem.id] = [of[whole] for whole in wholes]
    asked = [each.problem for each in found]
    for most in (0.4, 0.1, 0.005):
        correct = {id: sum(t < most for t in times) for id, times in taken.items()}
        _told(f"within {most:g} s of CPU time, {sum(correct.values())} correct", correct, asked,
              samples)  # fmt: skip
    _lost_by_chance(correct, samples)


def _cpu(cell: Cell, whole: str) -> float:
    """Seconds that a program and its tests take; infinite where they do not pass."""
    ran = cell.run(_TIMED.format(program=whole), Limits(cpu_seconds=2, wall_seconds=60))
    with suppress(ValueError):
        return float(ran.output.splitlines()[-1]) if ran.output and not ran.late else math.inf
    return math.inf


def _lost_by_chance(correct: Mapping[str, int], samples: int) -> None:
    """pass@k where as many of these are lost at random as make pass@1 the published one."""
    kept = _PUBLISHED[1] * samples * len(correct) / sum(correct.values())
    rng = random.Random(0)
    drawn = [
        {id: sum(rng.random() < kept for _ in range(c)) for id, c in correct.items()}
        for _ in range(300)
    ]
    for k in (k for k in _PUBLISHED if k <= samples):
        found = [fmean(float(pass_at_k(samples, c, k)) for c in of.values()) for of in drawn]
        print(f"of these {1 - kept:.2%} lost: pass@{k} {fmean(found):.4f} +- {stdev(found):.4f}")


def _line(kind: str, found: Iterable[Reference], made: Callable[[Reference], str]) -> None:
    grades = Counter[Grade]()
    odd: list[str] = []
    for each, graded in _graded((each, each.problem, made(each)) for each in found):
        grades[graded.grade] += 1
        if (graded.grade is Grade.CORRECT) is not (kind == "reference"):
            odd.append(f"    {each.problem.id}: {graded.grade.value}: {graded.reason}")
    counts = " | ".join(
        str(grades[grade]) for grade in (Grade.CORRECT, Grade.WRONG, Grade.UNSCORED)
    )
    print(f"| {kind} | {grades.total()} | {counts} |")
    for line in odd:
        print(line)


def _recorded(data: Path, problems: Iterable[Problem], samples: int) -> None:
    """Sample by sample over all problems, so that a run which is stopped has told of some."""
    asked = list(problems)
    texts = _texts(data, asked)
    own, cut = Counter[str](), Counter[str]()  # correct by problem; what the stop words add
    grades, reasons = Counter[Grade](), Counter[str]()
    for start in range(0, samples, 10):
        stop = min(start + 10, samples)
        wanted = ((p, p, text) for p in asked for text in texts[p.id][start:stop])
        for problem, graded in _graded(wanted):
            own[problem.id] += graded.grade is Grade.CORRECT
            grades[graded.grade] += 1
            reasons[graded.reason.partition(":")[0][:40]] += graded.grade is not Grade.CORRECT
        for (problem, stopped), graded in _graded(_stopped(asked, texts, start, stop)):
            cut[problem.id] += (1 if stopped else -1) * (graded.grade is Grade.CORRECT)
        _told("own rule", own, asked, stop)
        _told("cut at the stop words", {id: own[id] + cut[id] for id in own}, asked, stop)
        print(dict(grades), reasons.most_common(8), flush=True)


def _texts(data: Path, problems: Iterable[Problem]) -> dict[str, list[str]]:
    rows = _lines(data / "recorded/codegen16b_humaneval/solutions.jsonl.gz")
    ids = sorted(problem.id for problem in problems)  # the order of the recording
    return {id: row["samples"] for id, row in zip(ids, rows, strict=True)}


def _stopped(
    asked: Iterable[Problem], texts: Mapping[str, list[str]], start: int, stop: int
) -> Iterator[tuple[tuple[Problem, bool], Problem, str]]:
    """Completions of which the stop words leave another program: that one, and the verifier's."""
    for problem in asked:
        known = json.loads(problem.answer)
        for text in texts[problem.id][start:stop]:
            cut = problem.prompt + _STOP.split(text, maxsplit=1)[0]
            if cut.rstrip() != program(text, problem.prompt, known["entry_point"]).rstrip():
                yield (problem, True), problem, f"```python\n{cut}\n```"
                yield (problem, False), problem, text


def _told(rule: str, correct: Mapping[str, int], asked: Iterable[Problem], samples: int) -> None:
    """pass@k of the samples so far, beside what was published of all."""
    counts = [correct[problem.id] for problem in asked]
    figures = [
        f"pass@{k} {fmean(float(pass_at_k(samples, c, k)) for c in counts):.4f} ({known})"
        for k, known in _PUBLISHED.items()
        if k <= samples
    ]
    print(f"{samples} samples, {rule}: {', '.join(figures)}")


def _graded(asked: Iterable[tuple[Key, Problem, str]]) -> Iterator[tuple[Key, Graded]]:
    with Grader[Key]() as grader:
        grader.submit(ToGrade(key, "code", text, problem.answer) for key, problem, text in asked)
        while grader.pending:
            yield from ((ask.key, graded) for ask, graded in grader.poll(1.0))


def _references(path: Path) -> Iterator[Reference]:
    rows = {row["task_id"]: row for row in _lines(path)}
    for problem in load(f"humaneval?file={path}").problems:
        row = rows[problem.id]
        yield Reference(problem, row["canonical_solution"], row["entry_point"], row["test"])


def _lines(path: Path) -> list[Any]:
    with gzip.open(path) as lines:
        return list(map(json.loads, lines))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="Folder of reference data")
    parser.add_argument("--clock", type=int, default=0, help="Recorded samples, by CPU time")
    parser.add_argument("--speed", type=int, default=0, help="Runs of every kind, timed")
    parser.add_argument("--recorded", type=int, default=0, help="Recorded samples of each problem")
    return parser.parse_args()


if __name__ == "__main__":
    main()
