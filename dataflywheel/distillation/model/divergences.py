"""How far a student's next-token distribution is from its teacher's, without ever holding all logits."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from dataflywheel.models.language.losses import CHUNK

Divergence = Literal["forward_kl", "reverse_kl", "jensen_shannon", "total_variation"]
Tail = Literal["bucket", "renormalise"]


def _well_conditioned(beta: float) -> float:
    if 0 < beta < 0.01 or 0.99 < beta < 1:
        raise ValueError("0, 1, or from 0.01 to 0.99; between these, float32 cannot hold the divergence")
    return beta


Beta = Annotated[float, Field(ge=0, le=1), AfterValidator(_well_conditioned)]
"""Of `jensen_shannon`: 0 is forward KL, 1 reverse KL."""


def divergence(student: Any, teacher: Any, kind: Divergence = "forward_kl", beta: float = 0.5) -> Any:
    """Divergence of each position (m,) from log-probabilities (m, n) of both; 0 where they are equal.

    `forward_kl` is KL(teacher || student), `reverse_kl` KL(student || teacher), both in nats; `total_variation` half
    the L1 distance. `jensen_shannon` is the generalised form (arXiv 2306.13649) with mixture (1 - beta) student + beta
    teacher, divided by beta (1 - beta): undivided it falls to 0 at both ends, divided it goes from forward KL at
    beta 0 to reverse KL at beta 1.
    """
    if kind == "total_variation":
        return (student.exp() - teacher.exp()).abs().sum(dim=1) / 2
    if kind == "forward_kl" or (kind == "jensen_shannon" and beta == 0):
        return _relative_entropy(teacher, student)
    if kind == "reverse_kl" or beta == 1:
        return _relative_entropy(student, teacher)
    import math

    import torch

    mixture = torch.logaddexp(student + math.log1p(-beta), teacher + math.log(beta))
    teachers, students = _relative_entropy(teacher, mixture), _relative_entropy(student, mixture)
    return teachers / (1 - beta) + students / beta


def _relative_entropy(p: Any, q: Any) -> Any:
    """KL(p || q) of log-probabilities (m, n); what p rules out counts nothing."""
    gap = (p - q).masked_fill(p == float("-inf"), 0.0)
    return (p.exp() * gap).sum(dim=1)


def cross_entropy(logits: Any, labels: Any) -> Any:
    """Sum of -log softmax(logits)[label] over positions, in nats."""
    import torch

    return torch.nn.functional.cross_entropy(logits, labels, reduction="sum")


ChunkLoss = Callable[[Any, slice], Any]


def linear_loss(states: Any, table: Any, loss: ChunkLoss) -> Any:
    """Sum of `loss(logits, where)` over chunks of positions, with logits = states @ table.T in float32.

    states (m, d), table (v, d); `where` is the chunk as a slice of the m positions, and `loss` returns its sum. As in
    `linear_cross_entropy`, gradients are made in the same pass: memory is that of one chunk.
    """
    return _function().apply(states, table, loss)


@lru_cache(maxsize=1)
def _function() -> Any:
    import torch

    class LinearLoss(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(context: Any, states: Any, table: Any, loss: ChunkLoss) -> Any:
            rows, weight = states.float(), table.float()
            grad_states, grad_table = torch.zeros_like(rows), torch.zeros_like(weight)
            total = torch.zeros((), dtype=torch.float32, device=states.device)
            step = max(1, CHUNK // len(weight))
            with torch.autocast(states.device.type, enabled=False):
                for start in range(0, len(rows), step):
                    where = slice(start, min(start + step, len(rows)))
                    logits = (rows[where] @ weight.T).requires_grad_()
                    with torch.enable_grad():
                        part = loss(logits, where)
                    (gradient,) = torch.autograd.grad(part, logits)
                    total += part.detach()
                    torch.mm(gradient, weight, out=grad_states[where])
                    grad_table += gradient.T @ rows[where]
            context.save_for_backward(grad_states.to(states.dtype), grad_table.to(table.dtype))
            return total

        @staticmethod
        def backward(context: Any, gradient: Any) -> Any:
            grad_states, grad_table = context.saved_tensors
            return grad_states * gradient, grad_table * gradient, None

    return LinearLoss
