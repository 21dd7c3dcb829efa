"""The recipe of rewriting that is shipped, run to its end against the scripted endpoint on small documents."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.parts import read_rows
from tests.recipe.jobs import write_pool
from tests.support.endpoint import Endpoint


def metrics(run: Path, step: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "round-1" / step / "metrics.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
def test_rows_are_made_better_and_the_bill_is_within_the_plan(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.configure(rules=[{"rule": "editor", "errors": 0.15}])
    monkeypatch.setenv("TEACHER_URL", endpoint.url)
    monkeypatch.setenv("TEACHER_MODEL", "editor")
    text = Path("recipes/rewriting.yaml").read_text(encoding="utf-8")
    pool = json.dumps({"path": str(write_pool(tmp_path)), "source": "python_docs"})
    own = text.replace("{builtin: python_docs, license: PSF-2.0}", pool)
    assert own != text
    (tmp_path / "rewriting.yaml").write_text(own, encoding="utf-8")
    recipe = load_recipe(tmp_path / "rewriting.yaml")
    told = plan(recipe).total
    done = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    rows = read_rows(done.path / "round-1" / "07-generate" / "rows").to_pylist()
    by = Counter(row["made_by"] for row in rows)
    assert by == {"revision": 59, "evol_quality": 12, "clair": 24, "": 1}
    assert metrics(done.path, "04-enhance")["details"]["pieces"] == {"seen": 36, "removed": 24, "spared": 0}
    retrieved = [row for row in rows if row["source"] == "retrieved"]
    assert {row["messages"][0]["content"].count("\n\n") for row in retrieved} == {1}  # one passage, and the question
    pairs = [row for row in rows if row["rejected"]]
    assert {row["made_by"] for row in pairs} == {"clair"}
    assert len(pairs) == 24
    assert not any("4711" in row["messages"][-1]["content"] for row in pairs)  # the judge saw each of these
    compared = metrics(done.path, "06-enhance")["details"]["funnel"]
    assert compared["left_as_they_were"] == [{"reason": "the judge finds it no better", "rows": 2}]
    turned_away = {one["gate"] for one in metrics(done.path, "07-generate")["details"]["funnel"]["rejections"]}
    assert turned_away == {"preferred"}
    paid = endpoint.bill().charged
    assert len(paid) == len({line.key for line in paid})
    ledger = json.loads((done.path / "ledger.json").read_text(encoding="utf-8"))["total"]
    assert ledger["calls"] == len(paid)
    assert 0 < len(paid) <= told.calls
    assert told.usd is not None
    assert 0 < ledger["usd"] <= told.usd
    again = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    assert (again.rows_out, len(endpoint.bill().charged)) == (done.rows_out, len(paid))
