"""Comparisons whose truth is planted and whose trainings are replaced by counting rows that say right or wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dataflywheel.contracts import Cost
from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.evolution.iteration.training_setup import PLAIN
from dataflywheel.models.language.pool_tokenizer import train_tokenizer
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.comparing.arms import Arm
from dataflywheel.recipe.comparing.compare import run_comparison
from dataflywheel.recipe.comparing.leave_out import LeftOut, leave_out
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.ingest import eval_set
from dataflywheel.recipe.planning.leaving import left_out
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.walk import Walk
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.run import RunDirectory
from dataflywheel.store.scoreboard import Scoreboard
from tests.evolution.planted_wheels import FACTS, GATES, IN_POOL, planted_method, recipe

EACH = 0.01
"""What one row is worth."""


def written(says: str, rows: int = 24) -> dict[str, Any]:
    by = {"same_skill": {"says": says}}
    return {"generate": {"by": by, "source": "pool", "rows": rows, "visits": 8, "gates": GATES}}


STEPS: list[Any] = [
    {"decontaminate": {"semantic": None}},
    {"select": {"by": "random", "keep": 12}},
    written("right"),
    written("wrong"),
    {"train": {"epochs": 2, "batch_size": 8, "max_length": 64}},
    "evaluate",
]


def planted(folder: Path, steps: Sequence[Any] = STEPS, **more: Any) -> Recipe:
    """A recipe that writes right rows in its third step and wrong ones in its fourth."""
    base = folder / "base"  # a tokenizer without weights
    train_tokenizer(
        [prompt_answer_row(*pair)["messages"] for pairs in FACTS.values() for pair in pairs.items()]
    ).save_pretrained(base)
    (base / "config.json").write_text('{"model_type": "llama", "max_position_embeddings": 64}', encoding="utf-8")
    pool, target = dict.fromkeys(IN_POOL, 6), dict.fromkeys(IN_POOL, 8)
    compare = {"arms": ["random"], "seeds": 3, "leave_one_out": True, "curve": True}
    return recipe(folder, "worth", 0, pool, base, target=target, steps=list(steps), **{"compare": compare, **more})


def counted(home: Path, rows: Path, ids: Sequence[str], student: Path, settings: TrainSettings, *_: Any) -> Any:
    """Stands for a trial: every right row takes `EACH` off the loss and every wrong one adds it, but for some noise."""
    wanted = set(ids)
    loss = 3.0 + 0.1 * settings.seed
    for row in read_rows(rows, ["id", "messages", "tags"]).to_pylist():
        if row["id"] in wanted:
            prompt, answer = (one["content"] for one in row["messages"])
            loss -= EACH if FACTS[row["tags"][0]][prompt.split()[-1]] == answer else -EACH
    noise = hashlib.blake2b(f"{settings.seed}{sorted(wanted)}".encode(), digest_size=2).digest()
    loss += (int.from_bytes(noise) / 65535 - 0.5) * EACH
    facts = {"tokens": 10 * len(ids), "answer_tokens": 2 * len(ids), "seconds": 1.0, "trial_seconds": 1.5}
    bill = Cost(1.5, len(ids), len(ids), 10 * len(ids))
    return SimpleNamespace(
        metric=loss, facts=facts, scores=SimpleNamespace(by_slice=lambda _: {}), cost=lambda batch_size: bill
    )


def walked(made: Recipe, folder: Path) -> Walk:
    """A recipe's steps up to its training."""
    context = Context(made, RunDirectory(folder / "runs" / made.name), folder / "store")
    walk = Walk(context, [step for step in build_steps(made) if step.changes_rows])
    walk.take_steps()
    return walk


def shortened(walk: Walk) -> list[LeftOut]:
    """The same without each step that the recipe leaves out."""
    steps = build_steps(walk.context.recipe)
    return leave_out(walk.context, steps, left_out(steps, walk.context.recipe.compare), Walk)


def measured(made: Recipe, folder: Path) -> tuple[Context, list[LeftOut], Scoreboard]:
    """Both, and then the comparison; `trials.run_trial` must be replaced."""
    with planted_method():
        walk = walked(made, folder)
        context, without = walk.context, shortened(walk)
        assert walk.state.chosen is not None
        chosen, base = replace(walk.state.chosen, trained=walk.state.rows), Path(str(made.models.student.hf))
        exam = eval_set(context, Evaluate())
        board = run_comparison(
            context, chosen, base, TrainSettings(epochs=2), exam, walk.state.fingerprint, PLAIN, without
        )
    return context, without, board


def arm(name: str, rows: int, seeds: int = 3, **more: Any) -> Arm:
    """An arm over rows `0`, `1`, ... that lie nowhere."""
    return Arm(name, name, "", Path("nowhere"), (tuple(map(str, range(rows))),) * seeds, Cost(), **more)


def trial(metric: float, tokens: int = 100) -> Any:
    return SimpleNamespace(metric=metric, facts={"tokens": tokens})
