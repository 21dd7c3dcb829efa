"""The built-in language model: a Llama of half a million to twenty million weights, trained on the user's own pool.

It is the proxy that scores rows and the student of quick experiments. Its folder is an ordinary transformers folder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.models.files import folder_digest, models_folder
from dataflywheel.models.language.losses import linear_cross_entropy
from dataflywheel.models.language.pool_tokenizer import (
    CONTEXT,
    Rows,
    conversations_of,
    load_tokenizer,
    pool_tokenizer,
    rows_digest,
)
from dataflywheel.models.language.scoring import last_hidden
from dataflywheel.models.spec import POOL_TOKENS, Size
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.models.training.train_settings import Progress
from dataflywheel.rows.schema import Message
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.lock import made_once

VERSION = 1
BLOCK = 256
"""Tokens of one packed training sequence."""
BATCH = 16


class Shape(NamedTuple):
    hidden: int
    layers: int
    heads: int
    intermediate: int
    learning_rate: float


# Weights in all with the default vocabulary of 4,096, whose embedding is tied: within 5 % of the name.
SHAPES: dict[Size, Shape] = {
    "0.5m": Shape(64, 5, 4, 172, 6e-3),
    "1m": Shape(128, 3, 4, 256, 5e-3),
    "2m": Shape(192, 3, 6, 448, 4e-3),
    "5m": Shape(256, 5, 8, 704, 3e-3),
    "20m": Shape(512, 6, 8, 1280, 2e-3),
}


def train_tiny(
    rows: Rows,
    size: Size = "1m",
    *,
    seed: int = 0,
    tokens: int = POOL_TOKENS,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    read: Callable[[int], object] | None = None,
) -> Path:
    """A model trained from nothing for `tokens` tokens on conversations (or plain texts); returns its folder.

    Cached by the rows and the parameters: the same call again only looks up the folder. Where it trains, `read` hears
    how many sequences of `BLOCK` tokens a step reads.
    """
    conversations = conversations_of(rows)
    name = f"tiny-{size}-{rows_digest(conversations, VERSION, size, seed, tokens)}"
    folder = models_folder(cache_dir) / name

    def make() -> None:
        tokenizer = load_tokenizer(pool_tokenizer(conversations, cache_dir=cache_dir))
        model = _untrained(tokenizer, size, seed)
        blocks = _packed(tokenizer, conversations)
        if read is not None:
            read(min(BATCH, len(blocks)))
        _train(model, blocks, SHAPES[size].learning_rate, tokens, seed, progress)
        _save(model, tokenizer, folder)

    return made_once(folder, make)


def passes(pool_tokens: int, tokens: int) -> tuple[int, int]:
    """Rows (packed sequences) and tokens that `train_tiny` reads, forwards and backwards, of a pool of so many."""
    per_step = min(BATCH, max(1, pool_tokens // BLOCK))
    rows = max(1, tokens // (per_step * BLOCK)) * per_step
    return rows, rows * BLOCK


def init_tiny(tokenizer: Path, size: Size = "1m", *, seed: int = 0, cache_dir: Path | None = None) -> Path:
    """The folder of an untrained student: shaped as by `train_tiny`, with the tokenizer of the folder `tokenizer`."""
    name = f"init-{size}-{rows_digest([], VERSION, size, seed, folder_digest(tokenizer))}"
    folder = models_folder(cache_dir) / name

    def make() -> None:
        loaded = load_tokenizer(tokenizer)
        _save(_untrained(loaded, size, seed), loaded, folder)

    return made_once(folder, make)


def _untrained(tokenizer: Any, size: Size, seed: int) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = SHAPES[size]
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def _packed(tokenizer: Any, conversations: list[Sequence[Message]]) -> AnyArray:
    """All conversations one after another, in blocks of `BLOCK` tokens and one to predict: (n, BLOCK + 1)."""
    chat = ChatFormat(tokenizer)
    stream: list[int] = []
    for encoding in chat.backend.encode_batch(chat.render(conversations), add_special_tokens=False):
        stream += encoding.ids
    if len(stream) <= BLOCK:
        stream *= -(-(BLOCK + 1) // len(stream))
    count = (len(stream) - 1) // BLOCK
    flat = np.asarray(stream, dtype=np.int64)
    return np.stack([flat[i * BLOCK : (i + 1) * BLOCK + 1] for i in range(count)])


def _train(model: Any, blocks: AnyArray, peak: float, tokens: int, seed: int, progress: Progress | None) -> None:
    import torch

    rng = np.random.default_rng(seed)
    per_step = min(BATCH, len(blocks))
    steps = max(1, tokens // (per_step * BLOCK))
    order = np.concatenate([rng.permutation(len(blocks)) for _ in range(-(-steps * per_step // len(blocks)))])
    decay = [w for w in model.parameters() if w.ndim > 1]
    plain = [w for w in model.parameters() if w.ndim <= 1]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.95), fused=True)
    half = fast_bfloat16()
    autocast = torch.autocast("cpu", torch.bfloat16) if half else nullcontext()
    model.train()
    for step in range(steps):
        rate = peak * schedule(step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        block = torch.from_numpy(blocks[order[step * per_step : (step + 1) * per_step]])
        with autocast:
            states = last_hidden(model, block[:, :-1]).flatten(0, 1)
        targets = block[:, 1:].flatten()
        loss = linear_cross_entropy(states, model.lm_head.weight, targets, bfloat16=half) / len(targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if progress is not None:
            progress(step + 1, steps, float(loss.detach()))
    model.eval()


def schedule(step: int, steps: int, warmup: float = 0.05) -> float:
    """Factor of the peak rate: linear warm-up, then a cosine down to a tenth."""
    rise = max(1, int(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.55 + 0.45 * math.cos(math.pi * (step - rise) / max(1, steps - rise))


def fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 matrices in hardware."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    with atomic_directory(folder) as aside:
        model.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
