"""What the steps share from which a model comes: its folder, and what became of every row."""

from __future__ import annotations

import shutil
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow.compute as pc

from dataflywheel.contracts import Cost, Decisions
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import local_folder
from dataflywheel.models.templates.encoded import EncodedRow
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.pricing import parameters
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.rows_out import write_decided
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.record import StepRecord

if TYPE_CHECKING:
    from dataflywheel.models.templates.chat import ChatFormat


class Settings(TrainSettings):
    """What the steps share."""

    def settings(self) -> TrainSettings:
        """What the trainer itself reads."""
        return TrainSettings(**{name: getattr(self, name) for name in TrainSettings.model_fields})


@dataclass(frozen=True)
class Learning(Step):
    """A step that takes rows and a model and gives a model, in `models/<name>` of the run."""

    changes_rows: ClassVar[bool] = False

    work: Settings

    @abstractmethod
    def trained_by(self) -> Trainer:
        """What makes the model."""

    @property
    def counts_alike(self) -> bool:
        return True

    def check(self, recipe: Recipe, comparison: bool) -> None:
        by, settings = self.trained_by(), self.work.settings()
        settings.fitted(parameters(recipe.models.student), by.job)
        by.fits(settings)

    def encoded(self, chat: ChatFormat, rows: Sequence[Row], longest: int) -> list[EncodedRow]:
        """What is learned of these rows, in their order: an example or more of each, or one that says why not."""
        settings = self.work.settings().model_copy(update={"max_length": longest})
        return self.trained_by().shown(chat, rows, settings)

    def passes(self, rows: int) -> float:
        """How often each of so many rows is learned."""
        work = self.work
        return work.max_steps * work.batch_size / max(1, rows) if work.max_steps else work.epochs

    def model_name(self, given: Given) -> str:
        """Of the model's folder."""
        return "student" if given.context.recipe.rounds == 1 else f"round-{self.round}"

    def seeded(self, context: Context) -> TrainSettings:
        """The trainer's settings with the recipe's seed on top of the step's own."""
        settings = self.work.settings()
        return settings.model_copy(update={"seed": context.recipe.seed + settings.seed})

    @abstractmethod
    def do(self, given: Given) -> StepRecord:
        """Train, and leave the model in its folder."""

    def leave(
        self, given: Given, made: Path, cost: Cost, details: Mapping[str, Any], decisions: Decisions
    ) -> StepRecord:
        """Put the model where it belongs, write what became of every row, and give the record."""
        name = self.model_name(given)
        folder = given.context.run.path / "models" / name
        copy_model(made, folder)
        told = {"model": f"models/{name}", "digest": folder_digest(folder), **details}
        record = self.record(given, decisions.action.count("kept"), cost, told)
        with atomic_directory(given.output) as aside:
            return write_decided(aside, record, decisions)

    def intact(self, given: Given, record: StepRecord) -> list[str]:
        """Another recipe of that name may have replaced the model."""
        folder, details = given.context.run.path / "models" / self.model_name(given), record.details
        named = details["model"] == f"models/{folder.name}"
        whole = named and folder.is_dir() and folder_digest(folder) == details["digest"]
        return [] if whole else [details["model"]]

    def after(self, given: Given, record: StepRecord) -> State:
        return replace(given.state, model=given.context.run.path / record.details["model"])

    def context_after(self, given: Given, record: StepRecord) -> Context:
        return replace(given.context, trained=given.context.run.path / record.details["model"])

    def advanced(self, context: Context, step: int, total: int, loss: float) -> None:
        """Tell of a training step."""
        context.watcher.advanced(self.place, f"steps, loss {loss:.3f}", step, total)


def student_folder(context: Context) -> Path:
    """The untrained student: the folder of the recipe's model, or a new built-in one with the pool's tokenizer."""
    from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
    from dataflywheel.models.training.tiny import init_tiny

    spec = context.recipe.models.student
    if spec.builtin is None:
        return local_folder(spec)
    tokenizer = pool_tokenizer(context.pool_texts(), cache_dir=context.home / "models")
    return init_tiny(tokenizer, spec.size, seed=context.recipe.seed, cache_dir=context.home / "models")


def copy_model(made: Path, folder: Path) -> None:
    """A model's files in another folder, without what only its training needed."""
    with atomic_directory(folder) as aside:
        shutil.copytree(made, aside, dirs_exist_ok=True, ignore=shutil.ignore_patterns("training.json", "checkpoint-*"))


def row_ids(rows: Path, pairs: bool | None = None) -> list[str]:
    """Ids in order: of all rows, of those that hold a worse answer beside the good one, or of those that hold none."""
    table = read_rows(rows, ["id"] if pairs is None else ["id", "rejected"])
    if pairs is not None:
        found = pc.fill_null(pc.greater(pc.list_value_length(table["rejected"]), 0), False)
        table = table.filter(found if pairs else pc.invert(found))
    ids: list[str] = table["id"].to_pylist()
    return ids
