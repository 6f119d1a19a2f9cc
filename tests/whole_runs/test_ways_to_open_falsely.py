"""Every way we know to open the gate without every required claim having been judged: all shut.

Each row is a real run of a suite that would open, broken in one way. No output may say "open".
"""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .whole_runs import CLAIMS, POLICY, ROOT, Ended, Folder, folder_that_opens

needs_xdist = pytest.mark.skipif(
    importlib.util.find_spec("xdist") is None, reason="needs pytest-xdist"
)
CHECKOUT = [ROOT / room for room in ("plugins", "fixtures", "reports", "suites")]
OTHER = "def test_other():\n    assert True\n"


def middle(act: str, module: str = "pytest") -> Mapping[str, str]:
    """Something happens in a test between the two claims."""
    head, first, second = CLAIMS.split("@claim")
    between = f"def test_middle(request):\n    {act}\n\n"
    return {"test_ours.py": f"import {module}\n{head}@claim{first}{between}@claim{second}"}


def conftest(code: str) -> Mapping[str, str]:
    return {"conftest.py": f"import pytest\n\n{code}"}


def hook(signature: str, body: str, mark: str = "") -> Mapping[str, str]:
    return conftest(f"{mark}\ndef {signature}:\n    {body}\n")


def in_workers(code: str) -> Mapping[str, str]:
    """Something happens in the workers alone."""
    return conftest(f"import os\nworker = os.environ.get('PYTEST_XDIST_WORKER')\n\n{code}")


OUTERMOST = "@pytest.hookimpl(wrapper=True, tryfirst=True)"
REFUTED = {"test_ours.py": CLAIMS.replace("benchmark) >", "benchmark) <")}
UNCOLLECTED = (
    "from rlvr_gate import claim\n\n@claim('t', id='MY3', kind='gate')\ndef check(pair): ...\n"
)


@dataclass(frozen=True)
class Way:
    """One way in."""

    name: str
    files: Mapping[str, str] = field(default_factory=dict)
    args: Sequence[str] = ()
    status: int | None = 12
    """None where the way exists with workers alone."""
    state: str = "no decision"
    env: Mapping[str, str] = field(default_factory=dict)
    python: Sequence[str] = ()
    xdist: int | None = 12
    """The exit status under `-n 2`; None where the way does not exist there."""
    says: str = ""
    """What the reader is told."""


