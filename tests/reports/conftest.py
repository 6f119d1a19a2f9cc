"""Synthetic runs for the report's tests: countdown-like, seeded, in every state of the gate.

The numbers here are only plausible (normal intervals, invented completions): the reports print
what a record says, and must not depend on how it was computed.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import pytest

from rlvr_gate.claims.solved import alpha_of_each, resting
from rlvr_gate.gate.decide import decide
from rlvr_gate.gate.family import with_p_values
from rlvr_gate.gate.policy import Policy
from rlvr_gate.records import (
    Benchmark,
    CheckpointFacts,
    ClaimRecord,
    Compared,
    Crossover,
    CurvePoint,
    Curves,
    Deciding,
    Distance,
    Evidence,
    Example,
    Exhibit,
    Expected,
    Facts,
    FinishReason,
    Grade,
    Heat,
    Interval,
    Judgement,
    Kind,
    Matching,
    Moved,
    NewWork,
    Noise,
    NotMeasured,
    NumberRow,
    Plane,
    Power,
    Problem,
    Promoted,
    Promotion,
    RunRecord,
    Sampling,
    Side,
    SolvedCounts,
    Step,
    StratumRow,
    Table,
    Tally,
    Target,
    TensorRow,
    UpdateOverlap,
    UpdateRecord,
    Verdict,
    WeightTotals,
    WouldDecide,
)

LEVEL = 0.95
GOLDEN = Path(__file__).parent / "golden"
STATES = ("open", "closed", "undecided", "not comparable")

Values = Sequence[float]

CROSSOVER = Crossover(
    16, 8, 8, None, LEVEL, (1, 2, 4, 8, 16), "crossover at k* = 16 (rlvr leads up to k = 8); the "
    "simultaneous 95% band allows k* from 8 on, or none",
)  # fmt: skip
UNDECIDED = "about 120 more problems would decide it; no number of samples at these problems would"
STRATA = [
    StratumRow(name, 50, k, 0.2, 0.3, 0.1, -0.04, 0.24)
    for name in ("3 numbers", "4 numbers")
    for k in (1, 16)
]


@pytest.fixture(name="run")
def _run() -> Callable[..., RunRecord]:
    """A realistic run that ends in the given state."""
    return run


@pytest.fixture(name="everything")
def _everything() -> Callable[..., RunRecord]:
    """A run of every kind of section."""
    return everything


@pytest.fixture(name="minimal_run")
def _minimal_run() -> RunRecord:
    return minimal()


@pytest.fixture(name="hostile_run")
def _hostile_run() -> RunRecord:
    return hostile()


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare with a stored text; `UPDATE_GOLDEN=1` stores what is there now for review."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text("utf-8"), f"{path} differs: UPDATE_GOLDEN=1 and review"

    return compare


def run(state: str = "open", *, problems: int = 100, samples: int = 256, shown: int = 3,
        contrast: bool = False) -> RunRecord:  # fmt: skip
    """A countdown run whose gate ends `open`, `closed`, `undecided` or `not comparable`."""
    rng = random.Random(7)
    asked = tuple(_problem(rng, index) for index in range(problems))
    p_base = [rng.betavariate(0.35, 1.6) * (rng.random() > 0.12) for _ in asked]
    sharpen = {"open": 1.0, "closed": -0.6, "undecided": 0.03, "not comparable": 1.0}[state]
    p_rlvr = [_sharpened(p, sharpen, rng) for p in p_base]
    truth = {"base": p_base, "rlvr": p_rlvr}
    if contrast:
        truth["sft"] = [min(1.0, p * 1.4) for p in p_base]
    cut = {"base": 0.002, "rlvr": 0.11 if state == "not comparable" else 0.001, "sft": 0.002}
    counts = {
        role: tuple(
            _tally(q.id, p, samples, cut[role], rng) for q, p in zip(asked, ps, strict=True)
        )
        for role, ps in truth.items()
    }
    reasons = _reasons(state)
    claims = with_p_values([*_claims(counts, samples, reasons, "countdown"), _sparsity()])
    policy = Policy("default", required_claims=("S2", "K1"))
    return RunRecord(
        gate=decide(claims, policy),
        claims=claims,
        counts={"countdown": counts},
        problems={"countdown": asked},
        examples={"countdown": {
            q.id: {
                role: tuple(_example(q, tallies[index], i, rng) for i in range(shown))
                for role, tallies in counts.items()
            }
            for index, q in enumerate(asked)
        }},
        checkpoints=[_facts(role, number) for number, role in enumerate(truth)],
        benchmarks=[Benchmark("countdown", "reasoning-gym 0.1.25 countdown, seed 4242",
                              "b5" * 32, asked)],
        weights={"rlvr": _weights(rng, 0.62)} | ({"sft": _weights(rng, 0.09)} if contrast else {}),
        curves={"countdown": _curves(counts, samples)},
        crossovers={"countdown": CROSSOVER},
        strata={"countdown": STRATA},
        numbers={"countdown": [NumberRow("Cover@0.5", 0.25, 0.5, 0.25, 0.125, 0.375)]},
        versions={"rlvr-gate": "0.1.0", "python": "3.11.9", "torch": "2.8.0",
                  "transformers": "5.1.0"},
        command="pytest suites/ --model-pair base,rlvr --gate-report=reports/out/gate.html",
        created="2026-01-02T03:04:05Z",
        seconds={"plan": 0.04, "fill": 83.2, "judge": 1.31},
        sampled=NewWork(2 * problems * samples, 1_204_331),
        samples=samples,
        level=LEVEL,
        seed=17,
    )  # fmt: skip


PLANE = Plane("countdown", ("sums", "sorting"), 1, (
    Distance("rlvr", 0.021, 0.017, 0.026, 0.288, 0.013), Distance("step-8", 0.037, 0.03, 0.046,
    0.19, 0.041), Distance("sft", 0.31, 0.27, 0.36, 0.4, 0.233),
))  # fmt: skip
GREEDY = "base (temperature 0.001, samples 1)"


def promoted(record: RunRecord) -> dict[str, Promoted]:
    """Of the first half of the problems, the last of those without a place."""
    asked = record.problems["countdown"][: len(record.problems["countdown"]) // 2]
    found = Promoted(GREEDY, 41, 3, (Promotion(7, " 12", "\n", "Start with", " 12 + 5"),))
    return {q.id: found for q in asked[:-1]} | {asked[-1].id: Promoted(GREEDY, 37, 0, ())}


def everything(state: str = "open", **wish: int) -> RunRecord:
    """A run of every kind of section and exhibit: steps, ways of asking, plane, checks, tokens."""
    record = run(state, contrast=True, **wish)
    curves = dict(record.curves["countdown"])
    for n, role in enumerate(("step-8", "step-20", GREEDY, "rlvr (samples 64, direct 1)")):
        curves[role] = [replace(p, value=p.value * (0.9 - n / 10)) for p in curves["rlvr"]]
    exhibits: tuple[Exhibit, ...] = (
        Facts({"layers": 12, "share of the update": 0.4375, "bound": None}, "Kernel"),
        Table("Templates", ("template", "pass@1", "gain"), [("own", 0.731, 0.0625)],
              signed=("gain",)),
        Curves("Likeness", {"rlvr": [(1, 0.993, 0.981, 0.998), (2, 0.971, 0.95, 0.99)]}, "layer"),
        Heat("Traits", ("first",), ("sums", "sorting"), ((0.123, -0.456),), "nats"),
    )  # fmt: skip
    claims = [
        replace(c, judgements=tuple(
            replace(j, evidence=replace(j.evidence, exhibits=exhibits)) for j in c.judgements))
        for c in record.claims
    ]  # fmt: skip
    real = [replace(claims[0], id=id, kind=Kind.FINDING) for id in ("R1", "S3")]
    return replace(
        record,
        claims=[*claims, *real],
        curves={"countdown": curves},
        plane=PLANE,
        promoted={"countdown": promoted(record)},
    )


def minimal() -> RunRecord:
    """The least a run can say: nothing was judged, nothing was counted."""
    return RunRecord(
        gate=decide([], Policy("default")), claims=[], counts={}, problems={}, examples={},
        checkpoints=[], benchmarks=[], weights={}, curves={}, versions={}, command="",
        created="", seconds={}, sampled=NewWork(), samples=1, level=LEVEL, seed=0,
    )  # fmt: skip


NASTY = (
    "<script>document.title='pwned'</script></pre></details></svg></style>"
    "\"'><img src=x onerror=alert(1)>{{ 7*7 }}{% raw %} \x00\x07\x1b[31m "
    "\u202egnirts desrever\u202c \u2066isolate\u2069 \ud800 e\u0301 👩\u200d🔬 | `code` * _ # \\"
)


def hostile_exhibits() -> tuple[Exhibit, ...]:
    """Everything that a suite may write, written by an attacker."""
    return (
        Facts({NASTY: NASTY}, NASTY),
        Table(NASTY, [NASTY, "b"], [[NASTY, 1e99], [None, -1]], problems=NASTY, signed=["b"]),
        Curves(NASTY, {NASTY: [(1, 2), (3, 4)]}, NASTY, NASTY),
        Heat(NASTY, [NASTY], [NASTY, "b"], [[-1.5, None]], NASTY),
    )


def hostile() -> RunRecord:
    """Every text that a model, a file or a command line can choose is an attack."""
    role = f'sft"><script>alert(2)</script>{NASTY}'
    problem = Problem(f"p-{NASTY}", NASTY, NASTY, "exact", NASTY)
    tallies = (Tally(problem.id, 4, 1, 1, 1, 2, 40, NASTY),)
    point = CurvePoint(1.0, 0.25, 0.0, 0.6)
    judgement = Judgement(
        NASTY, Verdict.REFUTED, -0.1, Interval(-0.2, -0.05, LEVEL), 0.0, ">", NASTY, 1, 4,
        Evidence(
            sides=(Side(NASTY, NASTY, float("nan"), 0, 1),),
            deciding=(Deciding(problem.id, float("inf"), {NASTY: NASTY}),),
            scored_by=NASTY, notes=(NASTY,), numbers={NASTY: None}, exhibits=hostile_exhibits(),
        ),
    )  # fmt: skip
    claim = ClaimRecord(NASTY, NASTY, NASTY, Kind.GATE, NASTY, NASTY, 1, 0.0, Verdict.REFUTED,
                        (judgement,), NASTY)  # fmt: skip
    example = Example(0, NASTY + "long " * 20_000 + "the end", Grade.WRONG, NASTY,
                      FinishReason.LENGTH, float("-inf"))  # fmt: skip
    roles = ("base", "rlvr", role)
    return RunRecord(
        gate=decide([claim], Policy(NASTY)),
        claims=[claim],
        counts={NASTY: dict.fromkeys(roles, tallies)},
        problems={NASTY: (problem,)},
        examples={NASTY: {problem.id: dict.fromkeys(roles, (example,))}},
        checkpoints=[
            CheckpointFacts(r, NASTY, NASTY, NASTY, Sampling(), (2,), 1, {NASTY: NASTY})
            for r in roles
        ],
        benchmarks=[Benchmark(NASTY, NASTY, NASTY, (problem,))],
        crossovers={NASTY: replace(CROSSOVER, text=NASTY)},
        strata={NASTY: [replace(STRATA[0], stratum=NASTY)]},
        numbers={NASTY: [NumberRow(NASTY, 0.25, 0.5, 0.25, 0.125, 0.375)]},
        weights={role: replace(
            update_record(NASTY, WeightTotals(4, 1, 0.25),
                          (tensor_row(NASTY, (2, 2), 4, 1, dtype=NASTY),)),
            matching=Matching((NASTY,), (NASTY,), (NASTY,), (NASTY,), 1),
            checkpoint=Compared(NASTY, NASTY, NASTY, NASTY),
            not_measured=NotMeasured((NASTY,), (NASTY,)),
            trajectory=Step(NASTY, 0.5, 0.5, 0.5),
            overlaps={NASTY: UpdateOverlap(*[0.5] * 7)},
        )},
        curves={NASTY: dict.fromkeys((*roles, "difference"), (point,))},
        plane=Plane(NASTY, (NASTY,), 1, tuple(
            Distance(r, 0.1, 0.0, 0.2, -0.1, 0.3) for r in roles[1:])),
        promoted={NASTY: {problem.id: Promoted(NASTY, 9, 9, (Promotion(0, *[NASTY] * 4),))}},
        versions={NASTY: NASTY},
        command=NASTY,
        created=NASTY,
        seconds={NASTY: 1.0},
        sampled=NewWork(1),
        samples=4,
        level=LEVEL,
        seed=0,
    )  # fmt: skip


def tensor_row(
    name: str,
    shape: tuple[int, ...],
    parameters: int,
    unchanged: int,
    max_abs: float = 0.1,
    relative_l2: float = 0.1,
    dtype: str = "BF16",
) -> TensorRow:
    return TensorRow(
        name, dtype, shape, parameters, unchanged, unchanged, unchanged, max_abs, relative_l2,
        None, None, (), (),
    )  # fmt: skip


def update_record(
    against: str, total: WeightTotals, tensors: tuple[TensorRow, ...]
) -> UpdateRecord:
    """An update of which nothing but the tensors was measured."""
    return UpdateRecord(
        against, total, tensors, Matching((), (), (), (), 0), Compared("", "", "", ""), (),
        NotMeasured((), ()), {},
    )  # fmt: skip


def _problem(rng: random.Random, index: int) -> Problem:
    numbers = [rng.randint(1, 60) for _ in range(4)]
    target = sum(numbers[:2]) - numbers[2] + numbers[3]
    prompt = (
        f"Use the numbers {', '.join(map(str, numbers))} once each to reach {target}.\n"
        f"Show your steps, then write: answer: <expression>\n"
    )
    answer = f"{numbers[0]} + {numbers[1]} - {numbers[2]} + {numbers[3]}"
    return Problem(f"countdown-{index:03d}", prompt, answer, "countdown", "4 numbers")


def _sharpened(p: float, by: float, rng: random.Random) -> float:
    """What RLVR does to a problem: often solved becomes usually solved, rare becomes never."""
    if p == 0:
        return 0.02 if by > 0.5 and rng.random() < 0.1 else 0.0
    logit = math.log(p / (1 - p)) if p < 1 else 20.0
    lost = by > 0.5 and p < 0.05 and rng.random() < 0.85
    return 0.0 if lost else 1 / (1 + math.exp(-(logit + by * (2.2 + 0.9 * logit / 2))))


def _tally(problem: str, p: float, n: int, cut: float, rng: random.Random) -> Tally:
    correct = sum(rng.random() < p for _ in range(n))
    truncated = sum(rng.random() < cut for _ in range(n))
    return Tally(problem, n, correct, 0, truncated, n // 9, n * 23 + truncated * 41, "4 numbers")


def _example(problem: Problem, tally: Tally, sample: int, rng: random.Random) -> Example:
    right = sample < min(tally.correct, 2)
    wrong = problem.answer.replace("-", "+", 1)
    said = problem.answer if right else wrong
    first, rest = said.split(" ", 1)
    text = f"Start with {first}.\nThen {rest}.\nThat reaches the target.\nanswer: {said}"
    if rng.random() < 0.04:
        return Example(sample, text[:40], Grade.WRONG, None, FinishReason.LENGTH, -31.2)
    grade = Grade.CORRECT if right else Grade.WRONG
    return Example(sample, text, grade, said, FinishReason.STOP, -rng.uniform(2, 19))


def _pass_at(tally: Tally, k: int) -> float:
    return 1 - math.comb(tally.n - tally.correct, k) / math.comb(tally.n, k)


def _estimate(values: Values, low: float, high: float) -> tuple[float, Interval]:
    mean = fmean(values)
    half = 1.96 * stdev(values) / math.sqrt(len(values))
    return mean, Interval(max(low, mean - half), min(high, mean + half), LEVEL)


def _point(k: int, values: Values, low: float = 0.0) -> CurvePoint:
    mean, bounds = _estimate(values, low, 1.0)
    return CurvePoint(float(k), mean, bounds.low, bounds.high)


def _curves(counts: Mapping[str, Sequence[Tally]], n: int) -> dict[str, list[CurvePoint]]:
    ks = [1 << i for i in range(n.bit_length()) if 1 << i <= n]
    values = {role: {k: [_pass_at(t, k) for t in ts] for k in ks} for role, ts in counts.items()}
    curves = {role: [_point(k, values[role][k]) for k in ks] for role in counts}
    curves["difference"] = [
        _point(k, [r - b for b, r in zip(values["base"][k], values["rlvr"][k], strict=True)], -1.0)
        for k in ks
    ]
    curves["difference"] = [
        replace(point, band_low=point.low - 0.02, band_high=point.high + 0.02)
        for point in curves["difference"]
    ]
    return curves


def _reasons(state: str) -> list[str]:
    if state != "not comparable":
        return []
    return ["truncation rates differ by 10.8% (base 0.2%, rlvr 11.0%; bound 2%): raise "
            "--max-new-tokens"]  # fmt: skip


def _claims(counts: Mapping[str, Sequence[Tally]], n: int, reasons: list[str],
            benchmark: str) -> list[ClaimRecord]:  # fmt: skip
    paper = "arXiv:2504.13837"
    asked = Judgement(
        "differences between the two runs' questions = 0",
        Verdict.NOT_COMPARABLE if reasons else Verdict.HOLDS, float(len(reasons)),
        Interval(len(reasons), len(reasons), LEVEL), 0.0, "<=", benchmark, None, None,
        Evidence(incomparable=tuple(reasons)),
    )  # fmt: skip
    k1 = replace(_paired(counts, 1, ">", 0.0, benchmark, reasons), guaranteed=True)
    c1 = _paired(counts, n, ">=", -0.02, benchmark, reasons)
    k2 = _paired(counts, n, "<", 0.0, benchmark, reasons)
    pair = list(zip(counts["base"], counts["rlvr"], strict=True))
    lost = [(b, r) for b, r in pair if b.correct and not r.correct]
    gained = [(b, r) for b, r in pair if r.correct and not b.correct]
    share = len(lost) / max(len(lost) + len(gained), 1)
    k4 = Judgement(
        "lost / (lost + gained) > 0.5", Verdict.UNDECIDED, share,
        Interval(max(share - 0.3, 0), min(share + 0.2, 1), LEVEL), 0.5, ">", benchmark, None, None,
        Evidence(
            count=len(lost), total=len(lost) + len(gained),
            solved=SolvedCounts(
                sum(bool(b.correct and r.correct) for b, r in pair), len(gained), len(lost),
                sum(not (b.correct or r.correct) for b, r in pair), _moved(lost), _moved(gained),
            ),
            noise=Noise(n // 2, (Expected("retention (SRR)", 0.73, 0.91),)),
        ),
        0.012,
    )  # fmt: skip
    rows = [
        ("S2", "the two runs answered the same question", "design", Kind.GATE, None, asked, 0.0),
        ("K1", "RLVR raises pass@1", f"{paper} fig. 2", Kind.GATE, None, k1, 0.0),
        ("C1", "RLVR keeps what base can reach", f"{paper} sec. 3", Kind.FINDING, n, c1, 0.02),
        ("K2", "the curves cross: base leads at large k", f"{paper} fig. 2", Kind.FINDING, n, k2,
         0.0),
        ("K4", "more problems are lost than gained", "arXiv:2507.14843 sec. 4.1", Kind.FINDING,
         None, k4, 0.0),
    ]  # fmt: skip
    return [
        ClaimRecord(i, text, source, kind, f"suites/test_{i.lower()}.py::test_{i.lower()}",
                    benchmark, k, margin, j.verdict, (j,))
        for i, text, source, kind, k, j, margin in rows
    ]  # fmt: skip


def _moved(pairs: Sequence[tuple[Tally, Tally]]) -> tuple[Moved, ...]:
    alpha = alpha_of_each(*zip(*pairs, strict=True)) if pairs else 0.0
    return tuple(
        Moved(b.problem, f"{b.correct}/{b.n}", f"{r.correct}/{r.n}", str(resting(b, r, alpha)))
        for b, r in pairs
    )


def _paired(counts: Mapping[str, Sequence[Tally]], k: int, relation: str, threshold: float,
            benchmark: str, reasons: list[str]) -> Judgement:  # fmt: skip
    base, rlvr = ([_pass_at(t, k) for t in counts[role]] for role in ("base", "rlvr"))
    values = [r - b for b, r in zip(base, rlvr, strict=True)]
    mean, bounds = _estimate(values, -1, 1)
    sides = {"rlvr": _estimate(rlvr, 0, 1), "base": _estimate(base, 0, 1)}
    order = sorted(range(len(values)), key=lambda i: values[i], reverse=relation[0] == "<")
    open_ = bounds.low <= threshold <= bounds.high
    evidence = Evidence(
        sides=tuple(
            Side(role, f"{role} pass@{k}", m, b.low, b.high) for role, (m, b) in sides.items()
        ),
        problems=len(values),
        deciding=tuple(
            Deciding(counts["base"][i].problem, values[i], {
                f"{role} pass@{k}": f"{counts[role][i].correct}/{counts[role][i].n}"
                for role in ("rlvr", "base")
            })
            for i in order[:6] if values[i]
        ),
        targets=(
            Target("population", True, bounds.low, bounds.high),
            Target("this benchmark", False, mean - 0.01, mean + 0.01),
        ),
        incomparable=tuple(reasons),
        power=Power(0.049, 0.8),
        would_decide=WouldDecide(120, None, UNDECIDED) if open_ else None,
    )  # fmt: skip
    high, low = bounds.high > threshold, bounds.low < threshold
    claimed, against = (high and not low, low and not high)
    if relation[0] == "<":
        claimed, against = against, claimed
    verdict = Verdict.HOLDS if claimed else Verdict.REFUTED if against else Verdict.UNDECIDED
    return Judgement(
        f"rlvr pass@{k} {relation} base pass@{k}" + (f" − {-threshold:g}" if threshold else ""),
        Verdict.NOT_COMPARABLE if reasons else verdict,
        mean, bounds, threshold, relation, benchmark, k, counts["base"][0].n, evidence,
        None if reasons else 0.0034,
    )  # fmt: skip


def _sparsity() -> ClaimRecord:
    exact = Judgement(
        "rlvr weights unchanged since base > 0.36", Verdict.HOLDS, 0.6213,
        Interval(0.6213, 0.6213, LEVEL), 0.36, ">", None, None, None,
        Evidence(numbers={"rlvr weights unchanged since base": 0.6213},
                 weights=WeightTotals(1_446_144, 898_489, 0.6213)),
    )  # fmt: skip
    return ClaimRecord("W1", "RLVR leaves most weights bit-identical", "arXiv:2511.08567 tab. 1",
                       Kind.FINDING, "suites/weights/test_w1.py::test_w1", None, None, 0.0,
                       Verdict.HOLDS, (exact,))  # fmt: skip


def _facts(role: str, number: int) -> CheckpointFacts:
    return CheckpointFacts(
        role, role, f"{number + 1:x}a7c" * 16, "transformers/float32", Sampling(), (2,), 17,
        {"countdown": "9e" * 32}, {"torch": "2.8.0", "hardware": "2 x NVIDIA H100"},
    )  # fmt: skip


def _weights(rng: random.Random, share: float) -> UpdateRecord:
    shapes: dict[str, list[int]] = {"model.embed_tokens.weight": [512, 192]}
    for layer in range(4):
        stem = f"model.layers.{layer}"
        for name in "qkvo":
            shapes[f"{stem}.self_attn.{name}_proj.weight"] = [192, 192]
        for name in ("gate", "up", "down"):
            shapes[f"{stem}.mlp.{name}_proj.weight"] = [192, 512]
        shapes[f"{stem}.input_layernorm.weight"] = [192]
    tensors: list[TensorRow] = []
    parameters = unchanged = 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        kept = round(
            size * (1.0 if "norm" in name else min(1.0, max(0.0, rng.gauss(share, 0.06))))
        )
        parameters, unchanged = parameters + size, unchanged + kept
        tensors.append(tensor_row(name, tuple(shape), size, kept, rng.uniform(1e-4, 4e-3),
                                  rng.uniform(1e-3, 4e-3)))  # fmt: skip
    share = unchanged / parameters
    total = WeightTotals(
        parameters, unchanged, share, within_tolerance=min(1.0, share + 0.04),
        relative_update=0.00241,
    )  # fmt: skip
    return update_record("base", total, tuple(tensors))
