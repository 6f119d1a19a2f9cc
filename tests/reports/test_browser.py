"""The page in a real browser: no complaint, no request, no injection; clicks and keys."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rlvr_gate.records import Answered, Grade, RunRecord
from rlvr_gate_reports import html
from rlvr_gate_reports.write import write_text

from .browser import EXECUTABLE, Browser

Run = Callable[..., RunRecord]
Page = Callable[[RunRecord], Path]

pytestmark = pytest.mark.skipif(not EXECUTABLE, reason="needs chromium on the PATH")
AXE = "axe-core@4.10.3"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests: starting it is what takes time."""
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture
def page(tmp_path: Path) -> Page:
    def write(record: RunRecord) -> Path:
        write_text(tmp_path / "gate.html", html.pieces(record))
        return tmp_path / "gate.html"

    return write


def answered(record: RunRecord) -> RunRecord:
    """With what every problem was answered."""
    given = (Answered("7", 200, Grade.WRONG), Answered(None, 3, Grade.UNSCORED))
    ids = [p.id for p in record.problems["countdown"]]
    both = {"base": given, "rlvr": (Answered("1 + 1", 5, Grade.CORRECT),)}
    return replace(record, answers={"countdown": dict.fromkeys(ids, both)})


def opened(browser: Browser) -> str:
    """Id of the problem that is read."""
    browser.until("document.querySelector('.problem-page h3')")
    return str(browser.js("document.querySelector('.rows [aria-current] .name').textContent"))


def test_a_reader_gets_from_the_decision_to_a_lost_problem_and_on_by_key(
    run: Run, page: Page, browser: Browser
) -> None:
    browser.open(page(answered(run("open", problems=120))))
    browser.click(".copy")
    assert browser.js("document.querySelector('.actions output').textContent")
    assert "May ship: gate OPEN" in browser.js("String(getSelection())")
    browser.click(".actions a[data-problem]")
    first = opened(browser)
    assert browser.js("document.activeElement.className") == "problem-page"
    assert browser.js("document.querySelector('.problem-page small').textContent").startswith(
        "lost"
    )
    words = browser.js("document.querySelector('.problem-page').innerText")
    for said in (
        "Use the numbers",
        "no answer",
        "✗ wrong",
        "✓ correct",
        "other answers",
        "sample",
    ):
        assert said in words
    browser.key("ArrowRight")
    browser.until("document.querySelector('.rows li:nth-child(2) [aria-current]')")
    second = opened(browser)
    assert second != first
    browser.key("ArrowLeft")
    browser.until("document.querySelector('.rows li:nth-child(1) [aria-current]')")
    assert opened(browser) == first
    browser.key("p")
    assert opened(browser) == first, "before the first there is none"
    assert browser.complaints == []


SEEN = (
    "(e => { const b = e.getBoundingClientRect();"
    " return b.height > 0 && b.top >= 0 && b.bottom <= innerHeight && b.right <= innerWidth })"
)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_first_screen_answers_and_a_lost_problem_is_one_click_away(
    run: Run, page: Page, browser: Browser, width: int, height: int
) -> None:
    """May we ship, why, what was paid, and the way to a problem; without scrolling."""
    browser.open(page(answered(run("open", problems=120))), width=width, height=height)
    for part in ("h1", ".reason", ".trade", ".actions a[data-problem]", ".copy"):
        assert browser.js(f"{SEEN}(document.querySelector('.banner {part}'))"), part
    if width > 1000:
        at = "document.querySelector('figure.curves svg').getBoundingClientRect().top"
        assert browser.js(at) < height - 100, "what changed is in sight, not only said"
    browser.click(".actions a[data-problem]")
    opened(browser)
    for part in ("h3", "pre.prompt", ".sides h4"):
        browser.until(f"{SEEN}(document.querySelector('.problem-page {part}'))")
    assert browser.complaints == []


def test_filters_search_and_order_live_in_the_address(
    run: Run, page: Page, browser: Browser
) -> None:
    record = run("open", problems=120)
    path = page(record)
    browser.open(path, "#b0-problems?class=lost&text=reach%2053")
    browser.until("document.querySelector('.controls output').textContent.includes(' of 120')")
    told = {p.id for p in record.problems["countdown"] if "reach 53" in p.prompt}
    names = "[...document.querySelectorAll('.rows .name')].map(e => e.textContent)"
    browser.until(f"{names}.length < 60")
    assert set(browser.js(names)) <= told
    kinds = "[...document.querySelectorAll('.rows .cell')].map(e => e.className)"
    assert set(browser.js(kinds)) <= {"cell lost"}
    browser.open(path)
    browser.click("button[data-kind=lost]")
    assert browser.js("location.hash") == "#b0-problems?class=lost"
    browser.js(
        "(s => { s.value = 'id'; s.dispatchEvent(new Event('input')) })"
        "(document.querySelector('select[aria-label=Order]'))"
    )
    browser.until("location.hash.includes('sort=id')")
    shown = browser.js(names)
    assert shown == sorted(shown)
    assert len(shown) > 1
    browser.click(".rows li:nth-child(2) a")
    browser.until("location.hash.startsWith('#b0p')")
    kept = browser.js("location.hash")
    assert kept.endswith("?class=lost&sort=id")
    browser.open(path, kept)
    assert opened(browser) == shown[1]
    assert browser.js(names) == shown
    assert browser.complaints == []


