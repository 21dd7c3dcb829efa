"""Which training a checkpoint belongs to: all that its weights depend on, as one name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from dataflywheel.contracts import Objective, Sampler, TrainingRows
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.losses import IGNORED
from dataflywheel.models.training.examples import Example
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.validation import ValidationSet


def identity(
    examples: Sequence[Example],
    base: LanguageModel,
    settings: TrainSettings,
    objective: Objective | None,
    sampler: Sampler | None,
    known: TrainingRows | None,
    checked: ValidationSet | None,
) -> str:
    """16 hex digits over examples, untrained weights, settings, objective, and the sampler with what it is told."""
    parts = f"{settings.version}:{folder_digest(base.folder)}:{settings.model_dump_json()}"
    parts += "".join(f":{part.digest()}" for part in (objective, sampler) if part is not None)
    whole = hashlib.blake2b(parts.encode(), digest_size=8)
    for one in examples:
        whole.update(repr(one["input_ids"]).encode())
        whole.update(repr([i for i, label in enumerate(one["labels"]) if label == IGNORED]).encode())
        whole.update(repr(one["weight"]).encode() if "weight" in one else b"")
    if known is not None:
        whole.update(repr((known.ids, known.sources)).encode())
        for losses in known.reference or ():
            whole.update(losses.tobytes() + b":")
        for column, values in known.columns.items():
            whole.update(repr((column, values.tolist())).encode())
    if checked is not None:
        whole.update(checked.digest().encode())
    return whole.hexdigest()
