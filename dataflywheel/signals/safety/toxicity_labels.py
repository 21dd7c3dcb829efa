"""Parameters of everything that detects toxicity: whose labels, and how often it may be wrong."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import UsageError, UserPath
from dataflywheel.models.files import models_folder
from dataflywheel.rows.reading import read_file
from dataflywheel.rows.text import text_of
from dataflywheel.signals.safety.toxicity_classifier import ToxicityClassifier, trained, training_digest

Labelled = tuple[list[str], list[bool]]
"""Texts, and whether each is toxic."""


class ToxicityOptions(BaseModel):
    """How a classifier is made of labelled rows, and where its threshold lies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    toxic: tuple[str, ...] = Field(default=("toxic", "true", "1", "hate", "offensive"), min_length=1)
    """Labels that count as toxic, without case; all other labels count as not toxic."""
    neutral: bool = False
    """Leave out words for groups of people before reading a text, in training too, so that a group's name never counts:
    the same sentence about another group has the same score. It makes groups equal, not false alarms fewer."""
    false_positive_rate: float = Field(default=0.01, gt=0, lt=0.5)
    """Share of texts that are not toxic, among labelled ones held out of training, which may be called toxic."""


class ToxicityLabels(ToxicityOptions):
    """The same with the file of labels."""

    labels: UserPath
    """Labelled rows, from the working directory: any file that can be read as rows, with a `label` each; the pool
    itself where it has labels."""

    def classifier(self) -> ToxicityClassifier:
        """Trained at first use, then kept by the digest of its labels.

        Raises:
            UsageError: no file, or too few labels of a class.
        """
        return trained(*_labelled(self.labels, self.toxic, _stamp(self.labels)), self.neutral, models_folder())

    def labels_digest(self) -> str:
        """Identity of the classifier, without training it."""
        return training_digest(*_labelled(self.labels, self.toxic, _stamp(self.labels)), self.neutral)


def labelled(rows: Iterable[Any], toxic: tuple[str, ...]) -> Labelled:
    """The rows that have a label, as texts with whether it is one of `toxic`."""
    known = {name.casefold() for name in toxic}
    having = [row for row in rows if row["label"] is not None]
    return [text_of(row["messages"]) for row in having], [row["label"].casefold() in known for row in having]


def _stamp(path: Path) -> tuple[int, int]:
    if not path.exists():
        raise UsageError(f"labels: {path} does not exist; give a file of rows with a `label` each")
    return path.stat().st_mtime_ns, path.stat().st_size


@lru_cache(maxsize=4)
def _labelled(path: Path, toxic: tuple[str, ...], stamp: tuple[int, int]) -> Labelled:
    """Read once a process; `stamp` makes a changed file a new entry."""
    table, _ = read_file(str(path))
    return labelled(table.select(["messages", "label"]).to_pylist(), toxic)
