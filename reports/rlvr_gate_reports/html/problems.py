"""The problems of a benchmark: a row each, and what a reader is shown of one.

The worst are elements of the page, for readers without scripts and for paper. All are data in it
(`islands`): rows in their order, prompts, and the rest of each problem in blocks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice

from rlvr_gate.records import Answered, Example, Problem, Promoted, RunRecord, Tally
from rlvr_gate.visible import capped
from rlvr_gate_reports import svg, words
from rlvr_gate_reports.html import islands
from rlvr_gate_reports.html.islands import Island
from rlvr_gate_reports.reading import (
    CLASSES,
    Solved,
    accuracy,
    benchmark_names,
    role_order,
    solved,
)

TEXT_BYTES, PROMPT_CHARACTERS = 22_000_000, 6_000_000
"""What completions, and prompts, may take of the whole page."""
_SHORTEST, _LONGEST = 400, 6_000  # characters kept of one
LONGEST_NAME, _ANSWER, _GIVEN = 200, 400, 120  # of an id, an answer on file, one that was given
_STATIC, _STATIC_TEXTS = 30, 3  # problems of a benchmark that are elements; texts of each side
_STATIC_MOST = 40  # of the whole page
_BLOCK, _MOST_IN_BLOCK = 300_000, 200  # characters, and problems, that are unpacked together
_TRIED = 24  # problems that tell how well texts are compressed
_SHOWN = 20_000  # problems of a benchmark; the JSON has them all
_ORDER = ("lost", "gained", "preserved", "unreached")
_SURENESS = ("", "solid", "thin", "one lucky sample")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text, cut in the middle where it is very long: what matters is at its ends."""

    head: str
    left_out: int = 0
    tail: str = ""

    @property
    def whole(self) -> str:
        """In one piece, with what was left out told."""
        if not self.left_out:
            return self.head
        note = f" … {self.left_out:,} characters are left out of this page … "
        return f"{self.head}{note}{self.tail}"


