"""The built-in language model: a Llama of half a million to twenty million weights, trained on the user's own pool.

It is the proxy that scores rows and the student of quick experiments. Its folder is an ordinary transformers folder.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dataflywheel.contracts import AnyArray, UsageError
from dataflywheel.models.chat import ChatFormat
from dataflywheel.models.files import folder_digest, models_folder
from dataflywheel.models.losses import linear_cross_entropy
from dataflywheel.models.quiet import quiet_transformers
from dataflywheel.models.scoring import last_hidden
from dataflywheel.models.spec import Size
from dataflywheel.rows.schema import Message, message
from dataflywheel.store.atomic import atomic_directory

VERSION = 1
VOCABULARY = 4096
CONTEXT = 1024
BLOCK = 256
"""Tokens of one packed training sequence."""
BATCH = 16
TOKENIZER_CHARS = 20_000_000
"""Merges are learnt from at most this much text, rows taken at even steps through the pool."""

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message.role + '|>' }}"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}"
    "{% if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif %}{{ eos_token }}{% endgeneration %}"
    "{% else %}{{ message.content }}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
ROLES = ("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
BOS, EOS, PAD = "<|begin|>", "<|end|>", "<|pad|>"

Rows = Sequence[str | Sequence[Message]]
Progress = Callable[[int, int, float], None]


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
    tokens: int = 1_000_000,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """A model trained from nothing for `tokens` tokens on conversations (or plain texts); returns its folder.

    Cached by the rows and the parameters: the same call again only looks up the folder.
    """
    conversations = _conversations(rows)
    name = f"tiny-{size}-{_digest(conversations, VERSION, size, seed, tokens)}"
    folder = models_folder(cache_dir) / name
    if not folder.is_dir():
        tokenizer = _load_tokenizer(pool_tokenizer(conversations, cache_dir=cache_dir))
        model = _untrained(tokenizer, size, seed)
        _train(model, _packed(tokenizer, conversations), SHAPES[size].learning_rate, tokens, seed, progress)
        _save(model, tokenizer, folder)
    return folder


def pool_tokenizer(rows: Rows, *, cache_dir: Path | None = None) -> Path:
    """The byte-level BPE of `train_tiny` for these rows, without a model; returns its folder, cached by the rows."""
    conversations = _conversations(rows)
    folder = models_folder(cache_dir) / f"tokenizer-{_digest(conversations, VERSION)}"
    if not folder.is_dir():
        tokenizer = _train_tokenizer(conversations)
        with atomic_directory(folder) as aside:
            tokenizer.save_pretrained(aside)
    return folder


def init_tiny(tokenizer: Path, size: Size = "1m", *, seed: int = 0, cache_dir: Path | None = None) -> Path:
    """The folder of an untrained student: shaped as by `train_tiny`, with the tokenizer of the folder `tokenizer`."""
    name = f"init-{size}-{_digest([], VERSION, size, seed, folder_digest(tokenizer))}"
    folder = models_folder(cache_dir) / name
    if not folder.is_dir():
        loaded = _load_tokenizer(tokenizer)
        _save(_untrained(loaded, size, seed), loaded, folder)
    return folder


def pool_tokenizer(rows: Rows, *, cache_dir: Path | None = None) -> Path:
    """The folder of a tokenizer whose merges come from these conversations (or plain texts); cached by them."""
    conversations = _conversations(rows)
    folder = models_folder(cache_dir) / f"tokenizer-{_digest(conversations, VERSION, VOCABULARY)}"
    if not folder.is_dir():
        with atomic_directory(folder) as aside:
            _train_tokenizer(conversations).save_pretrained(aside)
    return folder


def _load_tokenizer(folder: Path) -> Any:
    quiet_transformers()
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def _conversations(rows: Rows) -> list[Sequence[Message]]:
    found = [[message("assistant", row)] if isinstance(row, str) else row for row in rows]
    if not any(turn["content"].strip() for row in found for turn in row):
        raise UsageError("the built-in model is trained on the pool's text, and there is none: the pool is empty")
    return found


def _digest(conversations: Iterable[Sequence[Message]], *parameters: object) -> str:
    whole = hashlib.blake2b(repr(parameters).encode(), digest_size=8)
    for row in conversations:
        for turn in row:
            for part in (turn["role"], turn["content"], turn["tool_calls"] or ""):
                text = part.encode("utf-8", "surrogatepass")
                whole.update(len(text).to_bytes(8, "little"))
                whole.update(text)
        whole.update(b"\n")
    return whole.hexdigest()


def _train_tokenizer(conversations: list[Sequence[Message]]) -> Any:
    """Byte-level BPE: any text can be encoded, since all 256 bytes are tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, BOS, EOS, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample(conversations), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        additional_special_tokens=list(ROLES),
        chat_template=TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def _sample(conversations: list[Sequence[Message]]) -> Iterator[str]:
    total = sum(len(turn["content"]) for row in conversations for turn in row)
    for row in conversations[:: max(1, -(-total // TOKENIZER_CHARS))]:
        for turn in row:
            yield turn["content"]


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
