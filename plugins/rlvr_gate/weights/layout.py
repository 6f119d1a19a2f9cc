"""Where a checkpoint's tensors lie on disk: safetensors files, shards and headers.

Files are never trusted: a header's length, its JSON and every offset are bounded by the size on
disk before anything is read by them, and pickles are not read at all.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

_PICKLES = ("*.bin", "*.pt", "*.pth")
_NO_WEIGHTS = ("training_args.bin", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth")
_FOREIGN = {
    "model_world_size_*_rank_*.pt": "a shard as verl leaves them: merge them first (python -m "
    "verl.model_merger merge --backend fsdp --local_dir FOLDER --target_dir NEW)",
    "*.distcp": "a shard of torch.distributed.checkpoint: merge them with the trainer's own tool "
    "and save_pretrained(NEW, safe_serialization=True)",
    "*.gguf": "quantized or not: give the checkpoint that it was converted from",
}
_HEAD = "lm_head.weight"
_HEADER_LIMIT = 100_000_000  # bytes; the format's own bound
_JSON_LIMIT = 256 * 2**20  # bytes; larger tokenizers do not exist yet
_MOST_VALUES = 5_000_000  # in one JSON file: in memory a value takes up to thirty times its bytes
_STARTS = (b",", b"[", b"{")  # before each value but the first, at the least
_ITEM_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}


class LayoutError(ValueError):
    """A checkpoint's files are missing, truncated or malformed; the message says which."""


@dataclass(frozen=True, slots=True)
class TensorSlot:
    """Where one tensor lies."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: Path
    start: int
    """Byte offset in the file."""
    stop: int


def tensor_slots(folder: Path) -> dict[str, TensorSlot]:
    """Every tensor of a checkpoint in Hugging Face layout, by name."""
    return {slot.name: slot for path in weight_files(folder) for slot in read_header(path)}


def weight_files(folder: Path) -> list[Path]:
    """Weight files that every engine would take, each with a sound header.

    Raises:
        LayoutError: there are none, a shard is missing, a file is not what it claims, or lies
            beside others that some engines would read in its place.
    """
    names = _listed(folder)
    _check_unambiguous(folder, names)
    held: dict[str, str] = {}
    for name in names:
        if not (folder / name).is_file():
            raise LayoutError(f"shard {name} of {INDEX} is missing; fetch it again")
        for slot in read_header(folder / name):
            if slot.name in held:
                raise LayoutError(
                    f"{held[slot.name]} and {name} both hold {slot.name}: nobody can say "
                    "which one counts; save the checkpoint again"
                )
            held[slot.name] = name
    if (folder / INDEX).is_file():
        _check_index(read_json(folder / INDEX)["weight_map"], held)
    return [folder / name for name in names]


def unread_files(folder: Path) -> tuple[str, ...]:
    """Weights in `folder` that lie beside those of `weight_files`, and that nobody reads."""
    names = _listed(folder)
    others = {p.name for kind in (*_PICKLES, "*.safetensors") for p in folder.glob(kind)}
    return tuple(sorted(others - {*names, *_NO_WEIGHTS}))


def _listed(folder: Path) -> tuple[str, ...]:
    """The files that hold the weights: those of the index, or the only one."""
    if (folder / INDEX).is_file():
        return shard_names(folder)
    if (folder / WEIGHTS).is_file():
        return (WEIGHTS,)
    raise LayoutError(f"no weights in {folder}: expected {WEIGHTS} or {INDEX}, {_instead(folder)}")


def _check_unambiguous(folder: Path, names: tuple[str, ...]) -> None:
    """Engines differ in which files of a folder they read: an index, a single file, or all."""
    others = sorted(p.name for p in folder.glob("*.safetensors") if p.name not in names)
    if is_adapter(folder) or ADAPTER_WEIGHTS in others:
        raise LayoutError(
            f"{folder} holds whole weights ({names[0]}) and an adapter: some engines add it, some "
            f"do not; delete {ADAPTER_CONFIG} and {ADAPTER_WEIGHTS}, or the whole weights"
        )
    indexed = (folder / INDEX).is_file()
    rivals = [name for name in others if not indexed or name.startswith("model")]
    if rivals:
        listed = f"the shards of {INDEX} ({names[0]} …)" if indexed else names[0]
        raise LayoutError(
            f"{folder} holds two sets of weights, {listed} and {', '.join(rivals[:3])}: engines "
            f"differ in which they read; delete the older of the two (were it the former, with "
            f"{INDEX if indexed else 'it alone'})"
        )


def _check_index(listed: dict[str, str], held: dict[str, str]) -> None:
    """The index says of every tensor where it lies; a tied head may be listed and lie nowhere."""
    for tensor, name in listed.items():
        if held.get(tensor) != name and (tensor in held or not tensor.endswith(_HEAD)):
            raise LayoutError(f"{INDEX} says {name} holds {tensor}, but it does not")
    for tensor, name in held.items():
        if tensor not in listed:
            raise LayoutError(
                f"{name} holds {tensor}, which {INDEX} does not list: it is of another save; "
                "save or fetch the checkpoint again"
            )


def _instead(folder: Path) -> str:
    """What lies there in place of safetensors, and what to do about it."""
    pickles = sorted(p.name for kind in _PICKLES for p in folder.glob(kind))
    if shards := sorted(p.name for p in folder.glob("*.safetensors")):
        return (
            f"found {shards[0]} without an index, and engines differ in whether they read it; "
            f"fetch {INDEX} too, or save the checkpoint again with save_pretrained"
        )
    if is_adapter(folder):
        return "found an adapter; merge it into its base first (merge_and_unload)"
    for kind, what in _FOREIGN.items():
        if found := sorted(p.name for p in folder.glob(kind)):
            return f"found {found[0]}, {what}"
    if not pickles:
        return "found neither; save with safe_serialization=True"
    return (
        f"found only {pickles[0]}, and pickles run code, so they are not read; convert it where "
        "you trust it: AutoModelForCausalLM.from_pretrained(OLD).save_pretrained(NEW, "
        "safe_serialization=True)"
    )


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter instead of whole weights."""
    return (folder / ADAPTER_CONFIG).is_file()


