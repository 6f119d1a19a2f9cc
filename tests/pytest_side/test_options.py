"""Names with commas, blanks and `=`, and a home folder, in every option that takes a path."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from rlvr_gate import options
from rlvr_gate_fixtures.backends import load


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("a", "a,b", "x, y=1 ", "c,d,e"):
        (tmp_path / name).mkdir()
    for name in ("m.jsonl", "p,q.jsonl", "one,two,three.jsonl", "with blank=1.jsonl"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "base", "rlvr"),
    [
        ("base,rlvr", "base", "rlvr"),
        (" base , rlvr ", "base", "rlvr"),
        ("org/model@v1,org/other", "org/model@v1", "org/other"),
        ("./a,b,./a", "./a,b", "./a"),
        ("./a,./a,b", "./a", "./a,b"),
        ("./a,b,./c,d,e", "./a,b", "./c,d,e"),
        ("~/a,b,~/a", "~/a,b", "~/a"),
        (r"./new\,one,rlvr", "./new,one", "rlvr"),
        (r"./a,./new\,one", "./a", "./new,one"),
        ("./x, y=1 ,./a", "./x, y=1 ", "./a"),
    ],
)
def test_a_pair_of_folders_may_hold_commas(text: str, base: str, rlvr: str) -> None:
    assert options.model_pair(text) == options.PairRefs(base, rlvr)


@pytest.mark.parametrize("text", ["base", "q,r,s", ",b", "a,", "a,,b", ",", "", "./a,b,b,./a,b"])
def test_what_is_no_pair_or_may_be_two_says_how_to_write_it(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected two checkpoints") as caught:
        options.model_pair(text)
    assert r"is written \," in str(caught.value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("countdown", ("countdown",)),
        ("countdown, m.jsonl,countdown", ("countdown", "m.jsonl")),
        ("p,q.jsonl", ("p,q.jsonl",)),
        ("m.jsonl,p,q.jsonl,countdown", ("m.jsonl", "p,q.jsonl", "countdown")),
        ("one,two,three.jsonl", ("one,two,three.jsonl",)),
        ("~/p,q.jsonl", ("~/p,q.jsonl",)),
        (r"none\,such.jsonl,m.jsonl", ("none,such.jsonl", "m.jsonl")),
        ("with blank=1.jsonl", ("with blank=1.jsonl",)),
        ("a,m.jsonl", ("a", "m.jsonl")),
    ],
)
def test_benchmark_files_may_hold_commas(text: str, names: tuple[str, ...]) -> None:
    assert options.benchmarks(text) == names


def test_paths_begin_at_home_and_hold_what_they_like(home: Path) -> None:
    assert options.path("~/store, x=1") == home / "store, x=1"
    assert options.role_file("base=~/a=b,c.jsonl") == ("base", home / "a=b,c.jsonl")
    assert options.role_ref("sft=~/a=b, c") == ("sft", "~/a=b, c")


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("scripted", {}, "backend scripted: missing a required argument: 'script'; its options "
         "are script, delay, die_after, as in --backend-option script=FILE.json"),
        ("scripted", {"scrip": "x"}, "backend scripted: missing a required argument: 'script'"),
        ("transformers", {"dtyp": "float32"}, "unknown backend option dtyp; beside those of "
         "the backend's own there are load_timeout"),
    ],
)  # fmt: skip
def test_a_backend_names_the_option_it_lacks_or_does_not_know(
    name: str, given: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match="backend") as caught:
        load(name, **given)
    assert message in str(caught.value)
