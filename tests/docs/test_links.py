"""Links between the pages lead somewhere, the README lists every page, named modules exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings: lower case, words and hyphens alone."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in headings}


def leads_nowhere(page: Path, link: str) -> bool:
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    if not target.exists():
        return True
    return bool(anchor) and anchor not in anchors(target)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [each for each in LINK.findall(prose(page)) if not each.startswith("http")]
    assert [link for link in links if leads_nowhere(page, link)] == []


def test_a_link_that_leads_nowhere_is_seen() -> None:
    readme = ROOT / "README.md"
    assert LINK.findall("see [a\npage](docs/no.md#x), `[not](one)`") == ["docs/no.md#x"]
    assert leads_nowhere(readme, "docs/no.md")
    assert leads_nowhere(readme, "#no-such-heading")
    assert not leads_nowhere(readme, "#what-it-claims")


def test_the_readme_lists_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    pages = [f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")]
    assert [page for page in pages if f"({page})" not in readme] == []


def test_pages_named_in_the_code_exist() -> None:
    sources = [p for room in ("plugins", "fixtures", "reports", "studies", "suites")
               for p in (ROOT / room).rglob("*.py")]  # fmt: skip
    named = {n for p in sources for n in re.findall(r"docs/\w+\.md", p.read_text("utf-8"))}
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


ROOMS = {
    "plugins": ROOT / "plugins" / "rlvr_gate",
    "fixtures": ROOT / "fixtures" / "rlvr_gate_fixtures",
    "reports": ROOT / "reports" / "rlvr_gate_reports",
}
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def is_module(room: Path, name: str) -> bool:
    return (room / name).is_dir() or (room / f"{name}.py").is_file()


def test_the_picture_names_modules_that_exist() -> None:
    found = re.findall(
        r"(plugins|fixtures|reports): ([\w, /]+)$", ARCHITECTURE, flags=re.MULTILINE
    )
    named = [(room, name) for room, names in found for name in names.split(", ")]
    assert len(named) > 20
    assert [each for each in named if not is_module(ROOMS[each[0]], each[1])] == []


def test_the_architecture_names_files_that_exist() -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", ARCHITECTURE))
    places = [ROOT, *(room for room in ROOMS.values()), *(ROOT / room for room in ROOMS)]
    assert len(named) > 8
    assert [n for n in named if not any((place / n).is_file() for place in places)] == []
