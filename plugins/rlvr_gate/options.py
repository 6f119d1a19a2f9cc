"""Text in, records out: pure parsers for the command line, each usable as an argparse type."""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TypeVar

from rlvr_gate.visible import for_log

Parsed = TypeVar("Parsed")


def _refusing(parse: Callable[[str], Parsed]) -> Callable[[str], Parsed]:
    """A parser whose refusal, which quotes what was given, is fit to be printed."""

    @wraps(parse)
    def parser(text: str) -> Parsed:
        try:
            return parse(text)
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentTypeError(for_log(error)) from None

    return parser


@dataclass(frozen=True, slots=True)
class PairRefs:
    """What `--model-pair` named, not yet resolved."""

    base: str
    rlvr: str


DEFAULT_SAMPLES, DEFAULT_TARGET = 256, 4
DEFAULT_SCORED = 8


@dataclass(frozen=True, slots=True)
class SampleBudget:
    """What `--samples` said: how many of a problem, and when fewer are enough."""

    most: int = DEFAULT_SAMPLES
    target: int | None = None
    """Correct samples that stop a problem after a round; None: every problem gets `most`."""


@_refusing
def model_pair(text: str) -> PairRefs:
    """Parse `BASE,RLVR`; a comma within a folder's name is written `\\,` where it is not clear.

    >>> model_pair("base,rlvr"), model_pair(r"./a\\,b,./c")
    (PairRefs(base='base', rlvr='rlvr'), PairRefs(base='./a,b', rlvr='./c'))
    """
    parts = _split(text)
    ways = [[",".join(parts[:i]), ",".join(parts[i:])] for i in range(1, len(parts))]
    meant = [way for way in ways if all(part in parts or _exists(part) for part in way)]
    pairs = [[part if _exists(part) else part.strip() for part in way] for way in meant]
    if len(pairs) != 1 or not all(pairs[0]):
        raise argparse.ArgumentTypeError(
            "expected two checkpoints separated by a comma, as in base,rlvr (a comma within a "
            f"folder's name is written \\,); got {text!r}"
        )
    return PairRefs(*pairs[0])


def role_ref(text: str) -> tuple[str, str]:
    """Parse `ROLE=REF`."""
    role, _, ref = (part.strip() for part in text.partition("="))
    if not role or not ref:
        raise argparse.ArgumentTypeError(f"expected ROLE=REF, as in sft=./my-sft; got {text!r}")
    if role in ("base", "rlvr"):
        raise argparse.ArgumentTypeError(f"role {role!r} belongs to --model-pair")
    return role, ref


@_refusing
def role_file(text: str) -> tuple[str, Path]:
    """Parse `ROLE=FILE`."""
    role, _, file = text.partition("=")
    if not role or not file:
        raise argparse.ArgumentTypeError(
            f"expected ROLE=FILE, as in base=base-counts.jsonl; got {text!r}"
        )
    return role, Path(file).expanduser()


@_refusing
def key_value(text: str) -> tuple[str, str]:
    """Parse `KEY=VALUE`."""
    key, _, value = text.partition("=")
    if not key or not value:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, as in dtype=bfloat16; got {text!r}")
    return key, value


