"""Which tensor of one checkpoint is which of the other: matched or reported, never dropped.

Names are matched exactly first, then without the wrappers that frameworks put around a model
(`module.`, `_orig_mod.`, `language_model.` …), then across fusing (q, k, v in one `qkv_proj`; gate
and up in one `gate_up_proj`; all experts of a layer in one tensor), and a tied output head counts
once. What is left over is listed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from rlvr_gate.weights.layout import TensorSlot
from rlvr_gate.weights.sources import FLOATS, Source, WeightsError, elements

_WRAPPERS = frozenset(
    ("module", "_orig_mod", "_fsdp_wrapped_module", "base_model", "model", "language_model",
     "transformer", "policy", "actor", "actor_module", "pretrained_model")
)  # fmt: skip
_ALIASES = {"block_sparse_moe": "mlp", "w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}
"""Mixtral's words for what others call otherwise."""
_EXPERTS = re.compile(r"(?P<at>.+\.experts)\.(?P<what>\w+_proj)(\.weight)?")
_COMPUTED = "rotary_emb.inv_freq"  # some save it, every engine computes it
_FUSED = {
    "qkv_proj": ("q_proj", "k_proj", "v_proj"),
    "gate_up_proj": ("gate_proj", "up_proj"),
}
_HEADS = ("lm_head.weight", "embed_out.weight")
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
_VOCABULARY = (*_EMBEDDINGS, *_HEADS)
_CHUNK = 1 << 22  # bytes read at a time where only equality is asked


@dataclass(frozen=True, slots=True)
class Pair:
    """One tensor in both checkpoints: the same shape, perhaps different element types."""

    name: str
    """As base calls it."""
    base: TensorSlot
    other: Source


@dataclass(frozen=True, slots=True)
class Pairing:
    """How the tensors of two checkpoints belong together."""

    pairs: tuple[Pair, ...]
    """In the order of base's names."""
    missing: tuple[str, ...] = ()
    """Tensors of base that the other lacks."""
    extra: tuple[str, ...] = ()
    """Tensors of the other that base lacks."""
    notes: tuple[str, ...] = ()
    """What was matched in a way one should know of: renamed, fused, tied, resized."""
    skipped: tuple[str, ...] = ()
    """Tensors equal in both that are no floating-point weights, e.g. position ids."""
    unmatched_parameters: int = 0
    """Elements in `missing` and in rows only base has."""
    adapter_rank: int | None = None
    """The largest rank of an adapter's factors; None where the other is whole weights."""


@dataclass(frozen=True, slots=True)
class _Match:
    name: str
    base: TensorSlot
    other: TensorSlot


@dataclass(slots=True)
class _Draft:
    base: dict[str, TensorSlot]
    other: dict[str, TensorSlot]
    pairs: list[_Match] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    lost: int = 0


def pair_tensors(
    base: Mapping[str, TensorSlot],
    other: Mapping[str, TensorSlot],
    *,
    against: str = "base",
    role: str = "rlvr",
) -> Pairing:
    """Match the tensors of two checkpoints by name.

    Args:
        base, other: tensors by name, as `layout.tensor_slots` returns them.
        against, role: what to call the two in notes and messages.

    Raises:
        WeightsError: no tensor has a partner, one has another shape, or holds elements whose
            values cannot be compared (quantized weights).
    """
    draft = _Draft(dict(base), dict(other))
    _count_heads_once(draft, against, role)
    _match(draft, {name: name for name in draft.other}, "")
    _match(draft, _bare_names(draft), f"{role} calls {{count}} tensors otherwise, e.g. {{name}}")
    _match_fused(draft, against, role)
    _drop_computed(draft)
    missing, extra = sorted(draft.base), sorted(draft.other)
    if not draft.pairs:
        only = sorted({*base} ^ {*other})
        raise WeightsError(
            f"{against} and {role} hold different tensors, e.g. {', '.join(only[:3])} "
            f"({len(only)} in one only): compare checkpoints of one architecture"
        )
    draft.lost += sum(elements(slot) for slot in draft.base.values())
    resized = [_fitted(draft, pair, against, role) for pair in draft.pairs]
    weights = tuple(p for p in resized if _holds_weights(draft, p, against, role))
    if not weights:
        raise WeightsError(f"{against} and {role} share no floating-point tensor to compare")
    return Pairing(
        tuple(Pair(p.name, p.base, p.other) for p in sorted(weights, key=lambda p: p.name)),
        tuple(missing), tuple(extra),
        tuple(draft.notes), tuple(draft.skipped), draft.lost,
    )  # fmt: skip


