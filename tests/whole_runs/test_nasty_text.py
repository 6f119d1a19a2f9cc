"""Text of others: whatever an id, a name, a path or a message holds, no output lets it act.

Everything that a file, a suite or a command line can name is an attack at once; then the bytes of
every output are read as a terminal, a CI log, an XML parser and a browser would.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.etree import ElementTree

import pytest

SUITES = Path(__file__).parents[2] / "suites"
NASTY = {
    "terminal": "\x1b[31mred\x1b]0;title\x07 \x08\x7f \x9b2J \x85 \x9d0;t\x9c",
    "order": "\n::error file=a,line=1::pwned\n \t::stop-commands::x\n##[error]x ##vso[task]y",
    "direction": "\u202egnp.exe \u2066a\u2069 \u200e\u200f\u061c\u202a\u202d",
    "unseen": "\u200b\u2060\ufeff\u00ada\u200db\u115f\u3164\u2800\U000e0041\U000e0101",
    "lines": "a\rb\x0bc\x0cd\x1ce\u2028f\u2029g",
    "xml": "]]> <![CDATA[ &#27; </failure> \ufffe\uffff\U0001ffff\ufdd0",
    "markup": "![p](http://t.example/p.png) <img src=x onerror=alert(1)> | ` [l](x) <details>",
    "people": "@team #12 GH-7 www.example.com https://t.example $x$",
    "long": "long" * 5_000,
}
ALL = " ".join(text for kind, text in NASTY.items() if kind != "long")
ARGUMENT = re.sub(r"[\n\t\r,=/]", "", ALL)
"""As much of it as a command line or the name of a file can hold."""


def fit(text: str, longest: int) -> None:
    """Nothing in a printed text acts, hides or has no end."""
    assert {c for c in text if unseen(c)} <= {"\n"}
    for line in text.split("\n"):
        assert not line.lstrip().startswith("::"), line
        assert not re.search(r"##(vso|teamcity)?\[", line), line
        assert len(line) <= longest, line[:300]


def unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


@pytest.fixture
def judge(gate):
    """Judge recorded counts, the shipped claims or those of `suite`; with all reports."""

    def run(*args: str, texts: Iterable[str] = ("p",), suite: str = ""):
        rows = [
            {"id": f"{text} {i}", "n": 8, "stratum": f"{text} {i % 2}", "cluster": f"{text}{i}"}
            for text in texts
            for i in range(4)
        ]
        for name, right in (("base", 2), ("rlvr", 5)):
            lines = [json.dumps(row | {"c": right + i % 2}) for i, row in enumerate(rows)]
            (gate.root / f"{name}.jsonl").write_text("\n".join(lines))
        if suite:
            gate.pytester.makepyfile(suite)
        return gate.pytester.runpytest_subprocess(
            "--recorded=base=base.jsonl", "--recorded=rlvr=rlvr.jsonl", "-p", "no:cacheprovider",
            "--gate-json=gate.json", "--gate-summary=gate.md", "--gate-report=gate.html",
            "--junitxml=junit.xml", *args, str(gate.root if suite else SUITES),
        )  # fmt: skip

    return run


@pytest.fixture
def printed(gate) -> Callable[[], None]:
    """What the process printed is fit to be read."""

    def check() -> None:
        for stream in ("stdout", "stderr"):
            fit((gate.root / stream).read_bytes().decode(), 1_500)

    return check


@pytest.fixture
def all_fit(gate, printed) -> Callable[[], None]:
    """Every output is fit to be read, and is what it says it is."""

    def check() -> None:
        printed()
        fit((gate.root / "gate.md").read_bytes().decode(), 8_000)
        page = (gate.root / "gate.html").read_bytes().decode()
        assert {c for c in page if unseen(c)} <= {"\n", "\t"}
        assert "<img" not in page
        written = (gate.root / "gate.json").read_bytes()
        assert written.isascii()
        json.loads(written)
        for element in ElementTree.parse(gate.root / "junit.xml").iter():
            for text in [element.text or "", *element.attrib.values()]:
                fit(text, 1_500)

    return check


CLAIMS = """
import pytest
from rlvr_gate import claim

