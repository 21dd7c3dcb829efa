"""A local model that writes instructions like those that it is shown, and learns which ones are wanted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Cost
from dataflywheel.models.files import folder_digest, models_folder
from dataflywheel.models.language.language_model import local_folder
from dataflywheel.models.language.pool_tokenizer import rows_digest
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.models.training.training import TrainResult, train_sft
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row, message
from dataflywheel.rows.text import part_of
from dataflywheel.store.atomic import write_json
from dataflywheel.store.lock import made_once
from dataflywheel.synthesis.adversarial.seeking import SHOWN

REQUEST = "Write one more instruction of this kind."
TOLD = "training.json"


@dataclass(frozen=True)
class Trained:
    """A model that learned, and what that took."""

    folder: Path
    facts: dict[str, Any]


def asked(shown: Sequence[Row]) -> str:
    """The question to the proposer."""
    parts = [f"{number}. {instruction_of(row)}" for number, row in enumerate(shown, 1)]
    return "\n\n".join([*parts, REQUEST])


def instruction_of(row: Row) -> str:
    return part_of(row["messages"], "prompt").strip()


def lessons(rows: Sequence[Row], most: int, rng: np.random.Generator) -> list[list[Message]]:
    """So many rows' instructions, each as the answer to a question that shows three others."""
    found = []
    for place in rng.permutation(len(rows))[:most].tolist():
        others = picked(len(rows) - 1, SHOWN, rng)
        shown = [rows[i + (i >= place)] for i in others.tolist()]
        found.append([message("user", asked(shown)), message("assistant", instruction_of(rows[place]))])
    return found


def picked(of: int, wanted: int, rng: np.random.Generator) -> AnyArray:
    """Different places in random order, out of so many."""
    return rng.choice(of, wanted, replace=False)


def warmed_up(spec: ModelSpec, taught: Sequence[list[Message]], settings: TrainSettings) -> Trained:
    """The model once it has learned these lessons; looked up where it has been made before."""
    base = local_folder(spec)
    name = f"proposer-{rows_digest(taught, folder_digest(base), settings.version, settings.model_dump_json())}"
    return _once(
        name, lambda folder: train_sft(taught, base, folder, settings), lambda made: made.passes,
        {"lessons": len(taught)},
    )  # fmt: skip


def preferring(folder: Path, pairs: Sequence[Row], by: Trainer, settings: TrainSettings) -> Trained:
    """The model of that folder once it prefers the better instruction of each pair; looked up where it has been made
    before."""
    known = rows_digest(
        [[*row["messages"], *(row["rejected"] or [])] for row in pairs],
        *(folder_digest(folder), by.digest(), settings.version, settings.model_dump_json()),
    )
    rows = pa.Table.from_pylist([dict(row) for row in pairs])

    def learned(made: TrainResult) -> int:
        there = len(pairs) - len(made.left_out)
        times = settings.max_steps * settings.batch_size / max(1, there) if settings.max_steps else settings.epochs
        return round(by.answers * there * times)

    def train(at: Path) -> TrainResult:
        return by.train(rows, folder, at, settings)

    return _once(f"proposer-{known}", train, learned, {"pairs": len(pairs), "readings": by.readings})


def pair(prompt: str, better: str, worse: str) -> Row:
    """A row that says which of two instructions is wanted."""
    turns = [message("user", prompt), message("assistant", better)]
    return make_row(turns, rejected=[message("assistant", worse)])


def cost_of(made: Sequence[Mapping[str, Any]]) -> Cost:
    """Of models that learned, from their facts: passes and tokens, where the seconds are those of the step."""
    passes = [(one["passes"], 1 + one.get("readings", 0)) for one in made if one]
    return Cost(
        forward=sum(rows * read for rows, read in passes),
        backward=sum(rows for rows, _ in passes),
        tokens=sum(one["tokens"] for one in made if one),
    )


def _once(
    name: str, train: Callable[[Path], TrainResult], learned: Callable[[TrainResult], int], told: dict[str, Any]
) -> Trained:
    folder = models_folder() / name

    def make() -> None:
        made = train(folder)
        facts = {"steps": made.steps, "tokens": made.tokens, "seconds": round(made.seconds, 3), "passes": learned(made)}
        write_json(folder / TOLD, {**told, **facts, "left_out": len(made.left_out)})

    made_once(folder, make)
    return Trained(folder, {"passes": 0, **json.loads((folder / TOLD).read_text(encoding="utf-8"))})
