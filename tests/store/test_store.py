"""What is stored comes back, once, for exactly the key it was stored under."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rlvr_gate.records import Completion, FinishReason, Grade, Graded, Problem, Sampling, Stream
from rlvr_gate_fixtures.store.packing import pack_ids, pack_text, unpack_ids, unpack_text
from rlvr_gate_fixtures.store.samples import Prompted, Store, StoreError

STREAM = Stream("D1", Sampling(), (2,), "scripted/x", 0)
PROMPTED = Prompted(Problem("p", "1+1=", "2", "exact", "easy"), (5, 6), "1")
RIGHT, WRONG = Graded(Grade.CORRECT, "2", "equals"), Graded(Grade.WRONG, "3", "not")


def completion(sample: int, ids: tuple[int, ...] = (7, 2), text: str = "2") -> Completion:
    return Completion(sample, ids, text, FinishReason.STOP, -1.5)


def draws(*samples: int) -> list[tuple[tuple[int, ...], Completion]]:
    return [(PROMPTED.prompt_ids, completion(i)) for i in samples]


@pytest.mark.parametrize(
    "ids", [(), (0,), (65535,), (65536, 1), tuple(range(5000)), (2**32 - 1,) * 100]
)
def test_token_ids_survive_packing(ids):
    assert unpack_ids(pack_ids(ids)) == ids


@pytest.mark.parametrize("text", ["", "é", "a\0b", "half \ud83d pair", "long " * 1000])
def test_texts_survive_packing(text):
    assert unpack_text(pack_text(text)) == text


def test_completions_come_back_as_they_were(store):
    rows = [
        Completion(0, (1, 2), "a", FinishReason.STOP, -0.25),
        Completion(1, (), "", FinishReason.LENGTH, -math.inf),
        Completion(2, (99999,), "z" * 500, FinishReason.STOP, 0.0),
    ]
    store.add(STREAM, [(PROMPTED.prompt_ids, row) for row in rows])
    assert store.completions(STREAM, PROMPTED.prompt_ids, 8) == tuple(rows)
    assert store.completions(STREAM, PROMPTED.prompt_ids, 2) == tuple(rows[:2])


def test_an_unknown_logprob_stays_unknown(store):
    store.add(STREAM, [((1,), Completion(0, (1,), "a", FinishReason.STOP, math.nan))])
    assert math.isnan(store.completions(STREAM, (1,), 1)[0].logprob)


def test_a_sample_is_kept_once(store):
    assert store.add(STREAM, draws(0, 1)) == 2
    assert store.add(STREAM, [*draws(1, 2, 2)]) == 1
    kept = store.completions(STREAM, PROMPTED.prompt_ids, 9)
    assert [c.sample for c in kept] == [0, 1, 2]
    assert store.rows("SELECT count(*) FROM bodies") == [(3,)]


@pytest.mark.parametrize(
    "other",
    [
        replace(STREAM, checkpoint_digest="D2"),
        replace(STREAM, sampling=Sampling(temperature=0.7)),
        replace(STREAM, sampling=Sampling(top_p=0.9)),
        replace(STREAM, sampling=Sampling(max_new_tokens=65)),
        replace(STREAM, stop_ids=(2, 3)),
        replace(STREAM, backend="scripted/y"),
        replace(STREAM, seed=1),
    ],
)
def test_everything_that_determines_a_sample_is_in_its_key(store, other):
    store.add(STREAM, draws(0))
    assert store.missing(other, PROMPTED.prompt_ids, 1) == (range(1),)
    assert store.missing(STREAM, (5, 7), 1) == (range(1),)
    assert store.missing(STREAM, PROMPTED.prompt_ids, 1) == ()


def test_equal_sampling_is_one_stream_however_it_is_written(store):
    store.add(STREAM, draws(0))
    same = replace(STREAM, sampling=Sampling(temperature=1, top_p=1))
    assert store.missing(same, PROMPTED.prompt_ids, 1) == ()


@pytest.mark.parametrize(
    ("held", "gaps"),
    [
        ((), ((0, 6),)),
        ((0, 1), ((2, 6),)),
        ((2, 3), ((0, 2), (4, 6))),
        ((0, 2, 4), ((1, 2), (3, 4), (5, 6))),
        ((5,), ((0, 5),)),
        ((0, 1, 2, 3, 4, 5, 6, 7), ()),
    ],
)
def test_missing_samples_are_ranges(store, held, gaps):
    store.add(STREAM, draws(*held))
    assert store.missing(STREAM, PROMPTED.prompt_ids, 6) == tuple(range(*gap) for gap in gaps)


def test_a_tally_counts_exactly_the_samples_asked_for(store):
    rows = [(PROMPTED.prompt_ids, completion(i, (i % 3, 2))) for i in range(6)]
    cut = Completion(6, (1, 1, 1), "x", FinishReason.LENGTH, -9.0)
    store.add(STREAM, [*rows, (PROMPTED.prompt_ids, cut)])
    unscored = Graded(Grade.UNSCORED, None, "timeout")
    grades = [RIGHT, WRONG, RIGHT, WRONG, unscored, RIGHT, WRONG]
    store.add_grades(STREAM, [(PROMPTED, i, g) for i, g in enumerate(grades)])
    four, seven = (store.tallies(STREAM, [PROMPTED], n)[0] for n in (4, 7))
    assert (four.n, four.correct, four.unscored, four.truncated) == (4, 2, 0, 0)
    assert (four.duplicates, four.tokens, four.stratum) == (1, 8, "easy")
    assert (seven.n, seven.correct, seven.unscored, seven.truncated) == (7, 3, 1, 1)
    assert (seven.duplicates, seven.tokens) == (3, 15)


def test_a_tally_over_part_of_the_samples_is_refused(store):
    store.add(STREAM, draws(0, 1))
    store.add_grades(STREAM, [(PROMPTED, 0, RIGHT)])
    with pytest.raises(
        StoreError, match=r"p needs 2 graded samples, .* holds 2, 1 of them graded"
    ):
        store.tallies(STREAM, [PROMPTED], 2)
    with pytest.raises(StoreError, match=r"needs 3 graded samples, .* holds 2"):
        store.tallies(STREAM, [PROMPTED], 3)


@pytest.mark.parametrize(
    "other",
    [
        replace(PROMPTED, version="2"),
        replace(PROMPTED, problem=replace(PROMPTED.problem, answer="3")),
        replace(PROMPTED, problem=replace(PROMPTED.problem, verifier="integer")),
    ],
)
def test_another_verifier_or_answer_grades_the_same_completions_again(store, other):
    store.add(STREAM, draws(0, 1))
    store.add_grades(STREAM, [(PROMPTED, i, RIGHT) for i in (0, 1)])
    assert store.to_grade(STREAM, PROMPTED, 2) == (0, 0)
    assert store.ungraded(STREAM, PROMPTED, 2) == ()
    assert store.to_grade(STREAM, other, 2) == (2, 0)
    assert store.ungraded(STREAM, other, 1) == ((0, "2"),)
    store.add_grades(STREAM, [(other, i, WRONG) for i in (0, 1)])
    assert store.tallies(STREAM, [PROMPTED], 2)[0].correct == 2
    assert store.tallies(STREAM, [other], 2)[0].correct == 0


def test_a_grade_once_given_stays(store):
    store.add(STREAM, draws(0))
    store.add_grades(STREAM, [(PROMPTED, 0, RIGHT)])
    store.add_grades(STREAM, [(PROMPTED, 0, WRONG)])
    assert store.tallies(STREAM, [PROMPTED], 1)[0].correct == 1


def test_examples_show_a_few_of_each_grade(store):
    store.add(STREAM, draws(*range(6)))
    grades = [RIGHT, WRONG, WRONG, WRONG, RIGHT, RIGHT]
    store.add_grades(STREAM, [(PROMPTED, i, g) for i, g in enumerate(grades)])
    shown = store.examples(STREAM, PROMPTED, 5, each=2)
    assert [(e.sample, e.grade, e.extracted) for e in shown] == [
        (0, Grade.CORRECT, "2"),
        (4, Grade.CORRECT, "2"),
        (1, Grade.WRONG, "3"),
        (2, Grade.WRONG, "3"),
    ]
    assert {e.reason for e in shown} == {"equals", "not"}


def test_prompts_are_remembered_by_encoder(store):
    store.add_encoded("a", {"x": (1, 2), "": ()})
    assert store.encoded("a", ["x", "y", ""]) == {"x": (1, 2), "": ()}
    assert store.encoded("b", ["x"]) == {}


def test_pace_is_of_the_checkpoint_or_else_of_the_backend(store):
    assert store.pace(STREAM).tokens_per_second is None
    store.add_pace(STREAM, 10, 200, 4.0)
    other = replace(STREAM, checkpoint_digest="D2")
    assert store.pace(replace(STREAM, seed=9)).tokens_per_completion == 20
    assert store.pace(other).tokens_per_completion is None
    assert store.pace(other).tokens_per_second == 50
    assert store.pace(replace(other, backend="vllm")).tokens_per_second is None


def test_a_failed_transaction_leaves_nothing_behind(store):
    def rows():
        yield from draws(0, 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add(STREAM, rows())
    assert store.rows("SELECT count(*) FROM draws") == [(0,)]
    store.add(STREAM, draws(0))
    assert store.missing(STREAM, PROMPTED.prompt_ids, 1) == ()


def test_what_is_stored_is_there_for_the_next_process(store, tmp_path):
    store.add(STREAM, draws(0))
    with Store.open(tmp_path / "store", readonly=True) as reader:
        assert reader.completions(STREAM, PROMPTED.prompt_ids, 1) == (completion(0),)
        store.add(STREAM, draws(1))
        assert len(reader.completions(STREAM, PROMPTED.prompt_ids, 2)) == 2


def test_a_stream_remembers_all_that_drew_it(store) -> None:
    stream = Stream("d" * 64, Sampling(), (2,), "toy", 0)
    assert store.origin(stream) == {}
    for hardware in ("a small one", "a large one", "a small one"):
        store.add_origin(stream, {"torch": "2.13.0", "hardware": hardware})
    assert store.origin(stream) == {"torch": "2.13.0", "hardware": "a large one and a small one"}


def test_texts_come_with_their_grades_and_nobody_elses(store):
    store.add(STREAM, [*draws(0, 1), (PROMPTED.prompt_ids, completion(2, (8, 2), "3"))])
    store.add(STREAM, [((9,), completion(0, text="another prompt"))])
    store.add_grades(STREAM, [(PROMPTED, i, g) for i, g in enumerate((RIGHT, RIGHT, WRONG))])
    found = store.texts(STREAM, PROMPTED, 3)
    assert {text for text, _, _ in found} == {"2", "3"}
    assert sum(times for text, grade, times in found if grade is Grade.CORRECT) == 2
    assert sum(times for *_, times in store.texts(STREAM, PROMPTED, 2)) == 2
