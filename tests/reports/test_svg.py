"""Pictures are well-formed, escaped, free of script and style, and stay inside their frame."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from rlvr_gate.gate.explain import drawn
from rlvr_gate.gate.shown import Shown
from rlvr_gate.records import PAIR, Crossover, CurvePoint, Curves, Heat
from rlvr_gate_reports import dots, exhibits, svg
from rlvr_gate_reports.reading import BINS, CLASSES, Crossing
from rlvr_gate_reports.svg import Svg

EVIL = '</title><script>alert(1)</script>" onload="x'


def ladder(top: int, value: float = 0.5) -> list[CurvePoint]:
    return [CurvePoint(float(1 << i), value, value / 2, min(1, value * 1.5)) for i in range(top)]


K_STAR = Crossover(15, 14, 10, None, 0.95, (1, 16), "crossover")
PICTURES = {
    "curves": svg.curves({"base": ladder(9), "rlvr": ladder(9, 0.4)}, Crossing(8, 16)),
    "curves with a contrast": svg.curves({"base": ladder(3), "rlvr": ladder(3), EVIL: ladder(3)}),
    "curves with k*": svg.curves({"base": ladder(9), "rlvr": ladder(9)}, None, K_STAR),
    "scatter": dots.scatter(
        [dots.Dot("lost", 1.0, 0.0), dots.Dot("gained", 0, 1), dots.Dot(EVIL, 0, 0)]
    ),
    "scatter of one": dots.scatter([dots.Dot("preserved", 0.5, 0.5)]),
    "strip": dots.strip([("lost", "solid"), ("gained", "thin"), (EVIL, EVIL)] * 50),
    "curves at every k": svg.curves(
        {"base": ladder(9)},
        every_k={"base": [CurvePoint(k, 0.5, 0.4, 0.6) for k in range(1, 257)]},
    ),
    "one k": svg.curves({"base": ladder(1), "rlvr": ladder(1)}),
    "all zero": svg.curves({"base": ladder(4, 0.0), "rlvr": ladder(4, 0.0)}),
    "difference": svg.difference([CurvePoint(1, 0.1, -0.1, 0.3)]),
    "band and crossover": svg.difference(
        [
            CurvePoint(1 << i, 0.1 - i / 10, -0.2, 0.3, band_low=-0.35, band_high=0.4)
            for i in range(4)
        ],
        (2, None),
    ),
    "no difference": svg.difference([CurvePoint(1, 0, 0, 0)]),
    "histogram": svg.histogram({"base": range(12), "rlvr": range(12)}),
    "forest": svg.forest(-0.2, 0.1, 0.4, 0.5, "not comparable"),
    "forest beyond": svg.forest(-7, -5, -3, 0.5, "refuted"),
    "forest of a point": svg.forest(0, 0, 0, 0, "holds"),
    "proportions": svg.proportions([("preserved", 3), ("lost", 1)]),
    "bar": svg.bar(0.3, EVIL),
}


@pytest.mark.parametrize("picture", PICTURES.values(), ids=list(PICTURES))
def test_a_picture_is_well_formed_and_does_nothing(picture: Svg) -> None:
    root = ElementTree.fromstring(picture)
    names = {element.tag for element in root.iter()}
    assert names <= {"svg", "g", "a", "path", "polygon", "rect", "circle", "text", "title"}
    for element in root.iter():
        assert not [name for name in element.attrib if name.startswith(("on", "style"))]
        assert element.attrib.get("href", "#").startswith("#"), "leads nowhere but in the page"
    assert root.attrib["aria-label"]
    assert not re.search(r"\b(nan|inf)\b", picture)


@pytest.mark.parametrize("picture", PICTURES.values(), ids=list(PICTURES))
def test_shapes_stay_inside_the_frame(picture: Svg) -> None:
    root = ElementTree.fromstring(picture)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for element in root.iter("rect"):
        at = float(element.attrib.get("x", 0)), float(element.attrib.get("y", 0))
        size = float(element.attrib["width"]), float(element.attrib["height"])
        assert -0.1 <= at[0] <= at[0] + size[0] <= width + 0.1
        assert -0.1 <= at[1] <= at[1] + size[1] <= height + 0.1
    for element in root.iter("circle"):
        assert 0 <= float(element.attrib["cx"]) <= width
        assert 0 <= float(element.attrib["cy"]) <= height


@pytest.mark.parametrize("picture", PICTURES.values(), ids=list(PICTURES))
def test_without_a_style_sheet_no_shape_is_a_black_blot(picture: Svg) -> None:
    """Jenkins refuses inline styles: what a shape looks like is in its attributes too."""
    for element in ElementTree.fromstring(picture).iter():
        if element.tag in ("path", "polygon", "rect", "circle"):
            assert "fill" in element.attrib
            assert element.attrib["fill"] not in ("black", "#000", "#000000")
            assert element.attrib["fill"] != "none" or "stroke" in element.attrib


def test_a_thousand_problems_are_as_few_shapes_as_ten() -> None:
    def shapes(number: int) -> int:
        marks = [dots.Dot(k, n / number, 1 - n / number) for n in range(number) for k in CLASSES]
        return len(list(ElementTree.fromstring(dots.scatter(marks)).iter("path")))

    assert shapes(10) == shapes(1_000)
    cells = [(kind, "solid") for kind in CLASSES for _ in range(1_000)]
    assert len(list(ElementTree.fromstring(dots.strip(cells)).iter("path"))) <= 5


def test_ways_of_asking_have_names_of_their_own_beside_their_curves() -> None:
    asked = [f"{r} (temperature {t}, samples 64)" for r in PAIR for t in ("0.6", "1", "1.4")]
    picture = ElementTree.fromstring(svg.curves(dict.fromkeys([*PAIR, *asked], ladder(3))))
    labels = [t.text or "" for t in picture.iter("text") if "label" in t.attrib["class"]]
    names = {label.rsplit(" ", 1)[0] for label in labels}
    assert names == {r + t for r in PAIR for t in ("", " t0.6", " t1", " t1.4")}


def test_names_beside_curves_are_whole_lie_within_the_picture_and_differ() -> None:
    asked = {
        "rlvr (samples 64, direct 1)": "rlvr direct 1", "base (512 tokens)": "base 512 tokens",
        "rlvr (tokens 512, temperature 0.6)": "rlvr 512 tok t0.6",
        "base (samples 4)": "base (samples 4)", "base": "base",
        "rlvr (clean grades)": "rlvr clean",
        "base (template <html>, of <b>)": "base template of <b>",
    }  # fmt: skip
    picture = ElementTree.fromstring(svg.curves(dict.fromkeys(asked, ladder(3))))
    labels = [t for t in picture.iter("text") if "label" in t.attrib["class"]]
    assert sorted((t.text or "").rsplit(" ", 1)[0] for t in labels) == sorted(asked.values())
    width, height = map(float, picture.attrib["viewBox"].split()[2:])
    for label in labels:
        assert float(label.attrib["x"]) + 6.2 * len(label.text or "") <= width
        assert float(label.attrib["y"]) < height


def test_many_curves_that_end_low_have_their_names_in_the_picture() -> None:
    low = [CurvePoint(k, 0.0, 0.0, 0.001) for k in (1.0, 2.0)]
    picture = ElementTree.fromstring(svg.curves({f"step-{n}": low for n in range(12)}))
    height = float(picture.attrib["viewBox"].split()[3])
    places = [float(t.attrib["y"]) for t in picture.iter("text") if "label" in t.attrib["class"]]
    assert len(places) == 12
    assert max(places) < height


@pytest.mark.parametrize(("others", "banded"), [(2, 4), (3, 2)])
def test_where_curves_are_many_the_pair_alone_has_bands(others: int, banded: int) -> None:
    roles = [*PAIR, *(f"step-{n}" for n in range(others))]
    picture = ElementTree.fromstring(svg.curves(dict.fromkeys(roles, ladder(3))))
    assert len(svg.with_bands(roles)) == len(list(picture.iter("polygon"))) == banded


@pytest.mark.parametrize(("high", "shown"), [(None, False), (2, True)])
def test_a_band_that_allows_every_k_shades_none(high: int | None, shown: bool) -> None:
    found = Crossover(1, None, 1, high, 0.95, (1, 2, 4), "rlvr leads at no k from 1 on")
    assert ("kstar" in svg.curves(dict.fromkeys(PAIR, ladder(3)), None, found)) is shown


def test_no_problem_lies_under_the_words_of_the_scatter() -> None:
    picture = ElementTree.fromstring(dots.scatter([dots.Dot("gained", 0, 1)]))
    (said,) = (t for t in picture.iter("text") if (t.text or "").startswith("accuracy of rlvr"))
    assert float(said.attrib["y"]) < float(picture.attrib["data-top"]) - 8


def test_nothing_to_draw_is_an_empty_picture() -> None:
    assert svg.curves({}) == svg.curves({"base": []}) == svg.difference([]) == ""
    assert svg.histogram({"base": [0] * len(BINS)}) == svg.proportions([("lost", 0)]) == ""


def test_checkpoints_differ_by_shape_as_well_as_colour() -> None:
    picture = ElementTree.fromstring(PICTURES["curves"])
    assert all("base" in r.attrib["class"] for r in picture.iter("rect"))
    assert all("rlvr" in c.attrib["class"] for c in picture.iter("circle"))


def test_no_two_of_many_contrasts_look_alike_and_colour_alone_tells_none() -> None:
    """Dash and mark are what is left to those who see no colours, and on paper."""
    roles = ["base", "rlvr", *(f"step-{n}" for n in range(40))]
    picture = ElementTree.fromstring(svg.curves({role: ladder(3) for role in roles}))
    looks = []
    for curve in picture.iter("g"):
        line = next(e for e in curve if "line" in e.attrib.get("class", "").split())
        marks = [e for e in curve if "mark" in e.attrib.get("class", "").split()]
        outlines = {re.sub(r"^M[\d.]+ [\d.]+", "", m.attrib.get("d", m.tag)) for m in marks}
        assert len(outlines) == 1
        assert len(marks) == 4, "three points, and one before the name"
        shape = (outlines.pop(), marks[0].attrib["fill"] == "#ffffff")
        looks.append((line.attrib["stroke"], line.attrib.get("stroke-dasharray"), shape))
    assert len(set(looks)) == len(looks) == 42
    without_colour = [look[1:] for look in looks]
    assert len(set(without_colour[:30])) == 30
    assert len({shape for *_, shape in looks[:9]}) == 9


def test_difference_marks_are_filled_only_where_zero_is_excluded() -> None:
    points = [
        CurvePoint(1.0, 0.2, 0.1, 0.3),
        CurvePoint(2.0, 0.1, -0.1, 0.3),
        CurvePoint(4.0, -0.2, -0.3, -0.1),
    ]
    marks = ElementTree.fromstring(svg.difference(points)).iter("circle")
    assert ["open" in mark.attrib["class"] for mark in marks] == [False, True, False]


def test_the_simultaneous_band_and_what_it_allows_are_drawn_beside_the_pointwise_one() -> None:
    shapes = [
        e.attrib.get("class") for e in ElementTree.fromstring(PICTURES["band and crossover"])
    ]
    assert shapes.count("edge") == 2
    assert shapes.count("allowed") == 1
    assert "edge" not in PICTURES["difference"]


def test_end_labels_never_overlap() -> None:
    picture = svg.curves({role: ladder(5) for role in ("base", "rlvr", "sft", "distilled")})
    labels = [
        float(text.attrib["y"])
        for text in ElementTree.fromstring(picture).iter("text")
        if "label" in text.attrib["class"]
    ]
    assert len(labels) == 4
    assert all(b - a >= 14.9 for a, b in pairwise(sorted(labels)))


def test_ticks_are_labelled_with_their_own_value() -> None:
    low = ElementTree.fromstring(svg.curves({"base": ladder(3, 0.05)}))
    ends = [t.text for t in low.iter("text") if t.attrib["class"] == "end"]
    assert ends == ["0.00", "0.02", "0.04", "0.06", "0.08", "0.10"]


EXHIBITS = {
    "two lines": Curves("c", {"a": [(1, 0.5), (2, 0.75)], EVIL: [(1, 0.1, 0.0, 0.2)]}, EVIL, EVIL),
    "one point": Curves("c", {"a": [(0, 0)]}),
    "all alike": Curves("c", {"a": [(3, 7), (4, 7)]}),
    "large": Curves("c", {"a": [(-1e100, -1e100), (1e100, 1e100)]}),
    "small": Curves("c", {"a": [(0, 0), (5e-324, 5e-324)]}),
    "close": Curves("c", {"a": [(1e9, 1.0), (1e9 + 1e-6, 1.0 + 2e-16)]}),
    "wide": Curves("c", {"a": [(1e-99, 1), (1e99, 2)]}),
    "many": Curves("c", {str(n): [(x, n) for x in range(1, 1001)] for n in range(20)}),
    "a map": Heat("h", [EVIL, "b"], [EVIL, "d"], [[-1, None], [1e100, 5e-324]], EVIL),
    "an empty map": Heat("h", ["a"], ["b"], [[None]]),
    "a map of nothing": Heat("h", ["a"], ["b"], [[0]]),
    "a large map": Heat("h", [str(n) for n in range(200)], [str(n) for n in range(200)],
                        [[n] * 200 for n in range(200)]),
}  # fmt: skip


@pytest.mark.parametrize("name", EXHIBITS)
def test_whatever_a_suite_shows_can_be_drawn(name: str) -> None:
    exhibit = EXHIBITS[name]
    draw = exhibits.heat if isinstance(exhibit, Heat) else exhibits.curves
    picture = draw(exhibit)  # type: ignore[operator]
    test_a_picture_is_well_formed_and_does_nothing(picture)
    test_shapes_stay_inside_the_frame(picture)
    root = ElementTree.fromstring(picture)
    height = float(root.attrib["viewBox"].split()[3])
    assert all(float(text.attrib["y"]) <= height for text in root.iter("text"))
    assert sum("end" in text.attrib["class"] for text in root.iter("text")) < 300
    head, rows = exhibits.grid(exhibit)
    assert {len(row) for row in rows} == {len(head)}
    assert drawn(Shown(exhibit))


def test_the_axis_has_round_ticks_to_both_ends() -> None:
    picture = ElementTree.fromstring(exhibits.curves(Curves("c", {"a": [(1, 0.1), (2, 0.6)]})))
    ends = [text.text for text in picture.iter("text") if text.attrib["class"] == "end"]
    assert ends == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]


def test_an_interval_beyond_the_edge_on_the_claims_side_has_no_arrow_against_it() -> None:
    # An arrow is drawn to the left only where the interval goes on to the left.
    right, left = svg.forest(7, 8, 9, 0.5, "holds"), svg.forest(-9, -8, -7, 0.5, "refuted")
    arrows = [re.findall(r"M[\d.]+ 9l(-?6) 4", picture) for picture in (right, left)]
    assert arrows == [["6"], ["-6"]]
