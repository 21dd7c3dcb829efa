"""What a training reads of rows: the tokens that every arm of a comparison gets as many of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dataflywheel.models.language.language_model import chat_format
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.context import Context
from dataflywheel.rows.parts import count_rows, iter_batches


@dataclass(frozen=True)
class Reading:
    """By row id, what one pass over it reads. A row that cannot be learned from is in neither."""

    tokens: Mapping[str, int]
    """Of prompt and answer, as the chat template shows them and `max_length` cuts them."""
    examples: Mapping[str, int]
    """Sequences that it is learned as: more than one where the template shows earlier turns otherwise."""

    def read(self, ids: Iterable[str]) -> int:
        """Tokens of one pass over these rows."""
        return sum(self.tokens.get(id, 0) for id in ids)

    def learned(self, ids: Iterable[str]) -> int:
        """Examples of one pass over these rows."""
        return sum(self.examples.get(id, 0) for id in ids)


Read = Callable[[Path], Reading]
"""What is read of the rows of a directory."""


def reader(context: Context, student: Path, settings: TrainSettings) -> Read:
    """Reads directories as the student's training does, each once."""
    found: dict[Path, Reading] = {}

    def read(rows: Path) -> Reading:
        if rows not in found:
            found[rows] = _reading(context, rows, student, settings)
        return found[rows]

    return read


def _reading(context: Context, rows: Path, student: Path, settings: TrainSettings) -> Reading:
    chat, longest = chat_format(student)
    tokens: dict[str, int] = {}
    examples: dict[str, int] = {}
    done, total = 0, count_rows(rows)
    for batch in iter_batches(rows, ["id", "messages", "tools", "media", "label"]):
        ids = batch.column("id").to_pylist()
        for one in chat.examples(chats_of(batch), min(settings.max_length, longest), settings.turns):
            if one.ids:
                tokens[ids[one.row]] = tokens.get(ids[one.row], 0) + len(one.ids)
                examples[ids[one.row]] = examples.get(ids[one.row], 0) + 1
        done += len(batch)
        context.watcher.advanced("compare", "rows read", done, total)
    return Reading(tokens, examples)


def passes(settings: TrainSettings, examples: int) -> float:
    """How often a training of these settings sees each of so many examples."""
    if settings.max_steps:
        return settings.max_steps * settings.batch_size / max(1, examples)
    return settings.epochs
