"""Which consecutive blocks a model would miss least: those that turn the state of the last token by the least angle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dataflywheel.contracts import FloatArray
from dataflywheel.distillation.joint.blocks import Blocks
from dataflywheel.distillation.joint.importance import TOKENS
from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.scoring import last_hidden, pad_batch
from dataflywheel.models.templates.encoded import EncodedRow


def turns(base: LanguageModel, blocks: Blocks, rows: Sequence[EncodedRow], n: int) -> FloatArray:
    """The mean angle, as a share of pi, between the state of each row's last token before block l and before block
    l + n, for l = 0 to layers - n (Gromov et al. 2024, "The Unreasonable Ineffectiveness of the Deeper Layers")."""
    import torch

    states: list[Any] = []
    ends: list[Any] = []

    def before(_: Any, inputs: Any, given: Any) -> None:
        held = inputs[0] if inputs else given["hidden_states"]
        states.append(held[torch.arange(len(held), device=held.device), ends[-1]].float())

    def after(_: Any, inputs: Any, output: Any) -> None:
        held = output[0] if isinstance(output, tuple) else output
        states.append(held[torch.arange(len(held), device=held.device), ends[-1]].float())

    hooks = [layer.register_forward_pre_hook(before, with_kwargs=True) for layer in blocks.layers]
    hooks.append(blocks.layers[-1].register_forward_hook(after))
    angles = np.zeros(blocks.shape.layers - n + 1)
    try:
        for width, part in batches([len(row.ids) for row in rows], TOKENS):
            chosen = [rows[i] for i in part]
            states.clear()
            ends.append(torch.tensor([len(row.ids) - 1 for row in chosen], device=base.model.device))
            with torch.inference_mode():
                last_hidden(base.model, pad_batch([row.ids for row in chosen], width, base.pad_id, base.model.device))
            for place in range(len(angles)):
                cosine = torch.nn.functional.cosine_similarity(states[place], states[place + n], dim=1)
                angles[place] += float(torch.arccos(cosine.clamp(-1, 1)).sum()) / np.pi
    finally:
        for one in hooks:
            one.remove()
    return angles / len(rows)


def left(base: LanguageModel, blocks: Blocks, rows: Sequence[EncodedRow], layers: int) -> list[int]:
    """The blocks that stay where `layers` of them do: all but the consecutive ones that turn the states least."""
    n = blocks.shape.layers - layers
    if n == 0:
        return list(range(layers))
    at = int(np.argmin(turns(base, blocks, [row for row in rows if row.ids], n)))
    return [place for place in range(blocks.shape.layers) if not at <= place < at + n]
