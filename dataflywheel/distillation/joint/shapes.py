"""Which smaller shape a model gets: as near below a share of its weights as whole groups allow."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.joint.blocks import Blocks, Shape

MULTIPLE = 32
"""Channels that are left are a multiple of this, as kernels and quantised formats want them; of narrow models, of 8."""


def fitting(blocks: Blocks, share: float, layers: int | None = None) -> list[Shape]:
    """Shapes with as many weights as `share` of the model's allows: for each number of groups of heads the most
    channels. Every block has as many, so that any program that knows the architecture can load the model. `layers`:
    blocks that are left; all of them where not given.

    Raises:
        UsageError: what is never narrowed (embeddings, norms) leaves no room; says which share can be had.
    """
    whole = blocks.shape
    depth = whole.layers if layers is None else layers
    if not 1 <= depth <= whole.layers:
        raise UsageError(f"{depth} blocks are to be left of {whole.layers}")
    target = int(share * blocks.weights(whole))
    step = MULTIPLE if whole.channels >= 16 * MULTIPLE else 8
    fit = [
        found
        for groups in range(1, whole.groups + 1)
        if blocks.allows(groups) and (found := _widest(blocks, Shape(depth, 0, groups), target, step)) is not None
    ]
    if not fit:
        least = blocks.weights(Shape(depth, step, 1)) / blocks.weights(whole)
        raise UsageError(
            f"{share:.0%} of the weights cannot be had: embeddings and norms are never narrowed, and with {depth} "
            f"blocks of one group of heads and {step} channels {least:.1%} are left; keep more, or fewer `layers`"
        )
    return fit


def even(blocks: Blocks, fit: Sequence[Shape]) -> Shape:
    """Of these shapes the one in which channels and groups of heads shrink by the same ratio, as far as whole groups
    go."""
    whole = blocks.shape
    return min(fit, key=lambda one: abs(one.groups / whole.groups - one.channels / whole.channels))


def _widest(blocks: Blocks, narrow: Shape, target: int, step: int) -> Shape | None:
    """The most channels for so many groups; None where not even `step` fit."""
    channel, *_ = blocks.costs()
    room = (target - blocks.weights(narrow)) // (channel * narrow.layers)
    channels = min(blocks.shape.channels, room // step * step)
    if room >= blocks.shape.channels:
        channels = blocks.shape.channels
    return Shape(narrow.layers, channels, narrow.groups) if channels >= step else None
