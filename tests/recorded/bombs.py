"""A folder of files that are small and would cost much, or are no files at all.

Each is made when asked for; `BOMBS` names them with the error that each must get.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

MIB = 2**20
COUNT = b'{"id": "a", "n": 4, "c": 1}\n'
HEADER = {"status": "success", "eval": {}, "plan": {}}
SAMPLE = {
    "id": "a", "epoch": 1, "input": "?", "target": "5", "messages": [],
    "output": {"completion": "5", "choices": []}, "scores": {"match": {"value": "C"}},
}  # fmt: skip

Make = Callable[[Path], Path]


def raw(content: bytes) -> Make:
    def make(folder: Path) -> Path:
        path = folder / "bomb"
        path.write_bytes(content)
        return path

    return make


def line(text: str) -> Make:
    """A good line of counts, then this one."""
    return raw(COUNT + text.encode(errors="surrogatepass") + b"\n")


def packed(start: bytes, filler: bytes, mib: int, end: bytes = b"") -> Make:
    """gzip of so many MiB of a filler."""

    def make(folder: Path) -> Path:
        path = folder / "bomb"
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(start)
            for _ in range(mib):
                file.write(filler * (MIB // len(filler)))
            file.write(end)
        return path

    return make


def members(*found: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Make:
    """A log of inspect with these members beside its header."""

    def make(folder: Path) -> Path:
        path = folder / "bomb"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("header.json", json.dumps(HEADER))
            for name, content in found:
                archive.writestr(name, content)
        return path

    return make


def log(change: Callable[[bytearray], object], *names: str) -> Make:
    """A zip of good samples, changed byte by byte."""

    def make(folder: Path) -> Path:
        samples = [(f"samples/{name}.json", json.dumps(SAMPLE).encode()) for name in names or "a"]
        path = members(*samples)(folder)
        data = bytearray(path.read_bytes())
        change(data)
        path.write_bytes(data)
        return path

    return make


def encrypted(data: bytearray) -> None:
    data[data.rindex(b"PK\1\2") + 8] |= 1


def overlapping(data: bytearray) -> None:
    """The last member's entry points to the header's bytes."""
    at = data.rindex(b"PK\1\2") + 42
    data[at : at + 4] = struct.pack("<I", 0)


def lying(data: bytearray) -> None:
    """The last member claims 4 GB."""
    at = data.rindex(b"PK\1\2") + 24
    data[at : at + 4] = struct.pack("<I", 2**32 - 2)


def wrong_sum(data: bytearray) -> None:
    data[data.rindex(b"PK\1\2") + 16] ^= 1


def lzma(data: bytearray) -> None:
    data[data.rindex(b"PK\1\2") + 10] = 14


def zstandard(folder: Path) -> Path:
    """A sample of 200 MB in some KB, which its directory calls small."""
    import zstandard as zstd

    content = json.dumps(SAMPLE).encode()
    path = members(("samples/a.json", content), method=zipfile.ZIP_STORED)(folder)
    bomb = zstd.ZstdCompressor().compress(b" " * (200 * MIB))
    data = path.read_bytes()
    central, stored = data.rindex(b"PK\1\2"), data.index(content)
    first = data.index(b"PK\1\2")
    entry = bytearray(data[central : data.index(b"PK\5\6")])
    entry[10:12] = struct.pack("<H", 93)
    entry[20:24] = struct.pack("<I", len(bomb))
    shift = len(bomb) - len(content)
    end = bytearray(data[data.index(b"PK\5\6") :])
    end[16:20] = struct.pack("<I", first + shift)
    path.write_bytes(
        data[:stored] + bomb + data[stored + len(content) : central] + bytes(entry) + bytes(end)
    )
    return path


def attachments(folder: Path) -> Path:
    """30,000 messages, each the same MiB of text."""
    message = {"role": "user", "content": "attachment://a"}
    sample = SAMPLE | {"attachments": {"a": "x" * MIB}, "messages": [message] * 30_000}
    return members(("samples/a.json", json.dumps(sample).encode()))(folder)


def table(columns: dict[str, Any], **how: Any) -> Make:
    def make(folder: Path) -> Path:
        import pyarrow
        from pyarrow.parquet import write_table

        path = folder / "bomb"
        write_table(pyarrow.table(columns), path, **how)
        return path

    return make


def long_texts(folder: Path) -> Path:
    """One text of 60 MiB in 17 rows: kept once in the file."""
    import pyarrow as pa

    doc = pa.array([{"query": "q", "choices": ["5"], "gold_index": 0}] * 17)
    indices = pa.array([0] * 17, pa.int32())
    texts = pa.DictionaryArray.from_arrays(indices, ["x" * (60 * MIB)])
    response = pa.StructArray.from_arrays([texts], ["input"])
    return table(
        {"doc": doc, "metric": [{"em": 1.0}] * 17, "model_response": response},
        compression="zstd", dictionary_pagesize_limit=2**30, store_schema=False,
    )(folder)  # fmt: skip


def torn_parquet(folder: Path) -> Path:
    path = table({"doc": [{"query": "q"}]})(folder)
    data = bytearray(path.read_bytes())
    data[40:-8] = os.urandom(len(data) - 48)
    path.write_bytes(data)
    return path


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "bomb")
    return folder / "bomb"


def unix_socket(folder: Path) -> Path:
    here = os.getcwd()
    os.chdir(folder)  # a socket's whole name may have 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("bomb")
    finally:
        os.chdir(here)
    return folder / "bomb"


def sparse(start: bytes, size: int) -> Make:
    def make(folder: Path) -> Path:
        path = folder / "bomb"
        path.write_bytes(start)
        os.truncate(path, size)
        return path

    return make


def loop(folder: Path) -> Path:
    (folder / "bomb").symlink_to("bomb")
    return folder / "bomb"


def loops(folder: Path) -> Path:
    (folder / "bomb").mkdir()
    (folder / "bomb" / "again").symlink_to(folder / "bomb")
    (folder / "bomb" / "self.jsonl").symlink_to("self.jsonl")
    return folder / "bomb"


def _truncated(content: bytes) -> bytes:
    return gzip.compress(content)[:-12]


BOMBS: dict[str, tuple[Make, str]] = {
    # what a path may be
    "a pipe": (pipe, "bomb is a pipe, expected a file"),
    "a device": (lambda folder: Path("/dev/zero"), "/dev/zero is a device, expected a file"),
    "a socket": (unix_socket, "bomb is a socket, expected a file"),
    "a link to itself": (loop, "cannot read bomb: Too many levels of symbolic links"),
    "a folder of links": (loops, "bomb holds no recorded run that is known here"),
    "100 GB of holes": (sparse(COUNT, 100 * 2**30), "bomb is sparse: 107374182400 bytes, of"),
    "a GB of holes after a line": (
        sparse(COUNT, 2**30 - 1), "bomb, line 2: more than 64 MiB without a line's end"),
    "a parquet of holes": (sparse(b"PAR1", 2**29), "bomb, footer: not decoded: ArrowInvalid"),
    # gzip
    "a line of 100 MB": (
        packed(b'{"id": "', b"a", 100), "bomb, line 1: more than 64 MiB without a line's end"),
    "20 MB of blank lines": (
        packed(COUNT, b"\n", 20), "bomb, line 10002: more than 10,000 blank lines"),
    "20 MB of blank lines as on a Mac": (
        packed(COUNT, b"\r", 20), "bomb, line 10002: more than 10,000 blank lines"),
    "a document of 150 MB": (
        packed(b'{\n"eval": 1, "status": "', b"a", 150, b'"}'),
        "bomb is one JSON document of more than 128 MiB"),
    "an array of 150 MB": (
        packed(b"[\n", b'{"id":1},\n      ', 150, b"{}]"),
        "bomb is one JSON document of more than 128 MiB"),
    "a good line, then lines of blanks": (
        packed(COUNT, b" " * (MIB - 1) + b"\n", 80), "bomb unpacks to more than 200 times"),
    "gzip that ends early": (
        raw(_truncated(COUNT)), "cannot read bomb: Compressed file ended before"),
    "gzip with a wrong sum": (
        raw(gzip.compress(COUNT)[:-8] + bytes(8)), "cannot read bomb: CRC check failed"),
    "gzip in gzip": (
        raw(gzip.compress(gzip.compress(COUNT))), "bomb: compressed with gzip, expected JSON"),
    "Zstandard": (raw(b"\x28\xb5\x2f\xfd\0\0\0\0"), "bomb: compressed with Zstandard, expected"),
    "xz": (raw(b"\xfd7zXZ\0\0"), "bomb: compressed with xz, expected JSON: unpack it with xz -d"),
    # JSON
    "100,000 lists": (line("[" * 100_000), "bomb, line 2: nested more than 100 levels deep"),
    "closed lists": (
        line('{"id": ' + "[" * 500 + "]" * 500 + "}"), "bomb, line 2: nested more than 100"),
    "100,000 objects": (
        line('{"a":' * 100_000), "bomb, line 2: nested more than 100 levels deep"),
    "4 million objects": (
        raw(b'{"id": [' + b"{}," * 4_000_000 + b"{}]}"), "bomb, line 1: more than 3,000,000 val"),
    "a key twice": (
        line('{"id": "b", "n": 4, "c": 4, "c": 0}'),
        "bomb, line 2: the key 'c' comes twice in one object"),
    "a number of 5,000 digits": (
        line('{"id": "b", "n": ' + "9" * 5000 + ', "c": 0}'),
        "bomb, line 2: a number of 5000 digits, at most 1000 are read"),
    "a number of a million digits": (
        line('{"id": ' + "9" * 10**6 + "}"), "bomb, line 2: a number of 1000000 digits"),
    "1e999": (
        line('{"id": "b", "n": 1e999, "c": 0}'),
        "bomb, line 2: n must be a whole number, got Infinity"),
    "1e300": (
        line('{"id": "b", "n": 1e300, "c": 0}'), "bomb, line 2: n must lie in 1..1000000, got 1"),
    "NaN": (
        line('{"id": "b", "n": 4, "c": NaN}'), "bomb, line 2: c must be a whole number, got NaN"),
    "-Infinity": (
        line('{"id": -Infinity, "n": 4, "c": 0}'),
        "bomb, line 2: id must be a string or a whole number, got -Infinity"),
    "half a surrogate": (
        line('{"id": "\\ud800", "n": 4, "c": 0}'), "bomb, line 2: id holds half a surrogate pair"),
    "half a surrogate in bytes": (
        line('{"id": "\ud800", "n": 4, "c": 0}'), "bomb, line 2: not UTF-8: invalid continuation"),
    "a byte that is no UTF-8": (
        raw(COUNT + b'{"id": "\xff", "n": 4, "c": 0}'),
        "bomb, line 2: not UTF-8: invalid start byte 0xff at byte 9"),
    "NUL": (raw(COUNT + b"\0" * 100), "bomb, line 2: not text: a NUL byte at byte 1"),
    "a key of a MB": (
        line('{"id": "b", "n": 4, "c": 0, "' + "k" * MIB + '": 1}'), "bomb, line 2: unknown 'kkk"),
    "UTF-16": (
        raw(b"\xff\xfe" + COUNT.decode().encode("utf-16-le")), "bomb: UTF-16, expected UTF-8"),
    "UTF-16 without a mark": (
        raw(COUNT.decode().encode("utf-16-be")), "bomb: UTF-16BE, expected UTF-8"),
    "UTF-32": (raw(COUNT.decode().encode("utf-32")), "bomb: UTF-32, expected UTF-8"),
    # logs of inspect
    "an encrypted sample": (log(encrypted), "bomb, directory: 'samples/a.json' is encrypted"),
    "samples that overlap": (
        log(overlapping), "bomb, directory: 'header.json' overlaps 'samples/a.json'"),
    "a sample that claims 4 GB": (log(lying), "bomb, directory: unpacks to 4294967"),
    "a sample with a wrong sum": (
        log(wrong_sum), "bomb, samples/a.json: damaged: Bad CRC-32 for file 'samples/a.json'"),
    "a sample by lzma": (
        log(lzma), "bomb, directory: 'samples/a.json' is compressed by method 14"),
    "a sample of 150 MB": (
        members(("samples/a.json", b" " * (150 * MIB))),
        "bomb, samples/a.json: 157286400 bytes; at most 128 MiB are unpacked at once"),
    "a sample of 200 MB by Zstandard": (
        zstandard, "bomb, samples/a.json: damaged: it is not what the directory says"),
    "a sample that points out": (
        members(("samples/../../etc/passwd", b"{}")),
        "bomb, directory: 'samples/../../etc/passwd' points out of the log"),
    "a deep sample": (
        members(("samples/a.json", b'{"input":' + b"[" * 5000 + b"]" * 5000 + b"}")),
        "bomb, samples/a.json: nested more than 100 levels deep"),
    "a zip cut short": (
        lambda folder: raw(members()(folder).read_bytes()[:-30])(folder),
        "cannot read bomb: File is not a zip file"),
    "a zip of nothing": (raw(b"PK\5\6" + bytes(18)), "bomb: compressed with zip, expected JSON"),
    "an attachment 30,000 times": (
        attachments, "bomb, samples/a.json: messages of more than 128 MiB, attachments included"),
    # parquet
    "a footer of noise": (torn_parquet, "bomb, "),
    "a parquet that ends early": (raw(b"PAR1"), "bomb, footer: not decoded: ArrowInvalid"),
    "a text of 60 MB in 17 rows": (long_texts, "bomb, row 1: not decoded: takes more than"),
    "a table of something else": (
        table({f"c{i}": [1] for i in range(3000)}),
        "bomb: expected the columns doc, metric, model_response or"),
    "columns of other kinds": (
        table({"doc": [b"x"], "metric": [1], "model_response": [2.5]}),
        "bomb, row 1: doc must be an object, got \"x\""),
}  # fmt: skip
