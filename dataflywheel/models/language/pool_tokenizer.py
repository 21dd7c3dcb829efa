"""A tokenizer learnt from the pool: byte-level BPE with a chat template, as the built-in model uses it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dataflywheel.contracts import UsageError
from dataflywheel.models.files import models_folder
from dataflywheel.models.quiet import quiet_transformers
from dataflywheel.models.templates.chat import Conversation, as_chat
from dataflywheel.rows.schema import Message, message
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.lock import made_once

VERSION = 2
VOCABULARY = 4096
CONTEXT = 1024
TOKENIZER_CHARS = 20_000_000
"""Merges are learnt from at most this much text, rows taken at even steps through the pool."""


TEMPLATE = (
    "{{ bos_token }}{% if tools %}{{ '<|system|>' + tools | tojson + eos_token }}{% endif %}"
    "{% for message in messages %}{{ '<|' + message.role + '|>' }}"
    "{% if message.role == 'assistant' %}{% generation %}"
    "{% if message.reasoning_content %}{{ '<think>\n' + message.reasoning_content + '\n</think>\n\n' }}{% endif %}"
    "{{ message.content }}{% if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif %}{{ eos_token }}"
    "{% endgeneration %}{% else %}{{ message.content }}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
ROLES = ("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
BOS, EOS, PAD = "<|begin|>", "<|end|>", "<|pad|>"

Rows = Sequence[str | Sequence[Message]]


def pool_tokenizer(rows: Rows, *, cache_dir: Path | None = None) -> Path:
    """The folder of a tokenizer whose merges come from these conversations (or plain texts); cached by them."""
    conversations = conversations_of(rows)
    folder = models_folder(cache_dir) / f"tokenizer-{rows_digest(conversations, VERSION, VOCABULARY)}"

    def make() -> None:
        with atomic_directory(folder) as aside:
            train_tokenizer(conversations).save_pretrained(aside)

    return made_once(folder, make)


def load_tokenizer(folder: Path) -> Any:
    quiet_transformers()
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def conversations_of(rows: Rows) -> list[Sequence[Message]]:
    found = [[message("assistant", row)] if isinstance(row, str) else row for row in rows]
    if not any(turn["content"].strip() for row in found for turn in row):
        raise UsageError("the built-in model is trained on the pool's text, and there is none: the pool is empty")
    return found


def rows_digest(conversations: Iterable[Conversation], *parameters: object) -> str:
    whole = hashlib.blake2b(repr(parameters).encode(), digest_size=8)
    for row in map(as_chat, conversations):
        if row.tools or row.media:
            whole.update(repr((row.tools, row.media)).encode())
        for turn in row.messages:
            later = [f"{key}={turn[key]}" for key in ("reasoning", "learn") if turn[key] is not None]
            for part in (turn["role"], turn["content"], turn["tool_calls"] or "", *later):
                text = part.encode("utf-8", "surrogatepass")
                whole.update(len(text).to_bytes(8, "little"))
                whole.update(text)
        whole.update(b"\n")
    return whole.hexdigest()


def train_tokenizer(conversations: Sequence[Sequence[Message]]) -> Any:
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


def _sample(conversations: Sequence[Sequence[Message]]) -> Iterator[str]:
    total = sum(len(turn["content"]) for row in conversations for turn in row)
    for row in conversations[:: max(1, -(-total // TOKENIZER_CHARS))]:
        for turn in row:
            yield turn["content"]
