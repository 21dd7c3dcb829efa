"""The blocks of a decoder of Llama's shape, and the groups of weights in them that can only go together."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataflywheel.contracts import UsageError

ATTENTION, FEED = ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")
WHAT = "decoders of the shape of Llama, Qwen, Mistral or Gemma are pruned"


@dataclass(frozen=True)
class Shape:
    """What of a decoder structured pruning changes: blocks, channels of each feed-forward part, and groups of heads
    that share keys and values."""

    layers: int
    channels: int
    groups: int

    def __str__(self) -> str:
        return f"{self.layers} blocks, {self.groups} groups of heads, {self.channels:,} channels"


@dataclass(frozen=True)
class Blocks:
    """The blocks of a model. Their groups are: channel c of a feed-forward part (row c of gate and up, column c of
    down), and group g of its heads (the rows of query, key and value, and the columns of the output, of all heads that
    share the keys and values g)."""

    model: Any
    head: int
    """Rows of one head."""
    queries: int
    """Heads that share keys and values."""
    shape: Shape

    @property
    def layers(self) -> Sequence[Any]:
        """The blocks, first to last."""
        found: Sequence[Any] = self.model.model.layers
        return found

    def changed(self, shape: Shape) -> Any:
        """The configuration of a model of another shape.

        Raises:
            Exception: whatever the architecture has against it; Llama's number of heads must divide the hidden size.
        """
        config = copy.deepcopy(self.model.config)
        text = config.get_text_config()
        changes = {
            "head_dim": self.head,
            "intermediate_size": shape.channels,
            "num_hidden_layers": shape.layers,
            "num_key_value_heads": shape.groups,
            "num_attention_heads": shape.groups * self.queries,
        }
        told = {**text.to_dict(), **changes}
        if told.get("layer_types"):
            told["layer_types"] = told["layer_types"][: shape.layers]
        type(text)(**told)
        for name, value in changes.items():
            setattr(text, name, value)
        return config

    def allows(self, groups: int) -> bool:
        """Whether a model of the architecture may have so many groups of heads."""
        try:
            self.changed(Shape(self.shape.layers, self.shape.channels, groups))
        except Exception:  # each architecture refuses in its own way
            return False
        return True

    def costs(self) -> tuple[int, int, int, int]:
        """Weights of one channel, of one group, of what else a block has, and of the model without blocks."""
        first = self.layers[0]
        channel = sum(_of_one(getattr(first.mlp, name), name == "down_proj") for name in FEED)
        q, k, v, o = (getattr(first.self_attn, name) for name in ATTENTION)
        group = self.head * (self.queries * (_of_one(q) + _of_one(o, True)) + _of_one(k) + _of_one(v))
        whole = sum(weight.numel() for weight in first.parameters())
        rest = whole - channel * self.shape.channels - group * self.shape.groups
        every = sum(weight.numel() for weight in self.model.parameters())
        return channel, group, rest, every - sum(w.numel() for layer in self.layers for w in layer.parameters())

    def weights(self, shape: Shape) -> int:
        """How many weights a model of another shape has."""
        channel, group, rest, outside = self.costs()
        return outside + shape.layers * (rest + channel * shape.channels + group * shape.groups)


def blocks_of(model: Any) -> Blocks:
    """The blocks of a model.

    Raises:
        UsageError: it is no decoder whose blocks have the seven linear layers of Llama's; says what is another.
    """
    config = model.config.get_text_config()
    layers = getattr(getattr(model, "model", None), "layers", None)
    kind = type(model).__name__
    if not layers:
        raise UsageError(f"{kind} has no `model.layers`: {WHAT}")
    sizes = set()
    for place, layer in enumerate(layers):
        for part, names in (("self_attn", ATTENTION), ("mlp", FEED)):
            for name in names:
                if type(getattr(getattr(layer, part, None), name, None)).__name__ != "Linear":
                    raise UsageError(
                        f"block {place} of {kind} has no linear layer {part}.{name}: {WHAT}, without experts, and with "
                        "one layer each for query, key and value"
                    )
        sizes.add((layer.mlp.gate_proj.out_features, layer.self_attn.k_proj.out_features))
    if len(sizes) > 1:
        raise UsageError(f"the blocks of {kind} differ in width, and equal ones are pruned alone")
    heads, groups = config.num_attention_heads, config.num_key_value_heads
    ((channels, keys),) = sizes
    return Blocks(model, keys // groups, heads // groups, Shape(len(layers), channels, groups))


def _of_one(linear: Any, column: bool = False) -> int:
    """Weights of one row, its bias included, or of one column."""
    return int(linear.out_features if column else linear.in_features + (linear.bias is not None))
