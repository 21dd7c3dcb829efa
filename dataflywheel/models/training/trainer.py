"""Trainers: rows and a model in, a model out, and what became of every row."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa

from dataflywheel.contracts import FlywheelError, Method, PoolStatistics
from dataflywheel.models.templates.chat import Chat, ChatFormat, chat_of, chats_of
from dataflywheel.models.templates.encoded import EncodedRow
from dataflywheel.models.training.learning_rate import Job
from dataflywheel.models.training.train_settings import Progress, TrainSettings
from dataflywheel.models.training.training import AnyModel, TrainResult
from dataflywheel.plugins.place import named
from dataflywheel.rows.schema import Row
from dataflywheel.rows.trainers.kind import LABELS

Learns = Literal["answers", "pairs", "labels", "prompts"]
Beside = Literal["nothing", "reference", "teacher"]


@dataclass(frozen=True)
class TrainingTask:
    """What one training has: rows and a model, where the trained one goes, and how."""

    rows: Sequence[Row] | pa.Table
    model: AnyModel
    output: Path
    settings: TrainSettings
    reference: AnyModel | None = None
    """What is read beside the model; see `Trainer.beside`."""
    progress: Progress | None = None


class Trainer(Method):
    """A way to make a model of rows and a model. Steps, the plan and Python use it alike: it says what rows it learns
    from, which of them it cannot learn and why, what model is read beside the one in training, and what that costs."""

    learns: ClassVar[Learns] = "answers"
    """What of rows is learned: their `answers`; which of two answers is the better one (`pairs`); which answers are
    wanted (`labels`, and pairs as two of these); or nothing but `prompts`, which the model answers itself."""
    job: ClassVar[Job] = "answers"
    """Which learning rate is the usual one."""
    beside: ClassVar[Beside] = "nothing"
    """What `reference` is: the model that the one in training is held to, which is what it starts from unless another
    is given; a teacher, which must be given; or nothing."""
    readings: ClassVar[int] = 0
    """Times that an answer is read, by either model, beside the pass that it is learned by."""

    def takes(self, row: Mapping[str, Any]) -> bool:
        """Whether a row holds what is learned from here; of the others a step says nothing."""
        if self.learns not in ("pairs", "labels"):
            return True
        return bool(row["rejected"]) or (self.learns == "labels" and row["label"] in LABELS)

    def examples_in(self, pool: PoolStatistics) -> int:
        """How many examples so many rows give, at most; one of `pairs` holds two answers, any other one."""
        known = {"pairs": pool.pairs, "labels": 2 * pool.pairs + pool.labelled}
        return known.get(self.learns, pool.rows)

    @property
    def answers(self) -> int:
        """Answers of one example."""
        return 2 if self.learns == "pairs" else 1

    @abstractmethod
    def shown(self, chat: ChatFormat, rows: Sequence[Row], settings: TrainSettings) -> list[EncodedRow]:
        """What is learned of these rows, in their order: an example or more of each, or one that says why not."""

    def fits(self, settings: TrainSettings) -> None:
        """Raises UsageError: it cannot learn with these settings."""
        return None

    def remarks(self, rows: Sequence[Row]) -> list[str]:
        """What there is to say beforehand of the rows that are learned together, a line each."""
        return []

    def train(
        self,
        rows: Sequence[Row] | pa.Table,
        model: AnyModel,
        output: Path,
        settings: TrainSettings | None = None,
        *,
        reference: AnyModel | None = None,
        progress: Progress | None = None,
    ) -> TrainResult:
        """Train `model` on rows and save it as the transformers folder `output`; the same call after a kill goes on
        from the last checkpoint.

        Raises:
            UsageError: no row can be learned; the message counts the reasons.
            FlywheelError: the method gave or left something else than a trained model.
        """
        made = self.learn(TrainingTask(rows, model, output, settings or TrainSettings(), reference, progress))
        return as_trained(made, named(self, "learn"), output, len(rows))

    @abstractmethod
    def learn(self, task: TrainingTask) -> TrainResult:
        """What `train` does, in this way."""


def as_trained(made: object, who: str, output: Path, rows: int) -> TrainResult:
    """What a trainer gave, once it is looked at; `who` is the trainer in messages.

    Raises:
        FlywheelError: it is no `TrainResult`, speaks of other rows or of losses that are none, or there is no model.
    """
    if not isinstance(made, TrainResult):
        raise FlywheelError(f"{who} gave {type(made).__name__}; wanted is a TrainResult: folder, steps, tokens, losses")
    if not (output / "config.json").is_file() or not any(output.glob("*.safetensors")):
        raise FlywheelError(
            f"{who} left no model in {output}; wanted are config.json and safetensors, as `save_pretrained` of the "
            "model and of its tokenizer writes them to `task.output`"
        )
    wrong = [loss for loss in made.losses if not isinstance(loss, Real) or not math.isfinite(loss)]
    if wrong:
        raise FlywheelError(f"{who} gave the loss {wrong[0]!r}; wanted are finite numbers, one a step")
    for name in ("left_out", "changed", "cut"):
        told = getattr(made, name)
        if not isinstance(told, dict) or any(not isinstance(at, int) or not 0 <= at < rows for at in told):
            raise FlywheelError(
                f"{who} gave {name} of {told!r:.80}; wanted is a reason by position, 0 to {rows - 1} of the rows given"
            )
    return made


def chats(rows: Sequence[Row] | pa.Table) -> list[Chat]:
    """The conversations of rows."""
    if isinstance(rows, pa.Table):
        return chats_of(rows)
    return [chat_of(row["messages"], row["tools"], row["media"], row["label"]) for row in rows]


def row_list(rows: Sequence[Row] | pa.Table) -> list[Row]:
    """Rows as a list, from a table too."""
    found: list[Row] = rows.to_pylist() if isinstance(rows, pa.Table) else list(rows)
    return found
