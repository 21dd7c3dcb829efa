"""The recipe of three writers that is shipped, run to its end against the scripted endpoint on small documents."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.beside_writers import asks_all
from dataflywheel.rows.parts import read_rows
from dataflywheel.synthesis.instruction.attribute_grid import AttributeGrid
from dataflywheel.synthesis.instruction.self_instruct import SelfInstruct
from tests.recipe.jobs import write_pool
from tests.support.endpoint import Endpoint


def shipped(folder: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """The recipe as it is, but for its pool."""
    monkeypatch.setenv("TEACHER_URL", endpoint.url)
    monkeypatch.setenv("TEACHER_MODEL", "writer")
    text = Path("recipes/writing.yaml").read_text(encoding="utf-8")
    own = text.replace("{builtin: python_docs, license: PSF-2.0}", json.dumps({"path": str(write_pool(folder))}))
    assert own != text
    (folder / "writing.yaml").write_text(own, encoding="utf-8")
    return load_recipe(folder / "writing.yaml")


def test_three_writers_write_and_the_bill_is_as_planned(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.configure(rules=[{"rule": "inventor"}])
    recipe = shipped(tmp_path, endpoint, monkeypatch)
    told = plan(recipe).total
    done = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    rows = read_rows(done.path / "round-1" / "06-generate" / "rows").to_pylist()
    by = Counter(row["made_by"] for row in rows)
    assert by == {"": 60, "instruction_backtranslation": 40, "oss_instruct": 40, "attribute_grid": 48}
    paid = endpoint.bill().charged
    assert len(paid) == len({line.key for line in paid})
    ledger = json.loads((done.path / "ledger.json").read_text(encoding="utf-8"))["total"]
    assert ledger["calls"] == len(paid)
    assert abs(len(paid) - told.calls) <= 0.05 * told.calls  # what a gate turns away is written anew
    assert told.usd is not None
    assert 0 < ledger["usd"] <= told.usd
    again = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    assert (again.rows_out, len(endpoint.bill().charged)) == (done.rows_out, len(paid))


def test_the_recipe_that_is_shipped_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_URL", "http://localhost:9/v1")
    recipe = load_recipe(Path("recipes/writing.yaml"))
    assert [name for name, _ in recipe.named_steps()].count("generate") == 3


def test_the_plan_says_where_more_is_asked_than_rows_are_wanted() -> None:
    grid = {"grid": {"topic": ["a", "b", "c"], "level": ["x", "y"]}, "each": 2}
    assert asks_all("02-generate", AttributeGrid, grid, 5) == [
        "02-generate: attribute_grid asks all of its 12 questions, and at most 5 rows are kept of them"
    ]
    assert asks_all("02-generate", AttributeGrid, grid, 12) == []
    assert asks_all("02-generate", SelfInstruct, {}, 1) == []
