"""The weight update of a checkpoint as data for the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate_reports import svg, words

_TYPES = (
    "embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    "input_layernorm", "post_attention_layernorm", "norm", "lm_head",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a group of tensors and the share of its weights that is unchanged."""

    label: str
    parameters: int
    share: str
    picture: svg.Svg


@dataclass(frozen=True, slots=True)
class TensorRow:
    """One tensor of the update, worded."""

    name: str
    dtype: str
    shape: str
    parameters: int
    share: str
    max_abs: str
    relative_l2: str


@dataclass(frozen=True, slots=True)
class UpdatePanel:
    """How far a checkpoint's weights moved."""

    role: str
    against: str
    total: Bar
    facts: tuple[tuple[str, str], ...]
    by_type: tuple[Bar, ...]
    by_layer: tuple[Bar, ...]
    tensors: tuple[TensorRow, ...]


def update_panel(role: str, update: object) -> UpdatePanel | None:
    """Read one role's entry of `RunRecord.weights`; None where nothing was measured."""
    if not isinstance(update, Mapping) or not isinstance(update.get("total"), Mapping):
        return None
    total = update["total"]
    tensors = [t for t in update.get("tensors", ()) if isinstance(t, Mapping)]
    facts = tuple(
        (_spaced(str(key)), words.number(value))
        for key, value in total.items()
        if isinstance(value, float) and key != "unchanged_fraction"
    )
    return UpdatePanel(
        role=role,
        against=str(update.get("against", "base")),
        total=_bar("all weights", [total], role),
        facts=facts,
        by_type=_grouped(tensors, _type, role),
        by_layer=_grouped(tensors, _layer, role),
        tensors=tuple(_row(tensor) for tensor in tensors),
    )


def _grouped(
    tensors: Sequence[Mapping[str, object]],
    group: Callable[[str], tuple[int, str] | None],
    role: str,
) -> tuple[Bar, ...]:
    groups: dict[tuple[int, str], list[Mapping[str, object]]] = {}
    for tensor in tensors:
        key = group(str(tensor["name"]))
        if key is not None:
            groups.setdefault(key, []).append(tensor)
    return tuple(_bar(key[1], groups[key], role) for key in sorted(groups))


def _bar(label: str, tensors: Sequence[Mapping[str, object]], role: str) -> Bar:
    parameters = sum(_int(t["parameters"]) for t in tensors)
    unchanged = sum(_int(t["unchanged"]) for t in tensors)
    share = unchanged / parameters if parameters else 0.0
    return Bar(label, parameters, words.number(share), svg.bar(share, role))


def _type(name: str) -> tuple[int, str] | None:
    parts = name.removesuffix(".weight").split(".")
    bias = parts[-1] == "bias"
    kind = parts[-2] if bias and len(parts) > 1 else parts[-1]
    rank = _TYPES.index(kind) if kind in _TYPES else len(_TYPES)
    return rank, f"{kind} bias" if bias else kind


def _layer(name: str) -> tuple[int, str] | None:
    found = re.search(r"\.(\d+)\.", name)
    return (int(found[1]), f"layer {int(found[1])}") if found else None


def _row(tensor: Mapping[str, object]) -> TensorRow:
    parameters, unchanged = _int(tensor["parameters"]), _int(tensor["unchanged"])
    shape = tensor.get("shape", ())
    return TensorRow(
        name=str(tensor["name"]),
        dtype=str(tensor.get("dtype", "–")),
        shape=" × ".join(str(n) for n in shape) if isinstance(shape, Sequence) else "–",
        parameters=parameters,
        share=words.number(unchanged / parameters if parameters else None),
        max_abs=_scientific(tensor.get("max_abs")),
        relative_l2=_scientific(tensor.get("relative_l2")),
    )


def _scientific(value: object) -> str:
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.1e}".replace("-", "−") if value else "0"


def _int(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _spaced(key: str) -> str:
    return key.replace("_", " ")
