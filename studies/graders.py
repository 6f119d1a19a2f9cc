"""The verifiers against the field: own rows, recorded grades, and time beside math-verify.

    python studies/graders.py --data PATH          # recorded completions; without it, rows alone
    python studies/graders.py --data PATH --list   # each disagreement in words
    python studies/graders.py --data PATH --part gradings   # one of its four tables alone

Completions are graded in a grading worker, as in a run. Speed is that of this process, a second of
its own CPU time: up to 800 of one source through the verifier, those that it decides without
algebra; up to 200 whether or not it does, and the same through `parse` and `verify` of math-verify
(without its own timeouts, answers on file parsed once); best of three, no cache in between.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from grader_rows import ROWS

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.grading.pool import Grader, ToGrade
from rlvr_gate_fixtures.verifiers import VERIFIERS, graded_as, maths, symbolic
from rlvr_gate_fixtures.verifiers.latex import key, spelled
from rlvr_gate_fixtures.verifiers.said import said

WRITTEN = Path(__file__).with_name("written_rows.jsonl")
"""What models write, of the kinds that graders get wrong: verifier, completion, answer, verdict.
The verdicts were written down before a verifier was asked."""
HANGING = ("public cases", "math-verify's own pairs")
"""Sources with a tower of powers, on which math-verify without a timeout does not come back."""
WORKED = ("GSM8K solutions", "MATH, 100 problems × 8", "AMC and AIME, reasoning-gym")
"""Sources of worked solutions, which other gradings tell apart."""
Equal = Callable[[str, str], bool]


class Row(NamedTuple):
    """A completion that somebody else has graded."""

    completion: str
    answer: str
    correct: bool
    verifier: str = "math"


def main() -> None:
    options = _options()
    sources = {"own rows": [Row(text, answer, right) for _, text, answer, right in ROWS]}
    sources["as models write"] = [
        Row(text, answer, right, by)
        for by, text, answer, right in map(json.loads, WRITTEN.read_text("utf-8").split("\n")[:-1])
    ]
    if options.data:
        sources |= recorded(options.data)
    if options.part in ("", "agreement"):
        print("| completions | graded | agree | only ours is right | only theirs is | unscored |")
        print("|---|---|---|---|---|---|")
        for name, rows in sources.items():
            agreement(name, rows, options.list)
    if options.data and options.part in ("", "audit"):
        audit(options.data / "problems", options.list)
    if options.part in ("", "gradings"):
        print("\n| completions | graded | strict | own | lenient | clean | states nothing |")
        print("|---|---|---|---|---|---|---|")
        for name in (name for name in sources if name in WORKED):
            otherwise(name, sources[name])
    if options.part in ("", "speed"):
        print(
            "\n| completions | characters each | without algebra | decided so, a second"
            " | million characters a second | `math` | math-verify |"
        )
        print("|---|---|---|---|---|---|---|")
        for name, rows in sources.items():
            if name not in (*HANGING, "as models write"):
                speed(name, [row for row in rows if row.verifier == "math"])


def recorded(data: Path) -> dict[str, list[Row]]:
    """The sources of a folder of reference data, by name."""
    found = {"public cases": list(_cases(data / "field/grader_cases.jsonl"))}
    found["GSM8K solutions"] = list(_gsm8k(data / "recorded/gsm8k_solutions"))
    harness = data / "recorded/qwen_harness"
    found["MATH, 100 problems × 8"] = list(_harness([harness / "math_cot_100.jsonl"]))
    for name in ("aime24", "amc23", "minerva_math"):
        found[f"{name}, Qwen harness"] = list(_harness(sorted(harness.glob(f"*/{name}/*.jsonl"))))
    gym = sorted((data / "recorded/reasoning_gym_llama3b").glob("*/*/results.json.gz"))
    found["AMC and AIME, reasoning-gym"] = [row for path in gym for row in _gym(path)]
    found["math-verify's own pairs"] = list(_pairs(data / "verifiers/math_verify_pairs.json"))
    return found


def agreement(name: str, rows: list[Row], listing: bool) -> None:
    """One line of the table, and the disagreements."""
    found = Counter[str]()
    differing: list[str] = []
    for row, grade, reason in graded(rows):
        same = (grade is Grade.CORRECT) is row.correct and grade is not Grade.UNSCORED
        found["agree" if same else grade.value] += 1
        if not same:
            shown = f"{row.completion[-90:]!r} / {row.answer[-60:]!r}"
            differing.append(f"    {grade.value}: {shown}: {reason}")
    counts = " | ".join(str(found[grade]) for grade in ("correct", "wrong", "unscored"))
    print(f"| {name} | {len(rows):,} | {found['agree']:,} | {counts} |")
    for line in differing if listing else ():
        print(line)


def otherwise(name: str, rows: list[Row]) -> None:
    """One line of correct completions by grading, and of right ones without arithmetic."""
    found = Counter[str]()
    for grading in ("strict", "", "lenient", "clean"):
        asked = [row._replace(verifier=graded_as(row.verifier, grading)) for row in rows]
        for _, grade, reason in graded(asked):
            found[grading] += grade is Grade.CORRECT
            found["nothing"] += reason.endswith("right, states no arithmetic")
    counts = [found[each] for each in ("strict", "", "lenient", "clean", "nothing")]
    print(f"| {name} | {len(rows):,} | {' | '.join(f'{n:,}' for n in counts)} |")


def graded(rows: Iterable[Row]) -> Iterator[tuple[Row, Grade, str]]:
    with Grader[Row]() as grader:
        grader.submit(ToGrade(row, row.verifier, row.completion, row.answer) for row in rows)
        while grader.pending:
            yield from (
                (ask.key, d.grade, f"{d.extracted!r}, {d.reason}") for ask, d in grader.poll(1.0)
            )


def audit(folder: Path, listing: bool) -> None:
    """Answers on file, changed so that they are others: how many are taken for the first."""
    rng = random.Random(1)
    answers = [a for a in _answers(folder) if not re.fullmatch(r"[$\d.,\s-]*", a)]
    rows = {kind: list[Row]() for kind, _, _ in CHANGES} | {"another problem's": []}
    for answer in answers:
        for kind, change, fits in CHANGES:
            if re.search(fits, answer) and (other := change(answer, rng)) != answer:
                rows[kind].append(Row(f"\\boxed{{{other}}}", answer, correct=False))
    for _ in range(1500):
        one, other = rng.sample(answers, 2)
        if key(spelled(one)) != key(spelled(other)):
            rows["another problem's"].append(Row(f"\\boxed{{{one}}}", other, correct=False))
    print("\n| answer on file | tried | accepted | unscored |")
    print("|---|---|---|---|")
    for kind, changed in rows.items():
        found = list(graded(changed))
        accepted = [row for row, grade, _ in found if grade is Grade.CORRECT]
        unscored = sum(grade is Grade.UNSCORED for _, grade, _ in found)
        print(f"| {kind} | {len(changed):,} | {len(accepted)} | {unscored} |")
        for row in accepted if listing else ():
            print(f"    {row.completion!r} / {row.answer!r}")


def _digit(answer: str, rng: random.Random) -> str:
    at = rng.choice([m.start() for m in re.finditer(r"\d", answer)])
    return f"{answer[:at]}{(int(answer[at]) + 1) % 10}{answer[at + 1 :]}"


ONE_VALUE = r"^(?!.*text)[^=,\[]*$"
CHANGES: tuple[tuple[str, Callable[[str, random.Random], str], str], ...] = (
    ("another digit", _digit, r"\d"),
    ("negated", lambda a, _: f"-({a.strip('$')})", ONE_VALUE),
    ("one more", lambda a, _: f"{a.strip('$')}+1", ONE_VALUE),
    ("+ for -", lambda a, _: a.replace("-", "+", 1), "-"),
    ("- for +", lambda a, _: a.replace("+", "-", 1), r"\+"),
    ("open for closed", lambda a, _: a.replace("[", "(", 1), r"^[^\\]*\["),
    ("with an alternative", lambda a, _: f"{a.strip('$')} \\text{{ or }} 3.217", "."),
    ("in a list", lambda a, _: f"{a.strip('$')}, 3.217", "."),
)
"""Kind, change, and the pattern of answers that it makes others of."""


def _answers(folder: Path) -> Iterator[str]:
    for name in ("math500", "minerva_math", "olympiadbench"):
        for row in map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines()):
            boxed = said(row["solution"]) if isinstance(row["solution"], str) else None
            yield row.get("answer") or (row.get("final_answer") or [boxed and boxed.text])[0]


def speed(name: str, rows: list[Row]) -> None:
    """Completions a second, ours and math-verify's, and what of ours needed no algebra."""
    if len(rows) < 50:
        return
    from math_verify import parse, verify

    symbolic.prepare()
    few = rows[-200:]
    texts = {answer: f"\\boxed{{{answer}}}" for answer in {row.answer for row in few}}

    def theirs() -> None:
        golds = {answer: parse(text, parsing_timeout=None) for answer, text in texts.items()}
        for row in few:
            verify(
                golds[row.answer],
                parse(row.completion, parsing_timeout=None),
                timeout_seconds=None,
            )

    def ours(rows: list[Row]) -> None:
        maths._on_file.cache_clear()
        symbolic._parsed.cache_clear()
        for row in rows:
            VERIFIERS["math"](row.completion, row.answer)

    easy = _without_algebra(rows)
    share, quick = 100 * len(easy) / len(rows), easy[-800:]
    length = sum(len(row.completion) for row in quick) / len(quick)
    best = [min(_seconds(run) for _ in range(3))
            for run in (partial(ours, quick), partial(ours, few), theirs)]  # fmt: skip
    rate, mixed, other = (len(of) / s for of, s in zip((quick, few, few), best, strict=True))
    print(
        f"| {name} | {length:,.0f} | {share:.1f} % | {rate:,.0f} | {rate * length / 1e6:.0f}"
        f" | {mixed:,.0f} | {other:,.0f} |"
    )


