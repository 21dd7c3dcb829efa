"""Helpers learn from rows that the recipe's decontamination keeps, whenever they are made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.walk import Walk
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.text import text_of, texts
from dataflywheel.store.run import RunDirectory

SECRET = "the hidden answer of the exam is that seven green parrots sing above the harbour every second monday morning"
DECONTAMINATE: dict[str, Any] = {"decontaminate": {"semantic": None}}
SELECT: dict[str, Any] = {"select": {"by": "random", "keep": 40}}


@pytest.mark.parametrize("steps", [[DECONTAMINATE, SELECT], [SELECT], [SELECT, DECONTAMINATE]])
def test_helpers_know_nothing_of_the_target(tmp_path: Path, steps: list[Any]) -> None:
    rows = [{"prompt": f"Count to {i}.", "completion": " ".join(map(str, range(i)))} for i in range(4, 40)]
    leak = {"prompt": "What is the hidden answer?", "completion": SECRET}
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, leak]), encoding="utf-8")
    (tmp_path / "target.jsonl").write_text(json.dumps(leak) + "\n", encoding="utf-8")
    recipe = recipe_from(
        {
            "name": "clean",
            "pool": [{"path": str(tmp_path / "pool.jsonl")}],
            "target": [{"path": str(tmp_path / "target.jsonl")}],
            "steps": steps,
        }
    )
    walk = Walk(Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "home"), build_steps(recipe))
    walk.take_steps()
    context = walk.context
    assert context.pool is not None
    assert any(SECRET in text for text in texts(read_rows(context.pool)["messages"]))
    learned = [text_of(messages) for messages in context.pool_texts()]
    assert len(learned) == len(rows)
    assert not any(SECRET in text for text in learned)
