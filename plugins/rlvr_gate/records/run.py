"""The documented record of one run: everything that JSON and HTML share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rlvr_gate.records.asked import Benchmark, Problem, Rounds, Sampling
from rlvr_gate.records.drawn import Example, Tally
from rlvr_gate.records.judged import ClaimRecord, GateResult


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """Provenance of one checkpoint in a run."""

    role: str
    ref: str
    digest: str
    backend: str
    sampling: Sampling
    stop_ids: tuple[int, ...]
    seed: int
    prompt_digests: Mapping[str, str]
    """benchmark name -> SHA-256 over its prompts' token ids."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What drew the completions: packages, hardware and options, where known."""
    notes: tuple[str, ...] = ()
    """What is odd about it, and was accepted."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What an adaptive run used, against the most samples for every problem and checkpoint."""

    completions: int
    tokens: int
    fixed_completions: int
    fixed_tokens: int
    """Estimated: each problem's mean tokens per completion times the most samples."""
    looks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """benchmark -> `{looks, of_looks, problems, of_problems, to_the_end}`: how far sampling went
    until every claim was settled; `to_the_end` problems were asked for every k."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything the JSON and the HTML report share: the documented record of one run."""

    gate: GateResult
    claims: Sequence[ClaimRecord]
    counts: Mapping[str, Mapping[str, Sequence[Tally]]]
    """benchmark -> role -> tallies, in the benchmark's order."""
    problems: Mapping[str, Sequence[Problem]]
    """benchmark -> its problems."""
    examples: Mapping[str, Mapping[str, Mapping[str, Sequence[Example]]]]
    """benchmark -> problem id -> role -> a few completions."""
    checkpoints: Sequence[CheckpointFacts]
    benchmarks: Sequence[Benchmark]
    weights: Mapping[str, object]
    """JSON-able update comparison (per tensor and in total); empty where not measured."""
    curves: Mapping[str, Mapping[str, Sequence[Mapping[str, float]]]]
    """benchmark -> role -> points `{k, value, low, high}` of the pass@k ladder; the pseudo
    role `difference` holds rlvr minus base, paired, with the ends `band_low` and `band_high` of
    the band that holds at every k at once."""
    versions: Mapping[str, str]
    command: str
    created: str
    """ISO 8601, UTC."""
    seconds: Mapping[str, float]
    """Wall time by stage: `plan`, `fill`, `judge`."""
    sampled: Mapping[str, int]
    """New work of this run: `completions`, `tokens`; `reused` and `scored` completions."""
    samples: int
    level: float
    seed: int
    crossovers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """benchmark -> where rlvr's lead ends, with what the band allows (`ladder.crossing`)."""
    strata: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    """benchmark -> rows `{stratum, problems, k, base, rlvr, difference, low, high}`; empty where
    the benchmark has no strata."""
    rounds: Rounds | None = None
    """The stopping rule of an adaptive run; `samples` is then the most a problem gets."""
    saving: Saving | None = None
    """What the stopping rule saved."""
