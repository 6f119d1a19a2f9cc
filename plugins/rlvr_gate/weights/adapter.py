"""A LoRA adapter as the trained checkpoint: its update from its factors, never merged on disk.

The layout is that of PEFT: `adapter_config.json` beside `adapter_model.safetensors`, the factors
of a matrix W named `….lora_A.weight` (r × in) and `….lora_B.weight` (out × r). The update is
`(alpha / r) B A`, `(alpha / sqrt(r)) B A` with rsLoRA (arXiv:2312.03732). Sparsity is that of the
merged checkpoint: W + update, rounded to the element type of W.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlvr_gate.weights.layout import (
    ADAPTER_CONFIG,
    LayoutError,
    TensorSlot,
    adapter_files,
    is_count,
    read_header,
    read_json,
)
from rlvr_gate.weights.pairing import Pair, Pairing, same_bytes
from rlvr_gate.weights.sources import FLOATS, WeightsError, Words, matrix, to_words, values, words

_REFUSED = {
    "use_dora": "DoRA rescales whole columns",
    "fan_in_fan_out": "its matrices lie transposed",
    "lora_bias": "it trains biases beside the factors",
    "alora_invocation_tokens": "it acts on some tokens only",
    "megatron_config": "its matrices are split over devices",
    "layer_replication": "it repeats layers",
    "target_parameters": "it updates tensors inside modules, such as fused experts",
    **dict.fromkeys(
        ("use_qalora", "use_bdlora", "arrow_config", "kasa_config", "monteclora_config",
         "velora_config"),
        "its update is no plain product of two factors",
    ),
}  # fmt: skip
_MOVED_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Ways to start that change the base's weights, so that the factors belong to another base."""
_MERGE = "merge it into its base (merge_and_unload) and compare the merged checkpoint"
_FACTOR = re.compile(
    r"(?P<module>.+)\.(?P<kind>lora_embedding_|lora_)(?P<which>[AB])(\.default)?(\.weight)?"
)
_SAVED = re.compile(
    r"\.((modules_to_save|original_module)(\.default)?|base_layer|token_adapter)(?=\.)"
)
_TOKENS = ".trainable_tokens_delta"
_HEAD = "lm_head.weight"
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")


@dataclass(frozen=True, slots=True)
class Changed(ABC):
    """A base matrix that an adapter changes, computed as it is read."""

    slot: TensorSlot

    @property
    def name(self) -> str:
        return self.slot.name

    @property
    def dtype(self) -> str:
        return self.slot.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.slot.shape

    @property
    def path(self) -> Path:
        return self.slot.path

    @abstractmethod
    def exact(self, first: int, count: int) -> NDArray[np.float32]:
        """Elements before rounding."""

    def words(self, first: int, count: int) -> Words:
        """Elements as a merged checkpoint would hold them."""
        return to_words(self.exact(first, count), self.dtype)


@dataclass(frozen=True, slots=True)
class Merged(Changed):
    """A base matrix with `scale B A` added."""

    left: NDArray[np.float32]  # (rows, r)
    right: NDArray[np.float32]  # (r, columns)

    def exact(self, first: int, count: int) -> NDArray[np.float32]:
        """Elements before rounding; the product is taken for the rows they lie in."""
        columns = self.shape[-1]
        top, bottom = first // columns, -(-(first + count) // columns)
        update = (self.left[top:bottom] @ self.right).reshape(-1)
        skip = first - top * columns
        base = values(words(self.slot, first, count), self.dtype).astype(np.float32)
        return base + update[skip : skip + count]


@dataclass(frozen=True, slots=True)
class Retold(Changed):
    """A base matrix with some of its rows given anew: tokens that were trained alone."""

    rows: Mapping[int, NDArray[np.float32]]
    """Row -> its numbers, shape (columns,)."""

    def exact(self, first: int, count: int) -> NDArray[np.float32]:
        """Elements before rounding."""
        found = values(words(self.slot, first, count), self.dtype).astype(np.float32)
        columns = self.shape[-1]
        for row, numbers in self.rows.items():
            start, stop = row * columns - first, (row + 1) * columns - first
            low, high = max(start, 0), min(stop, count)
            if low < high:
                found[low:high] = numbers[low - start : high - start]
        return found


