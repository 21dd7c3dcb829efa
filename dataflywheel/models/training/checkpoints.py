"""A short training on answers that keeps its checkpoints: what methods read which look at learning as it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.models.files import models_folder
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.losses import linear_cross_entropy
from dataflywheel.models.language.pool_tokenizer import rows_digest
from dataflywheel.models.language.scoring import autocast, last_hidden, pad_batch
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import Conversation, EncodedRow
from dataflywheel.models.training.learning_rate import fitting_rate, usual_rate
from dataflywheel.models.training.train_settings import Lora
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.lock import made_once

VERSION = 2
RISE = 0.03
"""Share of the steps over which the learning rate rises, before it falls in a line to nothing."""
FACTS = "checkpoints.json"
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
WEIGHT, FIRST, SECOND = "weight:", "first:", "second:"
"""Prefixes in a checkpoint's file: a trained weight, and Adam's moments of it."""


class Adapters(Lora):
    """Low-rank adapters on the attention's four projections, or on every linear layer where these have other names."""

    alpha: float = Field(default=64.0, gt=0)
    dropout: float = Field(default=0.1, ge=0, lt=1)


class Schedule(BaseModel):
    """How the training goes: AdamW without decay, in float32, on the answers' tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(ge=1)
    checkpoints: int = Field(ge=1)
    """Kept at equal distances, the last at the end."""
    learning_rate: float | None = Field(default=None, gt=0)
    """At its peak; the usual one for the model where none is given."""
    batch_size: int = Field(ge=1)
    max_length: int = Field(ge=16)
    adapters: Adapters | None = None
    """Trained in place of the weights; their moments are kept too."""
    seed: int = 0


def keep_checkpoints(rows: Sequence[Conversation], model: ModelSpec, schedule: Schedule, cache: Path) -> Path:
    """Train a copy of `model` on the rows' answers; returns the folder of the checkpoints, oldest first.

    Cached by rows, model and schedule: the same call again only looks up the folder.

    Raises:
        UsageError: no row has an answer, or the learning rate would ruin the model.
        FlywheelError: the training diverged.
    """
    base = LanguageModel.load(model)
    fitting_rate(schedule.learning_rate, "answers", base.parameters, schedule.adapters is not None, None)
    rate = schedule.learning_rate or usual_rate("answers", base.parameters, lora=False)
    schedule = schedule.model_copy(update={"learning_rate": rate})
    known = rows_digest(rows, VERSION, base.digest, schedule.model_dump_json())
    folder = models_folder(cache) / f"checkpoints-{known}"

    def make() -> None:
        encoded = [row for row in base.examples(rows, schedule.max_length) if row.ids]
        if not encoded:
            raise UsageError(f"none of {len(rows)} rows has an answer to learn; each must end in an assistant turn")
        with atomic_directory(folder) as aside:
            _train(base, encoded, schedule, aside)

    return made_once(folder, make)


def checkpoint_files(folder: Path) -> list[tuple[Path, float]]:
    """The checkpoints in the order of their steps, with the mean learning rate of the steps that led to each.

    Raises:
        UsageError: the folder holds none.
    """
    if not (folder / FACTS).exists():
        raise UsageError(f"{folder} holds no checkpoints (no {FACTS}); leave the folder out to have them made")
    facts = orjson.loads((folder / FACTS).read_bytes())
    return [(folder / fact["file"], float(fact["learning_rate"])) for fact in facts]


def trainable(model: Any, adapters: Adapters | None, seed: int = 0) -> dict[str, Any]:
    """The weights that are trained, by name: all, or those of adapters, which are put into `model` here."""
    import torch

    if adapters is not None:
        from peft import LoraConfig, inject_adapter_in_model

        found = {name.rpartition(".")[2] for name, _ in model.named_modules()}
        config = LoraConfig(
            r=adapters.rank,
            lora_alpha=adapters.alpha,
            lora_dropout=adapters.dropout,
            target_modules=list(ATTENTION) if found.issuperset(ATTENTION) else "all-linear",
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inject_adapter_in_model(config, model)
        model.requires_grad_(False)
    weights = model.named_parameters()
    return {name: weight for name, weight in weights if adapters is None or ".lora_" in name}


def load_checkpoint(weights: dict[str, Any], file: Path) -> dict[str, tuple[Any, Any]]:
    """Fill `weights` with those of a checkpoint; gives Adam's first and second moment of each, where it kept them."""
    import torch
    from safetensors.torch import load_file

    held = load_file(file, device=str(next(iter(weights.values())).device))
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(held[WEIGHT + name])
    return {name: (held[FIRST + name], held[SECOND + name]) for name in weights if FIRST + name in held}


