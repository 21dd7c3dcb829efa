"""The loss of a batch at its answer tokens, with an objective in place of cross-entropy, or with weights of rows."""

from __future__ import annotations

from typing import Any

from dataflywheel.contracts import AnswerPositions, FlywheelError, Objective
from dataflywheel.models.language.losses import IGNORED
from dataflywheel.plugins.place import named


def answer_positions(states: Any, labels: Any, rows: Any, wanted: Any) -> AnswerPositions:
    """The answer tokens of a batch with the row and the place of each; `wanted` (b, t) says where they are."""
    import torch

    counts = wanted.sum(dim=1)
    starts = torch.repeat_interleave(counts.cumsum(0) - counts, counts)
    places = torch.arange(len(labels), device=labels.device) - starts
    return AnswerPositions(states, labels, torch.repeat_interleave(rows, counts), places, counts.tolist())


def objective_loss(objective: Objective, at: AnswerPositions, table: Any, weights: Any | None) -> Any:
    """The objective's sum over a batch, each row's part times its weight (b,), where rows have one.

    Raises:
        FlywheelError: it gave anything but one finite number that the model's weights can follow; names file and line.
    """
    if weights is None:
        return _summed(objective, at, table)
    tokens = list(at.tokens)
    states, labels, rows, places = (part.split(tokens) for part in (at.states, at.labels, at.rows, at.places))
    each = map(AnswerPositions, states, labels, rows, places, [[count] for count in tokens])
    pairs = zip(each, weights, strict=True)
    return sum(weight * _summed(objective, row, table) for row, weight in pairs if row.tokens[0])


def _summed(objective: Objective, at: AnswerPositions, table: Any) -> Any:
    """What the objective gives, looked at before anything is learned from it."""
    import torch

    found, wanted = objective.loss(at, table), "wanted is one number, the sum over the tokens, as a tensor of torch"
    who = named(objective, "loss")
    if not isinstance(found, torch.Tensor):
        raise FlywheelError(f"{who} gave {type(found).__name__}; {wanted}")
    if found.ndim:
        raise FlywheelError(f"{who} gave a tensor of the shape {tuple(found.shape)}; {wanted}: end it with `.sum()`")
    if at.states.requires_grad and torch.is_grad_enabled() and not found.requires_grad:
        raise FlywheelError(
            f"{who} gave a loss that nothing can be learned from; compute it of `at.states` and `table` by operations "
            "of torch, without `.detach()`, `.item()` and numpy"
        )
    if not torch.isfinite(found):
        raise FlywheelError(
            f"training diverged: {who} gave a loss of {found.item()}; a logarithm of 0 or a division by 0 does that, "
            "or a learning_rate that is too high"
        )
    return found


def weighted_loss(logits: Any, labels: Any, weights: Any) -> Any:
    """Cross-entropy of the answer tokens of a batch in nats, each times its row's weight (b,), over their number."""
    import torch

    wanted = labels[:, 1:] != IGNORED
    each = torch.nn.functional.cross_entropy(logits[:, :-1][wanted].float(), labels[:, 1:][wanted], reduction="none")
    return (each * torch.repeat_interleave(weights, wanted.sum(dim=1))).sum() / wanted.sum()
