"""On-policy distillation in a recipe: the student learns from what it writes, and what cannot be is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.files import folder_digest
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.report.card.card import write_card
from dataflywheel.store.decisions import read_decisions
from tests.models.copy_skill import copy_model, copy_rows, without_tools
from tests.recipe.jobs import job


def test_a_recipe_distils_on_policy_and_says_what_became_of_every_row(tmp_path: Path) -> None:
    pool, model = tmp_path / "pool.jsonl", without_tools(copy_model(), tmp_path / "model")
    rows: list[dict[str, Any]] = [
        {"messages": [dict(role=m["role"], content=m["content"]) for m in row]} for row in copy_rows(16, seed=9)
    ]
    rows.append({"messages": [{"role": "assistant", "content": "an answer to nothing"}]})
    asks = [{"role": "user", "content": "How warm is it?"}, {"role": "assistant", "content": "Cold."}]
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    rows.append({"messages": asks, "tools": [tool]})
    pool.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    distill = {
        "by": {"on_policy": {"max_new_tokens": 4}}, "teacher": {"hf": str(model)},
        "max_steps": 2, "batch_size": 8, "dtype": "float32",
    }  # fmt: skip
    value = {
        "name": "a", "pool": [{"path": str(pool)}], "models": {"student": {"hf": str(model)}},
        "steps": [{"distill": distill}],
    }  # fmt: skip
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    planned = plan(recipe_from(value))["shown"]
    made = run(recipe_from(value), **where)
    assert made.model is not None
    step = made.path / "round-1" / "01-distill"
    details = json.loads((step / "metrics.json").read_text(encoding="utf-8"))["details"]
    assert (details["steps"], details["rows"], details["digest"]) == (2, 16, folder_digest(made.model))
    bill = json.loads((made.path / "ledger.json").read_text(encoding="utf-8"))["steps"]["round-1/01-distill"]
    # Of each row that is learned: the student writes, reads and learns the answer, and the teacher reads it.
    assert bill["forward"] == 3 * bill["backward"] == 3 * 16
    [line] = [one for one in plan(recipe_from(value))["steps"] if one["step"] == "distill"]
    assert line["cost"]["forward"] == 3 * line["cost"]["backward"]
    reasons = read_decisions(step / "decisions.parquet")["reason"].to_pylist()
    assert reasons.count("trained") == 16
    left_out = {"it has no prompt": 1, "the chat template leaves out the tools": 1}
    assert planned["not_trained"] == left_out
    assert {why: reasons.count(f"not trained, {why}") for why in left_out} == left_out
    assert "`on_policy`" in write_card(made.path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "steps", "message"),
    [
        ({}, {"sampler": "rho_loss"}, "a `sampler` of rows has no say"),
        ({"compare": ["random"]}, {}, "compare trains its arms on rows"),
        ({}, {"by": {"on_policy": {"lambda": 0.5}}}, "unknown parameter 'lambda'"),
    ],
)
def test_what_on_policy_cannot_be_part_of_is_refused_beforehand(
    more: dict[str, Any], steps: dict[str, Any], message: str, tmp_path: Path
) -> None:
    distill = {"by": "on_policy", "teacher": {"hf": str(copy_model())}, **steps}
    select = {"select": {"by": "random", "keep": 5}}
    with pytest.raises(UsageError, match=message):
        plan(job(tmp_path, [{"decontaminate": {"semantic": None}}, select, {"distill": distill}, "evaluate"], **more))
