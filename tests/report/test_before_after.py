"""Written rows beside what they were made from: what went and what came is marked, and everything is escaped."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.report.drawing.beside import CHANGED, beside
from dataflywheel.report.rundir import load_run
from dataflywheel.report.sections.before_after import before_and_after
from dataflywheel.report.sections.proposals import proposals
from tests.recipe.jobs import write_pool
from tests.support.endpoint import Endpoint


def test_what_went_and_what_came_are_marked_as_one_run_each() -> None:
    before, after = beside("Add two cups of <flour> now.", "Add three heaped cups of <flour> now.", tags=CHANGED)
    assert "<del>two</del>" in before
    assert "<ins>three heaped</ins>" in after
    assert "&lt;flour&gt;" in before
    assert "<ins>" not in before


def test_texts_with_little_in_common_are_not_marked() -> None:
    before, after = beside("one two three four five six", "seven eight nine ten one eleven", tags=CHANGED)
    assert "<del>" not in before
    assert "<ins>" not in after


@pytest.fixture(scope="module")
def written(endpoint_process: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one writer."""
    folder = tmp_path_factory.mktemp("written")
    endpoint_process.reset()
    endpoint_process.configure(rules=[{"rule": "inventor"}])
    teacher = {"endpoint": endpoint_process.url, "model": "w", "usd_per_mtok": {"in": 1, "out": 1}}
    recipe = recipe_from(
        {
            "name": "w",
            "pool": [{"path": str(write_pool(folder))}],
            "models": {"teacher": teacher},
            "steps": [{"generate": {"by": "oss_instruct", "rows": 12}}],
        }
    )
    return run(recipe, runs=folder / "runs", home=folder / "store").path


def test_a_run_shows_examples_and_what_its_rows_add(written: Path) -> None:
    found = load_run(written)
    (step,) = [one for one in found.steps if one.details.get("funnel")]
    shown = before_and_after(found, step, "generate")
    assert shown.count('<article class="example kept">') == 4
    assert shown.count("<h5>made from</h5>") == 4
    page = proposals(found)
    assert "What the accepted rows add to the rows they were made from" in page
    assert "100%" in page  # the scripted writer invents all of its words
