"""A claim that can never be judged, or that means two things, is an error at collection."""

# ruff: noqa: E501 - tables of code
from __future__ import annotations

import shutil
from pathlib import Path

import numpy  # noqa: F401 - once, before runs in this process bring it and drop it
import pytest

SUITES = Path(__file__).parents[2] / "suites"
HEAD = "import pytest\nfrom rlvr_gate import claim\n"
FINE = '@claim("fine", id="OWN1")\ndef test_fine(pair, benchmark):\n    pass\n'


@pytest.fixture
def collect(pytester: pytest.Pytester):  # type: ignore[no-untyped-def]  # pytester's own result
    """Collect in this process, from the folder itself unless told otherwise."""

    def run(*args: str) -> pytest.RunResult:
        asked = args if any(not a.startswith("-") for a in args) else (*args, ".")
        return pytester.runpytest_inprocess(
            "-p",
            "rlvr_gate.plugin",
            "-p",
            "no:cacheprovider",
            "-Wdefault",
            "--collect-only",
            *asked,
        )

    return run


def said(result: pytest.RunResult) -> str:
    text = f"{result.stdout.str()}\n{result.stderr.str()}"
    assert "INTERNALERROR" not in text
    return text


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("@claim\ndef test_a(pair): ...", '@claim needs its sentence and id: write @claim("'),
        ('@claim("t", id="A")\nclass TestA: ...', "decorate a test function, not the class TestA"),
        ('@claim("t")\ndef test_a(pair): ...', "the claim 't' needs an id, as in id="),
        ('@claim("t", id="")\ndef test_a(pair): ...', "the claim 't' needs an id"),
        ('@claim("t", id=7)\ndef test_a(pair): ...', "must be text, got 7"),
        ('@claim("t", id="A B")\ndef test_a(pair): ...', "a claim's id is a word"),
        ('@claim("t", id="A\\n")\ndef test_a(pair): ...', "a claim's id is a word"),
        ('@claim("t", id="A\\x1b[31m")\ndef test_a(pair): ...', "a claim's id is a word"),
        ('@claim("t", id="A\\u202e")\ndef test_a(pair): ...', "a claim's id is a word"),
        ('@claim("t", id="A" * 65)\ndef test_a(pair): ...', "of at most 64 printable characters"),
        ('@claim("", id="A")\ndef test_a(pair): ...', "needs a sentence that evidence can refute"),
        ('@claim(None, id="A")\ndef test_a(pair): ...', "needs a sentence"),
        ('@claim("t", id="A", source=3)\ndef test_a(pair): ...', "source must be text, got 3"),
        ('@claim("t", id="A", kind="blocker")\ndef test_a(pair): ...', "kind must be 'gate' or"),
        ('@claim("t", id="A", margin=-1)\ndef test_a(pair): ...', "margin is a slack of at least"),
        ('@claim("t", id="A", margin=float("nan"))\ndef test_a(pair): ...', "margin must be a fin"),
        ('@claim("t", id="A", bound="0.3")\ndef test_a(pair): ...', "bound must be a finite numb"),
        ('@claim("t", id="A", bound=True)\ndef test_a(pair): ...', "bound must be a finite number"),
        ('@claim("t", id="A", bar=1)\ndef test_a(pair): ...', "unexpected keyword argument 'bar'"),
        ('test_a = claim("t", id="A")(lambda pair: 0)', "a function with a name, as in def test_"),
        ('@claim("t", id="A")\nasync def test_a(pair): ...', "test_a is async, so it would never"),
        ('@claim("t", id="A")\ndef test_a(pair): yield', "test_a yields, so it would never be"),
        ('@claim("t", id="A")\n@pytest.fixture\ndef test_a(): ...', "decorate a test function, got"),
        ('@claim("t", id="A")\n@claim("u", id="B")\ndef test_a(pair): ...', "already the claim B"),
        ('@claim("t", id="A")\n@pytest.mark.at_k()\ndef test_a(pair, k): ...', "expected @pytest.m"),
        ('@claim("t", id="A")\n@pytest.mark.at_k(2, 2)\ndef test_a(pair, k): ...', "each once"),
        ('@claim("t", id="A")\n@pytest.mark.at_k(0)\ndef test_a(pair, k): ...', "got at_k(0,)"),
        ('@claim("t", id="A")\n@pytest.mark.at_k("8")\ndef test_a(pair, k): ...', "got at_k('8',)"),
        ('@claim("t", id="A")\n@pytest.mark.at_k(True)\ndef test_a(pair, k): ...', "got at_k(True,)"),
        ('@claim("t", id="A")\n@pytest.mark.at_k(8.0)\ndef test_a(pair, k): ...', "got at_k(8.0,)"),
    ],
)  # fmt: skip
def test_a_claim_that_is_written_wrong_is_a_collection_error(
    collect, pytester: pytest.Pytester, code: str, message: str
) -> None:
    pytester.makepyfile(test_it=f"{HEAD}\n{code}\n\n{FINE}")
    result = collect()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert message in said(result)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('@pytest.mark.claim("t", id="A")\ndef test_a(pair): ...', "is not for direct use"),
        ('@pytest.mark.claim\ndef test_a(pair): ...', "is not for direct use"),
        ('@pytest.mark.claim(text="t", id="A", source="", kind="gate", margin=0.0, bound=0.0)\n'
         "def test_a(pair): ...", "is not for direct use"),
        ('@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.claim("t"))])\n'
         "def test_a(x): ...", "is not for direct use"),
        ('@pytest.mark.xfail\n@claim("t", id="A")\ndef test_a(pair): ...', "leave out xfail"),
        ('@claim("t", id="OWN1")\ndef test_a(pair): ...', "two claims have the id 'OWN1'"),
        ('class Base:\n    @claim("t", id="A")\n    def test_a(self, pair): ...\n'
         "class TestA(Base): ...\nclass TestB(Base): ...", "two claims have the id 'A'"),
        ('claim("t", id="A")\ndef test_a(pair): ...', "the claim A decorates nothing: write @claim"),
        ('@claim("t", id="A")\ndef test_a(): ...', "a claim is about the `pair`: take it as an arg"),
        ('@claim("t", id="A")\ndef test_a(pair, benchmrk): ...', "there is no fixture 'benchmrk'"),
        ('@pytest.fixture\ndef mine(theirs): ...\n@claim("t", id="A")\ndef test_a(pair, mine): ...',
         "there is no fixture 'theirs'"),
        ('import unittest\nclass TestA(unittest.TestCase):\n    @claim("t", id="A")\n'
         "    def test_a(self): ...", "a claim is about the `pair`"),
        ('@claim("t", id="A")\ndef check_a(pair): ...', "no test is called check_a: name it"),
        ('class Claims:\n    @claim("t", id="A")\n    def test_a(self, pair): ...',
         "the class Claims is no test class: call it Test"),
        ('class TestA:\n    def __init__(self): ...\n    @claim("t", id="A")\n'
         "    def test_a(self, pair): ...", "the class TestA has an __init__ of its own"),
        ('class TestA:\n    @claim("t", id="A")\n    def check(self, pair): ...',
         "no test is called check: name it"),
        ('class TestA:\n    @claim("t", id="A")\n    def test_a(self, pair): ...\n'
         "class TestA: ...", "took its place"),
        ('def outer():\n    @claim("t", id="A")\n    def test_a(pair): ...\nouter()',
         "it is defined inside another function"),
        ('@claim("t", id="A")\ndef test_a(pair): ...\n@claim("u", id="B")\ndef test_a(pair): ...',
         "test_a (A): pytest does not collect this claim: a later definition of test_a"),
        ('@claim("t", id="A")\ndef test_a(pair): ...\ndef test_a(pair): ...', "took its place"),
        ('__test__ = False\n@claim("t", id="A")\ndef test_a(pair): ...', "__test__ = False"),
        ('@claim("t", id="K1")\ndef test_a(pair, benchmark): ...',
         "the id 'K1' belongs to test_pass_at_1_rises in"),
        ('@claim("t", id="A")\n@pytest.mark.roles()\ndef test_a(pair): ...', "expected @pytest.mar"),
        ('@claim("t", id="A")\n@pytest.mark.roles(3)\ndef test_a(pair): ...', "got roles(3,)"),
        ('@claim("t", id="A")\n@pytest.mark.roles("")\ndef test_a(pair): ...', "got roles('',)"),
        ('@claim("t", id="A")\n@pytest.mark.roles(name="sft")\ndef test_a(pair): ...', "got roles()"),
        ('@claim("t", id="A")\n@pytest.mark.scores("rlvr")\ndef test_a(pair): ...', "under=ROLE"),
        ('@claim("t", id="A")\n@pytest.mark.scores(under="base")\ndef test_a(pair): ...',
         "under=ROLE"),
        ('@claim("t", id="A")\n@pytest.mark.scores(1, under="base")\ndef test_a(pair): ...',
         "under=ROLE"),
        ('@claim("t", id="A")\n@pytest.mark.scores("rlvr", under=("a", "a"))\n'
         "def test_a(pair): ...", "under=ROLE"),
        ('@claim("t", id="A")\n@pytest.mark.scores("rlvr", under=5)\ndef test_a(pair): ...',
         "under=ROLE"),
        ('@claim("t", id="A")\n@pytest.mark.at_k(8)\ndef test_a(pair): ...', "without the `k` fix"),
    ],
)  # fmt: skip
def test_a_claim_that_could_not_be_judged_as_meant_is_wrong_usage(
    collect, pytester: pytest.Pytester, code: str, message: str
) -> None:
    pytester.makepyfile(test_it=f"{HEAD}\n{code}\n\n{'' if '__test__' in code else FINE}")
    if "__test__" in code:
        pytester.makepyfile(test_other=f"{HEAD}\n{FINE}")
    result = collect()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in said(result)


