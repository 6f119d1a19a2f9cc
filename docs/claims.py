"""Writes docs/claims.md from the suites and docs/claims/runs.json.

    python docs/claims.py                          the page
    python docs/claims.py --record GATE.json ...   first the record, from runs' documents
    python docs/claims.py --add GATE.json ...      these runs beside it, or in place of the same

What papers found stands in the suites, what the shipped checkpoints show in the recorded runs; so
a page that differs from this output is out of date; a test says so.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE, RUNS = ROOT / "docs" / "claims.md", ROOT / "docs" / "claims" / "runs.json"

HEAD = """# What the suites claim, and what is found

Written by `python docs/claims.py` from the suites and from recorded runs of the shipped
[miniatures](miniatures.md) (`docs/claims/runs.json`); do not edit. To write a claim of your own:
[your own claim](claims/your-own.md). Needs, margins and bounds: [reference](reference.md#claims).

A claim is a sentence that evidence can refute. *Paper* says whether the sentence holds in its
source (`holds`, `contradicts`, `silent`); *threshold* whose number decides it: the paper's, ours,
or none where a sign or one checkpoint against another does. A claim that is refuted on a miniature
is a result about a miniature: 2 million weights, one synthetic task, T 1, 256 samples unless the
command says otherwise. `a→b` is a pair that was not trained so, such as the shipped one turned
round: a control, on which a claim about RLVR ought to fail. Findings are decided among all that a
run asked (Holm): asked with few others a claim can be decided that is not among many. The
controls were chosen so that claims would fail; no claim was changed for them."""

WHY = {
    "E2": "what was trained turns the kernel more than random updates of its size, `distilled` "
    "8.7 times; neurons in another order, which nobody trains, leave it as it is",
    "E4": "it takes three checkpoints, and kernels of the shipped run's steps alone were taken "
    "beside `sft`'s; tests/claims/test_kernels.py shows both",
    "E3": "`distilled` rescales more than `rlvr`, which refutes it; the other way round its ratio "
    "of 4.5 is known to a factor of ten, as `rlvr`'s share may be near nothing",
    "E3-size": "where `distilled` is the supervised one it is refuted; of the others, over 100 "
    "problems, the ratio is known to a factor of two either way",
    "E3-noise": "`distilled` shows it; of `rlvr` the ratio is known to a factor of two either way",
    "E6-size": "refuted on the shipped pair; beside other supervised checkpoints it is known to a "
    "factor of hundreds",
    **dict.fromkeys(
        ("E6", "E6-noise"),
        "decided on none, whichever of three checkpoints it is held against: the miniatures' "
        "traits are the strata of one benchmark, too few to know the ratio to better than a "
        "factor of four",
    ),
    "K6": "few problems are RLVR's alone, so that an interval is wide even where all are reached",
    "K21": "answers of countdown cannot be guessed: no problem is left out",
    "F1": "100 problems do not show a match in gain within 2 points, whichever steps are taken",
    "F1-kl": "`sft-16` lies as near the base as `step-16` (.064, .068), and 100 problems do not "
    "show it within a tenth",
    "S2": "each of them is asked the same; tests/whole_runs shows it fail",
    "S5": "no engine that ships tells a model from itself; tests/claims/test_twice.py refutes it",
    "K21-direct": "their curves do not hang on what is guessed; tests/claims/test_direct.py",
    "T3": "whatever was trained, another choice is made where the base hesitates",
    "K15": "no shipped checkpoint learned a task of which its base solved nothing; "
    "tests/claims/test_expansion.py shows both",
    "V2": "two gradings of these completions never have opposite leaders; "
    "tests/claims/test_grading.py shows it. The 100 problems of the benchmark bound the "
    "format gain at .07, 500 at .02",
    "K17": "of sixteen tasks two have a weak start; turned round the rise is there and its p "
    "above .025",
    "CI-gain": "of sixteen tasks two have answers longer than a few words, so that indices hardly "
    "differ",
    "F2": "the shipped checkpoints lie near the base or far from it, on three levels of "
    "divergence "
    "where four are needed; with `memorised` on four, and then that one makes the law (Cook's "
    "distance 3.6); of the near ones alone forgetting varies no more than its measurement",
    "R3": "`memorised` has read the benchmark's questions in words and goes on with 4 of 100, "
    "which "
    "leaves .011 to .099; tests/whole_runs/test_robust.py shows both",
    "S3": "the shipped chat template adds nothing, so that every template makes one prompt; "
    "tests/claims/test_templates.py shows both",
    "W9": "a check of the tool: a violation would be its fault",
}
"""Why nothing that ships decides a claim, or nothing the other way."""
FAILS = ("refuted", "not comparable")
Row = Sequence[str]


def page() -> str:
    """The whole page."""
    runs = json.loads(RUNS.read_text("utf-8"))
    files = sorted((ROOT / "suites").glob("*/test_*.py"))
    parts = [HEAD, *("\n".join(section(file, runs)) for file in files), "\n".join(how(runs))]
    return "\n\n".join(parts) + "\n"


def section(file: Path, runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The claims of one file of suites."""
    module = runpy.run_path(str(file))
    yield f"## {file.parent.name}: {summary(module['__doc__'])}"
    for name, test in module.items():
        if name.startswith("test_"):
            said = next(m.kwargs for m in test.pytestmark if m.name == "claim")
            yield from ("", f"**{said['id']}** {said['text']}", "")
            yield from (f"- {line}" for line in told(said))
            yield from (f"- {line}" for line in shown(said["id"], runs))


def told(said: dict[str, Any]) -> Iterator[str]:
    """What the source says."""
    paper = said["paper"]
    yield f"{said['source']}: **{paper.found}**. {sentence(paper.said)}"
    yield f"threshold: {paper.threshold}" + (f"; there: {paper.differs}" if paper.differs else "")


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def shown(id: str, runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What the recorded runs say, `base,rlvr` first."""
    found = [(pair(run), v) for run in runs for v in run["claims"].get(id, ())]
    main = [v for trained, v in found if trained == "rlvr"]
    yield "on `rlvr`: " + ("; ".join(map(verdict, main)) or "not asked")
    others: dict[str, list[str]] = {}
    for trained, v in found:
        if trained != "rlvr" and not v["skipped"]:
            at = f" (k = {v['k']})" if v["k"] else ""
            others.setdefault(v["verdict"], []).append(f"`{trained}`{at}")
    if others:
        yield "; ".join(f"{word} on {', '.join(names)}" for word, names in sorted(others.items()))
    if not both_ways(id, runs):
        yield f"not both ways: {WHY[id]}"


def pair(run: dict[str, Any]) -> str:
    """The trained one, with its base where that is not the shipped one."""
    return run["trained"] if run["base"] == "base" else f"{run['base']}→{run['trained']}"


def both_ways(id: str, runs: Sequence[dict[str, Any]]) -> bool:
    """Whether it holds on a shipped checkpoint and fails on another."""
    words = {v["verdict"] for run in runs for v in run["claims"].get(id, ()) if not v["skipped"]}
    return "holds" in words and bool(words & {*FAILS})


def verdict(v: dict[str, Any]) -> str:
    """`refuted at k = 128: -0.295 [-0.381, -0.214]`."""
    if v["skipped"]:
        return f"skipped: {v['reason']}"
    at = f" at k = {v['k']}" if v["k"] else ""
    if v["estimate"] is None:
        return f"{v['verdict']}{at}"
    low, high = v["interval"]["low"], v["interval"]["high"]
    ends = "" if low == high else f" [{low:.3g}, {high:.3g}]"
    return f"**{v['verdict']}**{at}: {v['estimate']:.3g}{ends}"


def how(runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Which runs these are."""
    yield from ("## The recorded runs", "")
    for run in runs:
        yield f"- `{run['trained']}` against `{run['base']}`: `{run['command']}`"


def summary(text: str) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(text.strip().split("\n\n")[0].split())


def record(files: Iterable[str]) -> list[dict[str, Any]]:
    """What the page needs of the documents of runs."""
    return [reduced(json.loads(Path(file).read_text("utf-8"))) for file in files]


def added(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The record with these runs; what the same commands gave before goes."""
    again = {run["command"] for run in runs}
    kept = json.loads(RUNS.read_text("utf-8"))
    return [*(run for run in kept if run["command"] not in again), *runs]


def reduced(document: dict[str, Any]) -> dict[str, Any]:
    """The verdicts of one run by claim, and how it was made."""
    command = document["run"]["command"]
    base, trained = command.partition("--model-pair ")[2].split()[0].split(",")
    claims: dict[str, list[dict[str, Any]]] = {}
    for claim in document["claims"]:
        skipped = not claim["judgements"] and bool(claim["reason"])
        kept = {key: claim[key] for key in ("verdict", "k", "estimate", "interval")}
        rounded = {key: rounded_(value) for key, value in kept.items()}
        more = {"skipped": skipped, "reason": claim["reason"] if skipped else ""}
        claims.setdefault(claim["id"], []).append(rounded | more)
    named = {"trained": trained, "base": base, "command": shortened(command)}
    return named | {"claims": claims}


def rounded_(value: object) -> object:
    """Four digits: another machine's floats differ in the last ones."""
    if isinstance(value, dict):
        return {key: rounded_(each) for key, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def shortened(command: str) -> str:
    """Without what has no part in the verdicts."""
    skip = ("--sample-store", "--gate-json", "--gate-report", "--gate-summary", "-q", "-p",
            "no:cacheprovider", "--durations")  # fmt: skip
    return " ".join(word for word in command.split() if not word.startswith(skip))


def main(arguments: Sequence[str]) -> None:
    """Write the page, and the record where documents are given."""
    if arguments[:1] == ["--record"]:
        RUNS.write_text(json.dumps(record(arguments[1:]), indent=1) + "\n", "utf-8")
        arguments = ()
    if arguments[:1] == ["--add"]:
        RUNS.write_text(json.dumps(added(record(arguments[1:])), indent=1) + "\n", "utf-8")
        arguments = ()
    Path(arguments[0] if arguments else PAGE).write_text(page(), "utf-8")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), *(str(ROOT / room) for room in ("plugins", "fixtures", "reports"))]
    main(sys.argv[1:])
