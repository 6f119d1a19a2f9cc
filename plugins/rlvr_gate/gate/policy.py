"""The gate policy: which claims decide a release, at what margin and level.

A policy is a small TOML file. Unknown keys are errors, so a typo cannot weaken a gate.

    [policy]
    name = "default"
    level = 0.95                        # of the two-sided intervals behind every verdict
    again = 0.2                         # of 1 - level, what is kept for judging a question again
    target = "population"               # or "these problems": only their sampling is uncertain
    required_claims = ["K1", "S2"]      # not judged means: the gate does not open
    required_benchmarks = ["countdown"]
    self_test = true                    # base drawn twice (S5, --self-test) is a gate claim too

    [claims.C1]
    kind = "gate"                       # or "finding"
    margin = 0.02                       # the slack of a claim that has one
    bound = 0.36                        # the number a claim is held against, where it has one
    level = 0.99
    benchmarks = ["countdown"]          # elsewhere the claim stays what its suite says

    [[waivers]]                         # somebody answers for a claim, until a day
    claim = "C1"
    benchmark = "countdown"             # left out: on every benchmark
    reason = "known: the tokenizer changed, see the ticket"
    until = 2026-12-31                  # a year away at most; expired, it keeps the gate shut

    [[checks]]                          # what a gain must survive: gate claims, all of them
    name = "both graders"               # a row of the report's table
    claims = ["V2"]                     # not judged means: the gate does not open

    [comparability]                     # of completions that ran out of tokens or have no grade
    truncation = 0.02                   # how far the two rates may lie apart where it matters
    truncated = 0.5                     # both rates beyond it: they compare who ends in time
    rescued = 1.0                       # share of the cut ones that could have been right
    unscored = 1.0                      # chance at most that one without a grade is right
"""

from __future__ import annotations

import codecs
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from importlib import resources
from pathlib import Path

from rlvr_gate.records import POPULATION, THESE, Check, Kind, Margins, Waiver

