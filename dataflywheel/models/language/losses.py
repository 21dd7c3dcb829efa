"""Cross-entropy over a vocabulary without ever holding all logits: projection, softmax and gradient chunk by chunk."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

IGNORED = -100
"""Label of a token that is not learned."""
CHUNK = 1 << 19
"""Logits of one chunk: two megabytes of float32, so that they stay in a core's cache."""


def linear_cross_entropy(
    hidden: Any,
    weight: Any,
    targets: Any,
    *,
    bfloat16: bool = False,
    each: Any | None = None,
    counts: Any | None = None,
) -> Any:
    """Sum over m positions of -log softmax(hidden @ weight.T)[target], in nats.

    hidden (m, d), weight (v, d), targets (m,) int64. The gradient of the sum is made in the same pass over each chunk,
    so memory is that of one chunk; `bfloat16` does the products in that precision, the softmax stays float32.
    `each` (m,) float32 is filled with the loss of every position, without a gradient. `counts` (m,) float32 says how
    many times a position stands in the sum, 1 where it is not given.
    """
    return _function().apply(hidden, weight, targets, bfloat16, each, counts)


@lru_cache(maxsize=1)
def _function() -> Any:
    import torch

    class LinearCrossEntropy(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(
            context: Any, hidden: Any, weight: Any, targets: Any, bfloat16: bool, each: Any, counts: Any
        ) -> Any:
            dtype = torch.bfloat16 if bfloat16 else torch.float32
            states, table = hidden.to(dtype), weight.to(dtype)
            grad_hidden = torch.empty_like(states)
            # A frozen table's gradient would be a third of the work for nothing.
            trained = context.needs_input_grad[1]
            grad_weight = torch.zeros_like(weight, dtype=torch.float32) if trained else None
            total = torch.zeros((), dtype=torch.float32, device=hidden.device)
            step = max(1, CHUNK // len(weight))
            for start in range(0, len(targets), step):
                part, label = states[start : start + step], targets[start : start + step, None]
                logits = (part @ table.T).float()
                normaliser = logits.logsumexp(dim=1, keepdim=True)
                losses = normaliser - logits.gather(1, label)
                if each is not None:
                    each[start : start + step] = losses[:, 0]
                gradient = logits.sub_(normaliser).exp_()
                gradient.scatter_add_(1, label, gradient.new_full((len(part), 1), -1.0))
                if counts is not None:
                    times = counts[start : start + step, None]
                    losses, gradient = losses * times, gradient.mul_(times)
                total += losses.sum()
                gradient = gradient.to(dtype)
                torch.mm(gradient, table, out=grad_hidden[start : start + step])
                if grad_weight is not None:
                    grad_weight += gradient.T @ part
            grad_weight = None if grad_weight is None else grad_weight.to(weight.dtype)
            context.save_for_backward(grad_hidden.to(hidden.dtype), grad_weight)
            return total

        @staticmethod
        def backward(context: Any, gradient: Any) -> Any:
            grad_hidden, grad_weight = context.saved_tensors
            return grad_hidden * gradient, None if grad_weight is None else grad_weight * gradient, *[None] * 4

    return LinearCrossEntropy