def same_bytes(one: TensorSlot, other: TensorSlot) -> bool:
    """Whether two tensors are byte for byte the same; stops at the first difference."""
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    return all(a == b for a, b in zip(_bytes(one), _bytes(other), strict=True))


def _bytes(slot: TensorSlot) -> Iterator[bytes]:
    with slot.path.open("rb") as file:
        file.seek(slot.start)
        for first in range(slot.start, slot.stop, _CHUNK):
            yield file.read(min(_CHUNK, slot.stop - first))


# Tied output heads


def _count_heads_once(draft: _Draft, against: str, role: str) -> None:
    """Drop a head that is a copy of its embedding; pair an untied one with the tied weights."""
    ours, theirs = tie(draft.base), tie(draft.other)
    if ours.head and theirs.head:
        if ours.copy and theirs.copy:
            del draft.base[ours.head], draft.other[theirs.head]
            draft.notes.append(f"{ours.head} is the embedding in both: counted once")
    elif theirs.head:
        _lone_head(draft, draft.other, theirs, draft.base, ours, (role, against))
    elif ours.head:
        _lone_head(draft, draft.base, ours, draft.other, theirs, (against, role))


def _lone_head(
    draft: _Draft,
    holder: dict[str, TensorSlot],
    held: Tie,
    tied: dict[str, TensorSlot],
    ties: Tie,
    names: tuple[str, str],
) -> None:
    """Only `holder` has a head: a copy says nothing new, another one meets the tied weights."""
    who, whom = names
    if held.copy:
        del holder[held.head]
        draft.notes.append(f"{held.head} of {who} is its embedding: counted once")
    elif ties.embedding:
        tied[held.head] = replace(tied[ties.embedding], name=held.head)
        draft.notes.append(
            f"{held.head} is in {who} only: compared with the embedding that is {whom}'s head"
        )


@dataclass(frozen=True, slots=True)
class Tie:
    """A checkpoint's output head and its embedding, as its files hold them."""

    head: str
    """Name of the head's tensor; empty where there is none."""
    embedding: str
    copy: bool
    """Whether the head repeats the embedding byte for byte."""


def tie(tensors: Mapping[str, TensorSlot]) -> Tie:
    """The two tensors, by whatever name, and whether one repeats the other."""
    head = next((n for n in tensors if _bare(n) in _HEADS), "")
    embedding = next((n for n in tensors if _bare(n).endswith(_EMBEDDINGS)), "")
    copy = bool(head and embedding) and same_bytes(tensors[head], tensors[embedding])
    return Tie(head, embedding, copy)


# Names


def _bare(name: str) -> str:
    """A name without the wrappers in front: `module.model.layers.0.…` is `layers.0.…`."""
    parts = name.split(".")
    while len(parts) > 1 and parts[0] in _WRAPPERS:
        parts = parts[1:]
    inner = [part for part in parts if part not in ("_orig_mod", "_fsdp_wrapped_module")]
    return ".".join(_ALIASES.get(part, part) for part in inner)


def _bare_names(draft: _Draft) -> dict[str, str]:
    """other's name -> base's, for names that differ in wrappers only, where that is unique."""
    bare, theirs = (Counter(map(_bare, names)) for names in (draft.base, draft.other))
    ours = {_bare(name): name for name in draft.base if bare[_bare(name)] == 1}
    return {
        name: ours[_bare(name)]
        for name in draft.other
        if _bare(name) in ours and theirs[_bare(name)] == 1
    }


def _match(draft: _Draft, names: Mapping[str, str], note: str) -> None:
    """Pair what `names` (other's name -> base's) says belongs together."""
    found = [(theirs, ours) for theirs, ours in names.items() if ours in draft.base]
    for theirs, ours in found:
        draft.pairs.append(_Match(ours, draft.base.pop(ours), draft.other.pop(theirs)))
    if found and note:
        theirs, ours = found[0]
        draft.notes.append(note.format(count=len(found), name=f"{theirs} for {ours}"))


# Fused tensors


