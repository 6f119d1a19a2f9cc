"""Problems in another guise, or others of their kind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rlvr_gate.records import Benchmark, Grade, Problem, steps_of
from rlvr_gate_fixtures.inputs import benchmarks
from rlvr_gate_fixtures.inputs.benchmarks import gym
from rlvr_gate_fixtures.inputs.variants import varied
from rlvr_gate_fixtures.inputs.variants.begun import part
from rlvr_gate_fixtures.inputs.variants.isomorphic import guises
from rlvr_gate_fixtures.verifiers import EVERY

STORY = "Maria gives Tom 3 pens. Tom has 7. How many has Maria's Tom?"


def problem(prompt: str, answer: str, verifier: str) -> Problem:
    return Problem("p1", prompt, answer, verifier)


@pytest.mark.parametrize(
    ("prompt", "answer", "verifier", "guise", "then"),
    [
        ("C9,23=32:", "9,23=32", "countdown", "C23,9=32:", "9,23=32"),
        ("Make 32 of 9 and 23.", "9,23=32", "countdown", "Make 32 of 23 and 9.", "9,23=32"),
        ("S29+67:", "96", "integer", "S67+29:", "96"),
        ("What is 9 - 4?", "5", "integer", "", ""),  # no other order begins with an added term
        ("Na5,3:", "3,5", "exact", "Na3,5:", "3,5"),
    ],
)
def test_the_one_other_order_that_there_is(
    prompt: str, answer: str, verifier: str, guise: str, then: str
) -> None:
    assert guises(problem(prompt, answer, verifier)) == (((guise, then),) if guise else ())


@pytest.mark.parametrize(
    ("prompt", "answer", "verifier"),
    [
        ("C9,23,15=17:", "9,23,15=18", "exact"),  # its verifier reads no puzzle
        ("C9,23,15=17:", "9,23=17", "countdown"),  # another puzzle than is asked
        ("C15,9,23=17:", "9,23=17", "countdown"),
        ("nothing of it", "9,23,15=17", "countdown"),
        ("S29+67:", "97", "integer"),  # not the answer of this sum
        ("S2*9+67:", "85", "integer"),
        ("S9+67: and 3+4", "76", "integer"),
        ("What is it?", "5", "number"),
        ("Who is older, Maria or Tom?", "Maria", "exact"),
        ("Tom has 3 pens. " * 2000, "3", "number"),
        ("Nd5,83:", "5,84", "exact"),
        ("B:", "", "exact"),
    ],
)
def test_what_has_no_guise_is_left_out(prompt: str, answer: str, verifier: str) -> None:
    assert guises(problem(prompt, answer, verifier)) == ()


def test_people_get_other_names_of_their_kind_throughout() -> None:
    made = guises(problem(STORY, "10", "number"))
    assert len(made) > 3
    for prompt, answer in made:
        she, he = prompt.split()[0], prompt.split()[2]
        assert prompt == STORY.replace("Maria", she).replace("Tom", he)
        assert {she, he} & {"Maria", "Tom"} == set()
        assert answer == "10"


def test_signs_go_with_their_terms() -> None:
    made = [prompt for prompt, _ in guises(problem("S9-4+20:", "25", "integer"))]
    assert sorted(made) == ["S20+9-4:", "S20-4+9:", "S9+20-4:"]


def test_letters_change_one_for_one() -> None:
    for prompt, answer in guises(problem("Blazar:", "razal", "exact")):
        assert prompt == f"B{answer[::-1]}:"
        assert sorted(Counter(answer).values()) == sorted(Counter("razal").values())
    for prompt, answer in guises(problem("Le,readable:", "2", "integer")):
        letter, word = prompt[1:-1].split(",")
        assert (word.count(letter), answer) == (2, "2")


@pytest.mark.parametrize("name", ["countdown", "chain_sum", "gym:countdown?size=4"])
def test_shipped_problems_keep_id_and_answer(name: str, tmp_path: Path) -> None:
    whole = benchmarks.load(name, cache=tmp_path)
    one, two = (varied(whole, f"isomorphic {n}", tmp_path) for n in (1, 2))
    of = {p.id: p for p in whole.problems}
    assert len(one.problems) > len(whole.problems) / 3
    for other, again in zip(one.problems, two.problems, strict=True):
        own = of[other.id]
        assert other.prompt != own.prompt
        assert (other.answer, other.verifier, other.stratum) == (
            own.answer, own.verifier, own.stratum
        )  # fmt: skip
        assert Counter(other.prompt) == Counter(again.prompt) == Counter(own.prompt)


def test_what_solves_the_original_of_a_puzzle_solves_each_guise() -> None:
    made = guises(problem("C9,23,15=17:", "9,23,15=17", "countdown"))
    assert len(made) == 5
    assert {EVERY["countdown"](">9+23-15", answer).grade for _, answer in made} == {Grade.CORRECT}


def test_fresh_problems_are_others_under_the_ids_of_the_old(tmp_path: Path) -> None:
    whole = benchmarks.load("chain_sum", cache=tmp_path)
    first, second = (varied(whole, f"fresh {n}", tmp_path) for n in (1, 2))
    assert [p.id for p in first.problems] == [p.id for p in whole.problems]
    assert [p.stratum for p in first.problems] == [p.stratum for p in whole.problems]
    asked = [{p.prompt for p in each.problems} for each in (whole, first, second)]
    assert not asked[0] & asked[1]
    assert asked[1] != asked[2]
    assert varied(whole, "fresh 1", tmp_path) == first  # kept
    small = benchmarks.load("gym:chain_sum?size=3", cache=tmp_path)
    assert len(varied(small, "fresh 1", None).problems) == 3


def test_fresh_puzzles_of_the_shipped_kind_were_trained_on_by_nobody(tmp_path: Path) -> None:
    whole = benchmarks.load("countdown", cache=tmp_path)
    found = {p.answer for p in varied(whole, "fresh 1", tmp_path).problems}
    assert found == {p.answer for p in gym.problems(gym.COUNTDOWN_VALIDATION)}
    assert gym.COUNTDOWN_VALIDATION in gym.COUNTDOWN_TRAINING.disjoint_from


def test_what_nobody_generates_has_no_fresh_problems() -> None:
    own = Benchmark("mine", "mine.jsonl", "", (problem("S29+67:", "96", "integer"),))
    assert varied(own, "fresh 1").problems == ()
    far = Benchmark("gym:chain_sum?seed=2147000000", "", "", own.problems)
    assert varied(far, "fresh 1").problems == ()
    assert varied(own, "isomorphic 1, isomorphic 1").problems == own.problems  # there and back


@pytest.mark.parametrize("variant", ["", "isomorphic", "isomorphic 0", "other 1", "fresh 1;", " "])
def test_a_variant_is_a_way_with_a_number(variant: str) -> None:
    with pytest.raises(ValueError, match=r"a variant is .* with a number from 1"):
        steps_of(variant)


def test_asked_for_the_answer_at_once() -> None:
    asked = (
        problem("Make 32 of 9 and 23.", "9,23=32", "countdown"),
        problem("C9,23=32:", "9,23=32", "countdown"),
        problem("S9+23:", "32", "integer"),
    )
    made = [varied(Benchmark("b", "", "", (p,)), "direct 1").problems for p in asked]
    (in_words,), (terse,), other = made
    assert in_words.prompt.startswith("Make 32 of 9 and 23.\n\nGive the final answer alone")
    assert (terse.prompt, terse.id, other) == ("C9,23=32:>", "p1", ())


def test_the_beginning_of_a_question_and_its_rest() -> None:
    assert part("a b c d e", 60) == ("a b c", "d e")
    assert part(" a  b\nc d e", 60) == (" a  b\nc", "d e")
    assert part("a", 60) is None
    assert part("a b", 1) is None
    assert part("", 60) is None


def test_what_all_prompts_share_is_no_part_of_a_question() -> None:
    """A template before and behind; short questions have no beginning to go on with."""
    stories = (
        "One man had eight cats and nine dogs in his two houses here.",
        "Two men had eight cats and nine dogs in their two houses there.",
        "Short one.",
    )
    whole = Benchmark("b", "", "", tuple(
        Problem(f"p{i}", f"Solve this: {q} Give the answer in a box.", "1", "number")
        for i, q in enumerate(stories)
    ))  # fmt: skip
    first, second = varied(whole, "begun 60").problems
    assert (first.prompt, first.answer) == (
        "One man had eight cats and nine dogs", "in his two houses here.",
    )  # fmt: skip
    assert (first.verifier, second.id) == ("continues", "p1")
    alone = varied(Benchmark("b", "", "", whole.problems[:1]), "begun 60").problems
    assert alone[0].prompt.startswith("Solve this: One man")
