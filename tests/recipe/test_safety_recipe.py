"""The recipe of safety that is shipped, run to its end on its own letters, with a scripted endpoint and with none."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import load_recipe, recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.restore import restore
from dataflywheel.signals.safety.personal_data_patterns import PRIVATE, find
from tests.support.endpoint import Endpoint

SHIPPED = Path("recipes/safety.yaml")
ASKING = ("rewrite_toxicity", "counterfactual_edits")


def details(run: Path, step: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "round-1" / step / "metrics.json").read_text(encoding="utf-8"))["details"]
    return found


pytest.importorskip("cryptography", reason="not installed: pip install 'dataflywheel[keyed]'")


def test_every_step_does_something_and_the_bill_is_within_the_plan(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.configure(rules=[{"rule": "clerk"}])
    monkeypatch.setenv("TEACHER_URL", endpoint.url)
    monkeypatch.setenv("ROW_KEY", "0123456789abcdef" * 4)
    recipe = load_recipe(SHIPPED)
    told = plan(recipe).total
    done = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    rows = read_rows(done.path / "round-1" / "07-generate" / "rows").to_pylist()
    by = Counter(row["made_by"] for row in rows)
    assert by == {
        "": 48, "redact_personal_data": 12, "mask_toxicity": 7, "rewrite_toxicity": 2, "identity_balance": 12,
        "counterfactual_edits": 24,
    }  # fmt: skip
    assert done.held_apart == 9
    texts = [row["messages"][0]["content"] for row in rows]
    assert not any(find(text, PRIVATE) for text in texts)
    assert not any("fools" in text for text in texts)
    assert details(done.path, "06-generate")["terms"]["gender"]["men: complaint"] == {"before": 0, "after": 4}
    assert details(done.path, "07-generate")["flips"]["praise to complaint"] == {"tried": 12, "kept": 12}
    paid = endpoint.bill().charged
    assert len(paid) == len({line.key for line in paid})
    ledger = json.loads((done.path / "ledger.json").read_text(encoding="utf-8"))["total"]
    assert ledger["calls"] == len(paid)
    assert 0 < len(paid) <= told.calls
    assert told.usd is not None
    assert 0 < ledger["usd"] <= told.usd
    again = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    assert (again.rows_out, len(endpoint.bill().charged)) == (done.rows_out, len(paid))
    _given_back(done.path, tmp_path / "back.jsonl")


def _given_back(done: Path, out: Path) -> None:
    """Redacted letters become what they were; a twin of one stays a twin."""
    told = restore(str(done / "dataset"), str(out), "env:ROW_KEY")
    back = [json.loads(line)["messages"][0]["content"] for line in out.read_text(encoding="utf-8").splitlines()]
    letters = {json.loads(line)["prompt"] for line in Path("recipes/letters.jsonl").read_text().splitlines()}
    private = {text for text in letters if find(text, PRIVATE)}
    held = (done / "quarantine" / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert told["restored"] == len(private & set(back)) == len(private) - sum("redacted" in json.loads(x) for x in held)
    assert len(back) == len(set(back)) == told["rows"]


def test_without_the_steps_that_ask_it_needs_no_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROW_KEY", "0123456789abcdef" * 4)
    made = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    del made["models"]
    made["steps"] = [step for step in made["steps"] if not any(name in str(step) for name in ASKING)]
    recipe = recipe_from(made)
    assert plan(recipe).total.calls == 0
    done = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    assert len(recipe.steps) == 5
    assert (done.rows_out, done.held_apart) == (79, 11)
