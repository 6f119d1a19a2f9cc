"""What is asked: problems, benchmarks, checkpoints, and all that determines a sample."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One item of a benchmark."""

    id: str
    prompt: str
    answer: str
    verifier: str
    stratum: str = ""
    cluster: str = ""
    """Problems of one cluster, such as variants of one question, are not independent."""


LONGEST_STOP = 100  # characters of a stop text
MOST_STOPS = 8


@dataclass(frozen=True, slots=True)
class Sampling:
    """How completions are drawn; both checkpoints of a pair get the same record."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()
    """Texts that end a completion beside the stop ids; what is kept ends before them."""

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"sampling needs temperature > 0, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"sampling needs 0 < top_p <= 1, got {self.top_p}")
        if self.max_new_tokens < 1:
            raise ValueError(f"sampling needs max_new_tokens >= 1, got {self.max_new_tokens}")
        if odd := [text for text in self.stop if not 1 <= len(text) <= LONGEST_STOP]:
            raise ValueError(
                f"a stop text has 1 to {LONGEST_STOP} characters, got {odd[0][:80]!r}"
            )
        if len({*self.stop}) < len(self.stop) or len(self.stop) > MOST_STOPS:
            raise ValueError(f"sampling has at most {MOST_STOPS} stop texts, each once")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights at one moment, resolved and checked.

    Args:
        role: `base`, `rlvr`, or a contrast such as `sft`.
        ref: what the user wrote (registry name, path or hub id with `@revision`).
        path: the local folder in Hugging Face layout.
        digest: SHA-256 over weights, configuration and tokenizer; its identity.
        architecture: `architectures[0]` of config.json.
        tokenizer_digest: SHA-256 over the tokenizer's vocabulary and rules.
        stop_ids: token ids that end a completion.
        template_digest: SHA-256 over everything that shapes a prompt's token ids.
        notes: what is odd about it, and was accepted; for whoever reads the plan or the report.
        adapter: the folder of a LoRA adapter that is put on the weights in `path`, which are then
            the base's; the digest is of both.
        bare: its prompts have no chat template around them.
    """

    role: str
    ref: str
    path: Path
    digest: str
    architecture: str
    tokenizer_digest: str
    stop_ids: tuple[int, ...]
    template_digest: str = ""
    notes: tuple[str, ...] = ()
    adapter: Path | None = None
    bare: bool = False

    @property
    def weights(self) -> Path:
        """The folder that says how its weights differ from the base's."""
        return self.adapter or self.path

    @property
    def loaded(self) -> str:
        """What an engine has loaded that can draw from it."""
        return f"{self.path} {self.adapter}" if self.adapter else str(self.path)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A named, pinned set of problems with its verifiers."""

    name: str
    source: str
    """Where it comes from, with version and seed, for the report."""
    digest: str
    """SHA-256 over the canonical JSON of its problems."""
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    """What whoever reads its numbers should know of it, such as problems listed twice."""


PAIR = ("base", "rlvr")
"""The roles of a model pair."""
AGAIN = "again"
"""The role of base drawn a second time, with other seeds: the gate's test of itself."""
GRADINGS = ("strict", "lenient", "clean", "repaired")
"""Further gradings of the same completions: only declared forms count, the last answer anywhere
counts, only solutions whose arithmetic is true count, slips of arithmetic are put right first."""
SAMPLINGS: Mapping[str, Mapping[str, float]] = {
    "limit-of-rlvr": {"temperature": 0.6, "top_p": 0.95},
    "untempered": {"temperature": 1.0, "top_p": 1.0},
}
"""Sampling by name: of arXiv:2504.13837 (and most of those that compare with it), and the model's
own distribution."""


