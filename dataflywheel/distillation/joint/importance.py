"""How much a model would lose with each group of its weights: five measures, to be held side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dataflywheel.contracts import FloatArray, UsageError
from dataflywheel.distillation.joint.blocks import ATTENTION, FEED, Blocks
from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.encoded import EncodedRow
from dataflywheel.models.training.checkpoints import answer_batch, summed_loss

Measure = Literal["taylor", "taylor_summed", "activation", "magnitude", "random"]
"""`taylor`: the sum over a group of |w g| of each weight and its gradient (LLM-Pruner's `param_first`).
`taylor_summed`: the absolute sum of w g (`vectorize`). `activation`: the mean absolute input of the columns that go
(Minitron). `magnitude`: the sum of squares of the weights. `random`: what the others must beat."""
TOKENS = 4096
"""Padded tokens of one pass."""


@dataclass(frozen=True)
class Importance:
    """Of each block's channels (layers, channels) and groups of heads (layers, groups), float64; larger is kept."""

    channels: FloatArray
    groups: FloatArray


def importance(
    base: LanguageModel, blocks: Blocks, rows: Sequence[EncodedRow], by: Measure = "taylor", seed: int = 0
) -> Importance:
    """Measure every group of a model on what is learned of some rows.

    Raises:
        UsageError: the measure reads rows and there is none.
    """
    if by == "random":
        rng = np.random.default_rng(seed)
        shape = blocks.shape
        return Importance(rng.random((shape.layers, shape.channels)), rng.random((shape.layers, shape.groups)))
    if by == "magnitude":
        return _summed(blocks, lambda linear: linear.weight.detach().double() ** 2)
    rows = [row for row in rows if row.learned]
    if not rows:
        raise UsageError(f"{by}: no row to measure on: name some with `--data`, or take `magnitude`, which needs none")
    if by == "activation":
        return _activations(base, blocks, rows)
    with _gradients(base, blocks, rows):
        if by == "taylor":
            return _summed(blocks, lambda linear: (linear.weight.detach() * linear.weight.grad).double().abs())
        return _summed(blocks, lambda linear: (linear.weight.detach() * linear.weight.grad).double(), absolute=True)


def _summed(blocks: Blocks, value: Callable[[Any], Any], absolute: bool = False) -> Importance:
    """A value of each weight, summed over its group."""
    channels, groups = [], []
    for layer in blocks.layers:
        gate, up, down = (value(getattr(layer.mlp, name)) for name in FEED)
        channels.append((gate.sum(1) + up.sum(1) + down.sum(0)).cpu().numpy())
        q, k, v, o = (value(getattr(layer.self_attn, name)) for name in ATTENTION)
        of = blocks.shape.groups
        by_group = [part.reshape(of, -1).sum(1) for part in (q.sum(1), k.sum(1), v.sum(1), o.sum(0))]
        groups.append(sum(by_group).cpu().numpy())
    found = Importance(np.stack(channels), np.stack(groups))
    return Importance(np.abs(found.channels), np.abs(found.groups)) if absolute else found


@contextmanager
def _gradients(base: LanguageModel, blocks: Blocks, rows: Sequence[EncodedRow]) -> Iterator[None]:
    """With the gradient of the mean loss of a learned token on the weights of all blocks."""
    import torch

    wanted = [getattr(layer.self_attn, name).weight for layer in blocks.layers for name in ATTENTION]
    wanted += [getattr(layer.mlp, name).weight for layer in blocks.layers for name in FEED]
    before = [weight.requires_grad for weight in base.model.parameters()]
    base.model.requires_grad_(False)
    for weight in wanted:
        weight.requires_grad_(True)
        weight.grad = None
    tokens = sum(len(row.learned) for row in rows)
    try:
        with torch.enable_grad():
            for width, part in batches([len(row.ids) for row in rows], TOKENS):
                ids, places = answer_batch([rows[i] for i in part], width, base.pad_id, base.model.device)
                (summed_loss(base, ids, places, base.linear) / tokens).backward()
        yield
    finally:
        for weight, asked in zip(base.model.parameters(), before, strict=True):
            weight.grad = None
            weight.requires_grad_(asked)


def _activations(base: LanguageModel, blocks: Blocks, rows: Sequence[EncodedRow]) -> Importance:
    """Mean absolute input of each column of `down_proj`, and of `o_proj` summed over a group, over real tokens."""
    import torch

    from dataflywheel.models.language.scoring import last_hidden, pad_batch

    n = blocks.shape.layers
    feed = [torch.zeros(blocks.shape.channels, dtype=torch.float64) for _ in range(n)]
    heads = [torch.zeros(blocks.shape.groups, dtype=torch.float64) for _ in range(n)]
    real: list[Any] = []

    def hook(sums: list[Any], place: int, parts: int) -> Callable[..., None]:
        def seen(_: Any, inputs: Any) -> None:
            held = inputs[0].detach().float()[real[-1]].abs().double().sum(0).cpu()
            sums[place] += held.reshape(parts, -1).sum(1)

        return seen

    hooks = []
    for i, layer in enumerate(blocks.layers):
        hooks.append(layer.mlp.down_proj.register_forward_pre_hook(hook(feed, i, blocks.shape.channels)))
        hooks.append(layer.self_attn.o_proj.register_forward_pre_hook(hook(heads, i, blocks.shape.groups)))
    try:
        for width, part in batches([len(row.ids) for row in rows], TOKENS):
            chosen = [rows[i] for i in part]
            lengths = torch.tensor([len(row.ids) for row in chosen], device=base.model.device)[:, None]
            real.append(torch.arange(width, device=base.model.device)[None] < lengths)
            with torch.inference_mode():
                last_hidden(base.model, pad_batch([row.ids for row in chosen], width, base.pad_id, base.model.device))
    finally:
        for one in hooks:
            one.remove()
    tokens = sum(len(row.ids) for row in rows)
    return Importance(torch.stack(feed).numpy() / tokens, torch.stack(heads).numpy() / tokens)