def _match_fused(draft: _Draft, against: str, role: str) -> None:
    for whole, split, who in (
        (draft.other, draft.base, role), (draft.base, draft.other, against),
    ):  # fmt: skip
        fused, by_bare = 0, {_bare(n): n for n in split}
        for name in list(whole):
            wanted = _parts(name) or _experts(name, whole[name].shape)
            parts = [by_bare[w] for w in wanted if w in by_bare]
            if len(parts) < len(wanted):
                continue
            if not parts or not _fits(whole[name], [split[p] for p in parts]):
                continue
            rows = _rows(_flat(whole.pop(name)), [split[p].shape[0] for p in parts])
            for part, slot in zip(parts, rows, strict=True):
                one = split.pop(part)
                ours, theirs = (one, slot) if whole is draft.other else (slot, one)
                draft.pairs.append(_Match(part, ours, theirs))
            fused += 1
        if fused:
            draft.notes.append(f"{who} holds {fused} fused tensors, compared part by part")


def _parts(name: str) -> list[str]:
    """Bare names of the tensors that a fused one joins by rows; none where it joins nothing."""
    for fused, parts in _FUSED.items():
        if f".{fused}." in name:
            return [_bare(name.replace(f".{fused}.", f".{part}.")) for part in parts]
    return []


def _experts(name: str, shape: tuple[int, ...]) -> list[str]:
    """Likewise of a tensor that joins those of all experts: (experts, rows, columns)."""
    found = _EXPERTS.fullmatch(_bare(name))
    if not found or len(shape) != 3:
        return []
    kinds = _FUSED.get(found["what"], (found["what"],))
    return [f"{found['at']}.{e}.{kind}.weight" for e in range(shape[0]) for kind in kinds]


def _fits(whole: TensorSlot, parts: list[TensorSlot]) -> bool:
    """Whether the parts, one below the other, are as large as the whole."""
    flat = _flat(whole).shape
    same = all(part.shape[1:] == flat[1:] for part in parts)
    return same and sum(part.shape[0] for part in parts) == flat[0]


def _flat(slot: TensorSlot) -> TensorSlot:
    """A stack of matrices as one matrix of all their rows."""
    if len(slot.shape) != 3:
        return slot
    return replace(slot, shape=(slot.shape[0] * slot.shape[1], slot.shape[2]))


def _drop_computed(draft: _Draft) -> None:
    for tensors in (draft.base, draft.other):
        for name in [name for name in tensors if name.endswith(_COMPUTED)]:
            draft.skipped.append(f"{name} ({tensors.pop(name).dtype}, computed)")


def _rows(slot: TensorSlot, counts: list[int]) -> list[TensorSlot]:
    """Consecutive blocks of rows of a tensor, each as a tensor of its own."""
    row = (slot.stop - slot.start) // slot.shape[0]
    found, start = [], slot.start
    for count in counts:
        stop = start + count * row
        found.append(replace(slot, shape=(count, *slot.shape[1:]), start=start, stop=stop))
        start = stop
    return found


# Shapes and element types


def _fitted(draft: _Draft, pair: _Match, against: str, role: str) -> _Match:
    """The same pair, of a resized vocabulary only the rows both have."""
    ours, theirs = pair.base.shape, pair.other.shape
    if ours == theirs:
        return pair
    vocabulary = len(ours) == 2 and _bare(pair.name).endswith(_VOCABULARY)
    if not vocabulary or len(theirs) != 2 or ours[1] != theirs[1]:
        raise WeightsError(
            f"tensor {pair.name} has shape {ours} in {against} and {theirs} in {role}: "
            "compare a checkpoint with the one it was trained from"
        )
    rows = min(ours[0], theirs[0])
    draft.notes.append(
        f"{pair.name} has {ours[0]} rows in {against} and {theirs[0]} in {role}: "
        f"the first {rows} are compared"
    )
    draft.lost += (ours[0] - rows) * ours[1]
    return _Match(pair.name, _rows(pair.base, [rows])[0], _rows(pair.other, [rows])[0])


def _holds_weights(draft: _Draft, pair: _Match, against: str, role: str) -> bool:
    odd = [slot for slot in (pair.base, pair.other) if slot.dtype not in FLOATS]
    if not odd:
        return elements(pair.base) > 0
    if same_bytes(pair.base, pair.other):
        draft.skipped.append(f"{pair.name} ({pair.base.dtype})")
        return False
    raise WeightsError(
        f"{odd[0].path}: tensor {odd[0].name} has dtype {odd[0].dtype}, expected one of "
        f"{', '.join(FLOATS)}: quantized weights cannot be compared value by value; give "
        f"{against} and {role} as they were before quantization"
    )
