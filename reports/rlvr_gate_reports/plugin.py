"""Writes the reports when a run has finished, and tells its story on one terminal screen.

Every output is replaced when the run starts, by a valid file that says "not finished": whatever
ends the run, nobody reads the verdict of an earlier one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shutil import get_terminal_size

import pytest

from rlvr_gate.controller import (
    asked,
    bare_record,
    command,
    failed,
    failures_key,
    given,
    is_worker,
)
from rlvr_gate.gate.decide import EXIT_STATUS
from rlvr_gate.options import path
from rlvr_gate.records import GateResult, GateState, RunRecord
from rlvr_gate.visible import for_log
from rlvr_gate_reports.outputs import is_ours, misplaced, named
from rlvr_gate_reports.rendering import Rendering, Say, silent
from rlvr_gate_reports.write import ReportError, write_text

record_key = pytest.StashKey[RunRecord]()
"""The finished run, until the terminal has told it."""

started_key = pytest.StashKey[bool]()
"""Outputs of earlier runs have been replaced."""
finished_key = pytest.StashKey[bool]()
"""The run was decided, and its reports were written."""

_OUTPUTS = {
    "--gate-json": "JSON report for machines: every verdict, count and digest",
    "--gate-report": "HTML report for people: one offline file",
    "--gate-summary": "Markdown summary, e.g. for a step summary in CI",
}

_MANY_PROBLEMS = 500

Render = Callable[[RunRecord], str | Iterable[str]]


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """As soon as pytest knows this plugin, whatever ends the run."""
    config = pluginmanager.get_plugin("pytestconfig")
    if config is not None:
        config.add_cleanup(lambda: _never_started(config))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rlvr-gate")
    for option, text in _OUTPUTS.items():
        group.addoption(option, type=path, metavar="FILE", help=text)


def _never_started(config: pytest.Config) -> None:
    """Where the command line was refused, no verdict of an earlier run may stand for it."""
    if started_key in config.stash or is_worker(config):
        return
    with suppress(Exception):  # what was refused is told; this is help with what cannot be read
        for option, target in named(given(config)).items():
            if is_ours(option, target):
                write_text(target, _renderers()[option](_unfinished(config)))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Refuse an output that cannot be written before an hour of sampling, not after it."""
    if is_worker(config):
        return
    targets = _targets(config)
    wrong = misplaced(targets, _inputs(config))
    if wrong:
        raise pytest.UsageError(wrong)
    refused = []
    for option, target in targets.items():
        try:
            write_text(target, _renderers()[option](_unfinished(config)))
        except ReportError as error:
            refused.append(f"{option}: {error}")
    config.stash[started_key] = True
    if refused:
        raise pytest.UsageError("\n".join(refused))


def _unfinished(config: pytest.Config) -> RunRecord:
    state = GateState.NOT_FINISHED
    policy = str(getattr(config.option, "gate_policy", ""))
    return bare_record(GateResult(state, EXIT_STATUS[state], (), policy), (), command(config))


def _inputs(config: pytest.Config) -> Iterator[Path]:
    """What the command line has the run read."""
    option = config.getoption
    yield Path(option("--gate-policy")).expanduser()
    yield from (config.invocation_params.dir / arg.partition("::")[0] for arg in config.args)
    yield from (file for _, file in option("--recorded", None) or ())
    yield from (Path(spec.partition(":")[0]) for spec in option("--benchmarks", None) or ())
    yield from (Path(value).expanduser() for _, value in option("--backend-option", None) or ())
    if config.inipath is not None:
        yield config.inipath


def _targets(config: pytest.Config) -> dict[str, Path]:
    """Option -> where its output goes; pytest's own JUnit XML where a verdict was asked for."""
    found = {option: config.getoption(option) for option in _OUTPUTS}
    if asked(config):
        found["--junit-xml"] = config.getoption("xmlpath", None)
    return {option: Path(target) for option, target in found.items() if target}


def _renderers() -> Mapping[str, Render]:
    from rlvr_gate_reports import document, html, junit, markdown

    return {
        "--gate-json": document.dumps,
        "--gate-report": html.pieces,
        "--gate-summary": markdown.render,
        "--junit-xml": junit.alone,
    }


@pytest.hookimpl(wrapper=True)
def pytest_rlvr_gate_finished(
    config: pytest.Config, run: RunRecord
) -> Generator[None, object, object]:
    """Before all others: one of them that raises must not cost a report."""
    config.stash[record_key] = run
    config.stash[finished_key] = True
    for option, target in _targets(config).items():
        try:
            _write(option, target, run, _announce(config, option, run))
        except Exception as error:  # the other reports shall still tell the verdict
            failed(config, option, error)
            _write_verdict(option, target, run)
    return (yield)


def _announce(config: pytest.Config, option: str, run: RunRecord) -> Say:
    """A sign of life where an output takes its time; how far it is goes on from there."""
    problems = sum(len(asked) for asked in run.problems.values())
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if problems <= _MANY_PROBLEMS or reporter is None:
        return silent
    reporter.ensure_newline()
    reporter.line(f"rlvr-gate: writing {option} of {problems:,} problems")
    return Rendering(reporter.line, f"rlvr-gate: writing {option}")


def _write(option: str, target: Path, run: RunRecord, say: Say = silent) -> None:
    from rlvr_gate_reports import html, junit

    if option == "--junit-xml":
        junit.add(target, run)
    elif option == "--gate-report":
        write_text(target, html.pieces(run, say))
    else:
        write_text(target, _renderers()[option](run))


def _write_verdict(option: str, target: Path, run: RunRecord) -> None:
    """The gate alone, where the whole report cannot be made."""
    try:
        alone = bare_record(replace(run.gate, errors=None), (), run.command)
        write_text(target, _renderers()[option](alone))
    except Exception:  # the reason of the first failure is what people need
        return


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    _tell(terminalreporter, config)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """After an internal error pytest prints no summary: the verdict is told here."""
    _never_finished(config)
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        _tell(reporter, config)


def _never_finished(config: pytest.Config) -> None:
    """pytest has written its JUnit XML, and nobody decided: that file must not look green."""
    target = _targets(config).get("--junit-xml")
    if target and finished_key not in config.stash and not is_worker(config):
        with suppress(ReportError):  # told before anything was run
            _write("--junit-xml", target, _unfinished(config))


def _tell(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    run = config.stash.get(record_key, None)
    if run is None or (run.gate.state is GateState.NO_DECISION and run.gate.exit_status in (0, 4)):
        return  # pytest tells wrong usage itself, and a plan was told when it was made
    del config.stash[record_key]
    from rlvr_gate_reports.terminal import MARKUP, summary

    reporter.section("rlvr-gate")
    for line in summary(run, _columns(reporter)):
        for span in line:
            reporter.write(span.text, **MARKUP.get(span.style, {}))
        reporter.line("")
    failures = config.stash.get(failures_key, [])
    for failure in failures:
        reporter.line(f"ERROR: {for_log(failure)}", red=True)
    for option, target in _targets(config).items():
        if option in _OUTPUTS and not any(f.startswith(option) for f in failures):
            reporter.line(f"{option.removeprefix('--gate-')}: {for_log(target)}")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from rlvr_gate_reports.notices import notices

        for order in notices(run):
            reporter.line(order)


def _columns(reporter: pytest.TerminalReporter) -> int:
    """Of the terminal; where nobody sits at one, and none is given, the usual number."""
    from rlvr_gate_reports.terminal import WIDTH

    known = reporter.isatty or os.environ.get("COLUMNS", "").isdigit()
    return get_terminal_size((WIDTH, 0)).columns if known else WIDTH
