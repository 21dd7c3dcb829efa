"""Supervised fine-tuning through TRL: loss on answers only; resumable; same rows and seed, same weights."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, FlywheelError, Objective, Sampler
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import Conversation, EncodedRow, chats_of
from dataflywheel.models.training.answer_trainer import answer_trainer, trl_arguments
from dataflywheel.models.training.examples import Example, example, learnable
from dataflywheel.models.training.identity import identity
from dataflywheel.models.training.live_batches import LiveBatches, training_rows
from dataflywheel.models.training.reference import ReferenceLosses
from dataflywheel.models.training.rehearsal import asked_for, live_batches
from dataflywheel.models.training.row_weights import scaled, weight_facts, weights_of
from dataflywheel.models.training.train_settings import Progress, TrainSettings
from dataflywheel.models.training.validation import Hints, validation_set
from dataflywheel.store.atomic import atomic_directory

AnyModel = Path | ModelSpec | LanguageModel
"""A model as trainings take it: its folder, where it lies, or loaded."""


@dataclass(frozen=True)
class TrainResult:
    """A trained model: where it is, and what it took. Tokens count every epoch; `losses` is nats a token, by step.

    Under a sampler: `candidates_tokens` were read by forward passes alone to choose rows, `seen` is how often each of
    the rows given was trained on, `sampler` what it found out.
    """

    folder: Path
    steps: int
    tokens: int
    answer_tokens: int
    seconds: float
    losses: list[float]
    passes: int = 0
    """Rows that were learned, each as often as it was."""
    candidates_tokens: int = 0
    candidates: int = 0
    """Rows that the sampler chose among, in all steps together."""
    seen: AnyArray | None = None
    sampler: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    """What the sampler had read beside the training: steps and tokens of rehearsals, passes over validation rows."""
    left_out: dict[int, str] = field(default_factory=dict)
    """Rows, by their position among those given, that were not trained on, each with its reason."""
    changed: dict[int, str] = field(default_factory=dict)
    """What the chat template changed of what was learned, by the row's position."""
    cut: dict[int, str] = field(default_factory=dict)
    """What was cut off rows that were longer than `max_length`, by the row's position."""
    weights: dict[str, float] = field(default_factory=dict)
    """Of rows that do not all count alike: the least and the greatest weight, and the `effective_rows`."""
    margins: list[float] = field(default_factory=list)
    """Of trainings on better and worse answers: by how much more the better ones are rewarded, by step."""
    told: dict[str, Any] = field(default_factory=dict)
    """What else there is to tell, as JSON values: counts of what was learned, weights that were found."""


def train_sft(
    rows: Sequence[Conversation] | pa.Table,
    model: AnyModel,
    output: Path,
    settings: TrainSettings | None = None,
    *,
    progress: Progress | None = None,
    objective: Objective | None = None,
    sampler: Sampler | None = None,
    reference: ReferenceLosses | None = None,
    hints: Hints | None = None,
) -> TrainResult:
    """Fine-tune `model` on the answers of each row and save it as the transformers folder `output`.

    Rows whose column `weight` differs count accordingly: each answer token times its row's weight over the mean of all.

    An `objective` is learned in place of the answers' cross-entropy; it sees the examples of `LanguageModel.examples`
    that have tokens, by their position among them. A `sampler` decides which rows each step sees, the steps of an epoch
    stay as they are; one that `needs_reference` takes the losses of `reference_losses`, one that asks for columns or
    validation losses takes them from `hints`.

    Checkpoints lie beside `output` until it is whole; the same call after a kill goes on from the last one. Rows that
    teach nothing, or that the model's chat template cannot show, are left out and told of.

    Raises:
        UsageError: no row has an answer, or the sampler lacks a reference, a column or validation rows.
    """
    started = time.monotonic()
    base, hints = loaded(model), hints or Hints()
    settings = (settings or TrainSettings()).fitted(base.parameters)
    conversations = chats_of(rows) if isinstance(rows, pa.Table) else rows
    found = base.examples(conversations, settings.max_length, settings.turns)
    encoded = learnable(found)
    examples = _examples(rows, encoded)
    known = training_rows(rows, encoded, sampler, reference, hints)
    checked = validation_set(sampler, hints, base, settings)
    name = identity(examples, base, settings, objective, sampler, known, checked)
    checkpoints = output.parent / f".{output.name}.checkpoints-{name}"
    live = None
    if sampler is not None and known is not None:
        learn = partial(_rehearse, model, examples[:1], objective)
        live = live_batches(sampler, known, examples, settings, checked, checkpoints, learn)
    trainer = _trainer(base, examples, checkpoints, settings, progress, objective, live)
    last = _resumed(checkpoints)
    if live is not None and last is not None:
        live.load(Path(last))
    trainer.train(resume_from_checkpoint=last)
    trained = trainer.model.merge_and_unload() if settings.lora else trainer.model
    result = _result(trainer, output, settings, live, len(conversations), found, started)
    if "weight" in examples[0]:
        result = replace(result, weights=weight_facts(np.array([one["weight"] for one in examples])))
    with atomic_directory(output) as aside:
        trained.save_pretrained(aside)
        base.tokenizer.save_pretrained(aside)
    for old in output.parent.glob(f".{output.name}.checkpoints-*"):
        shutil.rmtree(old)
    return result


