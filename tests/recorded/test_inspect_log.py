"""Logs of inspect, `.json` and `.eval`: samples by id and epoch, unscored where it says so."""

from __future__ import annotations

import builtins
import json
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from rlvr_gate.records import FinishReason

BASE, RLVR = "inspect-base.json", "inspect-rlvr.json"


def zipped(log: Path, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """The same log as inspect's `.eval`: a header and a file for each sample."""
    header = json.loads(log.read_text())
    samples = header.pop("samples")
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("header.json", json.dumps(header))
        for sample in samples:
            name = f"samples/{sample['id']}_epoch_{sample['epoch']}.json"
            archive.writestr(name, json.dumps(sample))
    return path


def zstandard_zip(log: Path, path: Path) -> Path:
    """The same with members compressed by Zstandard, byte by byte: zipfile writes none yet."""
    zstandard = pytest.importorskip("zstandard")
    with zipfile.ZipFile(zipped(log, path)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    body, directory = b"", b""
    for name, content in members.items():
        packed = zstandard.ZstdCompressor().compress(content)
        common = struct.pack(
            "<HHHHHIIIHH", 20, 0, 93, 0, 33, zlib.crc32(content), len(packed), len(content),
            len(name), 0,
        )  # fmt: skip
        place = struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        directory += b"PK\1\2" + struct.pack("<H", 20) + common + place + name.encode()
        body += b"PK\3\4" + common + name.encode() + packed
    sizes = (0, 0, len(members), len(members), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\5\6" + struct.pack("<HHHHIIH", *sizes))
    return path


def test_epochs_are_samples_and_what_failed_is_unscored(kit) -> None:
    recorded = kit.both(kit.here / BASE, kit.here / RLVR)
    assert kit.totals(recorded, "base") == kit.Totals(6, 1, 1, 1)
    assert kit.totals(recorded, "rlvr") == kit.Totals(6, 4, 1, 2)
    assert recorded.benchmark.problems[0].id == "sum"
    assert len(recorded.benchmark.problems[1].id) == 16  # `2` is a position: joined by its text


def test_truncation_prompts_and_settings_are_known(kit) -> None:
    recorded = kit.both(kit.here / BASE, kit.here / RLVR)
    assert [t.truncated for t in recorded.tallies["base"]] == [1, 0]
    assert recorded.unknown == ("stop ids", "graders")
    assert recorded.differences == (
        "16.7% of base's completions are unscored (bound 1%)",
        "16.7% of rlvr's completions are unscored (bound 1%)",
    )
    example = recorded.examples["base"]["sum"][0]
    assert (example.text, example.extracted, example.finish) == (
        "It is 5", "5", FinishReason.STOP,
    )  # fmt: skip


def test_a_zip_says_the_same_as_the_document(kit, tmp_path) -> None:
    base = zipped(kit.here / BASE, tmp_path / "base.eval")
    assert by_problem(kit.both(base, kit.here / RLVR)) == (
        by_problem(kit.both(kit.here / BASE, kit.here / RLVR))
    )


def by_problem(recorded) -> list[dict[str, object]]:
    """Tallies of both roles, whatever their order."""
    return [{t.problem: t for t in tallies} for tallies in recorded.tallies.values()]


def test_a_zip_of_today_is_compressed_with_zstandard(bench, kit, tmp_path, monkeypatch) -> None:
    base = zstandard_zip(kit.here / BASE, tmp_path / "base.eval")
    expected = by_problem(kit.both(kit.here / BASE, kit.here / RLVR))
    assert by_problem(kit.both(base, kit.here / RLVR)) == expected
    if not hasattr(zipfile, "ZIP_ZSTANDARD"):
        absent(monkeypatch, "zstandard")
        said = bench.refusal(base, kit.here / RLVR)
        assert "compressed with Zstandard, which is not installed: pip install " in said


def absent(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Make an import fail as if it were not installed."""
    real = builtins.__import__

    def without(name: str, *rest, **more):
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)


def test_the_tools_own_log_is_read(kit) -> None:
    pytest.importorskip("zstandard")
    recorded = kit.both(*(kit.here / f"inspect-0.3.285-{role}.eval" for role in ("base", "rlvr")))
    assert kit.totals(recorded, "base") == kit.Totals(8, 1, 0, 1)
    assert kit.totals(recorded, "rlvr") == kit.Totals(8, 2, 0, 1)
    assert [sum(t.truncated for t in recorded.tallies[r]) for r in ("base", "rlvr")] == [2, 2]
    assert recorded.unknown == ("stop ids", "graders")


def test_scorers_must_be_chosen_from(bench, kit) -> None:
    def judge_too(document) -> None:
        for sample in document["samples"]:
            if "scores" in sample:
                sample["scores"]["judge"] = {"value": "C"}

    files = bench.document(BASE, judge_too), bench.document(RLVR, judge_too)
    assert "sample 0: expected one score, got match, judge: choose with" in bench.refusal(*files)
    assert kit.totals(kit.both(*files, score="judge"), "base") == kit.Totals(6, 6, 0, 2)


def test_what_failed_stays_unscored_when_graded_again(kit) -> None:
    recorded = kit.both(kit.here / BASE, kit.here / RLVR, verifier="integer")
    assert kit.totals(recorded, "rlvr") == kit.Totals(6, 4, 1, 2)
    assert kit.totals(recorded, "base") == kit.Totals(6, 2, 0, 2)


def test_attached_texts_are_read(bench, kit) -> None:
    def attach(document) -> None:
        sample = document["samples"][3]
        sample["attachments"] = {"abc": sample["input"]}
        sample["input"] = "attachment://abc"

    recorded = kit.both(bench.document(BASE, attach), kit.here / RLVR)
    assert recorded.benchmark.problems[1].prompt == "What is 4 x 5?"


def sample(**changes: object):
    return lambda document: document["samples"][1].update(changes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(status="cancelled"), 'header: the run did not end well (status "canc'),
        (sample(scores={"match": {"value": "P"}}), "sample 1: a score must be 0 or 1"),
        (sample(scores={"match": {"value": 0.5}}), "sample 1: a score must be 0 or 1"),
        (sample(scores={"match": {"value": {"a": 1}}}), "sample 1: a score must be 0 or 1"),
        (sample(epoch=1), "sample 1: id 'sum' (epoch 1) is already on sample 0"),
        (sample(id=None), "sample 1: id must be a string or a whole number, got null"),
        (
            lambda d: d["samples"].pop(),
            "n=2 in inspect-base.json, sample 3, and n=3 in inspect-rl",
        ),
        (lambda d: d.pop("samples"), "samples: samples must be a list, got null"),
        (sample(target="6"), "sample 1: the answer on file is '6', in "),
    ],
)
def test_what_is_refused(bench, kit, change, words: str) -> None:
    assert words in bench.refusal(bench.document(BASE, change), kit.here / RLVR)


def test_one_id_that_asks_different_questions_is_refused(bench, kit) -> None:
    def ask(document) -> None:
        for one in document["samples"][:3]:
            one["input"] = "What is 3 + 2?"

    said = bench.refusal(bench.document(BASE, ask), kit.here / RLVR)
    assert said.startswith("problem 'sum' asks another question in inspect-base.json, sample 0")


def test_two_ids_that_ask_one_question_are_one_cluster(bench, kit) -> None:
    def ask(document) -> None:
        for sample in document["samples"]:
            sample["input"] = "What is 2 + 3?"

    recorded = kit.both(bench.document(BASE, ask), bench.document(RLVR, ask))
    first, second = recorded.benchmark.problems
    assert first.cluster == second.cluster == f"same text as {first.id}"
    assert {tally.cluster for role in recorded.tallies.values() for tally in role} == {
        first.cluster
    }
    assert "2 problems in 1 cluster" in recorded.benchmark.notes[0]
    apart = kit.both(kit.here / BASE, kit.here / RLVR)
    assert not any(problem.cluster for problem in apart.benchmark.problems)


def test_a_zip_that_is_no_log(bench, kit, tmp_path) -> None:
    path = tmp_path / "a.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "a.eval, header.json: missing: either no log of inspect" in (
        bench.refusal(path, kit.here / RLVR)
    )
    path.write_bytes(path.read_bytes()[:40])
    assert "cannot read a.eval: " in bench.refusal(path, kit.here / RLVR)