def test_pictures_lead_to_problems_and_curves_tell_their_numbers(
    run: Run, page: Page, browser: Browser
) -> None:
    record = run("open", problems=120)
    browser.open(page(record), width=1400)
    browser.click("svg.strip", 1.5 / 60, 0.25)
    second = opened(browser)
    assert second == browser.js("document.querySelectorAll('.rows .name')[1].textContent")
    browser.click("#b0 svg[data-side]", 44 / 430, (14 + 270) / 330)
    browser.until("document.querySelector('.problem-page small').textContent.startsWith('unre')")
    said = "document.querySelector('.at-k').innerText"
    assert "k = 256" in browser.js(said)
    browser.js("document.querySelector('.cursor-k input').focus()")
    browser.key("Home")
    value = next(p for p in record.curves["countdown"]["base"] if p.k == 1).value
    browser.until(f"{said}.includes('k = 1\\n') || {said}.includes('k = 1')")
    assert f"base {value:.3f}" in browser.js(said)
    browser.click(".toggles [data-curve='1']")
    shown = "getComputedStyle(document.querySelector('g[data-curve=\"1\"]')).display"
    assert browser.js(shown) == "none"
    assert browser.complaints == []


def test_links_to_problems_that_are_no_elements_open_them(
    run: Run, page: Page, browser: Browser
) -> None:
    browser.open(page(run("open", problems=300)))
    link = "a[data-problem][href='#b0-problems']"
    named = browser.js(
        f"(a => {{ a.closest('details').open = true; return a.textContent }})"
        f'(document.querySelector("{link}"))'
    )
    browser.js(f'document.querySelector("{link}").click()')
    browser.until(f"document.querySelector('.problem-page h3')?.textContent.includes('{named}')")


def test_nothing_a_model_wrote_runs(hostile_run: RunRecord, page: Page, browser: Browser) -> None:
    browser.open(page(hostile_run), "#b0p0")
    browser.until("document.querySelector('.problem-page pre.prompt')")
    assert browser.complaints == []
    assert browser.js("document.title").startswith("Gate CLOSED")
    assert browser.js("document.querySelectorAll('img, [onerror], [onload]').length") == 0
    words = browser.js("document.querySelector('.problem-page').textContent")
    assert "<script>document.title='pwned'</script>" in words
    assert not set("\x00\x07\x1b\u202e\u2066") & set(words)