@dataclass(frozen=True, slots=True)
class Text:
    """A completion."""

    example: Example
    extracted: str | None
    shown: Excerpt


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One problem in a line."""

    anchor: str
    id: str
    """As it is shown; `key` is what the record calls it."""
    key: str
    kind: str
    """One of the four classes; empty where only one checkpoint was counted."""
    rests_on: str
    """`solid`, `thin` or `one lucky sample`, of a gained or lost problem; else empty."""
    difference: str
    stratum: str
    tallies: Mapping[str, Tally]
    """role -> counts."""


@dataclass(frozen=True, slots=True)
class Side:
    """One checkpoint on one problem."""

    role: str
    tally: Tally | None
    meter: svg.Svg
    answers: tuple[tuple[str, int, str], ...]
    """Answer, how often, and its grade; the most frequent first."""
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class ProblemEntry:
    """One problem with all that is shown of it."""

    row: ProblemRow
    prompt: Excerpt
    answer: str
    sides: tuple[Side, ...]
    promoted: tuple[tuple[str, str, str], ...]
    """Tokens that rlvr promotes: the text before, base's choice, rlvr's."""
    promoting: str
    """How many there are, and along which text; empty where nobody looked."""


class Problems:
    """A benchmark's problems, in the order in which they are shown: what was lost first."""

    def __init__(self, record: RunRecord, name: str, anchor: str) -> None:
        self.record, self.name, self.anchor = record, name, anchor
        counts = record.counts.get(name, {})
        self.roles = tuple(role_order({*counts, *_with_texts(record, name)}))
        self._known = {problem.id: problem for problem in record.problems.get(name, ())}
        rows = _rows(counts, self._known, anchor)
        self.rows, self.more = rows[:_SHOWN], max(len(rows) - _SHOWN, 0)
        among = max(len(benchmark_names(record)), 1)
        self.static = min(_STATIC, max(_STATIC_MOST // among, 1), len(self.rows))
        """How many are elements of the page."""

    @cached_property
    def entries(self) -> tuple[ProblemEntry, ...]:
        """Those that are elements of the page."""
        some = (self.entry(row, _LONGEST) for row in self.rows[: self.static])
        return tuple(
            replace(e, sides=tuple(replace(s, texts=s.texts[:_STATIC_TEXTS]) for s in e.sides))
            for e in some
        )

    def entry(self, row: ProblemRow, keep: int) -> ProblemEntry:
        """A problem with its texts, at most so many characters of each."""
        asked = self._known.get(row.key) or Problem(row.key, "", "", "")
        return ProblemEntry(
            row,
            _excerpt(asked.prompt, _kept_of_prompts(self.record)),
            capped(asked.answer, _ANSWER),
            tuple(self._side(role, row, keep) for role in self.roles),
            *_promoted(self.record.promoted.get(self.name, {}).get(row.key)),
        )

    def _side(self, role: str, row: ProblemRow, keep: int) -> Side:
        tally = row.tallies.get(role)
        examples = self.record.examples.get(self.name, {}).get(row.key, {}).get(role, ())
        answers = self.record.answers.get(self.name, {}).get(row.key, {}).get(role, ())
        return Side(
            role,
            tally,
            svg.bar(accuracy(tally), role) if tally else svg.Svg(""),
            tuple(map(_given, answers)),
            tuple(_text(example, keep) for example in examples),
        )

    # Data

    def islands(
        self, keep: int, room: float, say: Callable[[int], None] = lambda done: None
    ) -> Iterator[Island]:
        """Texts in blocks, prompts, and the rows that say where they are.

        Args:
            keep: characters of a completion.
            room: bytes that texts may take; blocks beyond it are left out, the worst problems'
                come first.
            say: told how many problems are done.
        """
        if not self.rows:
            return
        entries = self._told(keep, say)
        each = self._in_a_block(keep)
        texts = (_data(entry) for entry in entries)
        for block in islands.blocks(f"{self.anchor}-texts", texts, each):
            room -= len(block.data)
            if room < 0:
                break
            yield block
        kept = _kept_of_prompts(self.record)
        prompts = [_excerpt(self._prompt(row), kept).whole for row in self.rows]
        yield islands.deflated(f"{self.anchor}-prompts", prompts)
        yield islands.plain(f"{self.anchor}-rows", self._document(each))

    def _told(self, keep: int, say: Callable[[int], None]) -> Iterator[ProblemEntry]:
        for done, row in enumerate(self.rows):
            say(done)
            yield self.entry(row, keep)

    def _prompt(self, row: ProblemRow) -> str:
        return self._known[row.key].prompt if row.key in self._known else ""

    def _in_a_block(self, keep: int) -> int:
        """Problems unpacked together: few where their texts are long."""
        some = self.rows[:_TRIED]
        long = sum(self._length(row, keep) for row in some) / len(some)
        return int(min(max(_BLOCK / max(long, 1), 1), _MOST_IN_BLOCK))

    def _length(self, row: ProblemRow, keep: int) -> int:
        examples = self.record.examples.get(self.name, {}).get(row.key, {})
        return sum(min(len(e.text), keep) for e in chain.from_iterable(examples.values()))

    def _document(self, each: int) -> dict[str, object]:
        return {
            "roles": [capped(role, LONGEST_NAME) for role in self.roles],
            "styles": [svg.turns(self.roles).get(role, "") for role in self.roles],
            "classes": CLASSES,
            "sureness": _SURENESS,
            "each": each,
            "rows": [self._line(row) for row in self.rows],
        }

    def _line(self, row: ProblemRow) -> list[object]:
        """Id, place of its anchor, class, sureness, difference, stratum, counts of each role."""
        return [
            row.id,
            int(row.anchor.rsplit("p", 1)[1]),
            CLASSES.index(row.kind) if row.kind else -1,
            _SURENESS.index(row.rests_on),
            row.difference,
            row.stratum,
            [_counted(row.tallies.get(role)) for role in self.roles],
        ]


def _rows(
    counts: Mapping[str, Sequence[Tally]], known: Mapping[str, Problem], anchor: str
) -> tuple[ProblemRow, ...]:
    tallies = {role: {t.problem: t for t in counts[role]} for role in role_order(counts)}
    pair = {problem.problem: problem for problem in solved(counts)}
    ids = dict.fromkeys([*chain.from_iterable(tallies.values()), *known])
    rows = [
        ProblemRow(
            anchor=f"{anchor}p{index}",
            id=capped(key, LONGEST_NAME),
            key=key,
            kind=pair[key].kind if key in pair else "",
            rests_on=pair[key].rests_on if key in pair else "",
            difference=words.number(pair[key].difference, signed=True) if key in pair else "",
            stratum=capped(known[key].stratum, LONGEST_NAME) if key in known else "",
            tallies={role: of[key] for role, of in tallies.items() if key in of},
        )
        for index, key in enumerate(ids)
    ]
    rank = {kind: place for place, kind in enumerate(_ORDER)}
    return tuple(
        sorted(rows, key=lambda r: (rank.get(r.kind, len(rank)), _moved(pair.get(r.key))))
    )


def _moved(problem: Solved | None) -> float:
    """Of a class, the largest loss first; of the gained, the largest gain."""
    if problem is None:
        return 0.0
    return -problem.difference if problem.kind == "gained" else problem.difference


def _with_texts(record: RunRecord, name: str) -> set[str]:
    return {role for of in record.examples.get(name, {}).values() for role in of}


def _counted(tally: Tally | None) -> list[object] | None:
    """Correct, n, unscored, truncated, duplicates, tokens, accuracy."""
    if tally is None:
        return None
    counts = (tally.correct, tally.n, tally.unscored, tally.truncated, tally.duplicates)
    return [*counts, tally.tokens, round(accuracy(tally), 5)]


def _given(given: Answered) -> tuple[str, int, str]:
    answer = "no answer" if given.answer is None else capped(given.answer, _GIVEN)
    return answer, given.times, str(given.grade)


def _data(entry: ProblemEntry) -> list[object]:
    """Answer on file; of each role its answers and texts; promoted tokens."""
    sides = [[list(side.answers), [_told(t) for t in side.texts]] for side in entry.sides]
    told = [entry.promoting, list(entry.promoted)] if entry.promoting else []
    return [entry.answer, sides, *told]


def _told(text: Text) -> list[object]:
    """Sample, grade, extracted, how it ended, log-probability, text, reason, surprise."""
    example = text.example
    finish = "" if example.finish is None else str(example.finish)
    logprob = words.number(example.logprob) if example.logprob == example.logprob else ""
    return [
        example.sample, str(example.grade), text.extracted, finish, logprob, text.shown.whole,
        capped(example.reason, _GIVEN), words.surprise(example),
    ]  # fmt: skip


def _promoted(found: Promoted | None) -> tuple[tuple[tuple[str, str, str], ...], str]:
    """Rows, and the sentence above them."""
    if found is None:
        return (), ""
    where = f"along {capped(found.along, LONGEST_NAME)}'s completion"
    said = (
        f"RLVR would choose another token at {found.differing:,} of {found.positions:,} "
        f"positions {where}"
    )
    more = found.differing - len(found.places)
    rows = tuple((_quoted(p.left), _quoted(p.before), _quoted(p.now)) for p in found.places)
    return rows, f"{said}; the first {len(rows)} are shown" if more > 0 else said


def _quoted(token: str) -> str:
    """A token with its blanks and breaks to be seen."""
    return json.dumps(capped(token, _GIVEN), ensure_ascii=False)[1:-1].replace(" ", "␣")


def _text(example: Example, keep: int) -> Text:
    extracted = None if example.extracted is None else capped(example.extracted, _ANSWER)
    return Text(example, extracted, _excerpt(example.text, keep))


def _excerpt(text: str, keep: int) -> Excerpt:
    if len(text) <= keep:
        return Excerpt(text)
    head, tail = keep // 2, keep - keep // 2
    return Excerpt(text[:head], len(text) - keep, text[-tail:])


def _kept_of_prompts(record: RunRecord) -> int:
    prompts = sum(map(len, record.problems.values()))
    return max(_SHORTEST, min(_LONGEST, PROMPT_CHARACTERS // max(prompts, 1)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page shows a problem: what a link leads to, and what the script opens."""

    href: str
    problem: str


def places(problems: Problems) -> dict[str, Place]:
    """Problem's id as it is shown -> where it is shown."""
    section = f"{problems.anchor}-problems"
    return {
        row.id: Place(row.anchor if n < problems.static else section, row.anchor)
        for n, row in enumerate(problems.rows)
    }


def kept_characters(all_problems: Sequence[Problems]) -> int:
    """How much of each completion is kept, so that the page's size stays bounded.

    Texts are whole where all of them fit as they are compressed; how well, a few tell.
    """
    lengths = [
        len(example.text)
        for each in all_problems
        for roles in each.record.examples.get(each.name, {}).values()
        for examples in roles.values()
        for example in examples
    ]
    room = TEXT_BYTES / max(_bytes_of_a_character(all_problems), 0.01)
    keep = _LONGEST
    while keep > _SHORTEST and sum(min(length, keep) for length in lengths) > room:
        keep = max(int(keep * 0.9), _SHORTEST)
    return keep


def _bytes_of_a_character(all_problems: Sequence[Problems]) -> float:
    """Of texts in the page, by those of a few problems spread over it."""
    rows = [(each, row) for each in all_problems for row in each.rows]
    some = islice(rows, 0, None, max(len(rows) // _TRIED, 1))
    return islands.cost([_data(each.entry(row, _LONGEST)) for each, row in some])