def adapter_files(folder: Path) -> list[Path]:
    """The files that determine an adapter's update.

    Raises:
        LayoutError: the factors are missing, truncated or pickled.
    """
    if not (folder / ADAPTER_WEIGHTS).is_file():
        pickles = sorted(p.name for p in folder.glob("*.bin"))
        found = f"found only {pickles[0]}, a pickle" if pickles else "found none"
        raise LayoutError(
            f"no adapter weights in {folder}: expected {ADAPTER_WEIGHTS}, {found}; save it with "
            "save_pretrained(…, safe_serialization=True)"
        )
    read_header(folder / ADAPTER_WEIGHTS)
    return [folder / ADAPTER_WEIGHTS, folder / ADAPTER_CONFIG]


def shard_names(folder: Path) -> tuple[str, ...]:
    """File names of the shards that the index of `folder` lists."""
    mapping = read_json(folder / INDEX, unique=True).get("weight_map")
    if not isinstance(mapping, dict) or not mapping:
        what = "an empty one" if mapping == {} else type(mapping).__name__
        raise LayoutError(f"{INDEX} needs a `weight_map`, got {what}")
    for name in mapping.values():
        if not isinstance(name, str) or Path(name).name != name or name.startswith("."):
            raise LayoutError(f"{INDEX} names a shard outside its folder: {name!r}")
        if not name.endswith(".safetensors"):
            raise LayoutError(f"{INDEX} names {name!r}; only safetensors are read")
    return tuple(sorted(set(mapping.values())))


