"""Which tokens one checkpoint promotes over which of another's, with places one can read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rlvr_gate.claims.tokens.choices import Chosen
from rlvr_gate.records import Promoted, Promotion, Table

ROWS = 20
"""Pairs that are shown."""
PLACES = 3
"""Places shown of each."""
SHOWN = 8
"""Places shown of one problem."""
BEFORE, AFTER = 12, 6
"""Tokens shown around a place."""

Ids = tuple[int, ...]
Spell = Callable[[list[Ids]], list[str]]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a pair occurs: `problem` is a position in the benchmark."""

    problem: int
    left: tuple[int, ...]
    right: tuple[int, ...]


def promoted(
    problems: Sequence[Sequence[Chosen]], names: Sequence[str], where: str, spell: Spell
) -> list[Table]:
    """Tables of pairs (one's token, the other's) and of places; none where nothing differs.

    Pairs in most problems come first, then the most frequent, then by token ids; the places of
    each are of different problems where there are some.

    Args:
        names: ids of the problems.
        where: whose completions these are, for the title.
        spell: token ids -> texts.
    """
    found = _pairs(problems)
    if not found:
        return []
    total = sum(map(len, found.values()))
    shown = sorted(found, key=lambda pair: (-_spread(found[pair]), -len(found[pair]), pair))[:ROWS]
    places = {pair: _apart(found[pair])[:PLACES] for pair in shown}
    texts = _texts(places, spell)
    pairs = [
        (texts[(ours,)], texts[(theirs,)], len(at), len(at) / total, _spread(at))
        for ours, theirs in shown
        for at in [found[ours, theirs]]
    ]
    read = [
        (f"{texts[(pair[0],)]} → {texts[(pair[1],)]}", names[place.problem],
         f"{texts[place.left]} ▸ {texts[place.right]}")
        for pair in shown
        for place in places[pair]
    ]  # fmt: skip
    most = f", the first {ROWS} of {len(found)} pairs" if len(found) > ROWS else ""
    return [
        Table(f"Tokens promoted {where}{most}",
              ("chosen before", "chosen now", "times", "share", "problems"), pairs),
        Table(f"Where, {where}: the token after ▸ is the one in the text",
              ("promoted", "problem", "text"), read, problems="problem"),
    ]  # fmt: skip


def of_each(
    problems: Sequence[Sequence[Chosen]], names: Sequence[str], along: str, spell: Spell
) -> dict[str, Promoted]:
    """Of every problem its first places, with all of them counted; alike whatever is shown above.

    Args:
        names: ids of the problems.
        along: the name of the way of asking that the completions answer.
        spell: token ids -> texts.
    """
    found = {name: _places(of) for name, of in zip(names, problems, strict=True)}
    pieces = dict.fromkeys(ids for places in found.values() for _, of in places for ids in of)
    texts = dict(zip(pieces, spell(list(pieces)), strict=True)) if pieces else {}
    return {
        name: Promoted(
            along,
            sum(len(chosen.differ) for chosen in of),
            sum(int(chosen.differ.sum()) for chosen in of),
            tuple(Promotion(at, *(texts[ids] for ids in around)) for at, around in found[name]),
        )
        for name, of in zip(names, problems, strict=True)
    }


def _places(completions: Sequence[Chosen]) -> Sequence[tuple[int, tuple[Ids, Ids, Ids, Ids]]]:
    """Position; what either would choose there, and the text before and from there on."""
    found = [(c, int(i)) for c in completions for i in c.differ.nonzero()[0]]
    return [(i, _around(chosen, i)) for chosen, i in found[:SHOWN]]


def _around(chosen: Chosen, i: int) -> tuple[Ids, Ids, Ids, Ids]:
    ids = chosen.token_ids
    left, right = ids[max(0, i - BEFORE) : i], ids[i : i + AFTER]
    return (int(chosen.ours[i]),), (int(chosen.theirs[i]),), left, right


def _pairs(problems: Sequence[Sequence[Chosen]]) -> dict[tuple[int, int], list[Spot]]:
    found = defaultdict[tuple[int, int], list[Spot]](list)
    for number, completions in enumerate(problems):
        for chosen in completions:
            for at in chosen.differ.nonzero()[0]:
                ids, i = chosen.token_ids, int(at)
                left, right = ids[max(0, i - BEFORE) : i], ids[i : i + AFTER]
                pair = int(chosen.ours[i]), int(chosen.theirs[i])
                found[pair].append(Spot(number, left, right))
    return dict(found)


def _spread(places: Sequence[Spot]) -> int:
    """Problems they are in: a pair in one problem is an anecdote."""
    return len({place.problem for place in places})


def _apart(places: Sequence[Spot]) -> list[Spot]:
    """The first place of each problem, then the others."""
    first = {place.problem: place for place in reversed(places)}
    ahead = [place for place in places if first[place.problem] is place]
    return [*ahead, *(place for place in places if first[place.problem] is not place)]


def _texts(places: dict[tuple[int, int], list[Spot]], spell: Spell) -> dict[tuple[int, ...], str]:
    """How every token and every piece of text around a place reads, escaped."""
    pieces = [piece for of in places.values() for p in of for piece in (p.left, p.right)]
    wanted = list(dict.fromkeys([*((one,) for pair in places for one in pair), *pieces]))
    return {
        ids: json.dumps(text, ensure_ascii=False) if ids else ""
        for ids, text in zip(wanted, spell(wanted), strict=True)
    }