def claims(kind, nasty):
    @claim(nasty, id=f"A-{kind}", source=nasty, kind="gate")
    def refuted(pair, benchmark):
        assert pair.rlvr.pass_at(1, benchmark) < pair.base.pass_at(1, benchmark)

    @claim(nasty, id=f"B-{kind}", source=nasty)
    def holds(pair, benchmark):
        assert pair.rlvr.pass_at(1, benchmark) > pair.base.pass_at(1, benchmark)

    @claim(nasty, id=f"C-{kind}", source=nasty)
    def raises(pair, benchmark):
        try:
            raise KeyError(nasty)
        except KeyError as error:
            raise ValueError(nasty) from error

    @claim(nasty, id=f"D-{kind}")
    def fails_in_words(pair, benchmark):
        pytest.fail(nasty, pytrace=False)

    @claim(nasty, id=f"E-{kind}")
    def skips(pair, benchmark):
        pytest.skip(nasty)

    @claim(nasty, id=f"F-{kind}")
    @pytest.mark.roles("role-" + kind)
    def needs_a_role(pair, benchmark):
        assert pair.rlvr.pass_at(1, benchmark) > 0

    for test in (refuted, holds, raises, fails_in_words, skips, needs_a_role):
        globals()[f"test_{kind}_{test.__name__}"] = test

for kind, nasty in NASTY.items():
    claims(kind, nasty)
"""


def test_ids_strata_and_clusters(judge, all_fit) -> None:
    result = judge(texts=NASTY.values())
    assert result.ret == 10, result.stdout.str()
    all_fit()


@pytest.mark.parametrize("style", ["auto", "line", "native"])
def test_claims_and_what_they_raise(judge, all_fit, style: str) -> None:
    result = judge("-rA", f"--tb={style}", suite=f"NASTY = {NASTY!r}\n{CLAIMS}")
    assert result.ret == 12
    assert "skipped" in result.stdout.lines[-1]
    all_fit()


SPEAKING = """
import logging, sys, pytest
from rlvr_gate import claim

@claim("says a lot", id="A", kind="gate")
def test_speaks(pair, benchmark):
    nasty, long = NASTY, "long" * 5000
    for stream in (sys.stdout, sys.stderr):
        print(nasty, long, file=stream)
    logging.error(nasty)
    assert pair.rlvr.pass_at(1, benchmark) < pair.base.pass_at(1, benchmark)

def test_ends():
    END
