"""Structured pruning: a smaller model of the same architecture, out of the groups of weights that count most."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, UsageError
from dataflywheel.distillation.joint.blocks import ATTENTION, FEED, Blocks, Shape, blocks_of
from dataflywheel.distillation.joint.depth import left
from dataflywheel.distillation.joint.importance import Importance, Measure, importance
from dataflywheel.distillation.joint.shapes import even, fitting
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.encoded import EncodedRow
from dataflywheel.store.atomic import atomic_directory

FIRST_ORDER = ("taylor", "taylor_summed")
FACTS = "pruned.json"
"""The file of a pruned model that says what it was made of and how."""


@dataclass(frozen=True)
class Pruned:
    """A smaller model, as a transformers folder, and what it was made of."""

    folder: Path
    before: Shape
    after: Shape
    weights_before: int
    weights_after: int
    by: str
    kept_layers: tuple[int, ...]
    """Places of the blocks that were kept, in the model as it was."""

    @property
    def share(self) -> float:
        """Of the weights, what is left."""
        return self.weights_after / self.weights_before


def prune(
    base: LanguageModel,
    to: float,
    output: Path,
    rows: Sequence[EncodedRow] = (),
    *,
    by: Measure = "taylor",
    layers: int | None = None,
    seed: int = 0,
) -> Pruned:
    """Keep a share of a model's weights, and write what is left as a model of the same architecture.

    Every block keeps as many channels and groups of heads as any other, so that the folder loads wherever the
    architecture does, and keeps those of its own that count most by the measure `by`. How many of each is what loses
    least, where the measure says how much the loss would rise (`taylor`, `taylor_summed`); by the others both shrink by
    the same ratio. Blocks that go (`layers` says how
    many stay) are consecutive ones, and go first: what is left is measured without them. The same call gives the same
    folder.

    Args:
        to: share of the weights that may stay, 0 to 1; the result has at most that, and as much as whole groups allow.
        rows: what the measure reads: rows of what the model is for; some hundred are enough.

    Raises:
        UsageError: another architecture, no rows where some are needed, or a share that cannot be had.
    """
    if not 0 < to < 1:
        raise UsageError(f"the share of weights to keep must lie between 0 and 1, and is {to:g}")
    whole = blocks_of(base.model)
    fit = fitting(whole, to, layers)
    if fit[0].layers < whole.shape.layers and not any(row.ids for row in rows):
        raise UsageError("`layers` needs rows, by which is measured which blocks turn the states least")
    kept = left(base, whole, rows, fit[0].layers)
    shown = _without(base, kept) if len(kept) < whole.shape.layers else base
    blocks = blocks_of(shown.model)
    counts = importance(shown, blocks, rows, by, seed)
    after = least_lost(counts, fit) if by in FIRST_ORDER else even(whole, fit)
    state, config = narrowed(blocks, counts, after)
    if hasattr(base.model.config, "layer_types") and base.model.config.layer_types:
        config.layer_types = [base.model.config.layer_types[place] for place in kept]
    facts = {"by": by, "seed": seed, "to": to, "kept_layers": kept, "before": vars(whole.shape), "after": vars(after)}
    _save(output, state, config, base, facts)
    weights = whole.weights(whole.shape), whole.weights(after)
    return Pruned(output, whole.shape, after, *weights, by, tuple(kept))


def least_lost(counts: Importance, fit: Sequence[Shape]) -> Shape:
    """Of these shapes the one whose lost groups count least together."""

    def lost(shape: Shape) -> float:
        kept = ((counts.channels, shape.channels), (counts.groups, shape.groups))
        return float(sum(np.sort(values, axis=1)[:, : values.shape[1] - n].sum() for values, n in kept))

    return min(fit, key=lost)


def narrowed(blocks: Blocks, counts: Importance, after: Shape) -> tuple[dict[str, Any], Any]:
    """The weights of a model with the groups that count most, by name, and its configuration. Groups keep their order:
    of equal ones the first stay."""
    import torch

    state = {name: value.detach() for name, value in blocks.model.state_dict().items()}
    for place in range(blocks.shape.layers):
        channels = torch.from_numpy(_most(counts.channels[place], after.channels))
        groups = _most(counts.groups[place], after.groups)
        rows = {
            "k_proj": _rows_of(groups, blocks.head),
            "q_proj": _rows_of(groups, blocks.head * blocks.queries),
        }
        rows |= {"v_proj": rows["k_proj"], "o_proj": rows["q_proj"]}
        for part, name in (*(("self_attn", name) for name in ATTENTION), *(("mlp", name) for name in FEED)):
            at = f"model.layers.{place}.{part}.{name}"
            index = channels if part == "mlp" else torch.from_numpy(rows[name])
            column = name in ("o_proj", "down_proj")
            state[f"{at}.weight"] = state[f"{at}.weight"].index_select(int(column), index.to(blocks.model.device))
            if not column and f"{at}.bias" in state:
                state[f"{at}.bias"] = state[f"{at}.bias"].index_select(0, index.to(blocks.model.device))
    return state, blocks.changed(after)


def _most(values: AnyArray, n: int) -> AnyArray:
    """Places of the n largest values, in order."""
    return np.sort(np.argsort(-values, kind="stable")[:n])


def _rows_of(groups: AnyArray, size: int) -> AnyArray:
    return (groups[:, None] * size + np.arange(size)).reshape(-1)


def _without(base: LanguageModel, kept: Sequence[int]) -> LanguageModel:
    """The model with some of its blocks alone, which share its weights."""
    import torch

    model = copy.copy(base.model)
    model._modules = {**base.model._modules, "model": copy.copy(base.model.model)}
    inner = model._modules["model"]
    inner._modules = {**base.model.model._modules}
    chosen = [copy.copy(base.model.model.layers[place]) for place in kept]
    for place, layer in enumerate(chosen):
        layer._modules = {**layer._modules, "self_attn": copy.copy(layer.self_attn)}
        layer.self_attn.layer_idx = place
    inner._modules["layers"] = torch.nn.ModuleList(chosen)
    model.config = inner.config = copy.deepcopy(base.model.config)
    model.config.num_hidden_layers = len(kept)
    return LanguageModel(model, base.tokenizer, base.folder, base.dtype)


def _save(output: Path, state: Mapping[str, Any], config: Any, base: LanguageModel, facts: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file

    tied = bool(config.get_text_config().tie_word_embeddings)
    held = {name: value for name, value in state.items() if not (tied and name == "lm_head.weight")}
    with atomic_directory(output) as aside:
        plain = {name: value.contiguous().cpu() for name, value in held.items()}
        save_file(plain, aside / "model.safetensors", {"format": "pt"})
        config.save_pretrained(aside)
        base.tokenizer.save_pretrained(aside)
        generation = getattr(base.model, "generation_config", None)
        if generation is not None:
            generation.save_pretrained(aside)
        (aside / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
