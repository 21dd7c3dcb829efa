"""Drawings say what they were given: bars around their numbers, dots with their texts, what differs marked."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dataflywheel.report.drawing.beside import beside
from dataflywheel.report.drawing.charts import Scale, bin_edges, histogram, reach
from dataflywheel.report.drawing.line_chart import Line, apart, line_chart
from dataflywheel.report.drawing.scatter import scatter
from dataflywheel.report.sections.embedding_map import COLOURS, coloured
from tests.report.fixture import HOSTILE
from tests.report.page_check import PageCheck

RECT = re.compile(r'<rect class="(\w+)" x="([\d.]+)%" width="([\d.]+)%"')
LIMIT = re.compile(r'<line class="limit" x1="([\d.]+)%"')


def test_a_threshold_of_whole_numbers_stands_in_the_bar_of_its_number() -> None:
    html = histogram("k", "rating", np.ones(6), np.zeros(4), thresholds=[1.0])
    bars = {css: (float(x), float(x) + float(width)) for css, x, width in RECT.findall(html)}
    (limit,) = map(float, LIMIT.findall(html))
    assert bars["dropped"][1] <= bars["kept"][0]
    assert bars["kept"][0] < limit < bars["kept"][1]


@pytest.mark.parametrize("largest", [1, 7, 39, 97, 1234])
def test_bars_of_whole_numbers_are_of_one_width_and_miss_none(largest: int) -> None:
    values = np.arange(largest + 1.0)
    scale = reach(values, 0.0, float(largest))
    edges = bin_edges(scale, values)
    assert len(set(np.diff(edges).tolist())) == 1
    assert np.histogram(values, edges)[0].sum() == largest + 1
    assert len(edges) <= 42


def test_fractions_are_drawn_as_they_were() -> None:
    assert reach(np.array([0.1, 0.9]), 0.1, 0.9) == Scale(0.1, 0.9)
    assert reach(np.array([1.0, 90.0]), 1.0, 90.0).log
    assert reach(np.array([2.0, 2.0]), 2.0, 2.0) == Scale(1.5, 2.5)


def test_what_differs_is_marked_on_both_sides() -> None:
    one, other = beside("What is the <b> class os.PathLike for?", "What is the <b> class io.PathLike for?")
    assert re.findall("<mark>(.*?)</mark>", one) == ["os"]
    assert re.findall("<mark>(.*?)</mark>", other) == ["io"]
    assert "<b>" not in one + other
    assert PageCheck(one).text == "What is the <b> class os.PathLike for?"


def test_texts_that_are_alike_or_altogether_different_have_no_marks() -> None:
    for pair in (("a b c", "a b c"), ("alpha beta gamma", "delta, epsilon!"), ("", "x"), ("x", "")):
        assert "<mark>" not in "".join(beside(*pair))


def test_long_and_hostile_texts_are_cut_and_inert() -> None:
    one, other = beside(HOSTILE + "x " * 400, HOSTILE + "y x " * 300)
    assert "characters in all" in one
    for html in (one, other):
        assert PageCheck(html).faults == []
        assert "script" not in PageCheck(html).tags
        assert "\x00" not in html


def test_each_dot_has_its_colour_and_its_text() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.5]])
    html = scatter("map", "t", "d", points, np.array([True, False, True]), np.array([0, 1, 1]), ["a", HOSTILE, "c"])
    seen = PageCheck(html)
    assert seen.faults == []
    assert "script" not in seen.tags
    kept = html[html.index('<g class="kept">') :]
    assert re.findall(r'<g class="(s\d)"><circle cx="(\d+)" cy="(\d+)"><title>(\w)', kept) == [
        ("s0", "14", "506", "a"),
        ("s1", "986", "260", "c"),
    ]


def test_sources_beyond_the_colours_share_one() -> None:
    groups, listed = coloured(["big"] * 5 + [f"s{i:02d}" for i in range(20)])
    assert len(listed) == COLOURS
    assert listed[0] == "big"
    assert listed[-1] == "14 more"
    assert groups.max() == COLOURS - 1
    assert (groups == COLOURS - 1).sum() == 14


def test_labels_do_not_cover_each_other_and_rounds_are_whole() -> None:
    assert apart([5.0, 5.0, 5.0, 80.0]) == [5.0, 19.0, 33.0, 80.0]
    lines = [Line(name, np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0 + i / 100])) for i, name in enumerate("ab")]
    html = line_chart("k", "t", "d", lines, "round", whole=True)
    assert re.findall(r'text-anchor="middle">(\d[\d.]*)<', html) == ["1", "2", "3"]
    heights = [float(y) for y in re.findall(r'<text class="tick halo[^"]*" x="[\d.]+%" y="([\d.]+)"', html)]
    assert abs(heights[0] - heights[1]) >= 14
    assert html.count("<circle") == 6


@pytest.mark.parametrize("values", [[1, 2], [3, 3], [0, 1], [5], [1, 2, 3], [7, 900], [0.5, 0.5], [-2, 4]])
def test_few_values_are_drawn(values: list[float]) -> None:
    """Bars hold every value, however few there are: between two whole numbers lies no bin."""
    drawn = histogram("k", "Tokens", np.array(values, dtype=float), np.array([], dtype=float))
    assert 1 <= drawn.count('class="kept"') <= len(values)
