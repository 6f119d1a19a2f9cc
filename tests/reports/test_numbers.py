"""The JSON report alone gives every number that the page prints."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rlvr_gate.records import RunRecord
from rlvr_gate_reports import document, html, words

Run = Callable[..., RunRecord]
NUMBER = re.compile(r"[−+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[−+-]?\d+)?")
OF_THE_PAGE = {"1", "2", "3", "0.5", "12", "95"}
"""In sentences about how to read it: pass@1, two sides, twelve bins, levels."""
OF_PAPERS = {"256", "0.360", "0.920", "0.190", "0", "11", "2509.04259"}
"""Likewise of weights: rounding of bfloat16, and sparsities of published pairs; a paper's id."""


def leaves(value: Any) -> Iterator[object]:
    """Numbers, and texts, of a JSON value; keys too."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from leaves(entry)
    elif isinstance(value, list):
        yield len(value)
        for entry in value:
            yield from leaves(entry)
    else:
        yield value


def spelled(number: float) -> set[str]:
    """All ways in which the reports write a number."""
    ways = {
        words.number(number), words.number(number, signed=True), words.share(number),
        words.count(number), words.level(number).removesuffix(" %"), f"{number:g}",
        words.p_value(number).split(" ")[-1], f"{number:.4g}", f"{number:+.4g}", f"{number:.3g}",
        f"{number:.1e}".replace("-", "−"), f"{number:.0%}".removesuffix("%"),
        words.duration(number),
    }  # fmt: skip
    return {token for way in ways for token in NUMBER.findall(way.replace("-", "−"))}


def derived(loaded: dict[str, Any]) -> Iterator[float]:
    """What the page computes from the counts, computed here once more."""
    for problems in loaded["counts"].values():
        yield len(problems)
        pairs = [(p["base"], p["rlvr"]) for p in problems.values() if {"base", "rlvr"} <= set(p)]
        sets = {
            way: sum((bool(b["correct"]), bool(r["correct"])) == way for b, r in pairs)
            for way in ((True, True), (True, False), (False, True), (False, False))
        }
        kept, lost, gained = sets[True, True], sets[True, False], sets[False, True]
        yield from (*sets.values(), kept + lost, lost + gained, kept / max(kept + lost, 1))
        for side in (0, 1):
            n = sum(pair[side]["n"] for pair in pairs)
            for what in ("truncated", "unscored"):
                yield sum(pair[side][what] or 0 for pair in pairs) / n
        rates = [r["correct"] / r["n"] - b["correct"] / b["n"] for b, r in pairs]
        yield from rates
    verdicts = [(c["kind"], c["verdict"], c["skipped"]) for c in loaded["claims"]]
    yield from (verdicts.count(each) for each in set(verdicts))
    yield from (len([v for v in verdicts if v[0] == kind]) for kind in ("gate", "finding"))
    adjusted = [c["adjusted_p"] for c in loaded["claims"] if c["adjusted_p"] is not None]
    yield from (len(adjusted), sum(p <= 1 - loaded["level"] for p in adjusted))
    yield 1 - loaded["level"]
    for claim in (c for c in loaded["claims"] if c["interval"]):  # the ends of the scales
        for end in (claim["estimate"], claim["interval"]["low"], claim["interval"]["high"]):
            yield from (end - claim["threshold"], claim["threshold"] - end)


def of_weights(loaded: dict[str, Any]) -> Iterator[float]:
    """Shares unchanged by type and by layer, and how many weights those are."""
    for update in loaded["weights"].values():
        groups: dict[str, list[dict[str, Any]]] = {}
        for tensor in update["tensors"]:
            name = tensor["name"].removesuffix(".weight")
            layer = re.search(r"\.(\d+)\.", name)
            for group in (name.split(".")[-1], f"layer {layer[1]}" if layer else name):
                groups.setdefault(group, []).append(tensor)
        for group in [*groups.values(), *([t] for t in update["tensors"])]:
            parameters = sum(t["parameters"] for t in group)
            yield from (parameters, sum(t["unchanged"] for t in group) / parameters)


def printed(page: str) -> list[str]:
    """Numbers of the page's words: without pictures, texts of models, style and script."""
    text = page[page.index("<body>") :]
    for away in (
        r"<(script|svg|pre|code)\b.*?</\1>", r'<div class="static">.*?</section>',
        r"<h3>How to read.*?</section>",
    ):  # fmt: skip
        text = re.sub(away, " ", text, flags=re.S)
    text = re.sub(r"<[^>]+>", " ", text)
    return NUMBER.findall(re.sub(r"(?<=[\[ ])-(?=\d)", "−", text))


def tokens_of(record: RunRecord) -> set[str]:
    """Every number that somebody with the JSON alone can write."""
    loaded = json.loads(document.dumps(record))
    known = OF_THE_PAGE | OF_PAPERS
    for leaf in (*leaves(loaded), *derived(loaded), *of_weights(loaded)):
        if isinstance(leaf, str):
            known |= set(NUMBER.findall(leaf.replace("-", "−"))) | set(NUMBER.findall(leaf))
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
            known |= spelled(float(leaf))
    return known


def test_so_does_every_number_of_every_kind_of_section(
    everything: Callable[..., RunRecord],
) -> None:
    """Weights, trajectory, plane, checks, promoted tokens, and exhibits of every type."""
    record = everything(problems=40, samples=64)
    page = html.render(record)
    for anchor in ("diagnosis", "claims", "weights", "trajectory", "divergence", "provenance"):
        assert f'<section id="{anchor}">' in page
    assert "Is the gain real?" in page
    known = tokens_of(record)
    assert [t for t in dict.fromkeys(printed(page)) if t not in known] == []


@pytest.mark.parametrize("state", ["open", "closed", "undecided", "not comparable"])
def test_every_number_of_the_page_follows_from_the_json(run: Run, state: str) -> None:
    record = run(state, problems=60, samples=64)
    known = tokens_of(record)
    found = printed(html.render(record))
    assert len(found) > 200
    assert [token for token in dict.fromkeys(found) if token not in known] == []
