"""What happens to people who gate checkpoints every day, from their files to every report."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from .test_ways_to_open_falsely import OTHER, conftest, needs_xdist
from .whole_runs import ROOT, Folder, folder_that_opens

SHIPPED = (str(ROOT / "suites"), "--gate-policy=recorded", "--rootdir=.", "-c", "pytest.ini")
RERUN = """
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for last in (False, True):
        item._initrequest()
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if not last and report.when == "call":
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
    return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", "RERUN"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return folder_that_opens(tmp_path)


@pytest.mark.parametrize(
    ("files", "args"),
    [
        (conftest("def pytest_collection_modifyitems(items):\n    items.reverse()\n"), ()),
        (conftest(RERUN), ()),
        ({"test_other.py": OTHER}, ("-x",)),
        ({".pytest_cache/v/cache/lastfailed": '{"test_ours.py::test_second[sums]": true}'},
         ("-p", "cacheprovider", "--ff")),
        ({}, ("--durations=0", "-p", "no:terminal")),
        pytest.param({}, ("-n", "1"), marks=needs_xdist),
        pytest.param({}, ("--dist=each", "--tx=2*popen"), marks=[needs_xdist, pytest.mark.slow]),
        pytest.param({}, ("-n", "2", "--dist=loadfile"), marks=[needs_xdist, pytest.mark.slow]),
        pytest.param({}, ("-n", "2", "--dist=worksteal"), marks=[needs_xdist, pytest.mark.slow]),
    ],
    ids=["any order", "reruns", "-x", "--ff", "no terminal", "-n", "each", "loadfile", "steal"],
)  # fmt: skip
def test_other_plugins_and_orders_leave_the_record_as_it_is(
    folder: Folder, files: Mapping[str, str], args: Sequence[str]
) -> None:
    plain = folder.run().document
    folder.write(files)
    ended = folder.run(*args)
    assert ended.status == 0, ended.text
    found = ended.document
    assert {**found, "run": None} == {**plain, "run": None}


def test_one_greedy_sample_says_nothing_about_more_than_one(folder: Folder) -> None:
    for role, step in (("base", 3), ("rlvr", 2)):
        rows = [{"id": i, "n": 1, "c": int(i % step == 0 or i % 3 == 0)} for i in range(200)]
        folder.write({f"{role}.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    ended = folder.run(*SHIPPED)
    assert ended.status == 0, ended.text
    assert "k = 1 alone says nothing about where the curves cross" in ended.text
    claims = ended.document["claims"]
    assert isinstance(claims, list)
    said = {claim["id"]: claim["verdict"] for claim in claims}
    assert (said["K1"], said["K2"], said["K7"]) == ("holds", "undecided", "undecided")
    assert "rules a crossover out" not in ended.text + (folder.path / "gate.md").read_text("utf-8")


def test_a_line_that_was_cut_short_is_refused_with_its_place(folder: Folder) -> None:
    whole = (folder.path / "rlvr.jsonl").read_text()
    folder.write({"rlvr.jsonl": whole[:-12]})
    ended = folder.run()
    assert ended.status == 4
    assert "rlvr.jsonl, line 30: not JSON" in ended.text
    assert "and 29 before it are whole" in " ".join(ended.text.split())


def test_answers_on_file_have_thousands_commas(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    rows = [{"id": f"p{i}", "problem": f"{i}+{i}=", "answer": f"{i + 1},234", "verifier": "number"}
            for i in range(20)]  # fmt: skip
    (gate.root / "sums.jsonl").write_text("\n".join(map(json.dumps, rows)))
    script = json.loads((gate.root / "script.json").read_text())
    for side in script.values():
        for i in range(20):
            side[f"{i}+{i}="] |= {"right": f"It is {i + 1}234.", "wrong": f"It is {i + 1},235."}
    (gate.root / "script.json").write_text(json.dumps(script))
    result = gate.run("--gate-json=gate.json")
    assert result.ret == 0, result.stdout.str()
    assert re.search(r"'unscored': [^0\]]", str(gate.document()["counts"])) is None
    assert "'unscored'" in str(gate.document()["counts"])


def test_completions_of_16k_tokens_leave_a_page_that_opens(folder: Folder) -> None:
    for role, right in (("base", 1), ("rlvr", 3)):
        rows = [
            {"idx": i, "question": f"{i}+{i}?", "gt": str(2 * i), "gt_cot": "",
             "code": [f"{role} {k}: {'think about it ' * 4_000}" for k in range(4)],
             "pred": [str(2 * i)] * 4, "score": [k < right for k in range(4)]}
            for i in range(40)
        ]  # fmt: skip
        folder.write({f"{role}.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    ended = folder.run(*SHIPPED)
    assert ended.status == 0, ended.text
    assert (folder.path / "gate.html").stat().st_size < 3 << 20
    assert (folder.path / "gate.md").stat().st_size < 1 << 20
