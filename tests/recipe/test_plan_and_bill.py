"""What a plan says that asking costs, against the bill: no run costs more than was told, nor a small part of it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import Cost, FlywheelError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from tests.support.endpoint import Endpoint
from tests.support.small_rows import ROWS

PRICE = {"in": 1.0, "out": 2.0}


def told_and_paid(folder: Path, endpoint: Endpoint, steps: list[Any], **more: Any) -> tuple[Cost, Cost]:
    """The plan's total and the ledger's, of a recipe on twelve rows; it may end early, for the scripted model does not
    answer everything well."""
    lines = [json.dumps({"prompt": prompt, "completion": answer, "tags": [tag]}) for prompt, answer, tag in ROWS[:12]]
    (folder / "pool.jsonl").write_text("\n".join(lines))
    able = {"logprobs": True, "completion": True}
    teacher = {"endpoint": endpoint.url, "model": "m", "usd_per_mtok": PRICE, "capabilities": able}
    recipe = recipe_from(
        {"name": "r", "pool": [{"path": str(folder / "pool.jsonl")}], "models": {"teacher": teacher}, "steps": steps}
        | more
    )
    told = plan(recipe).total
    with suppress(FlywheelError):
        run(recipe, runs=folder / "runs", home=folder / "home")
    ledger = json.loads((folder / "runs" / "r" / "ledger.json").read_text())["total"]
    return told, Cost(calls=ledger["calls"], tokens=ledger["tokens"], usd=ledger["usd"])


def rated(column: str) -> list[Any]:
    return [{"select": {"by": {"rated": {"score": column}}, "keep": 3}}]


@pytest.mark.parametrize(
    ("steps", "most"),
    [
        (rated("alpagasus.score"), 1.0),
        (rated("select_it.score"), 1.0),
        (rated("deita.score"), 1.0),
        (rated("ds2_rating.overall"), 1.0),
        (rated("clear_confidence.confidence"), 1.0),
        ([{"enhance": {"by": "revision", "gates": []}}], 1.0),
        ([{"enhance": {"by": "robust_ft", "gates": []}}], 1.0),
        ([{"enhance": {"by": "self_distillation", "gates": []}}], 1.0),
        ([{"enhance": {"by": "sequence_level", "gates": []}}], 1.0),
        ([{"enhance": {"by": "self_refine", "gates": []}}], 4.0),  # rounds end where nothing is left to mend
        ([{"generate": {"by": "evol_instruct", "rows": 8, "gates": []}}], 4.0),  # copies are not answered
        ([{"enhance": {"by": "sequence_level", "gates": [{"judged": {"by": "rubric", "at_least": 2}}]}}], 4.0),
    ],
    ids=lambda one: str(one)[:60],
)
def test_calls_are_those_that_were_told(tmp_path: Path, endpoint: Endpoint, steps: list[Any], most: float) -> None:
    endpoint.configure(rules=[{"rule": "rater", "low": 1, "high": 5}])
    told, paid = told_and_paid(tmp_path, endpoint, steps)
    assert 0 < paid.calls <= told.calls <= most * paid.calls + 1
    assert paid.tokens <= 1.2 * told.tokens
    assert paid.usd is not None
    assert told.usd is not None
    assert paid.usd <= 1.5 * told.usd


def test_passes_of_signals_are_billed_once_as_they_were_told(tmp_path: Path) -> None:
    """The first step that reads vectors bills them, the second does not; another run of the same rows does again."""
    lines = [json.dumps({"prompt": prompt, "completion": answer}) for prompt, answer, _ in ROWS]
    (tmp_path / "pool.jsonl").write_text("\n".join(lines))
    steps = [{"select": {"by": "k_center", "keep": 15}}, {"select": {"by": "k_center", "keep": 10}}]
    for name in ("first", "second"):
        recipe = recipe_from(
            {
                "name": name,
                "pool": [{"path": str(tmp_path / "pool.jsonl")}],
                "models": {"embedder": "static"},
                "steps": steps,
            }
        )
        told = [line.cost.forward for line in plan(recipe).steps]
        run(recipe, runs=tmp_path / "runs", home=tmp_path / "home")
        billed = json.loads((tmp_path / "runs" / name / "ledger.json").read_text())["steps"]
        paid = [bill["forward"] for place, bill in sorted(billed.items()) if "select" in place]
        assert paid == told == [len(ROWS), 0]
