"""What takes part in a training besides its rows and settings, and how it tells two trainings apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import Objective, Sampler
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import local_folder
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.validation import Hints, Validation
from dataflywheel.rows.parts import has_weights, read_rows


@dataclass(frozen=True)
class TrainingSetup:
    """What takes part in a training besides its rows and settings."""

    sampler: Sampler | None = None
    objective: Objective | None = None
    reference: Path | None = None
    """Folder of the model that the sampler compares with."""
    teacher: ModelSpec | None = None
    """The local model that an objective of distillation learns from."""
    weights: Mapping[str, float] | None = None
    """How much rows count by id, times what they have themselves; those it does not name as they are."""

    validation: tuple[Path, tuple[str, ...]] | None = None
    """Rows whose losses the sampler hears of while a model learns, and the slice of each."""
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the sampler reads of rows, by column and the row's id; told by the rows' identity and not by this one's."""

    def hints(self) -> Hints:
        """What the sampler is told beside the rows."""
        if self.validation is None:
            return Hints(self.columns)
        rows, slices = self.validation
        return Hints(self.columns, Validation(read_rows(rows), slices))

    def digest(self) -> str:
        """Its identity; "" where it changes nothing."""
        parts = {"sampler": self.sampler, "objective": self.objective}
        found = [f"{name}={part.digest()}" for name, part in parts.items() if part is not None]
        found += [f"reference={folder_digest(self.reference)}"] if self.reference is not None else []
        if self.teacher is not None:
            found.append(f"teacher={folder_digest(local_folder(self.teacher))}:{self.teacher.dtype}")
        if self.weights is not None:
            found.append(f"weights={short_digest(*sorted(self.weights.items()))}")
        if self.validation is not None:
            rows, slices = self.validation
            found.append(f"validation={short_digest(*read_rows(rows, ['id'])['id'].to_pylist(), *slices)}")
        return ";".join(found)


PLAIN = TrainingSetup()


def told_rows(rows: Path, ids: Sequence[str], teaching: TrainingSetup) -> Sequence[str]:
    """What the identity of a training says of its rows: their ids, and what an id leaves out: their sources where the
    sampler draws by them, the columns that it reads, their weights where they have any."""
    told = list(ids)
    if teaching.sampler is not None and teaching.sampler.reads_sources:
        source = _by_id(rows, "source")
        told = [f"{id} of {source.get(id, '')}" for id in ids]
    for column, values in teaching.columns.items():
        told = [f"{said} with {column} {_value(values.get(id))}" for said, id in zip(told, ids, strict=True)]
    if has_weights(rows):
        weight = _by_id(rows, "weight")
        known = zip(told, (weight.get(id) for id in ids), strict=True)
        told = [said if counts is None else f"{said} x {counts}" for said, counts in known]
    return told


def _by_id(rows: Path, column: str) -> dict[str, Any]:
    table = read_rows(rows, ["id", column])
    return dict(zip(table["id"].to_pylist(), table[column].to_pylist(), strict=True))


def _value(value: Any) -> str:
    return hashlib.blake2b(value.tobytes()).hexdigest() if isinstance(value, np.ndarray) else str(value)


def short_digest(*parts: Any) -> str:
    """32 hex digits over the parts, told apart."""
    return hashlib.blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=16).hexdigest()