@pytest.mark.parametrize(
    "code",
    [
        '@claim("t", id="A")\n@pytest.mark.at_k(4, 8)\ndef test_a(pair, benchmark, k): ...',
        '@claim("t", id="A", margin=1, bound=2)\n@pytest.mark.roles("sft", "sft-2")\n'
        "def test_a(pair, margin, bound): ...",
        'class TestA:\n    @claim("t", id="A")\n    def test_a(self, pair): ...',
        'class TestA:\n    class TestB:\n        @claim("t", id="A")\n'
        "        def test_a(self, pair): ...",
        "def make(i):\n    @claim('t', id=i)\n    def test_x(pair): ...\n    return test_x\n"
        "test_a, test_b = make('A'), make('B')",
        '@claim("t", id="A")\n@pytest.mark.scores("rlvr", under=["base", "rlvr"])\n'
        "def test_a(pair, benchmark): ...",
        '@pytest.mark.skip\n@claim("t", id="A")\ndef test_a(pair): ...',
        '@claim("t", id="A")\ndef test_a(request): request.getfixturevalue("pair")',
        '@pytest.fixture\ndef both(pair): ...\n@claim("t", id="A")\ndef test_a(both, tmp_path): ...',
        'mine = claim("t", id="A")\n@mine\ndef test_a(pair): ...',
        '@claim("Å", id="Ä-1.b_2", kind="gate")\ndef test_a(pair): ...',
    ],
)
def test_a_claim_that_is_written_right_is_collected(
    collect, pytester: pytest.Pytester, code: str
) -> None:
    pytester.makepyfile(test_it=f"{HEAD}\n{code}\n\n{FINE}")
    for args in ((), ("test_it.py::test_fine",), ("-k", "fine"), ("--deselect", "test_it.py")):
        result = collect(*args)
        assert result.ret in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED), said(result)


