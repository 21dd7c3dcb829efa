"""Tiny students and teachers on planted copies, and what an objective sees of them outside any trainer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataflywheel.contracts import AnswerPositions
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.distillation.model.teacher import answer_states
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.rows.schema import Message
from tests.models.copy_skill import copy_rows

ROWS = copy_rows(24, seed=5)
IDS = [f"row{i}" for i in range(len(ROWS))]


def untrained(seed: int = 0, size: Any = "0.5m", text: Sequence[Any] = ()) -> Path:
    """A tiny model's folder; its tokenizer is learnt from `text`, the planted copies unless given."""
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    tokenizer = pool_tokenizer(list(text) or copy_rows(60, seed=6), cache_dir=cache)
    return init_tiny(tokenizer, size, seed=seed, cache_dir=cache)


def spec(folder: Path) -> ModelSpec:
    return ModelSpec(hf=str(folder))


def loaded(folder: Path) -> LanguageModel:
    return LanguageModel.load(spec(folder))


def positions(model: LanguageModel, rows: Sequence[Sequence[Message]], which: Sequence[int]) -> AnswerPositions:
    """The answer tokens of `rows[i]` for i in `which`, with states that gradients flow to."""
    import torch

    encoded = [model.encode([rows[i]])[0] for i in which]
    counts = [row.answer_tokens for row in encoded]
    return AnswerPositions(
        answer_states(model, encoded).requires_grad_(),
        torch.tensor([t for row in encoded for t in row.ids[row.start :]]),
        torch.repeat_interleave(torch.tensor(list(which)), torch.tensor(counts)),
        torch.cat([torch.arange(n) for n in counts]),
        counts,
    )


def table_of(model: LanguageModel) -> Any:
    return model.model.get_output_embeddings().weight.detach().clone().requires_grad_()


def value(objective: TaughtObjective, model: LanguageModel, which: Sequence[int], rows: Any = ROWS) -> float:
    return float(objective.loss(positions(model, rows, which), table_of(model)).detach())


def taught(
    objective: TaughtObjective, student: LanguageModel, teacher: Path, home: Path, rows: Any = ROWS, ids: Any = None
) -> TaughtObjective:
    names = ids or [f"row{i}" for i in range(len(rows))]
    return objective.taught(names, rows, student, spec(teacher), 1024, home)