@_refusing
def positive(text: str) -> int:
    """Parse a whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return value


@_refusing
def temperature(text: str) -> float:
    """Parse a temperature above 0."""
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a temperature above 0, got {text!r}")
    return value


@_refusing
def top_p(text: str) -> float:
    """Parse a nucleus mass in (0, 1]."""
    value = _number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number in (0, 1], got {text!r}")
    return value


@_refusing
def samples(text: str) -> SampleBudget:
    """Parse `N` or `adaptive[:MOST[:TARGET]]`.

    >>> samples("64"), samples("adaptive:128")
    (SampleBudget(most=64, target=None), SampleBudget(most=128, target=4))
    """
    word, *rest = text.split(":")
    if word != "adaptive":
        return SampleBudget(positive(text))
    numbers = [positive(part) for part in rest]
    if len(numbers) > 2:
        raise argparse.ArgumentTypeError(
            f"expected adaptive[:MOST[:TARGET]], as in adaptive:256:4; got {text!r}"
        )
    most, target = [*numbers, *(DEFAULT_SAMPLES, DEFAULT_TARGET)[len(numbers) :]]
    if target > most:
        raise argparse.ArgumentTypeError(
            f"a target of {target} correct samples cannot be reached with at most {most}"
        )
    return SampleBudget(most, target)


@_refusing
def devices(text: str) -> tuple[str, ...]:
    """Parse `0,1`, UUIDs, or `cpu,cpu`: GPUs, each once, or so many parts of the CPU.

    >>> devices("0, 1"), devices("cpu,cpu")
    (('0', '1'), ('cpu', 'cpu'))
    """
    found = tuple(part.strip() for part in text.split(","))
    gpus = [part for part in found if part != "cpu"]
    unclear = [part for part in gpus if not part.isdigit() and part[:4] not in ("GPU-", "MIG-")]
    if unclear:
        raise argparse.ArgumentTypeError(
            f"expected GPUs, as in 0,1 or GPU-…, or cpu,cpu; got {unclear[0]!r} in {text!r}"
        )
    if gpus and len(gpus) < len(found):
        raise argparse.ArgumentTypeError(
            f"expected GPUs or cpu, not both: their samples must not be mixed; got {text!r}"
        )
    if len(set(gpus)) < len(gpus):
        raise argparse.ArgumentTypeError(f"expected each GPU once, got {text!r}")
    return found


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several runs that fill parts of one sample store."""

    number: int
    """From 1."""
    of: int

    def holds(self, prompt: str) -> bool:
        """Whether a problem is this shard's; it depends on the prompt alone."""
        digest = hashlib.sha256(prompt.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@_refusing
def shard(text: str) -> Shard:
    """Parse `I/N`.

    >>> str(shard("2/8"))
    '2/8'
    """
    number, _, of = text.partition("/")
    try:
        found = Shard(positive(number), positive(of))
    except argparse.ArgumentTypeError:
        found = Shard(1, 0)
    if found.number > found.of:
        raise argparse.ArgumentTypeError(f"expected I/N with 1 <= I <= N, as in 2/8; got {text!r}")
    return found


@_refusing
def ladder(text: str) -> tuple[int, ...]:
    """Parse a comma-separated ladder of k, returned ascending without repeats."""
    return tuple(sorted({positive(part.strip()) for part in text.split(",")}))


@_refusing
def path(text: str) -> Path:
    """Parse a path, `~` and all."""
    return Path(text).expanduser()


def benchmarks(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of names and files, order kept, no repeats.

    A comma within a file's name is written `\\,`, or left as it is where only the whole is a file.
    A field map goes on as long as parts are `key=value`, and keeps its `\\,`.

    >>> benchmarks("gsm8k,a.jsonl:problem=q,answer=a,countdown")
    ('gsm8k', 'a.jsonl:problem=q,answer=a', 'countdown')
    """
    found: list[str] = []
    for given in _PARTS.split(text):
        if found and _MAP.search(found[-1]) and _KEY.match(given):
            found[-1] = f"{found[-1]},{given}"
            continue
        part = given if _MAP.search(given) else given.replace("\\,", ",")
        starts = [i for i in range(len(found)) if _exists(",".join([*found[i:], part]))]
        if starts and not _exists(part):
            found[starts[0] :] = [",".join([*found[starts[0] :], part])]
        else:
            found.append(part)
    given = tuple(dict.fromkeys(p if _exists(p) else p.strip() for p in found if p.strip()))
    if not given:
        raise argparse.ArgumentTypeError(f"expected at least one name, got {text!r}")
    return given


_MAP = re.compile(r"(?:\.(?:jsonl|json|csv|parquet|gz)|^\s*hub:.*):\s*\w+=", re.IGNORECASE)
_KEY = re.compile(r"\s*\w+=")


_PARTS = re.compile(r"(?<!\\),")


def _split(text: str) -> list[str]:
    """The parts between commas; `\\,` is a comma within one."""
    return [part.replace("\\,", ",") for part in _PARTS.split(text)]


def _exists(text: str) -> bool:
    try:
        return bool(text) and Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
