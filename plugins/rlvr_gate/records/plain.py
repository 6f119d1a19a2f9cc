"""Records as plain JSON values, and back: once, for every frozen dataclass.

`told` spells a record for the JSON document, with the keys that its fields say. `packed` writes
one for another process of ours, and `unpacked` reads it, refusing whatever the types do not allow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_Out = Callable[[Any], Any]

_CLASS = "is"  # key of a packed record that names its class; no field can be called so
_NOT_FINITE = ("nan", "inf", "-inf")


class Malformed(ValueError):
    """What came is no record of the kind that was expected."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What the JSON document calls a field: `Annotated[float, Said("by chance")]`."""

    key: str


AMONG = Tagged("")
"""A field whose entries stand among those of its record in the JSON document."""


def absent(record: Any, of: Field[Any]) -> bool:
    """Whether a field holds nothing and may: it has a default, and nobody measured it.

    Zero and False are something.
    """
    value = getattr(record, of.name)
    if value or isinstance(value, Real):
        return False
    default = of.default if of.default_factory is MISSING else of.default_factory()
    return bool(value == default)


# Out


def told(value: object) -> Any:
    """A JSON value for the document; numbers that are not finite become None.

    Raises:
        TypeError: there is no such value; says which type was met.
    """
    return _plain(value, _told_record, lambda number: None)


def packed(value: object) -> Any:
    """A JSON value that `unpacked` turns into an equal one.

    Raises:
        TypeError: it holds neither records nor JSON values.
    """
    return _plain(value, _packed_record, repr)


def _plain(value: Any, record: _Out, not_finite: _Out) -> Any:
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else not_finite(float(value))
    if is_dataclass(value):
        return record(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry, record, not_finite) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [_plain(entry, record, not_finite) for entry in value]
    raise TypeError(f"expected a record or a JSON value, got {type(value).__name__}: {value!r}")


def _told_record(record: Any) -> dict[str, object]:
    cls: Any = type(record)
    kind, keys = getattr(cls, "KIND", None), _keys(cls)
    document: dict[str, object] = {} if kind is None else {"kind": kind}
    for each in fields(record):
        if absent(record, each):
            continue
        key, value = keys[each.name], told(getattr(record, each.name))
        document |= {key: value} if key else value
    return document


def _packed_record(record: Any) -> dict[str, object]:
    kept = (each.name for each in fields(record) if not absent(record, each))
    return {_CLASS: type(record).__name__, **{n: packed(getattr(record, n)) for n in kept}}


# Back


def unpacked(kind: type[T], data: object) -> T:
    """The record that `packed` wrote; of one kind, its class need not be named (`asdict`).

    Raises:
        Malformed: it is not of this kind, down to the last entry; says where and why.
    """
    found: T = _read(kind, data, kind.__name__)
    return found


def _read(kind: Any, data: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _one_of(get_args(kind), data, where)
    if origin is not None and issubclass(origin, Mapping):
        of = get_args(kind)[1]
        return {key: _read(of, value, f"{where}[{key!r}]") for key, value in _dict(data, where)}
    if origin is not None and issubclass(origin, Sequence):
        return _items(get_args(kind), data, where)
    if is_dataclass(kind):
        return _record(kind, data, where)
    if issubclass(kind, Enum):
        return _made(lambda: kind(data), where)
    return _scalar(kind, data, where)


def _one_of(kinds: Sequence[Any], data: Any, where: str) -> Any:
    """The first of several kinds that takes it; one record's refusal is told as it is."""
    if isinstance(data, dict) and _CLASS in data:
        named = [kind for kind in kinds if getattr(kind, "__name__", "") == data[_CLASS]]
        if named:
            return _record(named[0], data, where)
    for kind in kinds:
        with suppress(Malformed):
            return _read(kind, data, where)
    raise Malformed(f"{where}: expected {' or '.join(map(_name, kinds))}, got {_short(data)}")


def _items(kinds: Sequence[Any], data: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise Malformed(f"{where}: expected a list, got {_short(data)}")
    fixed = kinds[1:] not in ((), (Ellipsis,))
    if fixed and len(data) != len(kinds):
        raise Malformed(f"{where}: expected {len(kinds)} entries, got {len(data)}")
    each = kinds if fixed else [kinds[0]] * len(data)
    pairs = enumerate(zip(each, data, strict=True))
    return tuple(_read(kind, value, f"{where}[{n}]") for n, (kind, value) in pairs)


def _record(kind: Any, data: Any, where: str) -> Any:
    given = dict(_dict(data, where))
    if given.pop(_CLASS, kind.__name__) != kind.__name__:
        raise Malformed(f"{where}: expected a {kind.__name__}, got {_short(data)}")
    types = _types(kind)
    if unknown := sorted(set(given) - set(types)):
        raise Malformed(f"{where}: {kind.__name__} has no {unknown[0]!r}")
    read = {name: _read(types[name], value, f"{where}.{name}") for name, value in given.items()}
    return _made(lambda: kind(**read), where)


def _made(make: Callable[[], Any], where: str) -> Any:
    try:
        return make()
    except (TypeError, ValueError) as error:
        raise Malformed(f"{where}: {error}") from error


def _scalar(kind: Any, data: Any, where: str) -> Any:
    if kind is float and type(data) is str and data in _NOT_FINITE:
        return float(data)
    if type(data) in ((int, float) if kind is float else (kind,)):
        return data
    raise Malformed(f"{where}: expected {_name(kind)}, got {_short(data)}")


def _dict(data: Any, where: str) -> Iterable[tuple[str, Any]]:
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise Malformed(f"{where}: expected an object, got {_short(data)}")
    return data.items()


@lru_cache
def _types(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}


@lru_cache
def _keys(kind: Any) -> Mapping[str, str]:
    """Field -> its key in the document; empty where its entries have their own."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        each.name: next(
            (more.key for more in getattr(hints[each.name], "__metadata__", ())), each.name
        )
        for each in fields(kind)
    }


def _name(kind: Any) -> str:
    return "nothing" if kind is NoneType else getattr(kind, "__name__", str(kind))


def _short(data: object) -> str:
    text = repr(data)
    return text if len(text) <= 80 else f"{text[:79]}…"