def answer_batch(rows: Sequence[EncodedRow], width: int, pad_id: int, device: Any) -> tuple[Any, Any]:
    """Right-padded tokens (b, width), and a mask (b, width) of those that are learned."""
    import torch

    place = np.arange(width)
    wanted = np.stack([np.isin(place, row.learned) for row in rows])
    return pad_batch([row.ids for row in rows], width, pad_id, device), torch.from_numpy(wanted).to(device)


def summed_loss(base: LanguageModel, ids: Any, wanted: Any, linear: bool) -> Any:
    """Nats of all wanted tokens together, each given what stands before it; padding changes nothing.

    `linear`: whether logits are the output embedding times the last states (`LanguageModel.linear`).
    """
    import torch

    head = base.model.get_output_embeddings()
    with autocast(base.model, base.dtype):
        if linear and getattr(head, "bias", None) is None:
            states = last_hidden(base.model, ids)[:, :-1][wanted[:, 1:]]
            return linear_cross_entropy(states, head.weight, ids[wanted], bfloat16=base.dtype == "bfloat16")
        logits = base.model(input_ids=ids, use_cache=False).logits[:, :-1][wanted[:, 1:]].float()
    return torch.nn.functional.cross_entropy(logits, ids[wanted], reduction="sum")


def _train(base: LanguageModel, rows: list[EncodedRow], schedule: Schedule, folder: Path) -> None:
    import torch

    steps = schedule.epochs * -(-len(rows) // schedule.batch_size)
    keep = {round(steps * (i + 1) / schedule.checkpoints) for i in range(schedule.checkpoints)} - {0}
    facts: list[dict[str, Any]] = []
    rates: list[float] = []
    peak = schedule.learning_rate or usual_rate("answers", base.parameters, lora=False)
    linear = base.linear  # looked up before dropout makes two passes differ
    with torch.random.fork_rng(devices=[]):
        weights = trainable(base.model, schedule.adapters, schedule.seed)
        for weight in weights.values():
            weight.requires_grad_(True)
        optimizer = torch.optim.AdamW(list(weights.values()), lr=peak, weight_decay=0.0)
        torch.manual_seed(schedule.seed)
        base.model.train()
        for step, batch in enumerate(_batches(rows, schedule), 1):
            rates.append(peak * _rate(step - 1, steps))
            optimizer.param_groups[0]["lr"] = rates[-1]
            width = max(len(row.ids) for row in batch)
            ids, wanted = answer_batch(batch, width, base.pad_id, base.model.device)
            loss = summed_loss(base, ids, wanted, linear) / wanted.sum()
            if not torch.isfinite(loss):
                raise FlywheelError(f"training diverged at step {step}; lower learning_rate {schedule.learning_rate}")
            loss.backward()
            torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if step in keep:
                name = f"{len(facts):03d}.safetensors"
                _save(weights, optimizer if schedule.adapters else None, folder / name)
                facts.append({"file": name, "step": step, "learning_rate": float(np.mean(rates))})
                rates.clear()
    (folder / FACTS).write_bytes(orjson.dumps(facts))


def _rate(step: int, steps: int) -> float:
    """Factor of the peak learning rate."""
    rise = max(1, round(RISE * steps))
    return (step + 1) / rise if step < rise else (steps - step) / max(1, steps - rise)


def _batches(rows: list[EncodedRow], schedule: Schedule) -> Iterator[list[EncodedRow]]:
    rng = np.random.default_rng(schedule.seed)
    for _ in range(schedule.epochs):
        order = rng.permutation(len(rows))
        for start in range(0, len(order), schedule.batch_size):
            yield [rows[i] for i in order[start : start + schedule.batch_size]]


def _save(weights: dict[str, Any], optimizer: Any, file: Path) -> None:
    from safetensors.torch import save_file

    held = {WEIGHT + name: weight.detach().clone() for name, weight in weights.items()}
    for name, weight in weights.items() if optimizer else ():
        held |= {FIRST + name: optimizer.state[weight]["exp_avg"], SECOND + name: optimizer.state[weight]["exp_avg_sq"]}
    save_file(held, file)