def _rehearse(
    model: AnyModel,
    any_one: list[Example],
    objective: Objective | None,
    some: list[Example],
    settings: TrainSettings,
    folder: Path,
) -> Any:
    """A trainer that has learned some examples; without any, one of the model as it is."""
    rehearsing = _trainer(loaded(model), some or any_one, folder, settings, None, objective, None)
    if some:
        rehearsing.train(resume_from_checkpoint=_resumed(folder))
    return rehearsing


def _examples(rows: Sequence[Conversation] | pa.Table, encoded: Sequence[EncodedRow]) -> list[Example]:
    """What the trainer reads, each with its `row`, and with its `weight` where rows do not all count alike."""
    examples: list[Example] = [{**example(row), "row": i} for i, row in enumerate(encoded)]
    weight = weights_of(rows) if isinstance(rows, pa.Table) else None
    if weight is not None:
        for one, counts in zip(examples, scaled(weight, [row.row for row in encoded]).tolist(), strict=True):
            one["weight"] = counts
    return examples


def _result(
    trainer: Any,
    output: Path,
    settings: TrainSettings,
    live: LiveBatches | None,
    rows: int,
    found: Sequence[EncodedRow],
    started: float,
) -> TrainResult:
    steps = [entry for entry in trainer.state.log_history if "loss" in entry]
    losses = finite_losses(steps, settings)
    names = ("tokens", "answer_tokens", "passes", "candidates_tokens", "candidates")
    read = {name: int(sum(entry.get(name, 0) for entry in steps)) for name in names}
    made = TrainResult(
        output,
        trainer.state.global_step,
        read["tokens"],
        read["answer_tokens"],
        time.monotonic() - started,
        losses,
        passes=read["passes"],
        left_out={one.row: one.reason for one in found if not one.ids},
        changed={one.row: one.changed for one in found if one.changed},
        cut={one.row: one.cut for one in found if one.cut},
    )
    if live is None:
        return made
    places = [one.row for one in found if one.ids]
    seen = live.seen_of(rows, places)
    never = {places[at]: why for at, why in live.draw.left_out().items() if not seen[places[at]]}
    told: dict[str, Any] = {"sampler": live.draw.summary(), "asked": asked_for(live, settings.batch_size)}
    told |= {"candidates_tokens": read["candidates_tokens"], "candidates": read["candidates"]}
    return replace(made, seen=seen, left_out=never | made.left_out, **told)


def finite_losses(steps: Sequence[dict[str, Any]], settings: TrainSettings) -> list[float]:
    """The loss of every logged step. Raises FlywheelError where one, or its gradient, is not finite."""
    losses = [float(entry["loss"]) for entry in steps]
    for what, values in (("loss", losses), ("gradient", [float(entry.get("grad_norm", 0)) for entry in steps])):
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
            raise FlywheelError(
                f"training diverged ({what} is not finite at step {at}); lower learning_rate {settings.learning_rate}"
            )
    return losses


def loaded(model: AnyModel) -> LanguageModel:
    """A copy to train: the caller's model must not change under its feet."""
    return LanguageModel.load(spec_of(model))


def spec_of(model: AnyModel) -> ModelSpec:
    """Where a model lies."""
    if isinstance(model, ModelSpec):
        return model
    return ModelSpec(hf=str(model.folder if isinstance(model, LanguageModel) else model))


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written whole: the trainer's state is the last file of one."""
    whole = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)


def _resumed(folder: Path) -> str | None:
    last = last_checkpoint(folder)
    return None if last is None else str(last)


def _trainer(
    base: LanguageModel,
    examples: list[dict[str, Any]],
    checkpoints: Path,
    settings: TrainSettings,
    progress: Progress | None,
    objective: Objective | None,
    live: LiveBatches | None,
) -> Any:
    from transformers import set_seed
    from trl import SFTConfig

    set_seed(settings.seed)
    arguments = SFTConfig(
        **trl_arguments(base, checkpoints, settings),
        max_length=None,
        activation_checkpointing=False,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    return answer_trainer(base, examples, arguments, settings.lora, progress, objective, live)
