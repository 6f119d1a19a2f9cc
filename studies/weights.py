"""Streaming a pair of checkpoints: speed against reading the same bytes, and peak memory.

Rates are of the bytes of both files, warm in the page cache, best of several runs in one process;
peak memory is that of a process of its own. Compared with: merely reading (every 64-bit word of
both mapped files added up), a chunked numpy comparison, and loading both with torch and calling
isclose, as published scripts do.

    python studies/weights.py --gigabytes 1 --large 5
"""

from __future__ import annotations

import argparse
import hashlib
import json
import mmap
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from rlvr_gate.weights import scan
from rlvr_gate.weights.compare import compare
from rlvr_gate.weights.layout import tensor_slots
from rlvr_gate.weights.pairing import pair_tensors
from rlvr_gate.weights.shapes import ShapeSettings, measure_shapes

ROWS, COLUMNS = 4096, 4096
MODELS = {"7B": 15.2e9, "70B": 141e9}  # bytes of one checkpoint in bfloat16
CHANGED = 0.25  # share of the weights


def write(folder: Path, gigabytes: float, seed: int, *, sparse: bool = False) -> Path:
    """A bfloat16 checkpoint of square matrices; `sparse` leaves holes, so it takes no disk."""
    size = ROWS * COLUMNS * 2
    count = max(1, round(gigabytes * 1e9 / size))
    header = {
        f"model.layers.{i}.mlp.up_proj.weight": {
            "dtype": "BF16", "shape": [ROWS, COLUMNS], "data_offsets": [i * size, (i + 1) * size]
        }
        for i in range(count)
    }  # fmt: skip
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    folder.mkdir(parents=True)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        if sparse:
            file.truncate(8 + len(text) + count * size)
            return folder
        weights = np.random.default_rng(0).standard_normal((ROWS, COLUMNS), np.float32) * 0.02
        moved = np.random.default_rng(1).random((ROWS, COLUMNS), np.float32) < CHANGED
        words = (weights.view(np.uint32) >> 16).astype(np.uint16) ^ (moved if seed else False)
        for _ in range(count):
            file.write(words.astype(np.uint16).tobytes())
    return folder


def best(work: Callable[[], object], runs: int) -> float:
    """Seconds of the fastest run."""
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)