def read_header(path: Path) -> tuple[TensorSlot, ...]:
    """The tensors of a safetensors file, after checking that it is whole."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little") if len(start) == 8 else None
        if length is None or length > size - 8:
            raise LayoutError(f"{path.name} {_no_weights(start, size)}")
        if length > _HEADER_LIMIT:
            raise LayoutError(f"{path.name}: header of {length} bytes, at most 100 MB allowed")
        header = _object(file.read(length), path.name, unique=True)
    header.pop("__metadata__", None)
    if not header:
        raise LayoutError(f"{path.name} holds no tensors")
    slots = tuple(_slot(path, 8 + length, name, entry) for name, entry in header.items())
    expected = max(slot.stop for slot in slots)
    if expected != size:
        state = "is truncated" if expected > size else "has bytes after its last tensor"
        raise LayoutError(
            f"{path.name} {state}: its header promises {expected} bytes, the file has {size}; "
            "copy or download it again"
        )
    _check_disjoint(sorted(slots, key=lambda slot: slot.start), path, 8 + length)
    return slots


def _no_weights(start: bytes, size: int) -> str:
    """What a file is that begins otherwise, of what downloads often leave instead."""
    if start.startswith(b"version "):
        return "is a pointer of Git LFS, not the weights it stands for: run `git lfs pull`"
    if start.lstrip().lower().startswith((b"<!docty", b"<html", b"<?xml")):
        return "holds a web page: a download went wrong, fetch it again"
    return f"is truncated: {size} bytes, no whole header"


def _check_disjoint(slots: list[TensorSlot], path: Path, data: int) -> None:
    """Tensors must fill the file one after the other, as the format asks: no overlap, no hole."""
    before, end = "the header", data
    for slot in slots:
        if slot.start != end:
            what = "overlaps" if slot.start < end else "leaves a hole after"
            raise LayoutError(
                f"{path.name}: tensor {slot.name[:80]!r} {what} {before}: it starts at byte "
                f"{slot.start}, expected {end}; save the file again"
            )
        before, end = f"tensor {slot.name[:80]!r}", slot.stop


def read_json(path: Path, *, unique: bool = False) -> dict[str, Any]:
    """A JSON object of bounded size, in UTF-8 as every engine reads it.

    Args:
        unique: refuse a key that comes twice, of which engines may take either.
    """
    if path.stat().st_size > _JSON_LIMIT:
        raise LayoutError(f"{path.name} is larger than {_JSON_LIMIT} bytes")
    return _object(path.read_bytes(), path.name, unique=unique)


def is_count(value: object) -> bool:
    """Whether a JSON value is a whole number that can count something."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _slot(path: Path, data: int, tensor: str, entry: object) -> TensorSlot:
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]  # type: ignore[index]  # checked by the except
        sound = isinstance(dtype, str) and all(is_count(n) for n in (*shape, begin, end))
    except (TypeError, KeyError, ValueError):
        sound = False
    if not sound or begin > end:
        raise LayoutError(f"{path.name}: malformed header entry for tensor {tensor[:80]!r}")
    items = math.prod(shape)
    if dtype in _ITEM_BYTES and items * _ITEM_BYTES[dtype] != end - begin:
        raise LayoutError(f"{path.name}: tensor {tensor[:80]!r} does not fit its offsets")
    if not items:
        raise LayoutError(
            f"{path.name}: tensor {tensor[:80]!r} has shape {list(shape)} and holds nothing: "
            "DeepSpeed ZeRO-3 leaves that where parameters are not gathered before saving; set "
            "stage3_gather_16bit_weights_on_model_save, or convert with zero_to_fp32.py"
        )
    return TensorSlot(tensor, dtype, tuple(shape), path, data + begin, data + end)


def _object(data: bytes, name: str, *, unique: bool = False) -> dict[str, Any]:
    if sum(map(data.count, _STARTS)) > _MOST_VALUES:
        raise LayoutError(f"{name} holds more than {_MOST_VALUES:,} values, far more than needed")
    try:
        value = json.loads(data.decode(), object_pairs_hook=_once if unique else None)
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise LayoutError(f"{name} is not JSON: {type(error).__name__}: {reason}") from error
    if not isinstance(value, dict):
        raise LayoutError(f"{name} must hold a JSON object, got {type(value).__name__}")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a key comes twice: then nobody knows which tensor was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found
