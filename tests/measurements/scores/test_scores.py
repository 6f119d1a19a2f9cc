"""Scores in the store, and the stage that has them computed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rlvr_gate.records import (
    Ask,
    Benchmark,
    Checkpoint,
    Completion,
    FinishReason,
    Measure,
    Problem,
    Sampling,
    Score,
    Stream,
)
from rlvr_gate_fixtures.backends import BackendError, Passage, Scored
from rlvr_gate_fixtures.backends.rules import wrong_scores
from rlvr_gate_fixtures.measurements.samples.draw import Wanted, prepare
from rlvr_gate_fixtures.measurements.scores import fill as fill_module
from rlvr_gate_fixtures.measurements.scores.fill import ToScore, check, planned_scores, score
from rlvr_gate_fixtures.progress import Silent
from rlvr_gate_fixtures.run import Run
from rlvr_gate_fixtures.store.merging import merge
from rlvr_gate_fixtures.store.samples import Store
from rlvr_gate_fixtures.store.scores import Scores

STREAM = Stream("d" * 64, Sampling(), (2,), "scripted/1", 0)
LOGPROB = Score(Measure.LOGPROB, "d" * 64, "toy")
OTHER = Score(Measure.LOGPROB, "e" * 64, "toy")
PROMPT = (1, 2, 3)


def drawn(store: Store, *texts: tuple[int, ...], stream: Stream = STREAM, first: int = 0) -> None:
    store.add(
        stream,
        [
            (PROMPT, Completion(first + i, ids, "", FinishReason.STOP, -1.0))
            for i, ids in enumerate(texts)
        ],
    )


def values(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store") as store, store.writing():
        yield store


def test_a_completion_drawn_twice_is_scored_once(store: Store) -> None:
    drawn(store, (4, 5), (6,), (4, 5), (7,))
    scores = Scores(store)
    assert scores.missing([LOGPROB], STREAM, PROMPT, 3) == ((4, 5), (6,))
    scores.add([(PROMPT, (4, 5), {LOGPROB: values(-0.5, -0.25)})])
    assert scores.missing([LOGPROB], STREAM, PROMPT, 3) == ((6,),)
    assert scores.missing([LOGPROB, OTHER], STREAM, PROMPT, 3) == ((4, 5), (6,))
    scores.add([(PROMPT, (6,), {LOGPROB: values(-2)})])
    totals, tokens = scores.totals(LOGPROB, STREAM, PROMPT, 3)
    assert (totals.tolist(), tokens.tolist()) == ([-0.75, -2.0, -0.75], [2, 1, 2])
    assert scores.trace(LOGPROB, PROMPT, (4, 5)).tolist() == [-0.5, -0.25]
    assert scores.trace(OTHER, PROMPT, (4, 5)) is None


def test_scores_belong_to_the_text_not_to_who_drew_it(store: Store) -> None:
    again = replace(STREAM, seed=1)
    drawn(store, (4, 5))
    drawn(store, (4, 5), stream=again)
    Scores(store).add([(PROMPT, (4, 5), {LOGPROB: values(-1, -1)})])
    assert Scores(store).missing([LOGPROB], again, PROMPT, 1) == ()
    assert Scores(store).totals(LOGPROB, again, PROMPT, 1)[0].tolist() == [-2.0]


def test_surprise_is_of_what_was_scored_by_log_probability_in_nats_per_token(store: Store) -> None:
    drawn(store, (4, 5), (6,), (4, 5))
    entropy = replace(OTHER, measure=Measure.ENTROPY)
    Scores(store).add([
        (PROMPT, (4, 5), {LOGPROB: values(-0.5, -0.25), entropy: values(9, 9)}),
        (PROMPT, (6,), {entropy: values(9)}),
    ])  # fmt: skip
    scores = Scores(store)
    assert scores.surprise("d" * 64, STREAM, PROMPT) == {0: 0.375, 2: 0.375}
    assert scores.surprise("e" * 64, STREAM, PROMPT) == {}
    assert scores.surprise("d" * 64, STREAM, (9,)) == {}


def test_what_is_not_scored_is_not_counted(store: Store) -> None:
    drawn(store, (4,), (5,))
    Scores(store).add([(PROMPT, (4,), {LOGPROB: values(-1)})])
    totals, tokens = Scores(store).totals(LOGPROB, STREAM, PROMPT, 2)
    assert len(totals) == len(tokens) == 1
    assert Scores(store).totals(OTHER, STREAM, PROMPT, 2)[0].size == 0


def test_the_first_score_of_a_completion_stays(store: Store) -> None:
    drawn(store, (4,))
    for number in (-1, -9):
        Scores(store).add([(PROMPT, (4,), {LOGPROB: values(number)})])
    assert Scores(store).totals(LOGPROB, STREAM, PROMPT, 1)[0].tolist() == [-1.0]


def test_stores_made_before_scores_get_their_tables(tmp_path: Path) -> None:
    with Store.open(tmp_path / "old") as old:
        drawn(old, (4,))
        for table in ("origins", "scores", "traces"):
            old.rows(f"DROP TABLE {table}")
    with Store.open(tmp_path / "new") as new:
        drawn(new, (5,), first=1)
        Scores(new).add([(PROMPT, (5,), {LOGPROB: values(-3)})])
    list(merge(tmp_path / "both", [tmp_path / "old", tmp_path / "new"]))
    with Store.open(tmp_path / "old") as old:
        assert Scores(old).missing([LOGPROB], STREAM, PROMPT, 1) == ((4,),)
    with Store.open(tmp_path / "both", readonly=True) as both:
        assert Scores(both).missing([LOGPROB], STREAM, PROMPT, 2) == ((4,),)
        assert Scores(both).trace(LOGPROB, PROMPT, (5,)).tolist() == [-3.0]


class Toy:
    """Scores every token with minus the checkpoint's number; may die after some passages."""

    measures = frozenset(Measure)

    def __init__(self, die_after: int | None = None) -> None:
        self.asked: list[tuple[tuple[str, ...], int]] = []
        self.die_after = die_after

    def identity(self) -> str:
        return "toy"

    def kept(self):
        return nullcontext()

    def score(
        self, checkpoints: Sequence[Checkpoint], passages: Sequence[Passage], choices: bool = False
    ):
        self.asked.append((tuple(c.role for c in checkpoints), len(passages)))
        for position, passage in enumerate(passages):
            if position == self.die_after:
                raise BackendError("the toy died")
            found = {}
            for at, checkpoint in enumerate(checkpoints):
                number = -float(len(checkpoint.role))
                each = np.full(len(passage.token_ids), number, dtype=np.float32)
                found |= {(Measure.LOGPROB, (at,)): each, (Measure.ENTROPY, (at,)): -each}
            if len(checkpoints) == 2:
                found |= {(Measure.KL, (0, 1)): each * 0, (Measure.KL, (1, 0)): each * 0}
                if choices:
                    found |= {(Measure.RANK, both): each * 0 + 1 for both in ((0, 1), (1, 0))}
                    found |= {(Measure.CHOICE, (at,)): each * 0 + at for at in (0, 1)}
            yield Scored(position, found)