def spelled_out(otherwise: Mapping[str, Any]) -> dict[str, Any]:
    """What an ask has otherwise, with the numbers of a named sampling in place of its name.

    >>> spelled_out({"sampling": "limit-of-rlvr", "samples": 64})
    {'samples': 64, 'temperature': 0.6, 'top_p': 0.95}

    Raises ValueError: there is none of that name, or one of its numbers is given beside it.
    """
    rest = dict(otherwise)
    if "sampling" not in rest:
        return rest
    name = rest.pop("sampling")
    if name not in SAMPLINGS:
        raise ValueError(f"a sampling is {' or '.join(SAMPLINGS)}, got {name!r}")
    if twice := rest.keys() & {*SAMPLINGS[name]}:
        raise ValueError(f"sampling {name} has a {', '.join(sorted(twice))} of its own")
    return {**rest, **SAMPLINGS[name]}


CHATS = ("own", "base", "none")
"""Whose chat template stands around a prompt: the checkpoint's, its base's, or none."""
VARIANTS = ("begun", "direct", "fresh", "isomorphic")
"""Ways of putting problems otherwise: begun and to be gone on with, for the answer at once, others
of the same kind, the same in another guise."""


def steps_of(variant: str) -> tuple[tuple[str, int], ...]:
    """The ways of a variant, each with its number.

    >>> steps_of("isomorphic 2")
    (('isomorphic', 2),)

    Raises ValueError: there is no such way, or no number from 1 beside it.
    """
    steps = [step.partition(" ") for step in variant.split(", ")]
    if any(way not in VARIANTS or not _NUMBER.fullmatch(n) for way, _, n in steps):
        raise ValueError(
            f"a variant is {' or '.join(VARIANTS)} with a number from 1, as 'isomorphic 2'; got "
            f"{variant[:80]!r}"
        )
    return tuple((way, int(number)) for way, _, number in steps)


_NUMBER = re.compile(r"[1-9]\d{0,2}", re.ASCII)

PROMPT = "{prompt}"
"""Where a template has the problem's own prompt."""


