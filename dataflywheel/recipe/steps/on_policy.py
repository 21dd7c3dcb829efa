"""On-policy distillation within a recipe: the student answers prompts itself, the teacher weighs every token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.distillation.model.on_policy import OnPolicy
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import local_folder
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.train_settings import Progress, TrainSettings
from dataflywheel.recipe.context import digest
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.atomic import write_json
from dataflywheel.store.lock import one_at_a_time

LOSSES = 300
"""Kept for drawing, at most."""


def learn_on_policy(
    home: Path,
    teacher: ModelSpec,
    method: OnPolicy,
    rows: Path,
    ids: Sequence[str],
    student: Path,
    settings: TrainSettings,
    progress: Progress | None = None,
) -> tuple[Path, dict[str, Any]]:
    """The student after on-policy distillation on the prompts of these rows, from the store where it is there; with
    steps, tokens, seconds and losses. Where another run is training the same, it is waited for."""
    origin = (settings.version, method.digest(), folder_digest(student), settings.model_dump_json())
    taught = f"{folder_digest(local_folder(teacher))}:{teacher.dtype}"
    folder = home / "models" / f"on-policy-{digest(*origin, taught, *sorted(ids))}"
    with one_at_a_time(folder):
        if not (folder / "training.json").exists():
            train = partial(method.train, output=folder, settings=settings, progress=progress)
            _train(folder, rows, ids, student, teacher, train)
    facts: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return folder, facts


def _train(folder: Path, rows: Path, ids: Sequence[str], student: Path, teacher: ModelSpec, train: Any) -> None:
    table = read_rows(rows, ["id", "messages", "source", "tools", "media", "label"])
    chosen = table.filter(pc.is_in(table["id"], value_set=pa.array(list(ids), pa.string())))
    chosen = chosen.take(pc.sort_indices(chosen["id"]))  # the order in which rows were found must not matter
    made = train(chosen, student, teacher)
    ids = chosen["id"].to_pylist()
    left_out = [[ids[row], why] for row, why in sorted(made.left_out.items())]
    cut = {ids[row]: what for row, what in sorted(made.cut.items())}
    every = max(1, len(made.losses) // LOSSES)
    losses = [[step + 1, round(loss, 4)] for step, loss in enumerate(made.losses) if step % every == 0]
    facts = {name: getattr(made, name) for name in ("steps", "tokens", "answer_tokens", "seconds")}
    write_json(
        folder / "training.json",
        {
            **facts,
            "rows": len(ids) - len(left_out),
            "losses": losses,
            "left_out": left_out,
            "changed_rows": {},
            "cut_rows": cut,
        },
    )