def read(folders: list[Path]) -> None:
    """Every byte of both, once, by adding up 64-bit words."""
    for folder in folders:
        with (folder / "model.safetensors").open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        np.frombuffer(mapped, np.uint64, len(mapped) // 8).sum()


def chunked(folders: list[Path]) -> None:
    """Words compared in chunks, the obvious way in numpy."""
    one, two = (np.memmap(folder / "model.safetensors", np.uint16, "r") for folder in folders)
    for start in range(0, len(one), 1 << 20):
        np.count_nonzero(one[start : start + (1 << 20)] == two[start : start + (1 << 20)])


def scanned(folders: list[Path], **how: bool) -> None:
    """Our kernel over every tensor."""
    found = pair_tensors(*(tensor_slots(folder) for folder in folders))
    with ThreadPoolExecutor(scan.threads()) as pool:
        for pair in found.pairs:
            scan.change(pair.base, pair.other, pool=pool, **how)


def hashed(folders: list[Path]) -> None:
    """SHA-256 of both: what keys the cache, once per file."""
    for folder in folders:
        with (folder / "model.safetensors").open("rb") as file:
            hashlib.file_digest(file, "sha256")


def isclose(folders: list[Path]) -> None:
    """Load both, then compare every tensor with torch."""
    import torch
    from safetensors.torch import load_file

    one, two = (load_file(folder / "model.safetensors") for folder in folders)
    same = sum(torch.isclose(one[n] - two[n], torch.zeros(()).bfloat16(), atol=1e-5).sum()
               for n in one)  # fmt: skip
    assert int(same) >= 0


CHILDREN = {"ours": lambda folders: compare(*folders), "load both, isclose": isclose}


def child(name: str, folders: list[Path]) -> None:
    """Run one way in this process and print seconds and peak memory in bytes."""
    started = time.perf_counter()
    CHILDREN[name](folders)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak": peak_memory()}))


def peak_memory() -> float:
    """Of this program, in bytes; getrusage would count the one that started it."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return 1024 * float(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def in_child(name: str, folders: list[Path]) -> dict[str, float]:
    """`child` in a process of its own."""
    command = [sys.executable, __file__, "--child", name, *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def rates(folders: list[Path], runs: int) -> dict[str, float]:
    """Bytes per second of both files, by way of going through them."""
    size = sum((folder / "model.safetensors").stat().st_size for folder in folders)
    ways: dict[str, Callable[[], None]] = {
        "read only": lambda: read(folders),
        "chunked numpy ==": lambda: chunked(folders),
        "sparsity, files known clean": lambda: scanned(folders, sizes=False, vetted=True),
        "sparsity, NaN and -0 checked": lambda: scanned(folders, sizes=False),
        "all figures of the scan": lambda: scanned(folders),
        "SHA-256 (once per file)": lambda: hashed(folders),
    }
    read(folders)  # warm
    found = {name: size / best(work, runs) for name, work in ways.items()}
    print(f"\n{size / 1e9:.1f} GB in two files, {scan.threads()} thread(s), warm page cache")
    for name, rate in found.items():
        print(f"  {name:30} {rate / 1e9:6.2f} GB/s  {rate / found['read only']:6.0%} of reading")
    return found


def memory(folders: list[Path], big: list[Path], small: list[Path]) -> None:
    """Peak memory of a process, ours and the published way; ours at two sizes."""
    ours, theirs = (in_child(name, folders) for name in CHILDREN)
    print("\npeak memory and time of a process of its own, start included in neither time")
    for name, found in (("ours", ours), ("load both, isclose", theirs)):
        print(f"  {name:30} {found['peak'] / 1e6:7.0f} MB {found['seconds']:7.2f} s")
    print(f"  ratio                          {theirs['peak'] / ours['peak']:7.1f} x "
          f"{theirs['seconds'] / ours['seconds']:7.1f} x")  # fmt: skip
    for pair in (small, big):
        size = (pair[0] / "model.safetensors").stat().st_size
        found = in_child("ours", pair)
        print(f"  ours, {size / 1e9:4.1f} GB checkpoints      {found['peak'] / 1e6:7.0f} MB")


def projected(found: dict[str, float], folders: list[Path]) -> None:
    """What a pair of real size takes at these rates."""
    pairs = pair_tensors(*(tensor_slots(folder) for folder in folders)).pairs[:1]
    rows = [p.base.shape for p in pairs]
    seconds = best(lambda: measure_shapes(pairs, ShapeSettings()), 1)
    work = sum(min(shape) * shape[0] * shape[1] for shape in rows)
    budget = ShapeSettings().work / work * seconds
    shape = " x ".join(map(str, rows[0]))
    print(f"\nprojected, one pair; a {shape} matrix takes {seconds:.0f} s to decompose")
    for name, size in MODELS.items():
        scans = 2 * size / found["all figures of the scan"]
        hashes = 2 * size / found["SHA-256 (once per file)"]
        print(
            f"  {name:4} scan {scans:6.0f} s, digests {hashes:6.0f} s, spectra at most "
            f"{budget / 60:.0f} min (layers picked evenly); second run none of it"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=0.8, help="of each timed checkpoint")
    parser.add_argument("--large", type=float, default=5.0, help="of each of the large ones")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--child", choices=CHILDREN)
    parser.add_argument("folders", nargs="*", type=Path)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.folders)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    root = Path(tempfile.mkdtemp(prefix="rlvr-gate-"))
    try:
        timed = [write(root / f"timed-{i}", args.gigabytes, i) for i in range(2)]
        big = [write(root / f"big-{i}", args.large, i, sparse=True) for i in range(2)]
        small = [write(root / f"small-{i}", args.large / 10, i, sparse=True) for i in range(2)]
        found = rates(timed, args.runs)
        memory(timed, big, small)
        projected(found, timed)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