@dataclass(frozen=True, slots=True)
class Ask:
    """How a checkpoint is asked a benchmark's problems; what is left out is as the run has it.

    Args:
        role: the checkpoint.
        temperature, top_p, max_new_tokens: sampling other than the run's.
        template: a text around each problem's prompt, with `{prompt}` in its place.
        samples: of every problem, in place of the run's number (and of its rounds).
        problems: ids of those that are asked; empty: all.
        grading: one of `GRADINGS`, in place of the verifier's own; nothing else is drawn for it.
        variant: how its problems are put otherwise, as `isomorphic 2`; those that cannot be are
            left out.
        chat: one of `CHATS`, in place of the run's.

    Raises:
        ValueError: there is no such sampling, template, grading, variant or chat template.
    """

    role: str
    temperature: float | None = None
    top_p: float | None = None
    max_new_tokens: int | None = None
    template: str = ""
    samples: int | None = None
    problems: tuple[str, ...] = ()
    grading: str = ""
    variant: str = ""
    chat: str = ""

    def __post_init__(self) -> None:
        self.sampling(Sampling())
        if self.template and self.template.count(PROMPT) != 1:
            raise ValueError(
                f"a template is a text with {PROMPT} in it once, got {self.template[:80]!r}"
            )
        if self.samples is not None and self.samples < 1:
            raise ValueError(f"an ask needs samples >= 1, got {self.samples}")
        if self.grading and self.grading not in GRADINGS:
            raise ValueError(f"a grading is {', '.join(GRADINGS)}, got {self.grading!r}")
        if self.chat and self.chat not in CHATS:
            raise ValueError(f"a chat template is {', '.join(CHATS)}, got {self.chat!r}")
        if self.variant:
            steps_of(self.variant)

    @property
    def name(self) -> str:
        """The role, with what is asked otherwise: `rlvr (temperature 0.6)`."""
        parts = [f"{word} {value:g}" for word, value in (
            ("temperature", self.temperature), ("top-p", self.top_p),
            ("tokens", self.max_new_tokens), ("samples", self.samples),
        ) if value is not None]  # fmt: skip
        parts += [f"template {_short(self.template)}"] if self.template else []
        parts += [self.variant] if self.variant else []
        parts += [_CHAT[self.chat]] if self.chat else []
        if self.problems:
            parts.append(f"{len(self.problems)} problems {_short(*self.problems)}")
        parts += [f"{self.grading} grades"] if self.grading else []
        return f"{self.role} ({', '.join(parts)})" if parts else self.role

    @property
    def worded(self) -> Ask:
        """The same as far as prompts go: whose, and in which words."""
        return Ask(
            self.role, template=self.template, variant=self.variant, chat=self.chat
        )  # fmt: skip

    def sampling(self, usual: Sampling) -> Sampling:
        """The run's sampling, with what this ask has otherwise."""
        return replace(
            usual,
            temperature=usual.temperature if self.temperature is None else self.temperature,
            top_p=usual.top_p if self.top_p is None else self.top_p,
            max_new_tokens=(
                usual.max_new_tokens if self.max_new_tokens is None else self.max_new_tokens
            ),
        )

    def of(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Those of `problems` that are asked, worded as they are."""
        named = [p for p in problems if not self.problems or p.id in self.problems]
        if not self.template:
            return tuple(named)
        return tuple(replace(p, prompt=self.template.replace(PROMPT, p.prompt)) for p in named)


_CHAT = {
    "own": "its own chat template",
    "base": "base's chat template",
    "none": "no chat template",
}


def _short(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Stream:
    """What determines a family of completions besides prompt and sample index."""

    checkpoint_digest: str
    sampling: Sampling
    stop_ids: tuple[int, ...]
    backend: str
    """Backend name with everything that changes its numbers: `transformers/float32`."""
    seed: int
    """The run seed; an A/A comparison gives the second role another one."""


class Measure(StrEnum):
    """A number for each token of a completion, in nats; always at temperature 1, without top-p.

    What a checkpoint would choose there are whole numbers, computed where a claim asks.
    """

    LOGPROB = "logprob"
    """Log-probability of the token given what comes before it."""
    ENTROPY = "entropy"
    """Entropy of the next-token distribution there, over the full vocabulary."""
    KL = "kl"
    """Kullback-Leibler divergence of that distribution from another checkpoint's."""
    CHOICE = "choice"
    """Id of the likeliest token there; of equal ones the first."""
    RANK = "rank"
    """Place, from 1, that another checkpoint's choice has in this one's order of tokens."""


CHOICES = (Measure.CHOICE, Measure.RANK)
"""Measures that are whole numbers."""


@dataclass(frozen=True, slots=True)
class Score:
    """What determines the scores of a completion besides its token ids and its prompt's."""

    measure: Measure
    checkpoint_digest: str
    backend: str
    other_digest: str = ""
    """Of the checkpoint that a divergence is to, KL(checkpoint || other), or whose choice has a
    rank here."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """The stopping rule, fixed before sampling.

    Args:
        sizes: samples of a problem after each round, increasing: ``(16, 32, 64, 128, 256)``.
        target: correct samples that stop a problem at the end of a round.
    """

    sizes: tuple[int, ...]
    target: int

    def __post_init__(self) -> None:
        if not self.sizes or self.sizes[0] < 1 or list(self.sizes) != sorted(set(self.sizes)):
            raise ValueError(f"rounds need increasing sizes >= 1, got {self.sizes}")
        if self.target < 1:
            raise ValueError(f"rounds need a success target >= 1, got {self.target}")

    def upto(self, look: int) -> Rounds:
        """The rule as it stands at the end of round ``look`` (from 1): all stop there."""
        if not 1 <= look <= len(self.sizes):
            raise ValueError(f"look must be in 1..{len(self.sizes)}, got {look}")
        return Rounds(self.sizes[:look], self.target)

    def goes_on(self, samples: Any, correct: Any) -> Any:
        """Whether a problem with so many samples gets another round; of arrays, which ones."""
        return (samples < self.sizes[-1]) & (correct < self.target)

    def next_size(self, samples: int) -> int:
        """Samples after the round that follows ``samples``."""
        later = [size for size in self.sizes if size > samples]
        if not later:
            raise ValueError(f"no round follows {samples} samples, the last is {self.sizes[-1]}")
        return later[0]