WAYS = (
    # Collection
    Way("an import error", {"test_zz.py": "import nowhere\n"}, says="could not be collected"),
    Way("a syntax error", {"test_zz.py": "def\n"}),
    Way(
        "an import error that is waved through", {"test_zz.py": "import nowhere\n"},
        ["--continue-on-collection-errors"], says="test_zz.py could not be collected",
    ),
    Way("an import error in the suite", {"test_ours.py": f"{CLAIMS}\nimport nowhere\n"}),
    Way("a suite that skips itself", {
        "test_ours.py": f"import pytest\npytest.skip('no', allow_module_level=True)\n{CLAIMS}",
        "test_other.py": OTHER,
    }, status=4, xdist=4, says="unknown claim"),
    Way("sys.exit(0) while a suite is imported", {"test_zz.py": "import sys\nsys.exit(0)\n"},
        status=13),
    Way("-k", args=["-k", "first"], says="MY2 on sums (required, deselected)"),
    Way("-k beside a passing test", {"test_other.py": OTHER}, ["-k", "other"]),
    Way("-m", {"test_other.py": OTHER}, ["-m", "not claim"]),
    Way("--deselect", args=["--deselect=test_ours.py::test_second"]),
    Way("items that vanish silently", hook(
        "pytest_collection_modifyitems(items)", "del items[1:]"), says="required, deselected"),
    Way("items that vanish first of all", hook(
        "pytest_collection_modifyitems(items)", "items.clear()",
        "@pytest.hookimpl(tryfirst=True)"), status=4, xdist=4),
    Way("items that come and go in workers", in_workers(
        "def pytest_collection_modifyitems(items):\n    if worker: del items[1:]\n"),
        status=None, says="MY2 on sums (required, deselected)"),
    Way("a worker that collects something else", {**in_workers(
        "def pytest_ignore_collect(collection_path):\n"
        "    return worker == 'gw0' and collection_path.name == 'test_ours.py' or None\n"),
        "test_other.py": OTHER}, status=None, xdist=4),
    Way("what failed last", args=["-p", "cacheprovider", "--lf", "--lfnf=none"]),
    Way("-k in the settings", {"pytest.ini": "[pytest]\naddopts = -k first\n"},
        says="required, deselected"),
    Way("a claim that pytest passes over", {"test_ours.py": f"{CLAIMS}\n{UNCOLLECTED}"},
        status=4, xdist=4, says="pytest does not collect this claim"),
    Way("the checks of collection switched off", {"test_ours.py": f"{CLAIMS}\n{UNCOLLECTED}"},
        ["-p", "no:rlvr_gate.collected"], status=4, xdist=4, state="not finished",
        says="rlvr_gate.collected is switched off"),
    Way("the checks of collection taken away", {"test_ours.py": f"{CLAIMS}\n{UNCOLLECTED}", **hook(
        "pytest_sessionstart(session)",
        "session.config.pluginmanager.unregister(name='rlvr_gate.collected')")},
        says="rlvr_gate.collected was switched off"),
    Way("the roll call switched off", args=["-p", "no:rlvr_gate.attendant"], state="not finished"),
    Way("the roll call taken away", hook(
        "pytest_sessionstart(session)",
        "session.config.pluginmanager.unregister(name='rlvr_gate.attendant')"),
        state="not finished"),
    Way("no test at all", {"test_ours.py": ""}, status=4, xdist=4),
    Way("only tests that are no claims", {"test_ours.py": OTHER}, status=4, xdist=4),
    Way("a folder that is ignored", {"conftest.py": "collect_ignore = ['test_ours.py']\n",
                                     "test_other.py": OTHER}, status=4, xdist=4),
    Way("functions that pytest is told to pass by", {"test_other.py": "def check_it(): pass\n"},
        ["-o", "python_functions=check_*"], status=4, xdist=4),
    Way("--collect-only", args=["--collect-only"]),
    Way("--collect-only from the environment", env={"PYTEST_ADDOPTS": "--collect-only"}),
    Way("--setup-plan", args=["--setup-plan"]),
    Way("--fixtures", args=["--fixtures"]),
    Way("--markers", args=["--markers"], state="not finished"),
    # The session ends early
    Way("-x", {"test_a.py": "def test_a():\n    assert False\n"}, ["-x"],
        says="collected, not judged"),
    Way("--maxfail", {"test_a.py": "def test_a():\n    assert False\n"}, ["--maxfail=1"],
        says="collected, not judged"),
    Way("a debugger that is left", {"test_ours.py": f"{CLAIMS}    raise KeyError('x')\n"},
        ["--pdb"], xdist=None),
    Way("a stop that somebody asks for", middle("request.session.shouldstop = 'time is up'")),
    Way("a session timeout", middle("request.session.shouldfail = 'session-timeout'")),
    Way("pytest.exit", middle("pytest.exit('enough')"), says="enough"),
    Way("pytest.exit with status 0", middle("pytest.exit('enough', returncode=0)")),
    Way("pytest.exit after the last claim", {"test_zz.py": (
        "import pytest\ndef test_zz():\n    pytest.exit('enough', returncode=2)\n")}),
    Way("pytest.exit with status 0 once all is judged", conftest(
        "@pytest.fixture(autouse=True, scope='session')\ndef last():\n    yield\n"
        "    pytest.exit('enough', returncode=0)\n"), says="enough"),
    Way("pytest.exit with status 1 once all is judged", conftest(
        "@pytest.fixture(autouse=True, scope='session')\ndef last():\n    yield\n"
        "    pytest.exit('enough', returncode=1)\n"), says="enough"),
    Way("pytest.exit while reports come in", hook(
        "pytest_runtest_logreport(report)", "pytest.exit('enough', returncode=0)")),
    Way("sys.exit(0) while reports come in", hook(
        "pytest_runtest_logreport(report)", "raise SystemExit(0)"), status=13, xdist=13),
    Way("pytest.exit when configured", conftest(
        "def pytest_configure():\n    pytest.exit('enough', returncode=0)\n"),
        state="not finished"),
    Way("pytest.exit when started", conftest(
        "def pytest_sessionstart():\n    pytest.exit('enough', returncode=0)\n"),
        state="not finished"),
    Way("pytest.exit when collected", conftest(
        "def pytest_itemcollected():\n    pytest.exit('enough', returncode=0)\n")),
    Way("Ctrl-C", middle("raise KeyboardInterrupt")),
    Way("sys.exit(0) in a test", middle("sys.exit(0)", "sys"), status=1, state="closed", xdist=1),
    Way("a worker that dies", middle("os.kill(os.getpid(), 9)", "os"), status=-9,
        state="not finished", says="", xdist=12),
    Way("a worker that is not replaced", middle("os.kill(os.getpid(), 9)", "os"),
        ["--max-worker-restart=0"], status=-9, state="not finished"),
    Way("a worker that leaves in silence", in_workers(
        "def pytest_sessionfinish():\n    if worker: os._exit(0)\n"), status=None),
    Way("a worker that tells nothing", in_workers(
        "@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(session):\n"
        "    if worker: session.config.workeroutput.clear()\n"), status=None, xdist=13),
    Way("a worker that nobody listens to", conftest(
        f"{OUTERMOST}\ndef pytest_testnodedown(node):\n    node.workeroutput = {{}}\n"
        "    return (yield)\n"), status=None, xdist=13),
    Way("an internal error", hook("pytest_runtest_logreport(report)", "raise KeyError('oh')"),
        status=13, xdist=13),
    # Reports
    Way("reports without properties", hook(
        "pytest_runtest_makereport()", "report = yield\n    report.user_properties = []\n"
        "    return report", "@pytest.hookimpl(wrapper=True, tryfirst=True)"),
        says="collected, not judged"),
    Way("reports with short properties", hook(
        "pytest_runtest_makereport()", "report = yield\n    report.user_properties = "
        "[(k, str(v)[:80]) for k, v in report.user_properties]\n    return report",
        "@pytest.hookimpl(wrapper=True, tryfirst=True)"), says="was changed after it was judged"),
    Way("reports that were rewritten", {**REFUTED, **hook(
        "pytest_runtest_logreport(report)", "report.user_properties = [(k, str(v).replace("
        "'refuted', 'holds')) for k, v in report.user_properties]",
        "@pytest.hookimpl(tryfirst=True)")}, says="was changed after it was judged"),
    Way("reports with the verdict of another test", {
        "test_ours.py": CLAIMS.replace("pass_at(4, benchmark) >", "pass_at(4, benchmark) <"),
        **hook("pytest_runtest_logreport(report)", "if report.when == 'call':\n"
               "        kept.append(report.user_properties)\n"
               "        report.user_properties = kept[0]",
               "kept = []\n@pytest.hookimpl(tryfirst=True)")}, says="holds the verdict of"),
    Way("reports that call all passed", {**REFUTED, **hook(
        "pytest_runtest_makereport()", "report = yield\n    report.outcome = 'passed'\n"
        "    return report", OUTERMOST)}, status=1, state="closed", xdist=1),
    Way("reports that lose their properties on the way", hook(
        "pytest_report_to_serializable(report)",
        "data = report._to_json()\n    data.update({'$report_type': type(report).__name__, "
        "'user_properties': []})\n    return data",
        "@pytest.hookimpl(tryfirst=True)"), status=None),
    Way("a test that is not run", hook(
        "pytest_runtest_protocol(item)", "return 'second' in item.name or None",
        "@pytest.hookimpl(tryfirst=True)"), says="MY2 on sums (collected, not judged)"),
    Way("reports of another test", hook(
        "pytest_runtest_makereport()", "report = yield\n    report.nodeid = 'test_x.py::test_x'\n"
        "    return report", "@pytest.hookimpl(wrapper=True, tryfirst=True)"), xdist=None),
    Way("a test whose body was replaced", hook(
        "pytest_collection_modifyitems(items)",
        "for item in items: item.obj = lambda **given: None"), says="compared nothing"),
    # Claims that give no answer
    Way("a claim that raises", {"test_ours.py": CLAIMS + "    raise KeyError('x')\n"},
        says="KeyError"),
    Way("a claim that is skipped", {"test_ours.py": CLAIMS.replace(
        "    assert pair.rlvr.pass_at(4", "    import pytest; pytest.skip('no')\n"
        "    assert pair.rlvr.pass_at(4")}, says="skipped: no"),
    Way("a claim that is told to be skipped", hook(
        "pytest_collection_modifyitems(items)", "items[1].add_marker(pytest.mark.skip)"),
        says="skipped"),
    Way("a claim that may fail", {**REFUTED, **hook(
        "pytest_collection_modifyitems(items)",
        "[item.add_marker(pytest.mark.xfail) for item in items]",
        "@pytest.hookimpl(trylast=True)")}, status=10, state="undecided", xdist=10),
    Way("a claim that says it may fail", {"test_ours.py": CLAIMS.replace(
        "    assert pair.rlvr.pass_at(4", "    import pytest; pytest.xfail('known')\n"
        "    assert pair.rlvr.pass_at(4")}),
    Way("a pair of somebody else", conftest(
        "class Any:\n    def __getattr__(self, name): return self\n"
        "    def __call__(self, *a): return self\n    def __gt__(self, other): return True\n"
        "@pytest.fixture\ndef pair():\n    return Any()\n"), says="pair"),
    Way("a largest k of somebody else", {
        "test_ours.py": CLAIMS.replace("pass_at(4,", "pass_at(k_max,").replace(
            "second(pair,", "second(pair, k_max,"),
        **conftest("@pytest.fixture\ndef k_max():\n    return 1\n")}, says="k_max"),
    Way("asserts that are not run", args=["--assert=plain"], python=["-O"],
        xdist=None, says="compared nothing"),
    Way("a claim about one benchmark, required on another", {
        "ours.toml": f'{POLICY}required_benchmarks = ["sums", "aime31"]\n'
    }, status=4, xdist=4),
    # The exit status
    Way("a plugin that sets the exit status", {
        **middle("assert False"), **hook(
            "pytest_sessionfinish(session)", "session.exitstatus = 0",
            "@pytest.hookimpl(trylast=True)")}, status=1, state="closed", xdist=1),
    Way("a plugin that sets it after all others", {
        **middle("pytest.exit('enough')"), **hook(
            "pytest_sessionfinish(session)", "yield\n    session.exitstatus = 0",
            "@pytest.hookimpl(wrapper=True, tryfirst=True)")}),
    Way("a plugin that sets it when the command ends", {
        **middle("pytest.exit('enough')"),
        **hook("pytest_cmdline_main()", "yield\n    return 0", OUTERMOST)}),
    Way("a question that is taken back", {
        **middle("pytest.exit('enough', returncode=0)"), **hook(
            "pytest_collection_finish(session)", "session.config.option.recorded = None")}),
    Way("a record that says open", {**middle("assert False"), **hook(
        "pytest_rlvr_gate_record(gate)", "from dataclasses import replace\n"
        "    from rlvr_gate.records import GateState\n    record = yield\n"
        "    said = replace(gate, state=GateState.OPEN, exit_status=0)\n"
        "    return replace(record, gate=said)", OUTERMOST)}, status=1, state="closed", xdist=1),
    Way("pytest.exit once all is decided", hook(
        "pytest_sessionfinish()", "pytest.exit('enough', returncode=0)",
        "@pytest.hookimpl(trylast=True)"), state="not finished"),
    Way("a crash before any report", hook(
        "pytest_rlvr_gate_finished()", "raise KeyError('oh')\n    yield", OUTERMOST),
        status=13, state="not finished", xdist=13),
    Way("a plugin that crashes at the end", {
        **hook("pytest_sessionfinish()", "raise KeyError('oh')",
               "@pytest.hookimpl(tryfirst=True)")}, status=13, state="not finished", xdist=13),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A run that opens."""
    return folder_that_opens(tmp_path)


def shut(ended: Ended, status: int, state: str) -> None:
    assert ended.status == status, ended.text
    assert ended.state == state
    states = ended.states
    assert "OPEN" not in states["markdown"]
    assert states["junit"] == "red"
    assert states["junit suite"] == state
    assert '<header class="banner open">' not in states["html"]
    assert f'<header class="banner {state.replace(" ", "-")}">' in states["html"]


def named(ways: Sequence[Way]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("way", ways, ids=[way.name for way in ways])


ALONE = [way for way in WAYS if way.status is not None]


@pytest.mark.parametrize("args", [(), pytest.param(("-n", "2"), marks=needs_xdist)])
def test_the_run_that_every_way_breaks_opens(folder: Folder, args: Sequence[str]) -> None:
    ended = folder.start(*args)
    assert (ended.status, ended.state) == (0, "open"), ended.text
    assert ended.states["junit"] == "green"
    assert ended.states["junit suite"] == "open"
    assert '<header class="banner open">' in ended.states["html"]


@named(ALONE)
def test_it_stays_shut(folder: Folder, way: Way) -> None:
    folder.write(way.files)
    if way.python:
        ended = folder.start(*way.args, env=way.env, python=way.python)
    else:
        ended = folder.run(*way.args, env=way.env)
    assert way.status is not None
    shut(ended, way.status, way.state)
    assert way.says in " ".join(ended.text.split())


DIFFER = (
    "an import error", "an import error that is waved through", "-k", "--collect-only",
    "items that vanish silently", "a session timeout", "pytest.exit with status 0", "Ctrl-C",
    "a worker that dies", "a worker that is not replaced", "an internal error",
    "reports without properties", "reports that lose their properties on the way",
    "a test that is not run",
)  # fmt: skip


def with_workers() -> list[object]:
    """Every way; CI takes those that are something else with workers."""
    return [
        way if way.name in DIFFER else pytest.param(way, marks=pytest.mark.slow)
        for way in WAYS
        if way.xdist is not None
    ]


@needs_xdist
@pytest.mark.parametrize("way", with_workers(), ids=lambda way: way.name)
def test_it_stays_shut_with_workers(folder: Folder, way: Way) -> None:
    folder.write(way.files)
    workers = "2" if "worker" in way.name or "import" in way.name else "1"
    ended = folder.start("-n", workers, *way.args, env=way.env, python=way.python)
    assert way.xdist is not None
    state = "no decision" if way.state == "not finished" else way.state
    assert ended.status == way.xdist, ended.text
    assert ended.state in (state, "not finished")
    assert ended.states["junit"] == "red"


FEW = (
    "an import error", "-k", "pytest.exit with status 0", "reports without properties",
    "a test that is not run", "a plugin that sets it after all others",
)  # fmt: skip


def few(ways: Sequence[Way]) -> pytest.MarkDecorator:
    """All ways; CI takes a few."""
    return pytest.mark.parametrize("way", [
        pytest.param(way, id=way.name, marks=() if way.name in FEW else pytest.mark.slow)
        for way in ways
    ])  # fmt: skip


@few(ALONE)
def test_it_stays_shut_from_another_folder(folder: Folder, way: Way) -> None:
    folder.write(way.files)
    folder.cwd = folder.path / "deeper" / "still"
    folder.cwd.mkdir(parents=True)
    start = folder.start if way.python else folder.run
    ended = start(*way.args, env=way.env, **{"python": way.python} if way.python else {})
    assert (ended.status, ended.state) == (way.status, way.state), ended.text
    assert not list(folder.cwd.iterdir())


@dataclass(frozen=True)
class Mutant:
    """A guard that is gone, and the ways that then open."""

    guard: str
    code: str
    ways: Sequence[str]


NOTHING = "lambda *args, **options: ()"
MUTANTS = (
    Mutant("roll call", f"from rlvr_gate.gate import rollcall\nrollcall.RollCall.gaps = {NOTHING}",
           ["an import error that is waved through", "a test that is not run",
            "a stop that somebody asks for", "pytest.exit with status 0 once all is judged"]),
    Mutant("last word", "from rlvr_gate import controller\n"
           "controller.LastWord.pytest_cmdline_main = lambda self: None",
           ["a plugin that sets it when the command ends"]),
    Mutant("digest", "from rlvr_gate.gate import wire\nwire._digest = lambda text: 'same'",
           ["reports that were rewritten"]),
    Mutant("collection", f"from rlvr_gate import collected\ncollected._problems = {NOTHING}",
           ["a claim that pytest passes over"]),
    Mutant("rooms", "from rlvr_gate import controller, plugin\n"
           "controller.absent = plugin.absent = lambda config: []",
           ["the checks of collection switched off", "the checks of collection taken away"]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("mutant", "name"), [(m, name) for m in MUTANTS for name in m.ways],
    ids=lambda value: value.guard if isinstance(value, Mutant) else value,
)  # fmt: skip
def test_without_its_guard_it_would_open(folder: Folder, mutant: Mutant, name: str) -> None:
    """The table tests each guard and not something else that happens to be red."""
    (way,) = [way for way in WAYS if way.name == name]
    folder.write({
        **way.files, "sabotage.py": mutant.code,
        "ours.toml": '[policy]\nrequired_claims = ["MY1"]\n',
    })  # fmt: skip
    opened = folder.run("-o", "pythonpath=.", "-p", "sabotage", *way.args)
    assert opened.status == 0 or opened.state == "open", opened.text
    ended = folder.run(*way.args)
    assert (ended.status, ended.state) == (way.status, way.state)


def test_a_run_that_is_killed_leaves_no_verdict(folder: Folder) -> None:
    """The outputs of the run before say "not finished" from the start of the next one."""
    assert folder.run().state == "open"
    folder.write(middle("os.kill(os.getpid(), signal.SIGKILL)", "os, signal"))
    ended = folder.run()
    assert ended.status == -signal.SIGKILL
    shut(ended, -signal.SIGKILL, "not finished")


def test_os_exit_can_end_with_0_and_every_output_tells(folder: Folder) -> None:
    folder.write(middle("os._exit(0)", "os"))
    shut(folder.run(), 0, "not finished")


FINISHED = """
@pytest.hookimpl(tryfirst=True)
def pytest_rlvr_gate_finished(run):
    raise KeyError("dashboard")
"""
RECORD = FINISHED.replace("finished(run)", "record()")


@pytest.mark.parametrize("code", [FINISHED, RECORD])
def test_a_crash_of_the_gate_keeps_the_verdict_and_has_its_own_status(
    folder: Folder, code: str
) -> None:
    folder.write(conftest(code))
    ended = folder.run()
    assert ended.status == 13
    assert ended.state == "open"
    assert "KeyError: 'dashboard'" in ended.text


@pytest.mark.parametrize("correct", [1, 10])
def test_a_verdict_that_is_reported_again_counts_once(folder: Folder, correct: int) -> None:
    folder.counts("rlvr", correct)
    again = """
seen = []
@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    if report.when == "call" and report.nodeid not in seen:
        seen.append(report.nodeid)
        plugins.hook.pytest_runtest_logreport(report=report)
def pytest_configure(config):
    global plugins
    plugins = config.pluginmanager
"""
    folder.write(conftest(again))
    ended = folder.run()
    claims = ended.document["claims"]
    assert isinstance(claims, list)
    assert [claim["id"] for claim in claims] == ["MY1", "MY2"]
    assert ended.status == (0 if correct == 10 else 1)


def test_a_suite_that_bears_our_name_is_kept_in_junit(folder: Folder) -> None:
    ended = folder.run("-o", "junit_suite_name=rlvr-gate")
    text = (ended.folder / "junit.xml").read_text("utf-8")
    assert text.count("<testsuite ") == 2
    assert text.count("test_first") == 1
    assert text.count('"rlvr_gate.state" value="open"') == 1


def test_a_plan_is_no_verdict_and_says_so(folder: Folder) -> None:
    ended = folder.run("--plan")
    assert (ended.status, ended.state) == (0, "no decision")
    assert ended.states["junit"] == "red"


def test_two_outputs_in_one_file_are_refused(folder: Folder) -> None:
    ended = folder.run("--gate-summary=gate.json")
    assert ended.status == 4
    assert "two outputs go to" in ended.text


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Python of an environment that holds our wheel, and of others' packages those of this one."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home)
    place = {"base": str(home), "platbase": str(home)}
    target = sysconfig.get_path("purelib", "venv", place)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--target", target, str(ROOT)], check=True,
    )  # fmt: skip
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(target, "others.pth").write_text("".join(f"{path}\n" for path in here))
    return str(Path(sysconfig.get_path("scripts", "venv", place)) / "python")


@pytest.fixture
def shipped(folder: Folder, installed: str) -> Folder:
    """A run that opens, from the wheel."""
    folder.executable, folder.env = installed, {}
    return folder


@few(ALONE)
def test_it_stays_shut_in_an_installed_wheel(shipped: Folder, way: Way) -> None:
    shipped.write(way.files)
    ended = shipped.start(*way.args, env=way.env, python=way.python)
    assert (ended.status, ended.state) == (way.status, way.state), ended.text
    assert not [room for room in CHECKOUT if str(room) in ended.text]


def test_the_shipped_suites_open_and_shut_from_the_wheel(shipped: Folder) -> None:
    home = Path(shipped.executable).parent.parent
    args = ("--pyargs", "rlvr_gate_suites", "--gate-policy=recorded")
    ended = shipped.start(*args)
    assert ended.state == "open"
    assert f"rlvr-gate: {home}" in ended.text
    assert shipped.start(*args, "-k", "not rises").status == 12


REFUSED: Mapping[str, tuple[Mapping[str, str], Sequence[str], Mapping[str, str], int]] = {
    "an option out of range": ({}, ["--samples=0"], {}, 4),
    "an unknown option": ({}, ["--sampels=8"], {}, 4),
    "an unknown option in the environment": ({}, [], {"PYTEST_ADDOPTS": "--sampels=8"}, 4),
    "a policy that is not there": ({}, ["--gate-policy=ourz.toml"], {}, 4),
    "a path that is not there": ({}, ["test_theirs.py"], {}, 4),
    "a conftest that cannot be imported": ({"conftest.py": "import nowhere\n"}, [], {}, 4),
    "a conftest that ends Python": ({"conftest.py": "import sys\nsys.exit(0)\n"}, [], {}, 12),
    "a plugin that takes the command": (hook(
        "pytest_cmdline_main()", "return 0", "@pytest.hookimpl(tryfirst=True)"), [], {}, 12),
    "another output that cannot be written": ({}, ["--gate-json=ours.toml/x.json"], {}, 4),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_run_that_never_starts_leaves_no_verdict_of_before(folder: Folder, name: str) -> None:
    assert folder.run().state == "open"
    files, args, env, status = REFUSED[name]
    folder.write(files)
    ended = folder.run(*args, env=env)
    assert ended.status == status, ended.text
    assert ended.state != "open" or name == "another output that cannot be written"
    states = ended.states
    assert "OPEN" not in states["markdown"]
    assert '<header class="banner open">' not in states["html"]
    assert (states["junit"], "open" in states["junit suite"]) == ("red", False)
