"""What trainings on prompts share: a model answers them itself, and learns from what it wrote."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

import pyarrow as pa

from dataflywheel.contracts import Status, UsageError
from dataflywheel.distillation.model.on_policy_lessons import Asked
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.models.templates.encoded import EncodedRow, nothing
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Learns, Trainer
from dataflywheel.rows.schema import Row


class PromptTrainer(Trainer):
    """A training on prompts: what the model is asked of each row, or why it is asked nothing."""

    learns: ClassVar[Learns] = "prompts"
    writer: ClassVar[str] = "model"
    """What answers, in messages."""

    @abstractmethod
    def lessons(self, chat: ChatFormat, rows: Sequence[Row] | pa.Table, max_length: int) -> list[Asked | str]:
        """What the model is asked for each row, or why it cannot be."""

    def shown(self, chat: ChatFormat, rows: Sequence[Row], settings: TrainSettings) -> list[EncodedRow]:
        return [
            nothing(Status.FAILED, one, place)
            if isinstance(one, str)
            else EncodedRow(one.prompt, 0, 0, False, Status.OK, True, row=place, cut="its beginning" if one.cut else "")
            for place, one in enumerate(self.lessons(chat, rows, settings.max_length))
        ]

    def asked(self, lessons: Sequence[Asked | str]) -> tuple[dict[int, Asked], dict[int, str]]:
        """What is asked, and why the other rows are left out, each by the row's position.

        Raises:
            UsageError: no row has a prompt.
        """
        left_out = {place: one for place, one in enumerate(lessons) if isinstance(one, str)}
        asked = {place: one for place, one in enumerate(lessons) if isinstance(one, Asked)}
        if not asked:
            why = "; ".join(f"{n} rows: {reason}" for reason, n in Counter(left_out.values()).most_common(3))
            raise UsageError(
                f"{self.name}: none of {len(lessons)} rows has a prompt for the {self.writer} to answer: {why}"
            )
        return asked, left_out


def beginnings(asked: Mapping[int, Asked]) -> dict[int, str]:
    """What was cut off prompts that were too long, by the row's position."""
    return {place: "the beginning of its prompt" for place, one in asked.items() if one.cut}


def numbered(asked: Mapping[int, Asked]) -> list[dict[str, str]]:
    """The data set of TRL's trainer, which names each prompt by its number: its tokens are ready."""
    return [{"prompt": str(number)} for number in range(len(asked))]
