"""The gate policy: which claims decide a release, at what margin and level.

A policy is a small TOML file. Unknown keys are errors, so a typo cannot weaken a gate.

    [policy]
    name = "default"
    level = 0.95                        # of the two-sided intervals behind every verdict
    required_claims = ["K1", "S2"]      # not judged means: the gate does not open
    required_benchmarks = ["countdown"]

    [claims.C1]
    kind = "gate"                       # or "finding"
    margin = 0.02                       # the slack of a claim that has one
    bound = 0.36                        # the number a claim is held against, where it has one
    level = 0.99
    benchmarks = ["countdown"]          # elsewhere the claim stays what its suite says
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from rlvr_gate.records import Kind


class PolicyError(ValueError):
    """The policy file cannot be used; the message names file, key and remedy."""


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """What a policy says about one claim; None leaves the suite's own word."""

    kind: Kind | None = None
    margin: float | None = None
    bound: float | None = None
    level: float | None = None
    benchmarks: tuple[str, ...] | None = None

    def applies_to(self, benchmark: str | None) -> bool:
        return self.benchmarks is None or benchmark in self.benchmarks


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy."""

    name: str
    level: float = 0.95
    required_claims: tuple[str, ...] = ()
    required_benchmarks: tuple[str, ...] = ()
    claims: Mapping[str, ClaimPolicy] = field(default_factory=dict)

    def kind(self, claim: str, benchmark: str | None, default: Kind) -> Kind:
        """The kind of `claim` on `benchmark`."""
        entry = self._entry(claim, benchmark)
        return default if entry.kind is None else entry.kind

    def margin(self, claim: str, benchmark: str | None, default: float) -> float:
        """The margin of `claim` on `benchmark`."""
        entry = self._entry(claim, benchmark)
        return default if entry.margin is None else entry.margin

    def bound(self, claim: str, benchmark: str | None, default: float) -> float:
        """The number `claim` is held against on `benchmark`."""
        entry = self._entry(claim, benchmark)
        return default if entry.bound is None else entry.bound

    def level_of(self, claim: str, benchmark: str | None) -> float:
        """The interval level of `claim` on `benchmark`."""
        entry = self._entry(claim, benchmark)
        return self.level if entry.level is None else entry.level

    def _entry(self, claim: str, benchmark: str | None) -> ClaimPolicy:
        entry = self.claims.get(claim, ClaimPolicy())
        return entry if entry.applies_to(benchmark) else ClaimPolicy()


def shipped() -> list[str]:
    """Names of the policies that come with the plugin."""
    folder = resources.files("rlvr_gate") / "policies"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name[-5:] == ".toml")


def load_policy(ref: str) -> Policy:
    """Read a shipped policy by name or any policy by path.

    Raises:
        PolicyError: no such policy, not TOML, or a key or value that is not allowed.
    """
    if ref in shipped():
        text = (resources.files("rlvr_gate") / "policies" / f"{ref}.toml").read_text("utf-8")
        return parse_policy(text, where=f"policy {ref!r}")
    path = Path(ref)
    try:
        if not path.is_file():
            raise PolicyError(
                f"no policy {ref!r}: expected a shipped name ({', '.join(shipped())}) or a TOML "
                "file"
            )
        return parse_policy(path.read_text("utf-8"), where=str(path))
    except OSError as error:
        raise PolicyError(f"cannot read {ref!r}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: a policy is UTF-8 text ({error})") from None


def parse_policy(text: str, *, where: str = "policy") -> Policy:
    """Turn policy text into a Policy."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{where}: not TOML: {error}") from None
    _only(data, ("policy", "claims"), where)
    head = _table(data, "policy", where)
    _only(head, ("name", "level", "required_claims", "required_benchmarks"), f"{where} [policy]")
    claims = _table(data, "claims", where)
    name = head.get("name", where)
    if not isinstance(name, str):
        raise PolicyError(f"{where} [policy]: name must be a string, got {name!r}")
    return Policy(
        name=name,
        level=_level(head.get("level", 0.95), f"{where} [policy]"),
        required_claims=_names(head, "required_claims", f"{where} [policy]"),
        required_benchmarks=_names(head, "required_benchmarks", f"{where} [policy]"),
        claims={key: _claim(_table(claims, key, where), where, key) for key in claims},
    )


def _claim(entry: Mapping[str, object], where: str, key: str) -> ClaimPolicy:
    where = f"{where} [claims.{key}]"
    _only(entry, ("kind", "margin", "bound", "level", "benchmarks"), where)
    kind = entry.get("kind")
    if kind is not None and kind not in tuple(Kind):
        raise PolicyError(f"{where}: kind must be 'gate' or 'finding', got {kind!r}")
    return ClaimPolicy(
        kind=None if kind is None else Kind(str(kind)),
        margin=_number(entry, "margin", where),
        bound=_number(entry, "bound", where),
        level=None if "level" not in entry else _level(entry["level"], where),
        benchmarks=None if "benchmarks" not in entry else _names(entry, "benchmarks", where),
    )


def _number(entry: Mapping[str, object], key: str, where: str) -> float | None:
    value = entry.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PolicyError(f"{where}: {key} must be a number, got {value!r}")
    return float(value)


def _only(table: Mapping[str, object], allowed: Iterable[str], where: str) -> None:
    unknown = sorted(set(table) - set(allowed))
    if unknown:
        raise PolicyError(
            f"{where}: unknown key {', '.join(map(repr, unknown))}; known: {', '.join(allowed)}"
        )


def _table(data: Mapping[str, object], key: str, where: str) -> Mapping[str, object]:
    value = data.get(key, {})
    if not isinstance(value, Mapping):
        raise PolicyError(f"{where}: {key} must be a table, got {value!r}")
    return value


def _names(table: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise PolicyError(f"{where}: {key} must be a list of strings, got {value!r}")
    return tuple(value)


def _level(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 < value < 1:
        raise PolicyError(f"{where}: level must be a number between 0.5 and 1, got {value!r}")
    return float(value)
