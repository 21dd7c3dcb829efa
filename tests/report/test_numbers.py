from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.report.drawing.charts import Scale, bin_edges, ticks
from dataflywheel.report.drawing.markup import clip, esc, passage, visible
from dataflywheel.report.drawing.numbers import (
    aligned,
    interval,
    money,
    number,
    percent,
    plural,
    seconds,
    short,
    signed_percent,
)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (number(0.00000012), "1.20e\u221207"),
        (number(float("nan")), "not known"),
        (number(True), "not known"),
        (percent(0.00001), "<0.1%"),
        (percent(0.9999), ">99.9%"),
        (percent(1), "100%"),
        (seconds(200), "3 min 20 s"),
        (seconds(3900), "1 h 5 min"),
        (seconds(0.0421), "0.0421 s"),
        (money(0), "$0.00"),
        (money(0.00123), "$0.00123"),
        (money(1234.5), "$1,234.50"),
        (short(12_345_678), "12.3 M"),
        (plural(2, "entry"), "2 entries"),
        (plural(2, "near-copy"), "2 near-copies"),
        (plural(1, "row"), "1 row"),
        (signed_percent(-0.002), "\u22120.2%"),
        (interval(2.3141, 2.2904, 2.3378), "2.314 (2.290 to 2.338)"),
        (interval(2.3141, None, None), "2.314"),
    ],
)
def test_numbers_for_people(made: str, expected: str) -> None:
    assert made == expected


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=5))
def test_aligned_values_share_their_decimals_and_stay_close(values: list[float]) -> None:
    texts = aligned(values)
    decimals = {len(text.partition(".")[2]) for text in texts}
    assert len(decimals) == 1
    step = 10.0 ** -decimals.pop()
    for value, text in zip(values, texts, strict=True):
        assert float(text.replace("\u2212", "-").replace(",", "")) == pytest.approx(value, abs=step / 2 + 1e-9)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_lie_inside_and_are_few(low: float, width: float) -> None:
    high = low + width
    found = ticks(low, high)
    assert 1 <= len(found) <= 5 or found == [low, high]
    assert all(low - width * 1e-6 <= tick <= high + width * 1e-6 for tick in found)


@given(st.floats(0.001, 1e6), st.floats(1.01, 1e6), st.floats(allow_nan=False, allow_infinity=False))
def test_a_scale_never_leaves_the_drawing(low: float, factor: float, value: float) -> None:
    for log in (False, True):
        assert 1 <= Scale(low, low * factor, log)(value) <= 99


@given(st.text())
def test_escaped_text_holds_no_markup_and_no_control_character(text: str) -> None:
    made = esc(text)
    assert not set(made) & set("<>\"'")
    assert not any(ord(c) < 32 and c not in "\t\n" for c in made)
    assert "\u202e" not in made
    assert made.encode("utf-8").decode("utf-8") == made


def test_visible_keeps_what_languages_need() -> None:
    joined = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f469"
    assert visible(joined) == joined


def test_clip_and_passage_state_what_they_cut() -> None:
    assert clip("a  b\nc") == "a b c"
    assert len(clip("x" * 100, 20)) == 20
    assert "(1,000 characters in all)" in passage("y" * 1000)
    assert "(empty)" in passage("")
    assert math.isclose(passage("z" * 1000).count("z"), 400)


def test_bins_of_whole_numbers_each_hold_one() -> None:
    values = np.arange(1, 500, dtype=np.float64)
    for scale in (Scale(1, 400, log=True), Scale(3, 12)):
        inside = values[(values >= scale.low) & (values <= scale.high)]
        counts, _ = np.histogram(inside, bin_edges(scale, values))
        assert counts.sum() == len(inside)
        assert counts.min() >= 1
