"""Validation losses by slice, for samplers that ask for them while a model is trained."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, FloatArray, FlywheelError, Sampler, UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.models.training.examples import Example, Losses, example
from dataflywheel.models.training.train_settings import TrainSettings


@dataclass(frozen=True)
class Validation:
    """Rows that are never trained on, and the slice of each."""

    rows: pa.Table
    slices: Sequence[str]


@dataclass(frozen=True)
class Hints:
    """What a sampler may ask for beside the rows: columns of them, each by the row's id, and validation rows."""

    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    validation: Validation | None = None


@dataclass(frozen=True)
class ValidationSet:
    """Validation rows as the trained model reads them; `of` is each example's place among the slices' `names`."""

    examples: Sequence[Example]
    of: AnyArray
    names: Sequence[str]

    @property
    def tokens(self) -> int:
        """Tokens of one pass."""
        return sum(len(one["input_ids"]) for one in self.examples)

    def losses(self, measure: Losses) -> FloatArray:
        """Nats a token of each slice (slices,), all its tokens together.

        Raises:
            FlywheelError: one is not finite.
        """
        each = measure(self.examples)
        count = len(self.names)
        total = np.bincount(self.of, [one.sum(dtype=np.float64) for one in each], count)
        found: FloatArray = total / np.bincount(self.of, [len(one) for one in each], count)
        if not np.isfinite(found).all():
            worst = self.names[int(np.flatnonzero(~np.isfinite(found))[0])]
            raise FlywheelError(
                f"training diverged (the validation loss of {worst!r} is not finite); lower learning_rate"
            )
        return found

    def digest(self) -> str:
        told = repr([(one["input_ids"], one["labels"]) for one in self.examples]), repr(self.names), self.of.tolist()
        return hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()


def validation_set(
    sampler: Sampler | None, hints: Hints, base: LanguageModel, settings: TrainSettings
) -> ValidationSet | None:
    """The validation rows that the sampler wants; None where it wants none.

    Raises:
        UsageError: it wants some, and there are none, or none that has an answer.
    """
    if sampler is None or not sampler.validates:
        return None
    given = hints.validation
    if given is None or not len(given.rows):
        raise UsageError(f"{sampler.name} asks for losses on validation rows: give rows, and the slice of each")
    at = sampler.validated(given.rows["id"].to_pylist(), given.slices)
    found = base.examples(chats_of(given.rows.take(pa.array(at))), settings.max_length, settings.turns)
    known = [one for one in found if one.ids and len(one.learned)]
    if not known:
        raise UsageError(f"{sampler.name}: no validation row has an answer whose loss could be measured")
    slices = np.array([str(given.slices[at[one.row]]) for one in known])
    names, of = np.unique(slices, return_inverse=True)
    return ValidationSet([example(one) for one in known], of, [str(name) for name in names])
