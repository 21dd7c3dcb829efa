"""Answers of a local model, token by token for a whole batch, each row drawn by a generator of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dataflywheel.models.language.batching import padded
from dataflywheel.models.language.scoring import autocast
from dataflywheel.rows.thoughts import opened_by, split_thoughts

LAST = 32
"""Tokens of a prompt among which a tag may stand that begins thoughts."""


@dataclass
class Draw:
    """One answer to make: the prompt's tokens, how to draw, and the generator that its draws come from.

    `stops` looks at the answer so far and says whether it has ended by its text.
    """

    prompt: list[int]
    max_new: int
    temperature: float = 0.0
    top_p: float = 1.0
    top: int = 0
    """Alternatives kept with each token."""
    generator: np.random.Generator | None = None
    stops: Callable[[list[int]], bool] | None = None
    ids: list[int] = field(default_factory=list)
    """Tokens of the answer, its end included where it ended."""
    logprobs: list[float] = field(default_factory=list)
    """Natural logarithm of each token's probability under the model as it is, before temperature and top_p."""
    alternatives: list[list[tuple[int, float]]] = field(default_factory=list)
    ended: bool = False
    """Whether the answer came to its end before the limit."""


def ending(model: Any, chat: Any) -> frozenset[int]:
    """Tokens that end an answer, by the model's generation settings, its tokenizer and its chat template."""
    given = getattr(model.generation_config, "eos_token_id", None)
    listed = given if isinstance(given, list) else [given]
    return frozenset(i for i in (*listed, *chat.end_ids) if i is not None)


def written(tokenizer: Any, ids: Sequence[int], prompt: Sequence[int], calls: bool = False) -> str:
    """The text of an answer's tokens, its end left out, behind the tag of thoughts that the prompt began.

    Special tokens are part of it where they tell thoughts from the answer, as in `[THINK]` or channels, and with
    `calls` where they may mark calls of tools.
    """
    before = tokenizer.decode(prompt[-LAST:], skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return opened_by(before) + _written(tokenizer, ids, calls)


def _written(tokenizer: Any, ids: Sequence[int], calls: bool) -> str:
    text: str = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    whole: str = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return whole if whole != text and (calls or split_thoughts(whole)[1] != whole) else text


def decode(model: Any, draws: Sequence[Draw], pad_id: int, end_ids: frozenset[int], dtype: str = "float32") -> None:
    """Fill in all answers, in one batch padded on the left; what a row sees does not depend on its neighbours."""
    import torch

    device = model.device
    width = padded(max(len(draw.prompt) for draw in draws))
    ids = torch.tensor([[pad_id] * (width - len(d.prompt)) + d.prompt for d in draws], device=device)
    mask = torch.tensor([[0] * (width - len(d.prompt)) + [1] * len(d.prompt) for d in draws], device=device)
    lengths = torch.tensor([[len(d.prompt)] for d in draws], device=device)
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    last_only = {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}
    cache, open_rows, step = None, list(range(len(draws))), 0
    with torch.inference_mode(), autocast(model, dtype):
        while open_rows:
            made = model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                **last_only,
            )
            cache = made.past_key_values
            chosen = _choose(draws, made.logits[:, -1].float())
            for i in open_rows:
                _append(draws[i], chosen, i, end_ids)
            open_rows = [i for i in open_rows if not draws[i].ended and len(draws[i].ids) < draws[i].max_new]
            ids = chosen.ids[:, None]
            mask = torch.cat([mask, mask.new_ones(len(draws), 1)], dim=1)
            positions = lengths + step
            step += 1


@dataclass
class _Chosen:
    """The next token of every row, on the device and as numbers, with its log-probability and alternatives."""

    ids: Any
    tokens: list[int]
    logprobs: list[float]
    top_ids: list[list[int]]
    top_logprobs: list[list[float]]


def _choose(draws: Sequence[Draw], logits: Any) -> _Chosen:
    import torch

    logprobs = torch.log_softmax(logits, dim=-1)
    ids = logprobs.argmax(dim=-1)
    drawn = [i for i, draw in enumerate(draws) if draw.temperature > 0]
    if drawn:
        ids[drawn] = _sample([draws[i] for i in drawn], logprobs[drawn])
    found = logprobs.gather(1, ids[:, None])[:, 0].tolist()
    most = max(draw.top for draw in draws)
    top = logprobs.topk(most, dim=-1) if most else None
    top_ids = top.indices.tolist() if top else []
    return _Chosen(ids, ids.tolist(), found, top_ids, top.values.tolist() if top else [])


def _sample(draws: Sequence[Draw], logprobs: Any) -> Any:
    """By inversion: the token at which the distribution, in order of the vocabulary, passes the row's next draw."""
    import torch

    # Double precision, so that a rounding that depends on the batch moves a draw over a border as good as never.
    temperature = torch.tensor([[draw.temperature] for draw in draws], dtype=torch.float64, device=logprobs.device)
    weights = torch.softmax(logprobs.double() / temperature, dim=-1)
    if any(draw.top_p < 1 for draw in draws):
        share = torch.tensor([[draw.top_p] for draw in draws], dtype=torch.float64, device=logprobs.device)
        ranked, order = weights.sort(dim=-1, descending=True, stable=True)
        ranked = ranked.masked_fill((ranked.cumsum(dim=-1) - ranked >= share) & (share < 1), 0.0)
        weights = torch.zeros_like(weights).scatter_(1, order, ranked)
    numbers = [draw.generator.random() if draw.generator is not None else 0.0 for draw in draws]
    target = torch.tensor(numbers, dtype=torch.float64, device=logprobs.device)[:, None]
    sums = weights.cumsum(dim=-1)
    return torch.searchsorted(sums, target * sums[:, -1:], right=True)[:, 0].clamp(max=sums.shape[1] - 1)


def _append(draw: Draw, chosen: _Chosen, i: int, end_ids: frozenset[int]) -> None:
    token = chosen.tokens[i]
    draw.ids.append(token)
    draw.logprobs.append(chosen.logprobs[i])
    if draw.top:
        pairs = zip(chosen.top_ids[i], chosen.top_logprobs[i], strict=True)
        draw.alternatives.append(list(pairs)[: draw.top])
    draw.ended = token in end_ids or (draw.stops is not None and draw.stops(draw.ids))
