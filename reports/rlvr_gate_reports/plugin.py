"""Writes the reports when a run has finished, and tells its story on one terminal screen."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from rlvr_gate.plugin import is_worker
from rlvr_gate.records import RunRecord
from rlvr_gate.visible import for_log
from rlvr_gate_reports.write import ReportError, check_writable, write_text

record_key = pytest.StashKey[RunRecord]()
errors_key = pytest.StashKey[list[str]]()

_OUTPUTS = {
    "--gate-report": "HTML report for people: one offline file",
    "--gate-json": "JSON report for machines: every verdict, count and digest",
    "--gate-summary": "Markdown summary, e.g. for a step summary in CI",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rlvr-gate")
    for option, text in _OUTPUTS.items():
        group.addoption(option, metavar="FILE", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse an output that cannot be written before an hour of sampling, not after it."""
    if is_worker(config):
        return
    for option in _OUTPUTS:
        target = config.getoption(option)
        if target:
            try:
                check_writable(Path(target))
            except ReportError as error:
                raise pytest.UsageError(f"{option}: {error}") from None


def pytest_rlvr_gate_finished(config: pytest.Config, run: RunRecord) -> None:
    from rlvr_gate_reports import document, html, markdown

    config.stash[record_key] = run
    renderers = {
        "--gate-report": html.render,
        "--gate-json": document.dumps,
        "--gate-summary": markdown.render,
    }
    for option, render in renderers.items():
        target = config.getoption(option)
        if target:
            try:
                write_text(Path(target), render(run))
            except ReportError as error:
                config.stash.setdefault(errors_key, []).append(f"{option}: {error}")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    yield
    if session.config.stash.get(errors_key, None):
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    run = config.stash.get(record_key, None)
    if run is None:
        return
    from rlvr_gate_reports.terminal import MARKUP, summary

    terminalreporter.section("rlvr-gate")
    for line in summary(run):
        for span in line:
            terminalreporter.write(span.text, **MARKUP.get(span.style, {}))
        terminalreporter.line("")
    errors = config.stash.get(errors_key, [])
    for error in errors:
        terminalreporter.line(f"ERROR: {for_log(error)}", red=True)
    for option in _OUTPUTS:
        if config.getoption(option) and not errors:
            place = for_log(config.getoption(option))
            terminalreporter.line(f"{option.removeprefix('--gate-')}: {place}")