def adapted(
    base: Mapping[str, TensorSlot], folder: Path, *, against: str = "base", role: str = "rlvr"
) -> Pairing:
    """Pair every tensor of the base with what the adapter makes of it.

    Raises:
        LayoutError: the adapter's files are missing or malformed.
        WeightsError: it is no LoRA, uses a variant that is not a sum of factors, or was trained
            on another base.
    """
    weights, config = adapter_files(folder)
    settings = read_json(config)
    _check_kind(settings, role)
    factors, whole = _sorted(read_header(weights), role)
    slots = {slot.name: slot for slot in base.values() if slot.dtype in FLOATS}
    _free_head(slots, settings)
    merged: dict[str, Changed | TensorSlot] = {}
    trained = str(settings.get("base_model_name_or_path") or "a base it does not name")
    for name, saved in whole.items():
        target = _target(slots, name.replace(_TOKENS, ".weight"), trained, against, role)
        before = merged.get(target.name)
        if isinstance(before, TensorSlot) and same_bytes(before, saved):
            continue  # embedding and head that stayed tied, saved under both names
        if before is not None:
            raise _twice(target, role)
        if name.endswith(_TOKENS):
            module = name.removesuffix(_TOKENS)
            merged[target.name] = _retold(target, saved, module, settings, role)
            continue
        _check_shape(name, saved, target, trained, role)
        merged[target.name] = saved
    for module, parts in factors.items():
        target = _target(slots, f"{module}.weight", trained, against, role)
        start = merged.get(target.name, target)
        if not isinstance(start, TensorSlot):
            raise _twice(target, role)
        merged[target.name] = _merged(start, module, parts, settings, trained, role)
    notes = [
        f"{role} is a LoRA adapter (trained on {trained}): {len(factors)} matrices get the "
        f"product of their factors, {len(whole)} tensors are replaced, merged in float32"
    ]
    pairs = [Pair(name, slot, merged.get(name, slot)) for name, slot in sorted(slots.items())]
    skipped = sorted(f"{s.name} ({s.dtype})" for s in base.values() if s.name not in slots)
    ranks = [each.left.shape[1] for each in merged.values() if isinstance(each, Merged)]
    return Pairing(
        tuple(pairs),
        notes=tuple(notes),
        skipped=tuple(skipped),
        adapter_rank=max(ranks, default=0),
    )


def _twice(target: TensorSlot, role: str) -> WeightsError:
    return WeightsError(f"{role} is a LoRA adapter that updates {target.name} twice: {_MERGE}")


def _free_head(slots: dict[str, TensorSlot], settings: Mapping[str, Any]) -> None:
    """Untie the head where it or the embedding is trained whole, as PEFT does if not told else."""
    if settings.get("ensure_weight_tying"):
        return
    embedding = _embedding(slots)
    saved = settings.get("modules_to_save")
    names = {str(n).rpartition(".")[2] for n in saved} if isinstance(saved, list) else set()
    tied = embedding and not any(name.endswith(_HEAD) for name in slots)
    if tied and names & {"lm_head", embedding.split(".")[-2]}:
        slots[_HEAD] = replace(slots[embedding], name=_HEAD)


def _embedding(slots: Mapping[str, TensorSlot]) -> str:
    return next((name for name in slots if name.endswith(_EMBEDDINGS)), "")


def _check_shape(name: str, saved: TensorSlot, slot: TensorSlot, trained: str, role: str) -> None:
    if saved.shape == slot.shape:
        return
    if saved.shape[1:] == slot.shape[1:] and name.endswith((*_EMBEDDINGS, _HEAD)):
        raise WeightsError(
            f"{role} is a LoRA adapter that resized the vocabulary ({name} has {saved.shape[0]} "
            f"rows, the base {slot.shape[0]}): {_MERGE}"
        )
    raise _of_another_base(f"{name} has shape {saved.shape}", slot, trained, role)


def _retold(
    slot: TensorSlot, saved: TensorSlot, module: str, settings: Mapping[str, Any], role: str
) -> Retold:
    """The rows that `trainable_token_indices` names for a module, as they were trained."""
    asked = settings.get("trainable_token_indices")
    if isinstance(asked, dict):
        ours = [v for k, v in asked.items() if module == k or module.endswith(f".{k}")]
        asked = ours[0] if len(ours) == 1 else None
    rows = asked if isinstance(asked, list) else []
    sound = all(is_count(row) and row < slot.shape[0] for row in rows)
    if not sound or saved.shape != (len(rows), *slot.shape[1:]):
        raise LayoutError(
            f"{ADAPTER_CONFIG} of {role} needs trainable_token_indices for the {saved.shape[0]} "
            f"rows of {saved.name}, each below {slot.shape[0]}, got {asked!r:.80}"
        )
    return Retold(slot, dict(zip(rows, matrix(saved), strict=True)))


