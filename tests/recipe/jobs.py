"""Small real jobs for tests: a few hundred docstrings, cleaned and selected, with or without training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.python_docs import python_docs


def write_pool(folder: Path, rows: int = 400, split: str = "pool") -> Path:
    """Questions and answers as a jsonl file of prompt and completion, every 29th row of the documentation."""
    made = list(python_docs(split))[:: 29 if split == "pool" else 9][:rows]  # type: ignore[arg-type]
    path = folder / f"{split}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in made:
            record = {
                "prompt": row["messages"][0]["content"],
                "completion": row["messages"][1]["content"],
                "tags": row["tags"],
            }
            file.write(json.dumps(record) + "\n")
    return path


def job(folder: Path, steps: list[Any], **more: Any) -> Recipe:
    """A recipe over such a pool and target."""
    value = {
        "name": "job",
        "pool": [{"path": str(write_pool(folder))}],
        "target": [{"path": str(write_pool(folder, split="held_out")), "slice": "tag"}],
        "models": {"student": {"builtin": "tiny", "size": "0.5m"}},
        "steps": steps,
        **more,
    }
    return recipe_from(value)


CLEAN: list[Any] = [
    {"deduplicate": {"near": 0.8, "part": "answer"}},
    {"decontaminate": {"semantic": None}},
    {"filter": {"bounds": {"text.tokens_answer": [5, 300]}}},
    {"select": {"by": "longest", "keep": "20%", "per": "tag"}},
]
TRAIN: list[Any] = [{"train": {"epochs": 1, "max_length": 96, "save_steps": 2, "batch_size": 8}}, "evaluate"]