PROBLEMS = tuple(Problem(f"p{i}", f"{i}+{i}=", str(2 * i), "exact") for i in range(5))
BENCHMARK = Benchmark("sums", "tests", "digest", PROBLEMS)


@pytest.fixture
def run(run_on) -> Run:
    run = run_on(BENCHMARK, samples=8, score_samples=4)
    run.__dict__["scorer"] = Toy()
    return run


def fill(run: Run) -> None:
    prepare(run, [Wanted(Ask(role), BENCHMARK, run.settings.rounds) for role in run.checkpoints],
            progress=Silent())  # fmt: skip


def test_a_pair_covers_each_alone_and_nothing_is_scored_twice(run: Run) -> None:
    fill(run)
    wanted = [ToScore("base", ("base",), BENCHMARK), ToScore("base", ("base", "rlvr"), BENCHMARK)]
    work = score(run, wanted, progress=Silent())
    assert [under for under, _ in run.scorer.asked] == [("base", "rlvr")]
    assert work.scored == run.scorer.asked[0][1] > 0
    assert score(run, wanted, progress=Silent()).scored == 0
    assert len(run.scorer.asked) == 1
    assert planned_scores(run, wanted)[1] is False


def test_a_bounded_part_of_what_is_to_be_scored_is_in_memory_at_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(run)
    wanted = [ToScore("base", ("base", "rlvr"), BENCHMARK)]
    (line,), _ = planned_scores(run, wanted)
    whole = int(line.split(", ")[-1].split()[0])
    monkeypatch.setattr(fill_module, "_PART_TOKENS", 1)
    work = score(run, wanted, progress=Silent())
    assert [under for under, _ in run.scorer.asked] == [("base", "rlvr")] * len(BENCHMARK.problems)
    assert work.scored == whole == sum(count for _, count in run.scorer.asked)
    assert planned_scores(run, wanted)[1] is False


