"""What signals share that are read at the checkpoints of a short training on the pool."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Self

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import UsageError
from dataflywheel.models.files import folder_digest
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.models.training.checkpoints import Schedule, checkpoint_files, keep_checkpoints
from dataflywheel.signals.model.model_based import LanguageModelBased, Pool


class CheckpointBased(LanguageModelBased):
    """A signal of a language model while it learns. The training is made once, and kept beside other models."""

    max_length: int = Field(default=1024, ge=16)
    """Tokens of a row, at most; never more than the model's own context."""
    rows_a_step: int = Field(default=16, ge=1)
    """Of the training."""
    seed: int = 0
    """Of the training whose checkpoints are read."""
    checkpoints: str = ""
    """Folder of a training's checkpoints; made on the pool where not given."""

    @abstractmethod
    def schedule(self) -> Schedule:
        """How the training goes."""

    def lesson(self, pool: pa.Table) -> pa.Table:
        """The rows that are trained on, out of all rows in the order of their ids."""
        return pool

    def prepared(self, pool: Pool, cache: Path) -> Self:
        if self.checkpoints:
            return self
        rows = chats_of(self.lesson(pool().sort_by("id")))
        folder = keep_checkpoints(rows, self.model, self.schedule(), cache)
        return self.model_copy(update={"checkpoints": str(folder)})

    def placeless(self) -> Self:
        return super().placeless().model_copy(update={"checkpoints": ""})

    def model_digest(self) -> str:
        return super().model_digest() + (folder_digest(Path(self.checkpoints)) if self.checkpoints else "")

    def files(self) -> list[tuple[Path, float]]:
        """The checkpoints in the order of their steps, each with its learning rate.

        Raises:
            UsageError: there are none yet.
        """
        if not self.checkpoints:
            raise UsageError(f"{self.name} measures at checkpoints: call `prepared` first, or name their folder")
        return checkpoint_files(Path(self.checkpoints))
