"""Words of the report are explained where they stand, and only there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataflywheel.report.drawing.markup import passage, section
from dataflywheel.report.html import write_report
from dataflywheel.report.terms import TERMS, terms_in, with_terms
from tests.report.comparison import comparison
from tests.report.fixture import build_run
from tests.report.page_check import PageCheck

STAND = {
    "bits per byte": "2.31 bits per byte",
    "answer loss": "answer loss over 9 rows",
    "sealed": "9 sealed rows",
    "steer tier": "the steering tier",
    "select tier": "of the select tier",
    "offer": "round 2: offer",
    "accumulate": "round 2: accumulate",
    "passes": "36 forward, 15 backward passes",
    "incompressible": "incompressible",
    "tail": "tail",
    "distinct 2, distinct 3": "distinct 2",
}


@pytest.mark.parametrize("name", STAND)
def test_a_term_is_known_by_how_the_report_says_it(name: str) -> None:
    assert name in terms_in(f"<td>{STAND[name]}</td>")
    assert name not in terms_in("<td>nothing of the kind</td>")


def test_every_pattern_finds_something_and_every_term_says_something() -> None:
    for name, (pattern, said) in TERMS.items():
        assert re.compile(pattern)
        assert said.endswith("."), name


def test_texts_of_rows_and_tags_are_not_looked_at() -> None:
    assert terms_in(passage("a sealed tail")) == {}
    assert terms_in('<div class="sealed" data-label="tail">x</div>') == {}
    assert terms_in("<circle cx='1'><title>sealed</title></circle>") == {}
    assert with_terms("examples", section("examples", "x", "a sealed one")) == section("examples", "x", "a sealed one")


def test_terms_stand_within_their_section() -> None:
    html = with_terms("wheel", section("wheel", "x", "<p>sealed</p>"))
    assert html.endswith("</details>\n</section>")
    assert PageCheck(html).faults == []
    assert TERMS["sealed"][1] in PageCheck(html).text


def test_the_contents_stay_in_sight_and_lead_back_to_the_top(tmp_path: Path) -> None:
    page = write_report(build_run(tmp_path / "run", compare=comparison())).read_text(encoding="utf-8")
    seen = PageCheck(page)
    assert seen.links[0] == "#top"
    assert "top" in seen.ids
    assert re.search(r"nav \{[^}]*position:sticky", page)
