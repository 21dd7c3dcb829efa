"""What a trainer makes of rows and a model, made once and then found in the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.evolution.iteration.trial import LOSSES_KEPT
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import local_folder
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.train_settings import Progress, TrainSettings
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.models.training.training import TrainResult
from dataflywheel.recipe.contents import digest
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.atomic import write_json
from dataflywheel.store.lock import one_at_a_time

COLUMNS = ["id", "messages", "rejected", "source", "tools", "media", "label", "extra"]


class Job(NamedTuple):
    """One training: of which rows, from which model, how, and what model is read beside it, where any is."""

    rows: Path
    ids: Sequence[str]
    start: Path
    settings: TrainSettings
    trainer: Trainer
    reference: Path | ModelSpec | None = None

    def name(self) -> str:
        """The folder's, of all that makes a difference."""
        origin = [self.settings.version, self.trainer.digest(), folder_digest(self.start)]
        origin += [self.settings.model_dump_json()]
        if isinstance(self.reference, ModelSpec):
            origin.append(f"{folder_digest(local_folder(self.reference))}:{self.reference.dtype}")
        elif self.reference is not None:
            origin.append(f"reference={folder_digest(self.reference)}")
        return f"{self.trainer.name.replace('_', '-')}-{digest(*origin, *sorted(self.ids))}"


def learned_once(home: Path, job: Job, progress: Progress | None = None) -> tuple[Path, dict[str, Any]]:
    """The model, from the store where it is there; with steps, tokens, seconds, losses, what the trainer counted, and
    the rows that were left out (`left_out`) or cut (`cut_rows`). Where another run is training the same, it is waited
    for."""
    folder = home / "models" / job.name()
    with one_at_a_time(folder):
        if not (folder / "training.json").exists():
            _learn(folder, job, progress)
    facts: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return folder, facts


def _learn(folder: Path, job: Job, progress: Progress | None) -> None:
    table = read_rows(job.rows, COLUMNS)
    chosen = table.filter(pc.is_in(table["id"], value_set=pa.array(list(job.ids), pa.string())))
    chosen = chosen.take(pc.sort_indices(chosen["id"]))  # the order in which rows were found must not matter
    made = job.trainer.train(chosen, job.start, folder, job.settings, reference=job.reference, progress=progress)
    write_json(folder / "training.json", _facts(made, chosen["id"].to_pylist()))


def _facts(made: TrainResult, ids: Sequence[str]) -> dict[str, Any]:
    return {
        "steps": made.steps,
        "tokens": made.tokens,
        "answer_tokens": made.answer_tokens,
        "seconds": round(made.seconds, 3),
        **made.told,
        "left_out": [[ids[row], why] for row, why in sorted(made.left_out.items())],
        "changed_rows": {ids[row]: what for row, what in sorted(made.changed.items())},
        "cut_rows": {ids[row]: what for row, what in sorted(made.cut.items())},
        "losses": _thinned(made.losses),
        **({"margins": _thinned(made.margins)} if made.margins else {}),
    }


def _thinned(values: Sequence[float]) -> list[list[float]]:
    """(step, value), at most some hundreds of them."""
    every = max(1, len(values) // LOSSES_KEPT)
    return [[step + 1, round(value, 4)] for step, value in enumerate(values) if step % every == 0]