"""


@pytest.mark.parametrize("end", ["pass", "pytest.exit(NASTY)"], ids=["speaks", "exits"])
def test_what_claims_print_and_runs_end_with(judge, all_fit, end: str) -> None:
    suite = f"NASTY = {ALL!r}\n{SPEAKING.replace('END', end)}"
    assert judge("-rA", "-l", "-o", "junit_logging=all", suite=suite).ret == 12
    all_fit()


def test_what_raises_is_of_any_name(judge, all_fit) -> None:
    raising = "    raise type(NASTY, (Exception,), {})(NASTY)\n"
    suite = f"NASTY = {ALL!r}\n{SPEAKING.replace('    assert', raising + '    assert')}"
    assert judge("-rA", "-l", suite=suite.replace("END", "pass")).ret == 12
    all_fit()


def test_a_file_that_cannot_be_imported(judge, all_fit) -> None:
    assert judge("-rA", suite=f"raise KeyError({ALL!r})").ret == 12
    all_fit()


@pytest.mark.parametrize("name", [ARGUMENT, NASTY["long"]], ids=["all", "long"])
def test_names_on_the_command_line_and_in_a_policy(gate, judge, all_fit, name: str) -> None:
    text = "".join(f"\\U{ord(character):08x}" for character in ALL)
    toml = f'[policy]\nname = "{text}"\n'
    (gate.root / "policy.toml").write_text(toml)
    result = judge(f"--benchmarks={name}", f"--recorded={name}=base.jsonl",
                   "--gate-policy=policy.toml", "-v")  # fmt: skip
    assert result.ret == 10
    all_fit()


def test_names_of_files(gate, judge, printed, all_fit) -> None:
    folder = gate.root / ARGUMENT[:60]
    folder.mkdir()
    judge(f"--gate-summary={folder}/::x.md")
    printed()
    (gate.root / "gate.md").write_bytes((folder / "::x.md").read_bytes())
    (folder / "::x.jsonl").write_bytes((gate.root / "base.jsonl").read_bytes())
    assert judge(f"--recorded=sft={folder}/::x.jsonl").ret == 10
    all_fit()


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--recorded=sft=FILE", json.dumps({ALL: 1, "id": "x"})),
        ("--recorded=sft=FILE", json.dumps({ALL: 1, NASTY["long"]: 2})),
        ("--recorded=sft=FILE", json.dumps({"id": ALL, "n": 8, "c": 9})),
        ("--recorded=sft=FILE", json.dumps({"id": ALL, "n": 8, "c": 1})),
        ("--recorded=sft=FILE", json.dumps({"id": NASTY["long"], "n": 8, "c": 1})),
        ("--gate-policy=FILE", "['\u202e\u200b']\n"),
        ("--gate-policy=FILE", f"[claims.X]\nmargin = '{NASTY['long']}'\n"),
        ("--gate-policy=FILE", "[policy]\n'##[error]' = 1\n"),
        (f"--gate-policy={ARGUMENT}", ""),
        (f"--gate-report=FILE/{ARGUMENT}", ""),
        (f"--regrade={ARGUMENT}", ""),
        (f"--recorded=sft={ARGUMENT}", ""),
        (f"--recorded={ARGUMENT}", ""),
        (f"--temperature={ARGUMENT}", ""),
        (f"--k={NASTY['long']}", ""),
        (f"--model-pair={NASTY['long']}", ""),
        (f"--model-pair={ARGUMENT},{NASTY['long']}", ""),
    ],
    ids=range(17),
)
def test_refusals(gate, judge, printed, option: str, text: str) -> None:
    (gate.root / "FILE").write_text(text)
    assert judge(option).ret == 4
    printed()


@pytest.fixture
def sample(gate):
    """Sample a nasty benchmark of that name from checkpoints in a nasty folder."""

    def run(*args: str, lines: bool = True):
        folder = gate.root / ARGUMENT[:60]
        folder.mkdir()
        gate.write(base=0.5, rlvr=0.5)
        for name in ("old", "new"):
            (gate.root / name).rename(folder / name)
        problems = [
            {"id": f"{i} {text}", "problem": f"{i} {text}", "answer": text, "verifier": "exact",
             "stratum": text, "cluster": f"{i} {text}"}
            for i, text in enumerate((ALL, *NASTY.values()))
        ]  # fmt: skip
        (folder / "::x.jsonl").write_text("\n".join(map(json.dumps, problems)))
        coins = {
            p["problem"]: {"right": p["answer"], "wrong": f"{p['answer']} no", "success": 0.5}
            for p in problems
        }
        (folder / "script").write_text(json.dumps({"*": coins if lines else {}}))
        return gate.pytester.runpytest_subprocess(
            f"--model-pair={folder}/old,{folder}/new", f"--benchmarks={folder}/::x.jsonl",
            f"--checkpoint={ARGUMENT}={folder}/old", "--samples=4", "--backend=scripted",
            f"--backend-option=script={folder}/script", "--max-new-tokens=999",
            f"--sample-store={folder}/store", "-p", "no:cacheprovider", "--gate-json=gate.json",
            "--gate-summary=gate.md", "--gate-report=gate.html", "--junitxml=junit.xml",
            *args, str(SUITES),
        )  # fmt: skip

    return run


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_completions_benchmarks_and_checkpoints(gate, sample, all_fit, workers) -> None:
    result = sample("-rA", *workers)
    assert result.ret in (1, 10, 11), result.stdout.str() + result.stderr.str()
    all_fit()
    assert "⟨U+202E⟩gnp.exe" in (gate.root / "gate.html").read_text("utf-8")


@pytest.mark.parametrize("option", ["--plan", "--shard=1/2"])
def test_what_is_told_without_judging(sample, printed, option: str) -> None:
    assert sample(option).ret == 0
    printed()


def test_a_backend_that_quotes_a_prompt(sample, printed) -> None:
    assert sample(lines=False).ret == 12
    printed()