@pytest.mark.parametrize("width", [390, 1280])
def test_no_record_makes_the_page_scroll_sideways(
    run: Run, hostile_run: RunRecord, page: Page, browser: Browser, width: int
) -> None:
    states = run("not comparable", problems=12, samples=16, contrast=True)
    for record in (answered(states), hostile_run):
        browser.open(page(record), "#b0p0", width=width)
        browser.until("document.querySelector('.problem-page h3')")
        browser.js("document.querySelectorAll('details').forEach(e => { e.open = true })")
        assert browser.js("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("state", ["open", "undecided"])
def test_without_scripts_verdict_tables_pictures_and_the_worst_problems_are_seen(
    run: Run, page: Page, browser: Browser, state: str
) -> None:
    browser.open(page(run(state, problems=60)), scripts=False)
    seen = browser.call("Runtime.evaluate", expression="document.body.innerText")
    # Scripts of the page are off; the test's own question is still answered.
    words = seen["result"]["value"]
    assert state.upper() in words
    assert "RLVR raises pass@1" in words
    assert "30 of 60 problems are spelled out here" in words
    for picture in ("pass@k curves", "problems: ", "accuracy of 60 problems"):
        box = browser.js(
            f"(e => e.getBoundingClientRect().height)"
            f"(document.querySelector('svg[aria-label^=\"{picture}\"]'))"
        )
        assert box > 10
    assert not browser.js("[...document.querySelectorAll('.browse')].length")


class Refusing(http.server.SimpleHTTPRequestHandler):
    """A server with Jenkins' default policy for artifacts."""

    def end_headers(self) -> None:
        self.send_header(
            "Content-Security-Policy",
            "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';",
        )
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        return


def test_a_server_that_refuses_styles_and_scripts_still_shows_verdict_and_pictures(
    run: Run, page: Page, browser: Browser
) -> None:
    path = page(run("closed", problems=60))

    def handler(*args: Any) -> Refusing:
        return Refusing(*args, directory=str(path.parent))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
        browser.call("Page.navigate", url=f"http://127.0.0.1:{server.server_port}/gate.html")
        browser.until("document.readyState === 'complete' && document.querySelector('footer')")
        assert browser.js("document.styleSheets.length") == 0
        assert "Do not ship" in browser.js("document.body.innerText")
        paint = (
            "(c => [getComputedStyle(c).fill, getComputedStyle(c).stroke])"
            "(document.querySelector('svg .line.rlvr'))"
        )
        assert browser.js(paint) == ["none", "rgb(199, 81, 12)"]
        black = browser.js(
            "[...document.querySelectorAll('svg path, svg rect, svg circle, svg polygon')]"
            ".filter(e => getComputedStyle(e).fill === 'rgb(0, 0, 0)'"
            " && !e.hasAttribute('fill')).map(e => e.outerHTML.slice(0, 90))"
        )
        assert black == []
        server.shutdown()


def test_paper_shows_verdict_claims_and_says_what_it_leaves_out(
    run: Run, page: Page, browser: Browser
) -> None:
    browser.open(page(run("open", problems=60)), media="print")
    seen = browser.js("document.body.innerText")
    assert "May ship" in seen
    assert "30 of 60 problems are spelled out here" in seen
    assert "show more" not in seen
    assert browser.js("getComputedStyle(document.querySelector('.browse')).display") == "none"


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The accessibility rules of axe-core, fetched as its package; skips where there is none."""
    if given := os.environ.get("RLVR_GATE_AXE"):
        return Path(given).read_text("utf-8")
    folder = tmp_path_factory.mktemp("axe")
    try:
        subprocess.run(
            ["npm", "pack", AXE, "--silent"],
            cwd=folder, check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        with tarfile.open(next(folder.glob("*.tgz"))) as package:
            found = package.extractfile("package/axe.min.js")
            assert found
            return found.read().decode()
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        pytest.skip(f"axe-core cannot be fetched: {error}")


@pytest.mark.parametrize(
    ("state", "view"),
    [
        ("open", {"width": 1280}),
        ("open", {"width": 1280, "dark": True}),
        ("undecided", {"width": 390}),
        ("not comparable", {"width": 390, "dark": True}),
    ],
)
def test_axe_finds_nothing_serious(
    run: Run, page: Page, browser: Browser, axe: str, state: str, view: dict[str, Any]
) -> None:
    browser.open(
        page(answered(run(state, problems=40, samples=16, contrast=True))), "#b0p0", **view
    )
    browser.until("document.querySelector('.problem-page pre.prompt')")
    browser.js("document.querySelectorAll('.claim').forEach(e => { e.open = true })")
    browser.js(f"{axe}; 0")
    found = browser.js(
        "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify("
        "r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v =>"
        " [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary])))"
    )
    assert json.loads(found) == []


@pytest.mark.parametrize("view", [{"width": 1280}, {"width": 390, "dark": True}])
def test_every_kind_of_section_is_there_and_accessible_and_fits(
    everything: Run, page: Page, browser: Browser, axe: str, view: dict[str, Any]
) -> None:
    browser.open(page(answered(everything(problems=40, samples=16))), **view)
    browser.js("location.hash = 'b0p0'")
    browser.until("document.querySelector('.problem-page .promoted')")
    told = browser.js("document.querySelector('.problem-page .promoted').innerText")
    assert "RLVR would choose another token at 3 of 41 positions" in told
    assert "Start␣with" in told
    assert browser.js("document.documentElement.scrollWidth <= innerWidth")
    browser.js(f"{axe}; 0")
    found = browser.js(
        "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify("
        "r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v =>"
        " [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary])))"
    )
    assert json.loads(found) == []
    assert browser.complaints == []


def test_the_map_of_an_update_switches_its_quantity_without_a_script(
    run: Run, page: Page, browser: Browser
) -> None:
    browser.open(page(run("open", problems=20)), scripts=False)
    seen = "[...document.querySelectorAll('.map')].map(m => getComputedStyle(m).display)"
    assert browser.js(seen) == ["block", "none"]
    browser.click(".switch label:nth-of-type(2)")
    assert browser.js(seen) == ["none", "block"]
    browser.open(page(run("open", problems=20)), scripts=False, media="print")
    assert browser.js(seen) == ["block", "block"], "paper leaves nothing out"
