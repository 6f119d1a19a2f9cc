"""The page in a real browser: no script error, no injection, no sideways scrolling."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rlvr_gate.records import RunRecord
from rlvr_gate_reports import html
from rlvr_gate_reports.write import write_text

Run = Callable[..., RunRecord]
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

pytestmark = pytest.mark.skipif(not BROWSER, reason="needs chromium on the PATH")


def dump(page: Path, fragment: str = "", *flags: str) -> tuple[str, str]:
    """The document after its scripts ran, and what the browser complained about."""
    done = subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu",
            "--disable-background-networking", "--disable-dev-shm-usage", "--no-first-run",
            f"--user-data-dir={page.parent / 'profile'}", "--enable-logging=stderr",
            "--virtual-time-budget=3000", *flags, "--dump-dom", f"{page.as_uri()}{fragment}",
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout, "\n".join(re.findall(r".*CONSOLE.*", done.stderr))


@pytest.fixture
def page(tmp_path: Path) -> Callable[[RunRecord], Path]:
    def write(record: RunRecord) -> Path:
        write_text(tmp_path / "gate.html", html.render(record))
        return tmp_path / "gate.html"

    return write


def test_the_script_runs_under_its_own_policy_and_opens_what_a_link_names(
    run: Run, page: Callable[[RunRecord], Path]
) -> None:
    dom, complaints = dump(page(run("closed", problems=30)), "#b0p7")
    assert complaints == ""
    assert re.search(r'<details class="problem" id="b0p7"[^>]*open', dom)
    assert '<div class="controls">' in dom, "the script shows the controls it serves"


def test_filters_come_back_from_the_address(run: Run, page: Callable[[RunRecord], Path]) -> None:
    dom, complaints = dump(page(run("open", problems=30)), "#b0-problems?class=lost&text=00")
    assert complaints == ""
    items = re.findall(r'<details class="problem"[^>]*data-kind="(\w+)"( hidden)?', dom)
    assert {kind for kind, hidden in items if not hidden} == {"lost"}
    assert any(kind == "lost" and hidden for kind, hidden in items) or len(items) < 30


def test_clicks_filter_copy_and_lead_to_a_lost_problem(
    run: Run, page: Callable[[RunRecord], Path], tmp_path: Path
) -> None:
    page(run("open", problems=30))
    frame = tmp_path / "frame.html"
    frame.write_text(
        '<iframe src="gate.html" style="width:1400px;height:900px"></iframe><script>'
        "onload = () => { const w = frames[0], d = w.document, said = [];"
        " d.querySelector('.copy').click();"
        " said.push(d.querySelector('.actions output').textContent !== '');"
        " said.push(String(w.getSelection()).includes('May ship: gate OPEN'));"
        " d.querySelector('.toggles [data-curve=\"1\"]').click();"
        " const curve = d.querySelector('g[data-curve=\"1\"]');"
        " said.push(w.getComputedStyle(curve).display);"
        " d.querySelector('[data-kind=lost][aria-pressed]').click();"
        " said.push(w.location.hash);"
        " d.querySelector('.actions a').click();"
        " setTimeout(() => { const p = d.querySelector('.problem[open]');"
        " said.push(p.dataset.kind, d.activeElement === p.firstElementChild);"
        " document.title = said.join(' ') }, 200) }</script>"
    )
    dom, _ = dump(frame, "", "--allow-file-access-from-files")
    assert "<title>true true none #b0-problems?class=lost lost true</title>" in dom


def test_nothing_a_model_wrote_runs(
    hostile_run: RunRecord, page: Callable[[RunRecord], Path]
) -> None:
    dom, complaints = dump(page(hostile_run))
    assert complaints == ""
    assert "<title>Gate CLOSED" in dom
    assert "<img" not in dom


@pytest.mark.parametrize("width", [390, 1280])
def test_no_record_makes_the_page_scroll_sideways(
    run: Run, hostile_run: RunRecord, page: Callable[[RunRecord], Path], tmp_path: Path, width: int
) -> None:
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe src="gate.html" style="width:{width}px;height:900px;border:0"></iframe><script>'
        "onload = () => { const d = frames[0].document;"
        " d.querySelectorAll('details').forEach(e => { e.open = true });"
        " document.title = 'width ' + d.documentElement.scrollWidth }</script>"
    )
    for record in (run("not comparable", problems=12, samples=16, contrast=True), hostile_run):
        page(record)
        dom, _ = dump(frame, "", "--allow-file-access-from-files", "--hide-scrollbars")
        assert f"<title>width {width}</title>" in dom
