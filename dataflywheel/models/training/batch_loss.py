"""The loss of a batch at its answer tokens, with an objective in place of cross-entropy, or with weights of rows."""

from __future__ import annotations

from typing import Any

from dataflywheel.contracts import AnswerPositions, Objective
from dataflywheel.models.language.losses import IGNORED


def answer_positions(states: Any, labels: Any, rows: Any, wanted: Any) -> AnswerPositions:
    """The answer tokens of a batch with the row and the place of each; `wanted` (b, t) says where they are."""
    import torch

    counts = wanted.sum(dim=1)
    starts = torch.repeat_interleave(counts.cumsum(0) - counts, counts)
    places = torch.arange(len(labels), device=labels.device) - starts
    return AnswerPositions(states, labels, torch.repeat_interleave(rows, counts), places, counts.tolist())


def objective_loss(objective: Objective, at: AnswerPositions, table: Any, weights: Any | None) -> Any:
    """The objective's sum over a batch, each row's part times its weight (b,), where rows have one."""
    if weights is None:
        return objective.loss(at, table)
    tokens = list(at.tokens)
    states, labels, rows, places = (part.split(tokens) for part in (at.states, at.labels, at.rows, at.places))
    each = map(AnswerPositions, states, labels, rows, places, [[count] for count in tokens])
    return sum(weight * objective.loss(row, table) for row, weight in zip(each, weights, strict=True) if row.tokens[0])


def weighted_loss(logits: Any, labels: Any, weights: Any) -> Any:
    """Cross-entropy of the answer tokens of a batch in nats, each times its row's weight (b,), over their number."""
    import torch

    wanted = labels[:, 1:] != IGNORED
    each = torch.nn.functional.cross_entropy(logits[:, :-1][wanted].float(), labels[:, 1:][wanted], reduction="none")
    return (each * torch.repeat_interleave(weights, wanted.sum(dim=1))).sum() / wanted.sum()