def test_choices_are_computed_where_they_are_asked_and_cover_the_rest(run: Run) -> None:
    fill(run)
    plain = ToScore("base", ("base", "rlvr"), BENCHMARK)
    score(run, [plain], progress=Silent())
    assert [line.split(":")[0] for line in planned_scores(run, [plain])[0]] == [
        "base under base and rlvr on sums"
    ]
    chosen = replace(plain, choices=True)
    lines, any_ = planned_scores(run, [plain, chosen])
    assert any_
    assert lines[0].endswith("nothing to score")  # the store that was full still is
    assert lines[1].startswith("base under base and rlvr, with choices on sums: 20 completions, ")
    score(run, [plain, chosen], progress=Silent())
    assert len(run.scorer.asked) == 2
    assert planned_scores(run, [plain, chosen])[1] is False


def test_what_is_asked_otherwise_is_scored_under_its_own_name(run: Run) -> None:
    ask = Ask("rlvr", temperature=0.5, samples=2)
    run = replace(run, needed=((ask, "sums"),))
    run.__dict__["scorer"] = Toy()
    prepare(run, [Wanted(ask, BENCHMARK, run.rounds(ask))], progress=Silent())
    wanted = [ToScore(ask.name, ("base",), BENCHMARK)]
    lines, any_ = planned_scores(run, wanted)
    assert any_
    assert lines[0].startswith("rlvr (temperature 0.5, samples 2) under base on sums: 10 compl")
    assert score(run, wanted, progress=Silent()).scored > 0
    assert planned_scores(run, wanted)[1] is False
    assert planned_scores(run, [ToScore("rlvr", ("base",), BENCHMARK)])[1] is True


def test_choices_need_a_backend_that_has_the_vocabulary(run: Run) -> None:
    run.scorer.measures = frozenset({Measure.LOGPROB, Measure.KL})
    with pytest.raises(ValueError, match="what a checkpoint would choose needs the full vocab"):
        check(run, [(("base", "rlvr"), True)])


@pytest.mark.parametrize("number", [1.5, -1.0])
def test_a_choice_is_a_whole_number(number: float) -> None:
    assert wrong_scores(Measure.RANK, values(1, number), 2)
    assert not wrong_scores(Measure.RANK, values(1, 7), 2)


def test_what_arrived_before_a_failure_is_kept(run: Run) -> None:
    fill(run)
    wanted = [ToScore("rlvr", ("base",), BENCHMARK)]
    run.__dict__["scorer"] = Toy(die_after=3)
    with pytest.raises(BackendError, match="the toy died"):
        score(run, wanted, progress=Silent())
    run.__dict__["scorer"] = Toy()
    work = score(run, wanted, progress=Silent())
    run.__dict__["scorer"] = Toy()
    score(run, wanted, progress=Silent())
    assert run.scorer.asked == []
    with Store.open(run.settings.store, readonly=True) as store:
        (traces,) = store.rows("SELECT count(*) FROM traces WHERE tokens > 0")[0]
    assert traces == 2 * (work.scored + 3)  # log-probability and entropy of each


def test_the_plan_says_what_is_not_drawn_yet(run: Run) -> None:
    wanted = [ToScore("rlvr", ("base",), BENCHMARK)]
    lines, any_ = planned_scores(run, wanted)
    assert any_
    assert lines == [
        "rlvr under base on sums: 20 completions, at most 20 to score once they are drawn"
    ]
    fill(run)
    lines, any_ = planned_scores(run, wanted)
    assert any_
    assert lines[0].startswith("rlvr under base on sums: 20 completions, ")
    assert lines[0].endswith(" tokens")


def test_divergences_need_a_backend_that_has_them(run: Run) -> None:
    class Narrow(Toy):
        measures = frozenset({Measure.LOGPROB})

    run.__dict__["scorer"] = Narrow()
    check(run, [(("base",), False)])
    with pytest.raises(ValueError, match="divergences between base and rlvr need the full"):
        check(run, [(("base", "rlvr"), False)])


def test_a_backend_of_the_same_name_takes_the_same_options(run: Run) -> None:
    settings = replace(
        run.settings, backend="transformers", backend_options={"threads": "3", "device": "cpu"},
        score_options={"dtype": "bfloat16"},
    )  # fmt: skip
    scorer = Run(settings, {}, {}, {}, run.backend).scorer
    assert scorer.identity() == "transformers/bfloat16/cpu"
    assert scorer.threads == 3  # type: ignore[attr-defined]
