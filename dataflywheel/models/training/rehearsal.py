"""Short trainings that a sampler asks for before the training itself: what a model makes of validation rows after each.

Each is kept beside the checkpoints when it is done, so that a killed training does none of them twice.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, Sampler, TrainingRows
from dataflywheel.models.training.examples import Example
from dataflywheel.models.training.live_batches import LiveBatches
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.validation import ValidationSet
from dataflywheel.store.atomic import write_json

Learn = Callable[[list[Example], TrainSettings, Path], Any]
"""Gives a trainer that has learned these examples; with none, one of the model as it is."""


def rehearsed(
    wanted: Sequence[AnyArray],
    examples: Sequence[Example],
    settings: TrainSettings,
    checked: ValidationSet,
    folder: Path,
    learn: Learn,
) -> list[FloatArray]:
    """Validation losses (slices,) after each of the trainings, which learn the examples at the positions `wanted`."""
    found = []
    for number, positions in enumerate(wanted):
        kept, work = folder / f"rehearsal-{number}.json", folder / f"rehearsal-{number}"
        if not kept.exists():
            quick = settings.model_copy(update={"max_steps": max(1, -(-len(positions) // settings.batch_size))})
            trainer = learn([examples[i] for i in positions], quick, work)
            write_json(kept, checked.losses(trainer.answer_losses).tolist())
            shutil.rmtree(work, ignore_errors=True)
        found.append(np.array(json.loads(kept.read_text(encoding="utf-8"))))
    return found


def live_batches(
    sampler: Sampler,
    known: TrainingRows,
    examples: list[Example],
    settings: TrainSettings,
    checked: ValidationSet | None,
    folder: Path,
    learn: Learn,
) -> LiveBatches:
    """The sampler at the first step of a training, with what its rehearsals found."""
    steps = settings.max_steps or math.ceil(settings.epochs * math.ceil(len(examples) / settings.batch_size))
    known = replace(known, steps=steps)
    wanted: list[AnyArray] = []
    if checked is not None:
        known = replace(known, slices=checked.names)
        wanted = sampler.rehearsals(known, min(settings.batch_size, len(examples)), settings.seed)
        known = replace(known, rehearsed=rehearsed(wanted, examples, settings, checked, folder, learn))
    live = LiveBatches(sampler, known, examples, settings.batch_size, settings.seed, checked)
    live.rehearsals = wanted
    return live


def asked_for(live: LiveBatches, batch: int) -> dict[str, int]:
    """What a sampler had read beside the training itself: steps and tokens of rehearsals, passes over the validation
    rows and their tokens; nothing where it asked for none."""
    if live.checked is None:
        return {}
    sizes = np.array([len(one["input_ids"]) for one in live.examples])
    passes = live.validations + len(live.rehearsals)
    return {
        "rehearsal_steps": sum(-(-len(positions) // batch) for positions in live.rehearsals),
        "rehearsal_rows": sum(len(positions) for positions in live.rehearsals),
        "rehearsal_tokens": int(sum(sizes[positions].sum() for positions in live.rehearsals if len(positions))),
        "validations": passes,
        "validation_rows": passes * len(live.checked.examples),
        "validation_tokens": passes * live.checked.tokens,
    }
