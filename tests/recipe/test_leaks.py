"""Evaluation rows planted in a pool: none of them is among what any helper of a recipe learns from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dataflywheel.models.templates.chat import as_chat
from dataflywheel.proposing.gates.contamination import Contamination
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.walk import Walk
from dataflywheel.report.profile.profile import profile
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.text import text_of
from dataflywheel.store.run import RunDirectory
from tests.models.copy_skill import copy_model

ASKED = (
    "Which seven birds sing above the old harbour every second monday morning before the ferry to the islands leaves"
)
TOLD = "Seven green parrots that the retired captain taught the hymn of his home port during a long and stormy winter"
FREE = [{"prompt": f"Count to {i}.", "completion": " ".join(map(str, range(i)))} for i in range(4, 40)]
LEAKS = {
    "the row itself": {"prompt": ASKED, "completion": TOLD},
    "with another answer": {"prompt": ASKED, "completion": "Nobody knows."},
    "its answer within another row": {
        "prompt": "Tell a tale.",
        "completion": f"Once there were birds. {TOLD}. The end.",
    },
    "with a word changed": {"prompt": ASKED.replace("monday", "tuesday"), "completion": TOLD.replace("hymn", "song")},
    "in capitals": {"prompt": ASKED.upper(), "completion": TOLD.upper()},
}
TINY = {"builtin": "tiny", "size": "0.5m"}
HALF: dict[str, Any] = {"max_steps": 1, "batch_size": 4, "max_length": 64}


class LearntError(Exception):
    """A helper has been given what it learns from; it need not learn it here."""


def chats(rows: Any, *given: Any) -> list[str]:
    return [text_of(as_chat(row).messages) for row in rows]


def reference(home: Path, rows: Path, ids: list[str], *given: Any) -> list[str]:
    table = read_rows(rows, ["id", "messages"])
    return chats(table.filter(pc.is_in(table["id"], value_set=pa.array(ids)))["messages"].to_pylist())


HELPERS: dict[str, tuple[str, Callable[..., list[str]], list[Any], dict[str, Any]]] = {
    "teacher": (
        "models.training.tiny.train_tiny",
        chats,
        [{"distill": {**HALF, "teacher": {**TINY, "size": "1m"}}}],
        {},
    ),
    "scorer": ("models.training.tiny.train_tiny", chats, [{"select": {"by": "ifd", "keep": 5}}], {"scorer": TINY}),
    "first writer": (
        "models.training.tiny.train_tiny",
        chats,
        [{"generate": {"by": "spin", "rows": 2}}],
        {"student": TINY},
    ),
    "tokenizer": ("models.language.pool_tokenizer.pool_tokenizer", chats, [{"train": HALF}], {"student": TINY}),
    "proxy of s2l": (
        "signals.model.checkpoint_based.keep_checkpoints",
        chats,
        [{"select": {"by": "s2l", "keep": 5}}],
        {},
    ),
    "proxy of less": (
        "signals.model.checkpoint_based.keep_checkpoints",
        chats,
        [{"select": {"by": "less", "keep": 5}}],
        {},
    ),
    "reference of doremi": ("recipe.steps.train.trained", reference, [{"train": {**HALF, "sampler": "doremi"}}], {}),
}


def learnt(tmp_path: Path, helper: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a helper of a recipe is given to learn, row by row."""
    place, texts, steps, models = HELPERS[helper]
    write = lambda name, rows: (tmp_path / name).write_text("".join(json.dumps(r) + "\n" for r in rows))  # noqa: E731
    write("pool.jsonl", [*FREE[:20], *LEAKS.values(), *FREE[20:]])
    write("target.jsonl", [LEAKS["the row itself"]])
    recipe = recipe_from(
        {
            "name": "leaks",
            "pool": [{"path": str(tmp_path / "pool.jsonl")}],
            "target": [{"path": str(tmp_path / "target.jsonl"), "slice": "birds"}],
            "models": {"student": {"hf": str(copy_model())}, **models},
            "steps": [{"decontaminate": {"semantic": None}}, *steps],
        }
    )
    found: list[str] = []

    def spy(*given: Any, **options: Any) -> Any:
        found.extend(texts(*given))
        raise LearntError

    monkeypatch.setattr(f"dataflywheel.{place}", spy)
    walk = Walk(Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "home"), build_steps(recipe))
    with pytest.raises(LearntError):
        walk.take_steps()
    assert walk.context.pool is not None
    assert len(read_rows(walk.context.pool, ["id"])) == len(FREE) + len(LEAKS), (
        "the leaks are in the pool as it was read"
    )
    return found


@pytest.mark.parametrize("helper", HELPERS)
def test_no_leaked_row_reaches_a_helper(helper: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = learnt(tmp_path, helper, monkeypatch)
    assert sorted(found) == sorted(f"{row['prompt']}\n\n{row['completion']}" for row in FREE)


def test_a_worse_answer_that_holds_an_evaluation_row_is_a_leak_too(tmp_path: Path) -> None:
    """`prefer` learns from it as well; the step, the gate of new rows and the profile look alike."""
    pairs = [{"prompt": f"Count to {i}.", "chosen": str(i), "rejected": f"{i} and {i}"} for i in range(20)]
    pairs[7]["rejected"] = f"Once there were birds. {TOLD}. The end."
    pool, target = tmp_path / "pool.jsonl", tmp_path / "target.jsonl"
    pool.write_text("".join(json.dumps(row) + "\n" for row in pairs), encoding="utf-8")
    target.write_text(json.dumps({"prompt": ASKED, "completion": TOLD}) + "\n", encoding="utf-8")
    recipe = recipe_from(
        {
            "name": "pairs",
            "pool": [{"path": str(pool)}],
            "target": [{"path": str(target)}],
            "steps": [{"decontaminate": {"semantic": None}}],
        }
    )
    walk = Walk(Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "home"), build_steps(recipe))
    walk.take_steps()
    every = read_rows(tmp_path / "run" / "round-1" / "00-pool" / "rows").to_pylist()
    kept = read_rows(tmp_path / "run" / "round-1" / "01-decontaminate" / "rows")["id"].to_pylist()
    leaked = [row for row in every if TOLD in text_of(row["rejected"])]
    assert set(kept) == {row["id"] for row in every} - {row["id"] for row in leaked}
    assert len(kept) == 19
    checks = Contamination(semantic=None).check(
        [Proposal((), row=row) for row in every], Surroundings(target=walk.context.target)
    )
    assert [row["id"] for row, check in zip(every, checks, strict=True) if check.passed] == [
        row["id"] for row in every if row["id"] in set(kept)
    ]
    assert sum((profile(str(pool), target=str(target)).leaks or {}).values()) == 1
