"""Which smaller shape a model gets: as near below a share of its weights as whole groups allow."""

from __future__ import annotations

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.joint.blocks import Blocks, Shape

MULTIPLE = 32
"""Channels that are left are a multiple of this, as kernels and quantised formats want them; of narrow models, of 8."""


def smaller(blocks: Blocks, share: float, layers: int | None = None) -> Shape:
    """The shape with the most weights up to `share` of the model's, narrowed in equal parts: channels and groups of
    heads by one ratio as far as whole groups go, equal in every block, so that any program that knows the architecture
    can load it. `layers`: blocks that are left; all of them where not given.

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
        if (found := _widest(blocks, Shape(depth, 0, groups), target, step)) is not None
    ]
    if not fit:
        least = blocks.weights(Shape(depth, step, 1)) / blocks.weights(whole)
        raise UsageError(
            f"{share:.0%} of the weights cannot be had: embeddings and norms are never narrowed, and with {depth} "
            f"blocks of one group of heads and {step} channels {least:.1%} are left; keep more, or fewer `layers`"
        )
    return min(fit, key=lambda one: abs(one.groups / whole.groups - one.channels / whole.channels))


def _widest(blocks: Blocks, narrow: Shape, target: int, step: int) -> Shape | None:
    """The most channels for so many groups; None where not even `step` fit."""
    channel, *_ = blocks.costs()
    room = (target - blocks.weights(narrow)) // (channel * narrow.layers)
    channels = min(blocks.shape.channels, room // step * step)
    if room >= blocks.shape.channels:
        channels = blocks.shape.channels
    return Shape(narrow.layers, channels, narrow.groups) if channels >= step else None
