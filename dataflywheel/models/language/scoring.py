"""The arithmetic under likelihood: forward passes over padded batches, logits at the answer's positions only."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dataflywheel.contracts import FloatArray
from dataflywheel.models.language.batching import batches

CHUNK = 1 << 19
"""Logits held at once: two megabytes of float32 whatever the vocabulary, so that they stay in a core's cache."""


@dataclass
class AnswerScores:
    """What a model makes of n answers; arrays of shape (n,), NaN where a row has no score.

    `loss` is nats a token, `total` its sum; `entropy` (nats) and `margin` (probability of the likeliest token less that
    of the second) are means over the answer's tokens. `logprobs` holds one array a row, in nats.
    """

    loss: FloatArray
    total: FloatArray
    tokens: np.ndarray[Any, np.dtype[np.int32]]
    entropy: FloatArray
    margin: FloatArray
    logprobs: list[FloatArray] = field(default_factory=list)

    @classmethod
    def blank(cls, n: int) -> AnswerScores:
        nan = [np.full(n, np.nan) for _ in range(4)]
        empty = [np.empty(0, dtype=np.float32) for _ in range(n)]
        return cls(nan[0], nan[1], np.zeros(n, dtype=np.int32), nan[2], nan[3], empty)


def pad_batch(sequences: list[list[int]], width: int, pad_id: int, device: Any) -> Any:
    """Right-padded tokens (b, width). A causal model never looks ahead, so padding on the right needs no mask."""
    import torch

    ids = np.full((len(sequences), width), pad_id, dtype=np.int64)
    for i, sequence in enumerate(sequences):
        ids[i, : len(sequence)] = sequence
    return torch.from_numpy(ids).to(device)


def autocast(model: Any, dtype: str) -> Any:
    """bfloat16 matrix products where asked for; float32 otherwise."""
    import torch

    return torch.autocast(model.device.type, torch.bfloat16) if dtype == "bfloat16" else nullcontext()


def last_hidden(model: Any, ids: Any) -> Any:
    """Last layer after its norm (b, t, d), without the vocabulary's projection."""
    return model.base_model(input_ids=ids, use_cache=False).last_hidden_state


def head_is_linear(model: Any) -> bool:
    """Whether logits are the output embedding times the last hidden state; some models scale or cap them after it."""
    import torch

    ids = torch.arange(1, 9, device=model.device)[None] % model.config.get_text_config().vocab_size
    with torch.inference_mode():
        logits = model(input_ids=ids, use_cache=False).logits
        projected = model.get_output_embeddings()(last_hidden(model, ids))
        return bool(torch.allclose(projected, logits, atol=1e-3, rtol=1e-3))


def answer_scores(
    model: Any,
    sequences: list[tuple[list[int], Sequence[int]]],
    *,
    pad_id: int,
    dtype: str,
    linear: bool,
    detail: bool,
    max_tokens: int,
) -> AnswerScores:
    """Score the tokens at `places` of every (ids, places); a sequence without such tokens keeps NaN."""
    import torch

    scores = AnswerScores.blank(len(sequences))
    head = model.get_output_embeddings() if linear else None
    rows = [i for i, (_, places) in enumerate(sequences) if len(places)]
    for width, part in batches([len(sequences[i][0]) for i in rows], max_tokens):
        members = [rows[j] for j in part]
        lengths = [len(sequences[i][1]) for i in members]
        with torch.inference_mode(), autocast(model, dtype):
            ids = pad_batch([sequences[i][0] for i in members], width, pad_id, model.device)
            row = np.repeat(np.arange(len(members)), lengths)
            position = np.concatenate([np.asarray(sequences[i][1]) for i in members])
            at = (torch.from_numpy(row).to(ids.device), torch.from_numpy(position).to(ids.device))
            states = last_hidden(model, ids) if linear else model(input_ids=ids, use_cache=False).logits
            found = _token_scores(states[at[0], at[1] - 1], ids[at], head, detail)
        _store(scores, members, lengths, found)
    return scores


def _token_scores(states: Any, targets: Any, head: Any, detail: bool) -> list[FloatArray]:
    """Log-probability, and with `detail` entropy and margin, of each position (m,), in chunks of bounded memory."""
    import torch

    step = max(1, CHUNK // (head.weight.shape[0] if head is not None else states.shape[1]))
    chunks: list[list[Any]] = []
    for start in range(0, len(targets), step):
        logits = states[start : start + step]
        logits = (head(logits) if head is not None else logits).float()
        best, where = logits.max(dim=1, keepdim=True)
        weights = (logits - best).exp_()
        normaliser = weights.sum(dim=1, keepdim=True)
        chunk = [(logits.gather(1, targets[start : start + step, None]) - best - normaliser.log())[:, 0]]
        if detail:
            expected = torch.linalg.vecdot(weights, logits) / normaliser[:, 0]  # H = log Z - E[logit]
            second = weights.scatter_(1, where, 0.0).max(dim=1).values
            chunk += [(best + normaliser.log())[:, 0] - expected, (1 - second) / normaliser[:, 0]]
        chunks.append(chunk)
    return [torch.cat(column).cpu().numpy() for column in zip(*chunks, strict=True)]


def _store(scores: AnswerScores, members: list[int], lengths: list[int], found: list[FloatArray]) -> None:
    offsets = np.cumsum([0, *lengths[:-1]])
    counts = np.asarray(lengths)
    sums = [np.add.reduceat(column, offsets, dtype=np.float64) for column in found]
    scores.tokens[members] = counts
    scores.total[members] = -sums[0]
    scores.loss[members] = -sums[0] / counts
    if len(found) == 3:
        scores.entropy[members] = sums[1] / counts
        scores.margin[members] = sums[2] / counts
    for i, logprobs in zip(members, np.split(found[0], offsets[1:]), strict=True):
        scores.logprobs[i] = logprobs
