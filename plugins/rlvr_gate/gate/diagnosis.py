"""What a run says in a sentence for each section of the suites, from its verdicts alone.

No number is read here: a sentence stands where every verdict that it needs is in, the first one of
its section that does. Where none does, it is open what they mean together, and they are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rlvr_gate.records import ClaimRecord, Diagnosis, Verdict

HOLDS, REFUTED = str(Verdict.HOLDS), str(Verdict.REFUTED)
DIFFERS = "not the same everywhere"
"""Of a claim whose verdicts differ from one benchmark or k to another."""

Needs = Mapping[str, str]
"""Claim id -> the verdict a sentence needs of it."""


def _all(verdict: str, ids: str) -> dict[str, str]:
    return dict.fromkeys(ids.split(), verdict)


SENTENCES: Mapping[str, Sequence[tuple[Needs, str]]] = {
    "comparability": [
        (_all(REFUTED, "V2"), "which checkpoint leads hangs on how answers are read"),
        (_all(HOLDS, "S2 V2"), "both answered one question, and the gain is none of form"),
        (_all(HOLDS, "S2"), "both checkpoints answered the same question"),
    ],
    "capability": [
        (_all(HOLDS, "K1 K2"), "RLVR re-weights: it solves more at the first try, and its base "
         "leads when asked often"),
        (_all(HOLDS, "K1") | _all(REFUTED, "K2"), "RLVR leads at the first try and when asked "
         "often"),
        (_all(HOLDS, "K1"), "RLVR solves more at the first try; which one leads when asked often "
         "is open"),
        (_all(REFUTED, "K1"), "RLVR does not solve more at the first try"),
    ],
    "coverage": [
        (_all(HOLDS, "K16"), "RLVR expands: it solves what its base failed, beyond what base "
         "would, asked again"),
        (_all(HOLDS, "K5-net K6"), "RLVR narrows: more is lost than found, and what it found base "
         "reaches too"),
        (_all(HOLDS, "K5-net"), "RLVR narrows: more is lost than found, beyond noise"),
        (_all(REFUTED, "K5-net"), "RLVR widens: more is found than lost, beyond noise"),
        (_all(HOLDS, "C1"), "RLVR keeps what its base reaches"),
        (_all(REFUTED, "C1"), "RLVR reaches less than its base"),
    ],
    "temperature": [
        (_all(HOLDS, "K3"), "no one temperature decides: base leads at large k at the best one of "
         "each"),
        (_all(REFUTED, "K3"), "RLVR leads at large k where each has its best temperature"),
    ],
    "robustness": [
        (_all(REFUTED, "V1"), "the gain does not carry over to variants of the problems"),
        (_all(REFUTED, "S3"), "the gain hangs on RLVR's own template"),
        (_all(REFUTED, "A1"), "with a calculator for both nothing is left of the gain"),
        (_all(REFUTED, "A2"), "on clean solutions another checkpoint leads"),
        (_all(HOLDS, "V1 S3 A1"), "the gain survives variants, templates and a calculator"),
        (_all(HOLDS, "V1 A1"), "the gain survives variants and a calculator"),
        (_all(HOLDS, "A1"), "the gain is more than arithmetic: it survives a calculator"),
    ],
    "diversity": [
        (_all(HOLDS, "K11"), "RLVR gives fewer different answers"),
        (_all(REFUTED, "K11"), "RLVR gives more different answers"),
    ],
    "likelihood": [
        (_all(HOLDS, "K9 K12"), "RLVR sharpens: its answers are likely under its base, and it is "
         "surer of each token"),
        (_all(HOLDS, "K9"), "RLVR says what its base finds likely"),
        (_all(REFUTED, "K9"), "RLVR says what surprises its base"),
    ],
    "forgetting": [
        (_all(HOLDS, "F1 F1-kl"), "RLVR forgets less than supervision, at like gain and at like "
         "distance from base"),
        (_all(HOLDS, "F1"), "RLVR forgets less than supervision that gained as much"),
        (_all(REFUTED, "F1"), "RLVR forgets more than supervision that gained as much"),
    ],
    "spurious": [
        (_all(REFUTED, "R1"), "a reward that means nothing gains as much: the gain is none of "
         "this reward"),
        (_all(HOLDS, "R1 R2"), "the gain is this reward's, and one of reliability"),
        (_all(HOLDS, "R1") | _all(REFUTED, "R2"), "the gain is this reward's, and one of choosing "
         "other methods"),
        (_all(HOLDS, "R1"), "the gain is more than a meaningless reward gives"),
    ],
    "tokens": [
        (_all(HOLDS, "T1 T2"), "RLVR selects sparsely: it decides otherwise at few positions, "
         "among what base considered"),
        (_all(REFUTED, "T2"), "RLVR promotes tokens that its base did not consider"),
        (_all(HOLDS, "T2"), "RLVR chooses among what its base considered"),
        (_all(HOLDS, "T1"), "RLVR decides otherwise at few positions"),
        (_all(REFUTED, "T1"), "RLVR decides otherwise at many positions"),
    ],
    "training": [
        (_all(HOLDS, "K19"), "the longer it trains the more it trades the boundary for the first "
         "try"),
        (_all(REFUTED, "K19"), "longer training does not trade the boundary for the first try"),
    ],
    "weights": [
        (_all(HOLDS, "W1 W5"), "the update is sparse and turns little"),
        (_all(HOLDS, "W1"), "the update is sparse"),
        (_all(REFUTED, "W1"), "the update is dense"),
    ],
    "diagnosis": [
        (_all(HOLDS, "D1"), "by weights and answers it looks like RLVR that gained, as miniatures "
         "do"),
        (_all(REFUTED, "D1"), "by weights and answers it does not look like RLVR that gained"),
    ],
    "kernel": [
        (_all(HOLDS, "E1 E1-size"), "RLVR turns the tangent kernel less than supervision, at like "
         "size too"),
        (_all(HOLDS, "E1") | _all(REFUTED, "E1-size"), "RLVR turns the tangent kernel less than "
         "supervision, for it moves less"),
        (_all(HOLDS, "E1"), "RLVR turns the tangent kernel less than supervision; at like size it "
         "is open"),
        (_all(REFUTED, "E1"), "RLVR turns the tangent kernel more than supervision"),
    ],
}  # fmt: skip
"""Section -> what its verdicts mean together, the most telling first."""


def diagnosis(claims: Sequence[ClaimRecord]) -> tuple[Diagnosis, ...]:
    """One sentence for each section that was asked."""
    return tuple(_said(claims))


def _said(claims: Sequence[ClaimRecord]) -> Iterator[Diagnosis]:
    for section, sentences in SENTENCES.items():
        known = verdicts(claims, {id for needs, _ in sentences for id in needs})
        if known:
            yield _first(section, sentences, known)


def _first(section: str, sentences: Sequence[tuple[Needs, str]], known: Needs) -> Diagnosis:
    for needs, says in sentences:
        if needs.items() <= known.items():
            return Diagnosis(section, says, tuple(needs))
    listed = ", ".join(f"{id} {word}" for id, word in sorted(known.items()))
    return Diagnosis(section, f"open: {listed}", tuple(sorted(known)))


def verdicts(claims: Sequence[ClaimRecord], ids: set[str]) -> Needs:
    """Of those that were judged: id -> its verdict, where it is one."""
    found: dict[str, set[str]] = {}
    for claim in claims:
        if claim.id in ids and claim.judgements and not claim.broken:
            found.setdefault(claim.id, set()).add(str(claim.verdict))
    return {id: words.pop() if len(words) == 1 else DIFFERS for id, words in found.items()}
