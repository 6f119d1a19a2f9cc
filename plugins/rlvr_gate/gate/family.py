"""The findings of a run as one family: what of them stays decided when all are counted.

A finding is judged at its own level. Of twenty that are false one is then decided by chance. So
the words of a report follow p-values adjusted over all comparisons of all findings (Holm): with a
chance of 1 - level at most any of them is wrong. Comparisons that are one and the same test,
whichever side a claim takes (`Judgement.test`), count once. Gate claims are no part of it: all of
them must hold, which bounds a false release without correction.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from rlvr_gate.gate.worst import worst
from rlvr_gate.records import ClaimRecord, Evidence, Judgement, Kind, Verdict

_DECIDED = (Verdict.HOLDS, Verdict.REFUTED)
_ROUNDING = 1e-5  # share of a p-value that its bisection leaves open


def with_p_values(claims: Sequence[ClaimRecord], unknown: int = 0) -> list[ClaimRecord]:
    """The claims with their p-values; those of findings adjusted, and their verdicts with them.

    Args:
        unknown: further tests of which nobody knows anything yet.
    """
    known = [replace(claim, p_value=_p_value(claim)) for claim in claims]
    adjusted = _adjusted([claim for claim in known if claim.kind is Kind.FINDING], unknown)
    tests = len(adjusted) + unknown
    return [
        _within(claim, adjusted, tests) if claim.kind is Kind.FINDING else claim for claim in known
    ]


def staying(
    claims: Sequence[ClaimRecord], settled: Container[str], unknown: int = 0
) -> frozenset[str]:
    """Findings that are decided now and stay so among all, whatever becomes of the open ones.

    An adjusted p-value (Holm's) never grows where another test's p-value shrinks. So every
    comparison of a finding that goes on is taken for one with p = 1.

    Args:
        claims: as they were last judged.
        settled: node ids of those that are not judged again.
        unknown: findings that nobody has judged yet, a test each.

    Returns: node ids; of those settled as well.
    """
    sure = frozenset(c.nodeid for c in claims if c.nodeid in settled or c.verdict in _DECIDED)
    while True:
        known = [claim if claim.nodeid in sure else _open(claim) for claim in claims]
        decided = {c.nodeid for c in with_p_values(known, unknown) if c.verdict in _DECIDED}
        left = frozenset(id for id in sure if id in decided or id in settled)
        if left == sure:
            return left
        sure = left


def _open(claim: ClaimRecord) -> ClaimRecord:
    """A finding that may come out anyhow."""
    judgements = tuple(replace(j, p_value=1.0, test="") for j in claim.judgements)
    return replace(claim, judgements=judgements, verdict=Verdict.UNDECIDED)


def tests_of(claims: Sequence[ClaimRecord]) -> tuple[int, int]:
    """Comparisons of the findings that have a p-value, and how many different tests they are."""
    found = [
        _test(claim, at)
        for claim in claims
        if claim.kind is Kind.FINDING
        for at, judgement in enumerate(claim.judgements)
        if judgement.p_value is not None
    ]
    return len(found), len(set(found))


def _adjusted(findings: Sequence[ClaimRecord], unknown: int = 0) -> dict[str, float]:
    """Test -> its p-value among all tests of these claims."""
    from rlvr_gate.stats.error_rates import holm

    ps: dict[str, float] = {}
    for claim in findings:
        for at, judgement in enumerate(claim.judgements):
            if judgement.p_value is not None:
                test = _test(claim, at)
                ps[test] = max(ps.get(test, 0.0), judgement.p_value)
    adjusted = holm([*ps.values(), *[1.0] * unknown]) if ps else ()
    return dict(zip(ps, adjusted, strict=False))  # the unknown come last


def _test(claim: ClaimRecord, at: int) -> str:
    return claim.judgements[at].test or f"{claim.nodeid} {at}"


def _within(claim: ClaimRecord, adjusted: Mapping[str, float], tests: int) -> ClaimRecord:
    """A finding as what it says among so many tests."""
    judgements = tuple(
        _said(judgement, adjusted.get(_test(claim, at)), tests)
        for at, judgement in enumerate(claim.judgements)
    )
    p = _combined(claim, judgements)
    found = replace(claim, judgements=judgements, adjusted_p=p)
    if claim.verdict not in _DECIDED or p is None:
        return found
    verdict = worst([judgement.verdict for judgement in judgements])
    if verdict is claim.verdict and not _beyond(p, claim.judgements[0]):
        return found
    return replace(found, verdict=Verdict.UNDECIDED, reason=_why(claim.verdict, p, tests))


def _said(judgement: Judgement, p: float | None, tests: int) -> Judgement:
    """One comparison, undecided where it is decided alone and not among all."""
    found = replace(judgement, adjusted_p=p)
    if p is None or judgement.verdict not in _DECIDED or not _beyond(p, judgement):
        return found
    notes = (*judgement.evidence.notes, _why(judgement.verdict, p, tests))
    evidence: Evidence = replace(judgement.evidence, notes=notes)
    return replace(found, verdict=Verdict.UNDECIDED, evidence=evidence)


def _beyond(p: float, judgement: Judgement) -> bool:
    return p > (1 - judgement.interval.level) * (1 + _ROUNDING)


def _why(alone: Verdict, p: float, tests: int) -> str:
    said = "hold" if alone is Verdict.HOLDS else "be refuted"
    return f"alone it would {said}; among the findings' {tests} tests its p-value is {p:.2g}"


def _p_value(claim: ClaimRecord) -> float | None:
    """Of the claim's verdict.

    All of its comparisons must hold, so the largest p speaks for `holds`; any one refutes it, so
    the smallest p of a refuted one does, times the number of comparisons.
    """
    known = [j.p_value for j in claim.judgements if j.p_value is not None]
    if len(known) < len(claim.judgements) or not known:
        return None
    if claim.verdict is not Verdict.REFUTED:
        return max(known)
    refuted = _of_refuted(claim, known)
    return min([1.0, *(len(known) * p for p in refuted)])


def _combined(claim: ClaimRecord, judgements: Sequence[Judgement]) -> float | None:
    """The claim's p-value from its comparisons' adjusted ones; never below its own."""
    known = [j.adjusted_p for j in judgements if j.adjusted_p is not None]
    if claim.p_value is None:
        return None
    if claim.verdict is not Verdict.REFUTED:
        return max(known)
    return max(claim.p_value, min(_of_refuted(claim, known), default=1.0))


def _of_refuted(claim: ClaimRecord, ps: Sequence[float]) -> list[float]:
    """Those of the comparisons that were refuted, each alone; `ps` is one for each comparison."""
    both = zip(claim.judgements, ps, strict=True)
    return [p for judgement, p in both if judgement.verdict is Verdict.REFUTED]