_MOST_BYTES = 1 << 16
_LONGEST_LINE = 4096  # what the parser needs for a key of many parts grows as their square
_FOREIGN = re.compile(r"\s*(\{|---|[\w-]+:)")
_KEPT = 0.2
_LONGEST_WAIVER = 366  # days
SELF_TEST = "S5"
"""The claim that base, drawn twice, is not told from itself."""
_CLAIM_KEYS = ("kind", "margin", "bound", "level", "benchmarks")


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
    again: float = _KEPT
    """Of the error budget, what the first judgement of a question keeps back for later ones."""
    target: str = POPULATION
    """What verdicts are about: other problems of the benchmarks' kinds too, or these alone."""
    required_claims: tuple[str, ...] = ()
    required_benchmarks: tuple[str, ...] = ()
    claims: Mapping[str, ClaimPolicy] = field(default_factory=dict)
    margins: Margins = field(default_factory=Margins)
    waivers: tuple[Waiver, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def checked(self) -> tuple[str, ...]:
        """Ids of the claims that its checks are made of."""
        return tuple(dict.fromkeys(id for check in self.checks for id in check.claims))

    @property
    def required(self) -> tuple[str, ...]:
        """Ids without which the gate does not open."""
        return tuple(dict.fromkeys((*self.required_claims, *self.checked)))

    def kind(self, claim: str, benchmark: str | None, default: Kind) -> Kind:
        """The kind of `claim` on `benchmark`; one of a check decides wherever it is asked."""
        if claim in self.checked:
            return Kind.GATE
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
    path = Path(ref).expanduser()
    return _no_impostor(parse_policy(_read(path, ref), where=str(path)), str(path))


def _no_impostor(policy: Policy, where: str) -> Policy:
    """A file may not go by the name of a shipped policy and check less.

    Where the shipped one has checks, a wider margin or a lower level would be less too, so that
    nothing but waivers may differ.
    """
    if policy.name not in shipped():
        return policy
    own = load_policy(policy.name)
    if own.checks != policy.checks:
        asked = ", ".join(check.name for check in own.checks) or "nothing more"
        raise PolicyError(
            f"{where} [policy]: name {policy.name!r} is a shipped policy's, whose checks are "
            f"others ({asked}): give it a name of its own"
        )
    if own.checks and (other := _differing(policy, own)):
        raise PolicyError(
            f"{where} [policy]: name {policy.name!r} is a shipped policy's, which differs in "
            f"{', '.join(other)}: give it a name of its own"
        )
    return policy


def _differing(policy: Policy, own: Policy) -> list[str]:
    """What of a policy is otherwise than the shipped one's, waivers aside."""
    return [
        f.name
        for f in fields(Policy)
        if f.name != "waivers" and getattr(policy, f.name) != getattr(own, f.name)
    ]


def _read(path: Path, ref: str) -> str:
    try:
        if not path.is_file():
            found = "it is a folder, " if path.is_dir() else ""
            raise PolicyError(
                f"no policy {ref!r}: {found}expected a shipped name ({', '.join(shipped())}) or a "
                "TOML file"
            )
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        why = error.strerror or error
        raise PolicyError(f"{str(path)[:200]}: cannot be read ({why})") from None
    if len(data) > _MOST_BYTES:
        raise PolicyError(f"{path}: larger than {_MOST_BYTES:,} bytes, so it is no policy")
    return _text(data, path)


def _text(data: bytes, path: Path) -> str:
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise PolicyError(f"{path}: a policy is UTF-8 text, this is UTF-16: save it as UTF-8")
    if b"\0" in data:
        raise PolicyError(f"{path}: holds NUL bytes, as UTF-16 without a mark does: save as UTF-8")
    if b"\r" in data.replace(b"\r\n", b""):
        raise PolicyError(f"{path}: a line ends in a lone carriage return: save with line feeds")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(
            f"{path}: a policy is UTF-8 text ({error.reason} at byte {error.start + 1})"
        ) from None


def parse_policy(text: str, *, where: str = "policy", today: date | None = None) -> Policy:
    """Turn policy text into a Policy.

    Args:
        today: from which a waiver lasts a year at most; None: it is asked of the clock.

    Raises:
        PolicyError: not TOML, or a key or value that is not allowed.
    """
    if max(map(len, text.splitlines()), default=0) > _LONGEST_LINE:
        raise PolicyError(f"{where}: a line is longer than {_LONGEST_LINE:,} characters: break it")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        hint = "; a policy is TOML, no YAML or JSON" if _FOREIGN.match(text) else ""
        raise PolicyError(f"{where}: not TOML: {error}{hint}") from None
    _only(data, ("policy", "claims", "waivers", "checks", "comparability"), where)
    head, claims = _table(data, "policy", where), _table(data, "claims", where)
    margins = _table(data, "comparability", where)
    if not {"policy", "waivers", "checks"} & set(data) and not claims and not margins:
        raise PolicyError(
            f"{where}: says nothing: expected [policy], [claims.ID] or [comparability], see "
            "docs/policy.md"
        )
    at = f"{where} [policy]"
    keys = (
        "name", "level", "target", "again", "required_claims", "required_benchmarks", "self_test",
    )  # fmt: skip
    _only(head, keys, at)
    policy = Policy(
        name=_name(head.get("name", where), at),
        level=_level(head.get("level", 0.95), at),
        again=_kept(head.get("again", _KEPT), at),
        target=_target(head.get("target", POPULATION), at),
        required_claims=_names(head, "required_claims", at),
        required_benchmarks=_names(head, "required_benchmarks", at),
        claims={key: _claim(_table(claims, key, where), where, key) for key in claims},
        margins=_margins(margins, f"{where} [comparability]"),
        waivers=_waivers(data.get("waivers", []), f"{where} [[waivers]]", today or date.today()),
        checks=_checks(data.get("checks", []), f"{where} [[checks]]"),
    )
    _uphold(policy, where)
    return _self_tested(policy, where) if _flag(head, "self_test", at) else policy


def _uphold(policy: Policy, where: str) -> None:
    """No word of the policy takes back what a check asks."""
    for id in policy.checked:
        if policy.claims.get(id, ClaimPolicy()).kind is Kind.FINDING:
            raise PolicyError(
                f"{where}: {id} is a finding by [claims.{id}], and a check is made of it: leave "
                "one of them out"
            )
        if any(waiver.claim == id for waiver in policy.waivers):
            raise PolicyError(
                f"{where} [[waivers]]: {id} is part of a check, and a gain that needs a waiver "
                "has not survived it: take the check out, or the waiver"
            )


def _self_tested(policy: Policy, where: str) -> Policy:
    """The same, with the self-test among the gate claims it requires."""
    entry = policy.claims.get(SELF_TEST, ClaimPolicy())
    if entry.kind is Kind.FINDING:
        raise PolicyError(
            f"{where}: self_test requires {SELF_TEST}, a finding by [claims.{SELF_TEST}]: "
            "leave one of them out"
        )
    return replace(
        policy,
        required_claims=tuple(dict.fromkeys((*policy.required_claims, SELF_TEST))),
        claims={**policy.claims, SELF_TEST: replace(entry, kind=Kind.GATE)},
    )


def _flag(table: Mapping[str, object], key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise PolicyError(f"{where}: {key} must be true or false, got {value!r}")
    return value


def _checks(entries: object, where: str) -> tuple[Check, ...]:
    found = tuple(_check(each, where) for each in _each(entries, where))
    for names in ([check.name for check in found], [id for c in found for id in c.claims]):
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if twice:
            raise PolicyError(f"{where}: two are about the same, {twice[0]!r}")
    return found


def _check(entry: Mapping[str, object], where: str) -> Check:
    _only(entry, ("name", "claims"), where)
    check = Check(_said(entry, "name", where), _names(entry, "claims", where))
    if not check.claims:
        raise PolicyError(f"{where}: {check.name!r} names no claims, so it would check nothing")
    return check


def _each(entries: object, where: str) -> list[Mapping[str, object]]:
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise PolicyError(f"{where}: write each as a table of its own, got {entries!r}")
    return entries


_NEVER_WAIVED = ("S2",)
"""Claims without which every other verdict is about nothing."""


def _waivers(entries: object, where: str, today: date) -> tuple[Waiver, ...]:
    found = tuple(_waiver(each, where, today) for each in _each(entries, where))
    for n, waiver in enumerate(found):
        if any((w.claim, w.benchmark) == (waiver.claim, waiver.benchmark) for w in found[:n]):
            raise PolicyError(f"{where}: two are about the same, claim {waiver.claim!r}")
    return found


def _waiver(entry: Mapping[str, object], where: str, today: date) -> Waiver:
    _only(entry, ("claim", "benchmark", "reason", "until"), where)
    claim, reason = (_said(entry, key, where) for key in ("claim", "reason"))
    benchmark = _said(entry, "benchmark", where) if "benchmark" in entry else None
    until = entry.get("until")
    if type(until) is not date:
        raise PolicyError(
            f"{where}: until must be a day, such as 2026-12-31, got {until!r}"
            + (": write it without quotes" if isinstance(until, str) else "")
        )
    if claim in _NEVER_WAIVED:
        raise PolicyError(
            f"{where}: {claim} says whether the runs can be compared at all, so it cannot be "
            "waived: mend what it names, or take the waiver out"
        )
    if (until - today).days > _LONGEST_WAIVER:
        raise PolicyError(
            f"{where}: until {until} is more than a year away, and a waiver ends so that somebody "
            f"looks again: {today + timedelta(days=_LONGEST_WAIVER)} is the latest day today"
        )
    return Waiver(claim, benchmark, reason, until.isoformat())


def _said(entry: Mapping[str, object], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise PolicyError(f"{where}: {key} must be a text that says something, got {value!r}")
    return value


def _margins(entry: Mapping[str, object], where: str) -> Margins:
    _only(entry, ("truncation", "truncated", "rescued", "unscored"), where)
    shares = {key: _number(entry, key, where) for key in entry}
    for key, share in shares.items():
        if share is None or not 0 <= share <= 1:
            raise PolicyError(f"{where}: {key} is a share of completions in 0..1, got {share}")
    return replace(Margins(), **{key: share for key, share in shares.items() if share is not None})


def _claim(entry: Mapping[str, object], where: str, key: str) -> ClaimPolicy:
    where = f"{where} [claims.{key}]"
    if not entry:
        raise PolicyError(f"{where}: says nothing: give {', '.join(_CLAIM_KEYS)}, or leave it out")
    _only(entry, _CLAIM_KEYS, where)
    kind = entry.get("kind")
    if kind is not None and kind not in tuple(Kind):
        raise PolicyError(f"{where}: kind must be 'gate' or 'finding', got {kind!r}")
    return ClaimPolicy(
        kind=None if kind is None else Kind(str(kind)),
        margin=_margin(entry, where),
        bound=_number(entry, "bound", where),
        level=None if "level" not in entry else _level(entry["level"], where),
        benchmarks=_benchmarks(entry, where),
    )


def _benchmarks(entry: Mapping[str, object], where: str) -> tuple[str, ...] | None:
    if "benchmarks" not in entry:
        return None
    found = _names(entry, "benchmarks", where)
    if not found:
        raise PolicyError(
            f"{where}: benchmarks is empty, so this would apply nowhere: leave it out"
        )
    return found


def _margin(entry: Mapping[str, object], where: str) -> float | None:
    margin = _number(entry, "margin", where)
    if margin is not None and margin < 0:
        raise PolicyError(f"{where}: margin is a slack of at least 0, got {margin:g}")
    return margin


def _number(entry: Mapping[str, object], key: str, where: str) -> float | None:
    value = entry.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PolicyError(f"{where}: {key} must be a number, got {value!r}")
    found = _float(value)
    if not math.isfinite(found):
        raise PolicyError(f"{where}: {key} must be a finite number, got {found}")
    return found


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


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
    blank = [v for v in value if not v or v != v.strip()]
    if blank:
        raise PolicyError(f"{where}: {key} holds {blank[0]!r}: empty, or with blanks around it")
    twice = [v for v in dict.fromkeys(value) if value.count(v) > 1]
    if twice:
        raise PolicyError(f"{where}: {key} holds {twice[0]!r} twice")
    return tuple(value)


def _name(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise PolicyError(f"{where}: name must be a string, got {value!r}")
    if not value.strip():
        raise PolicyError(f"{where}: name is empty: give one, or leave the key out")
    return value


def _target(value: object, where: str) -> str:
    if value not in (POPULATION, THESE):
        raise PolicyError(f"{where}: target must be {POPULATION!r} or {THESE!r}, got {value!r}")
    return str(value)


def _level(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 < value < 1:
        raise PolicyError(f"{where}: level must be a number between 0.5 and 1, got {value!r}")
    return float(value)


def _kept(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise PolicyError(
            f"{where}: again is the share of 1 - level kept for judging a question again, a "
            f"number between 0 and 1, got {value!r}"
        )
    return float(value)
