"""The report on steps and next rows: what was measured stands there, what was not is said, and the drawing fits."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.report.drawing.curve_chart import BOTTOM, LEFT, TOP, Point, curve_chart
from dataflywheel.report.html import write_report
from dataflywheel.report.rundir import Run
from dataflywheel.report.sections.costs import costs
from dataflywheel.report.sections.worth import worth
from tests.report.comparison import comparison
from tests.report.fixture import HOSTILE, build_run
from tests.report.page_check import PageCheck

COST = {"seconds": 12.0, "usd": 0.3}


def line(step: str, mean: float, verdict: str, ratio: float = 1.0, **more: Any) -> dict[str, Any]:
    found = {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}
    facts = {"step": step, "by": "", "rows": 80, "rows_with": 100, "cost": COST, "failure": "", "token_ratio": ratio}
    return {**facts, "worth": found, "verdict": verdict, **more}


STEPS = [
    line("01-deduplicate", 0.0, "the rows are the same without it"),
    line("03-enhance", -0.05, "it harmed", by="self_refine"),
    line("04-generate", 0.09, "it helped", 0.8, by="self_instruct"),
    line("05-select", 0.0, "needed", failure=f"the recipe cannot run without it: {HOSTILE}", worth=None, rows=0),
]
CURVE: dict[str, Any] = {
    "failure": "",
    "said": "80 rows more would help: bits per byte better by +0.2",
    "points": [
        {"rows": n, "mean": m, "low": m - 0.02, "high": m + 0.02, "scores": [m - 0.01, m + 0.01]}
        for n, m in ((20, 3.4), (40, 3.2), (80, 3.0))
    ],
    "fitted": [[20.0, 3.4], [40.0, 3.2], [80.0, 3.0], [160.0, 2.8]],
    "next": {"rows": 80, "gain": 0.2, "low": 0.05, "high": 0.21, "value": 2.8, "usd": 1.0, "seconds": 60.0},
}


def page(folder: Path, **more: Any) -> tuple[str, PageCheck]:
    run = build_run(folder / "run", compare={**comparison(), **more})
    text = write_report(run).read_text(encoding="utf-8")
    return text, PageCheck(text)


def test_every_step_has_its_worth_its_words_and_its_price(tmp_path: Path) -> None:
    text, seen = page(tmp_path, steps=STEPS, curve=CURVE)
    assert seen.faults == []
    assert {"worth", "next"} <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))
    rows = re.findall(r"<tr>.*?</tr>", text[text.index('id="worth"') : text.index('id="next"')], re.S)
    told = [PageCheck(row).text for row in rows[1:]]
    assert "03-enhance by self_refine" in told[1]
    assert "\u22120.0500 (\u22120.0600 to \u22120.0400)it harmed1008012.5 k (12.5 k with it)12 s$0.30" in told[1]
    assert "it helped; without it, 0.8 times the training tokens" in told[2]
    assert "not measuredneeded: the recipe cannot run without it: " in told[3]
    assert "none" in told[3]
    assert "<script" not in text
    assert len(re.findall('class="whisker"', "".join(rows))) == 3  # nothing is drawn where nothing was measured
    assert "80 rows more would help" in seen.text


def test_where_neither_was_asked_for_there_is_no_section(tmp_path: Path) -> None:
    _, seen = page(tmp_path)
    assert not {"worth", "next"} & set(seen.ids)


def test_a_curve_that_could_not_be_drawn_says_why(tmp_path: Path) -> None:
    _, seen = page(tmp_path, curve={"failure": "a learning curve needs 3 seeds", "points": [], "next": None})
    assert "Not measured: a learning curve needs 3 seeds." in seen.text


@pytest.mark.parametrize(("better", "turn"), [("lower", 1), ("higher", -1)])
def test_what_is_foretold_lies_beyond_the_points_with_its_interval(tmp_path: Path, better: str, turn: int) -> None:
    flip: dict[str, Any] = {
        **CURVE,
        "points": [{**p, "mean": turn * p["mean"], "scores": [turn * s for s in p["scores"]]} for p in CURVE["points"]],
        "fitted": [[n, turn * value] for n, value in CURVE["fitted"]],
        "next": {**CURVE["next"], "value": turn * CURVE["next"]["value"]},
    }
    for point in flip["points"]:
        point |= {"low": point["mean"] - 0.02, "high": point["mean"] + 0.02}
    text, _ = page(tmp_path, curve=flip, better=better)
    chart = text[text.index('id="chart-next') : text.index("</svg>", text.index('id="chart-next'))]
    dots = [(float(x), float(y)) for x, y in re.findall(r'class="dot" cx="([\d.]+)%" cy="([\d.]+)"', chart)]
    assert [x for x, _ in dots] == sorted(x for x, _ in dots)
    steps = [b[0] - a[0] for a, b in pairwise(dots)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.05)  # doublings are equally far apart
    falls = [turn * (b[1] - a[1]) for a, b in pairwise(dots)]
    assert min(falls) > 0  # down where lower is better, up where higher is
    low, high = re.findall(r'class="whisker" x1="[\d.]+%" x2="[\d.]+%" y1="([\d.]+)" y2="([\d.]+)"', chart)[-1]
    unit = falls[0] / 0.2
    ends = sorted([abs(float(low) - dots[2][1]) / unit, abs(float(high) - dots[2][1]) / unit])
    assert ends == pytest.approx([0.05, 0.21], abs=0.01)


def test_a_curve_stays_within_its_drawing() -> None:
    points = [Point(1, 5.0, 4.0, 6.0, [4.5, 5.5]), Point(2, 5.0, 5.0, 5.0, [5.0])]
    drawn = curve_chart("k", "t", "d", points, Point(4, 5.0, 3.0, 5.0), [(1, 5.0), (2, 5.0), (4, 5.0)], "rows")
    for x in re.findall(r'(?:cx|x1|x2)="([\d.]+)%"', drawn):
        assert LEFT <= float(x) <= 100
    for y in re.findall(r'(?:cy|y1|y2)="(-?[\d.]+)"', drawn):
        assert TOP <= float(y) <= BOTTOM
    assert drawn.count('class="mark"') == drawn.count('class="fit"') == 1


def test_bills_of_a_run_without_a_step_are_one_line(tmp_path: Path) -> None:
    bills = {
        "round-1/02-select": {"seconds": 1.0, "usd": 0.0},
        "without/03-enhance/round-1/04-generate": {"seconds": 2.0, "usd": 0.5},
        "without/03-enhance/round-2/04-generate": {"seconds": 3.0, "usd": 0.25},
    }
    run = Run(tmp_path, [], {}, {"steps": bills, "total": {"seconds": 6.0, "usd": 0.75}}, None, "", [])
    found = costs(run)
    assert re.findall(r'scope="row"[^>]*>([^<]+)<', found) == ["round-1/02-select", "without/03-enhance"]
    assert "$0.75" in PageCheck(found).text


def test_no_section_without_a_comparison(tmp_path: Path) -> None:
    assert worth(Run(tmp_path, [], {}, {}, None, "", [])) == ""
