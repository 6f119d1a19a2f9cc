"""Checkpoints in safetensors layout, written without torch: any element type, any header."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

_NAMES = {"float64": "F64", "float32": "F32", "float16": "F16", "uint16": "BF16", "int64": "I64"}

Tensors = Mapping[str, NDArray[np.generic]]


def to_bf16(values: NDArray[np.floating]) -> NDArray[np.uint16]:
    """bfloat16 words, rounded to nearest even by way of exact halves in float64."""
    bits = np.asarray(values, np.float32).view(np.uint32).astype(np.uint64)
    low, high = bits & 0xFFFF, bits >> 16
    up = (low > 0x8000) | ((low == 0x8000) & (high % 2 == 1))
    return (high + up).astype(np.uint16)


def from_bf16(words: NDArray[np.uint16]) -> NDArray[np.float64]:
    """The numbers that bfloat16 words stand for."""
    return (words.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def write(folder: Path, tensors: Tensors, name: str = "model.safetensors") -> Path:
    """One file; uint16 arrays are bfloat16 words."""
    folder.mkdir(parents=True, exist_ok=True)
    header, data, at = {}, b"", 0
    for key, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        entry = {"dtype": _NAMES[array.dtype.name], "shape": list(array.shape)}
        header[key] = entry | {"data_offsets": [at, at + len(raw)]}
        data, at = data + raw, at + len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / name).write_bytes(len(text).to_bytes(8, "little") + text + data)
    return folder


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """`save("base", {"w": words})` -> the folder."""

    def _save(folder: str, tensors: Tensors, name: str = "model.safetensors") -> Path:
        return write(tmp_path / folder, tensors, name)

    return _save


@pytest.fixture
def bf16() -> Callable[[NDArray[np.floating]], NDArray[np.uint16]]:
    return to_bf16


@pytest.fixture
def number() -> Callable[[NDArray[np.uint16]], NDArray[np.float64]]:
    return from_bf16