def _without_algebra(rows: list[Row]) -> list[Row]:
    """Those that `math` decides without asking `symbolic` whether two texts are equal."""
    found, asked, plain = [], [0], symbolic.equal
    symbolic.equal = _counting(plain, asked)
    for row in rows:
        before = asked[0]
        VERIFIERS["math"](row.completion, row.answer)
        found += [row] if asked[0] == before else []
    symbolic.equal = plain
    return found


def _counting(function: Equal, count: list[int]) -> Equal:
    def counted(given: str, expected: str) -> bool:
        count[0] += 1
        return function(given, expected)

    return counted


def _seconds(run: Callable[[], None]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def _cases(path: Path) -> Iterator[Row]:
    for case in map(json.loads, path.read_text().splitlines()):
        if case["kind"] != "code":
            verifier = "choice" if case["kind"] == "mcq" else "math"
            yield Row(case["completion"], case["reference"], case["correct"], verifier)


def _gsm8k(folder: Path) -> Iterator[Row]:
    text = gzip.decompress((folder / "example_model_solutions.jsonl.gz").read_bytes())
    for row in map(json.loads, text.splitlines()):
        answer = row.pop("ground_truth").rpartition("\nA:")[2]
        for system in (value for value in row.values() if isinstance(value, dict)):
            yield Row(system["solution"], answer, system["is_correct"])


def _harness(paths: Iterable[Path]) -> Iterator[Row]:
    for path in paths:
        for row in map(json.loads, path.read_text().splitlines()):
            for text, right in zip(row["code"], row["score"], strict=True):
                yield Row(text, str(row["gt"]), bool(right))


def _gym(path: Path) -> Iterator[Row]:
    (category,) = json.loads(gzip.decompress(path.read_bytes()))["categories"]
    for result in category["datasets"][0]["results"]:
        for each in result["completions"]:
            text, answer = each["full_model_response"], str(result["expected_answer"])
            yield Row(text, answer, each["score"] == 1)


def _pairs(path: Path) -> Iterator[Row]:
    for pair in json.loads(path.read_text()):
        if not pair.get("options"):
            yield Row(pair["pred"], pair["gold"], pair["expected"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="Folder of recorded completions")
    parts = ("agreement", "audit", "gradings", "speed")
    parser.add_argument("--part", choices=parts, default="", help="One of the tables")
    parser.add_argument("--list", action="store_true", help="Show each disagreement")
    return parser.parse_args()


if __name__ == "__main__":
    main()