def _check_kind(settings: Mapping[str, Any], role: str) -> None:
    kind = settings.get("peft_type")
    if kind != "LORA":
        raise WeightsError(f"{role} is an adapter of kind {kind!r}, expected 'LORA': {_MERGE}")
    start = str(settings.get("init_lora_weights")).lower()
    if start.startswith(_MOVED_BASE):
        raise WeightsError(
            f"{role} is a LoRA adapter that started from {start}, which changes the base's "
            f"weights first: {_MERGE}"
        )
    for key, why in _REFUSED.items():
        if settings.get(key):
            raise WeightsError(f"{role} is a LoRA adapter with {key}, and {why}: {_MERGE}")


def _sorted(
    slots: tuple[TensorSlot, ...], role: str
) -> tuple[dict[str, dict[str, TensorSlot]], dict[str, TensorSlot]]:
    """Factors by module, and tensors that replace those of the base."""
    factors: dict[str, dict[str, TensorSlot]] = {}
    whole: dict[str, TensorSlot] = {}
    for slot in slots:
        if slot.dtype not in FLOATS:
            raise WeightsError(f"adapter tensor {slot.name} of {role} has dtype {slot.dtype}")
        name = slot.name.removeprefix("base_model.model.")
        if match := _FACTOR.fullmatch(name):
            kind = "embedding" if match["kind"] == "lora_embedding_" else "linear"
            factors.setdefault(match["module"], {})[f"{kind} {match['which']}"] = slot
        elif "lora_" in name:
            raise WeightsError(f"{role} holds {slot.name}, which is no factor of a LoRA: {_MERGE}")
        else:
            whole[_SAVED.sub("", name)] = slot
    return factors, whole


def _target(
    slots: Mapping[str, TensorSlot], name: str, trained: str, against: str, role: str
) -> TensorSlot:
    """The base's tensor of this name, with or without a wrapper in front."""
    short = name.removeprefix("model.")
    for candidate in (name, short, f"model.{name}"):
        if candidate in slots:
            return slots[candidate]
    if name.endswith(_HEAD) and (tied := _embedding(slots)):
        return slots[tied]
    raise WeightsError(
        f"{role} is an adapter for another base: it updates {name}, which {against} lacks; "
        f"adapter_config.json says it was trained on {trained}: give that as {against}"
    )


def _of_another_base(what: str, slot: TensorSlot, trained: str, role: str) -> WeightsError:
    return WeightsError(
        f"{role} is an adapter for another base: {what}, and {slot.name} has shape {slot.shape}; "
        f"adapter_config.json says it was trained on {trained}"
    )


def _merged(
    slot: TensorSlot,
    module: str,
    parts: Mapping[str, TensorSlot],
    settings: Mapping[str, Any],
    trained: str,
    role: str,
) -> Merged:
    kinds = {key.split()[0] for key in parts}
    if len(parts) != 2 or len(kinds) != 1:
        raise WeightsError(f"{role}: module {module} needs a factor A and a factor B")
    kind = kinds.pop()
    a, b = (matrix(parts[f"{kind} {which}"]) for which in "AB")
    if len(slot.shape) != 2 or a.shape[0] != b.shape[1]:
        raise _of_another_base(
            f"{module} has factors {b.shape} and {a.shape}", slot, trained, role
        )
    scale = np.float32(_scale(settings, module, a.shape[0]))
    left, right = (b * scale, a) if kind == "linear" else (a.T * scale, b.T)
    if (left.shape[0], right.shape[1]) != slot.shape:
        shape = left.shape[0], right.shape[1]
        raise _of_another_base(f"{module} updates a matrix of {shape}", slot, trained, role)
    return Merged(slot, np.ascontiguousarray(left), np.ascontiguousarray(right))


def _scale(settings: Mapping[str, Any], module: str, rank: int) -> float:
    """alpha / r, or alpha / sqrt(r) with rsLoRA; r is that of the factors."""
    alpha = _patterned(settings.get("alpha_pattern"), module, settings.get("lora_alpha"))
    if isinstance(alpha, bool) or not isinstance(alpha, int | float):
        raise LayoutError(f"{ADAPTER_CONFIG} needs a number as lora_alpha, got {alpha!r}")
    return alpha / (math.sqrt(rank) if settings.get("use_rslora") else rank)


def _patterned(patterns: object, module: str, default: object) -> object:
    """The value of the first pattern that the end of the module's name matches, as PEFT does."""
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        if re.fullmatch(rf"(.*\.)?({pattern})", module):
            return value
    return default
