"""The recipe of balance that is shipped, run to its end on its own tickets against the scripted endpoint."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.enhancement.distribution.drift_of_files import drift_of_files
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.parts import read_rows
from tests.support.endpoint import Endpoint

POOL = "recipes/tickets.jsonl"


def details(done: Result, step: str) -> dict[str, Any]:
    file = done.path / "round-1" / step / "metrics.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["details"]
    return found


@pytest.mark.parametrize("errors", [0.0, 0.15])
def test_labels_are_filled_up_and_drawn_as_asked(
    errors: float, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.configure(rules=[{"rule": "clerk", "errors": errors}])
    monkeypatch.setenv("TEACHER_URL", endpoint.url)
    recipe = load_recipe(Path("recipes/balance.yaml"))
    told = plan(recipe).total
    before = len(endpoint.bill().charged)
    done = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    written = read_rows(done.path / "round-1" / "02-generate" / "rows").to_pylist()
    new = [row for row in written if row["made_by"] == "tail_oversampling"]
    assert Counter(row["label"] for row in written) == {"billing": 54, "delivery": 41, "returns": 40}
    assert (len(written), len(new)) == (135, 45)
    assert all(row["label"] == row["messages"][-1]["content"] for row in new)
    lost = {one["reason"] for one in details(done, "02-generate")["funnel"]["failures"]}
    assert lost == ({"near-copy of a row that is there", "the checker finds another label"} if errors else set())
    margins = details(done, "03-select")["notes"]["raked"]["margins"]
    assert all(one["off"] < 0.001 for one in margins.values())
    drawn = read_rows(done.path / "round-1" / "03-select" / "rows").to_pylist()
    weights = Counter[str]()
    for row in drawn:
        weights[row["label"]] += row["weight"]
    assert {label: round(weight / weights.total(), 1) for label, weight in weights.items()} == {
        "billing": 0.4, "delivery": 0.3, "returns": 0.3,
    }  # fmt: skip
    moved = {test.column: test.drifted() for test in drift_of_files(POOL, str(done.path))}
    assert moved["text.tokens_prompt"]
    paid = endpoint.bill().charged[before:]
    ledger = json.loads((done.path / "ledger.json").read_text(encoding="utf-8"))["total"]
    assert ledger["calls"] == len(paid)
    if not errors:  # what a check turns away is written anew
        assert abs(len(paid) - told.calls) <= 0.05 * told.calls
    assert told.usd is not None
    assert 0 < ledger["usd"] <= told.usd
    again = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    assert (again.rows_out, len(endpoint.bill().charged)) == (done.rows_out, before + len(paid))
