"""Gradients of each row's own loss, one linear layer at a time, and their random projection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import EncodedRow
from dataflywheel.models.training.checkpoints import answer_batch, summed_loss

SPREAD = 4
"""Outputs that each coordinate of a gradient is added to."""
HELD = 1 << 25
"""Non-zero entries of projections that are kept from batch to batch: half a gigabyte."""

Use = Callable[[str, Any], None]


class RowGradients:
    """Gradients of the mean loss over a row's answer tokens, for rows of a batch, without a pass for each.

    The gradient of a linear layer `y = W x` for one row is `sum_t dy_t x_t^T` over the row's own tokens, so one
    backward pass of the summed loss gives every row's: padding has no output gradient and adds nothing. Each layer's
    (b, out, in) gradients are handed on as the pass reaches it and then forgotten; those of the whole model never exist
    together.
    """

    def __init__(self, base: LanguageModel, weights: dict[str, Any]) -> None:
        """`weights` are those of the linear layers that are looked at, by their names in `base.model`."""
        self.base, self.linear = base, base.linear
        self.layers = {name: base.model.get_submodule(name.removesuffix(".weight")) for name in weights}
        base.model.requires_grad_(False)

    def each(self, rows: Sequence[EncodedRow], width: int, use: Use) -> None:
        """Call `use(name, gradients)` once a layer, last layer first; gradients are float32 (b, out, in)."""
        import torch

        ids, wanted = answer_batch(rows, width, self.base.pad_id, self.base.model.device)
        tokens = wanted.sum(dim=1)[:, None, None]

        def scaled(name: str, gradients: Any) -> None:
            use(name, gradients / tokens)

        with torch.enable_grad(), self._watched(scaled):
            summed_loss(self.base, ids, wanted, self.linear).backward()

    @contextmanager
    def _watched(self, use: Use) -> Iterator[None]:
        def after(layer: Any, inputs: Any, output: Any, name: str) -> None:
            output.register_hook(partial(found, name=name, seen=inputs[0].detach()))

        def found(gradient: Any, name: str, seen: Any) -> None:
            use(name, gradient.float().transpose(1, 2) @ seen.float())

        # No weight asks for a gradient, so the first states must, or there would be no backward pass.
        first = self.base.model.get_input_embeddings()
        hooks = [first.register_forward_hook(lambda layer, inputs, output: output.requires_grad_())]
        hooks += [layer.register_forward_hook(partial(after, name=name)) for name, layer in self.layers.items()]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


class SignProjection:
    """A random linear map that keeps inner products, one sparse matrix of signs a layer (Kane and Nelson, 2014).

    Each coordinate is added, with a random sign, to one output out of each of `SPREAD` equal parts. For unit vectors
    the error of a projected inner product has mean 0 and a variance of at most 2 / dimension, as under a full matrix of
    signs, at a cost that does not grow with the dimension.
    """

    def __init__(self, dimension: int, seed: int) -> None:
        self.dimension, self.seed = dimension, seed
        self._held: dict[str, Any] = {}
        self._entries = 0

    def __call__(self, name: str, values: Any) -> Any:
        """Projections (b, dimension) of the rows of `values` (b, ...) under the map that belongs to `name`."""
        import torch

        flat = values.reshape(len(values), -1)
        matrix = self._held.get(name)
        if matrix is None:
            matrix = self._matrix(name, flat.shape[1]).to(flat.device)
            if self._entries + SPREAD * flat.shape[1] <= HELD:
                self._held[name] = matrix
                self._entries += SPREAD * flat.shape[1]
        return torch.sparse.mm(matrix, flat.T.contiguous()).T

    def _matrix(self, name: str, size: int) -> Any:
        import torch

        key = hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
        rng = np.random.default_rng(int.from_bytes(key, "little"))
        part = self.dimension // SPREAD
        out = rng.integers(0, part, (SPREAD, size)) + np.arange(SPREAD)[:, None] * part
        sign = rng.integers(0, 2, (SPREAD, size)).astype(np.float32) * 2 - 1
        at = np.stack([out.reshape(-1), np.tile(np.arange(size), SPREAD)])
        values = torch.from_numpy(sign.reshape(-1) / np.float32(np.sqrt(SPREAD)))
        shape = (self.dimension, size)
        return torch.sparse_coo_tensor(torch.from_numpy(at), values, shape, check_invariants=True).coalesce()
