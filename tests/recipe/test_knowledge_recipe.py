"""The recipe of writers from documents and tables that is shipped, run to its end against the scripted endpoint."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from dataflywheel.proposing.databases.copied import copied
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.parts import read_rows
from tests.recipe.jobs import write_pool
from tests.support.endpoint import Endpoint


def test_documents_and_tables_become_rows_and_the_bill_is_within_the_plan(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.configure(rules=[{"rule": "librarian"}])
    monkeypatch.setenv("TEACHER_URL", endpoint.url)
    monkeypatch.setenv("TEACHER_MODEL", "writer")
    text = Path("recipes/knowledge.yaml").read_text(encoding="utf-8")
    own = text.replace("{builtin: python_docs, license: PSF-2.0}", json.dumps({"path": str(write_pool(tmp_path))}))
    assert own != text
    (tmp_path / "knowledge.yaml").write_text(own, encoding="utf-8")
    recipe = load_recipe(tmp_path / "knowledge.yaml")
    told = plan(recipe).total
    done = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    rows = read_rows(done.path / "round-1" / "05-generate" / "rows").to_pylist()
    by = Counter(row["made_by"] for row in rows)
    assert by == {"": 40, "instruct_lab": 40, "source2synth": 24}
    planets = sqlite3.connect(":memory:")
    planets.deserialize(copied([Path("recipes/planets.csv")]).data)
    for row in rows:
        if row["made_by"] == "source2synth":
            query = row["messages"][-1]["content"].removeprefix("```sql\n").removesuffix("\n```")
            assert planets.execute(query).fetchall()
            assert row["messages"][0]["content"].startswith('"planets", 8 rows')
    paid = endpoint.bill().charged
    assert len(paid) == len({line.key for line in paid})
    ledger = json.loads((done.path / "ledger.json").read_text(encoding="utf-8"))["total"]
    assert ledger["calls"] == len(paid)
    assert 0 < len(paid) <= told.calls
    again = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    assert (again.rows_out, len(endpoint.bill().charged)) == (done.rows_out, len(paid))


def test_the_recipe_that_is_shipped_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_URL", "http://localhost:9/v1")
    recipe = load_recipe(Path("recipes/knowledge.yaml"))
    assert [name for name, _ in recipe.named_steps()].count("generate") == 2