def test_a_file_that_pytest_does_not_collect_is_named(collect, pytester: pytest.Pytester) -> None:
    folder = pytester.mkpydir("gate")
    (folder / "my_claims.py").write_text(f"{HEAD}\n{FINE}")
    (folder / "test_more.py").write_text(f"{HEAD}\n{FINE.replace('OWN1', 'OWN2')}")
    result = collect("gate")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "my_claims.py: holds claims (OWN1), but pytest does not collect" in said(result)
    for args in (("gate/my_claims.py",), ("gate/test_more.py",),
                 ("gate", "--ignore=gate/my_claims.py")):  # fmt: skip
        assert collect(*args).ret == 0


def test_claims_that_a_test_file_imports_are_collected_there(
    collect, pytester: pytest.Pytester
) -> None:
    pytester.syspathinsert()
    pytester.makepyfile(ours=f"{HEAD}\n{FINE}", test_it="from ours import test_fine\n")
    assert collect().ret == 0


def test_claims_in_a_conftest_are_an_error(collect, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(f"{HEAD}\n{FINE}")
    pytester.makepyfile(test_it=f"{HEAD}\n{FINE.replace('OWN1', 'OWN2')}")
    result = collect()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "test_fine (OWN1): pytest collects no tests of a conftest.py" in said(result)


def test_a_copy_of_the_shipped_suites_may_keep_its_ids_and_a_changed_one_not(
    collect, pytester: pytest.Pytester
) -> None:
    copy = pytester.path / "vendored"
    shutil.copytree(SUITES / "capability", copy)
    file = copy / "test_pass_at_k.py"
    file.write_text(file.read_text().replace("import claim\n", "import claim\n\n# ours\n"))
    assert collect("vendored").ret == 0
    file.write_text(
        file.read_text().replace("> pair.base.pass_at(1,", "> 0 * pair.base.pass_at(1,")
    )
    result = collect("vendored")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "the id 'K1' belongs to test_pass_at_1_rises in" in said(result)


def test_other_peoples_tests_are_left_alone(collect, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it="def test_a(): pass\n", helper=f"{HEAD}\n{FINE}")
    assert collect("--gate-policy=coverage").ret == 0


def test_an_import_error_is_told_before_anything_else(collect, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=f"{HEAD}\nimport no_such_module\n", test_b=f"{HEAD}\n{FINE}")
    pytester.makefile(".toml", p="[claims.GONE]\nkind = 'gate'")
    result = collect("--gate-policy=p.toml")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "no_such_module" in said(result)
