"""Whether a policy means anything in this run: every id, benchmark and number in it is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from rlvr_gate.gate.policy import ClaimPolicy, Policy
from rlvr_gate.records import Kind

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a claim before it is judged."""

    takes: frozenset[str]
    """The fixtures it asks for."""
    kinds: tuple[tuple[str | None, Kind], ...]
    """By benchmark, as its suite says."""
    margin: float
    bound: float
    nats: bool = False
    """Whether it reads scores, which nothing bounds."""


def unknown_claims(policy: Policy, known: Mapping[str, Known]) -> Iterator[str]:
    """What the policy says about claims that nobody can act on, a sentence each."""
    for id in policy.required_claims:
        if id not in known:
            yield f"required_claims: {unknown('claim', id, known)}"
        elif not _can_gate(policy, id, known[id]):
            yield (
                f"required_claims: {id} is a finding under this policy, so the gate could never "
                f"open: add [claims.{id}] kind = 'gate', or do not require it"
            )
    for id, entry in policy.claims.items():
        if id not in known:
            yield f"[claims.{id}]: {unknown('claim', id, known)}"
        else:
            yield from (f"[claims.{id}]: {why}" for why in _misfits(entry, known[id]))

    for waiver in policy.waivers:
        if waiver.claim not in known:
            yield f"[[waivers]]: {unknown('claim', waiver.claim, known)}"
        elif not _can_gate(policy, waiver.claim, known[waiver.claim]):
            yield (
                f"[[waivers]]: {waiver.claim} is a finding under this policy and never decides: "
                "leave it out"
            )


def names_benchmarks(policy: Policy) -> bool:
    """Whether the policy says anything about one benchmark rather than all."""
    return bool(
        policy.required_benchmarks
        or any(entry.benchmarks for entry in policy.claims.values())
        or any(waiver.benchmark for waiver in policy.waivers)
    )


def unknown_benchmarks(policy: Policy, known: Collection[str]) -> Iterator[str]:
    """Benchmarks in the policy that are neither asked nor shipped, a sentence each."""
    places = [("required_benchmarks", policy.required_benchmarks)]
    places += [
        (f"[claims.{id}] benchmarks", e.benchmarks or ()) for id, e in policy.claims.items()
    ]
    places += [("[[waivers]] benchmark", (w.benchmark,)) for w in policy.waivers if w.benchmark]
    for place, names in places:
        yield from (f"{place}: {unknown('benchmark', n, known)}" for n in names if n not in known)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """`unknown claim 'K11'; did you mean 'K1'? known: …`."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"unknown {what} {name!r}{hint} known: {', '.join(names[:_SHOWN]) or 'none'}{more}"


def _can_gate(policy: Policy, id: str, known: Known) -> bool:
    entry = policy.claims.get(id, ClaimPolicy())
    return any(
        (entry.kind if entry.kind and entry.applies_to(benchmark) else kind) is Kind.GATE
        for benchmark, kind in known.kinds
    )


def _misfits(entry: ClaimPolicy, known: Known) -> Iterator[str]:
    for key, value in (("margin", entry.margin), ("bound", entry.bound)):
        if value is not None and key not in known.takes:
            used = [k for k in ("margin", "bound") if k in known.takes]
            has = f"only a {used[0]}" if used else "neither margin nor bound"
            yield f"{key} is given, but the test does not use one: it has {has}"
    if entry.benchmarks is not None and "benchmark" not in known.takes:
        yield "benchmarks is given, but the claim is about weights: leave it out"
    if entry.margin is not None and entry.margin >= 1 and _is_share(known, known.margin):
        yield f"margin {entry.margin:g} lets everything pass: 2 points are written 0.02"
    if entry.bound is not None and abs(entry.bound) > 1 and _is_share(known, known.bound):
        yield f"bound {entry.bound:g} is no share: 36 per cent are written 0.36"


def _is_share(known: Known, own: float) -> bool:
    """Whether a claim's number is one of shares, as far as its suite tells."""
    return not known.nats and abs(own) < 1 and bool(own or "benchmark" in known.takes)
