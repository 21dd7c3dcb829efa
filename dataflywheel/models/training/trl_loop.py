"""What trainings through TRL's own trainers share: checkpoints to resume from, and the finished folder."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.training.answer_trainer import adapters, watch
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import TrainingTask
from dataflywheel.models.training.training import TrainResult, finite_losses, last_checkpoint
from dataflywheel.store.atomic import atomic_directory


def checkpoints_of(output: Path, *parts: object) -> Path:
    """Where a training keeps its state beside `output`; equal `parts`, equal training."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
    return output.parent / f".{output.name}.checkpoints-{digest}"


def without_card(kind: Any) -> Any:
    """A trainer class that saves its state and no model card."""
    from transformers import Trainer

    class Quiet(kind):  # type: ignore[misc]
        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            Trainer._save_checkpoint(self, model, trial)

    return Quiet


def finish(
    kind: Any,
    base: LanguageModel,
    arguments: Any,
    examples: Sequence[dict[str, Any]],
    task: TrainingTask,
    settings: TrainSettings,
    **own: Any,
) -> tuple[TrainResult, list[dict[str, Any]]]:
    """Train with this class of TRL's, from the last whole checkpoint where there is one, and save the transformers
    folder; with what the trainer logged. `own` is what this class takes beside what all do."""
    from datasets import Dataset
    from transformers import PrinterCallback

    trainer = kind(
        model=base.model,
        args=arguments,
        train_dataset=Dataset.from_list(list(examples)),
        processing_class=base.tokenizer,
        callbacks=[watch(task.progress)],
        peft_config=adapters(settings.lora),
        **own,
    )
    trainer.remove_callback(PrinterCallback)
    output, checkpoints = task.output, Path(arguments.output_dir)
    started = time.monotonic()
    last = last_checkpoint(checkpoints)
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    steps = [entry for entry in trainer.state.log_history if "loss" in entry]
    losses = finite_losses(steps, settings)
    trained = trainer.model.merge_and_unload() if settings.lora else trainer.model
    with atomic_directory(output) as aside:
        trained.save_pretrained(aside)
        base.tokenizer.save_pretrained(aside)
    shutil.rmtree(checkpoints, ignore_errors=True)
    tokens = int(max((entry.get("num_tokens", 0) for entry in steps), default=0))
    made = TrainResult(output, trainer.state.global_step, tokens, 0, time.monotonic() - started, losses)
    return made, trainer.state.log_history
