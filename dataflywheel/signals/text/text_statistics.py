"""Lengths, variety and repetition of a row's text, without a model."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal, Status
from dataflywheel.rows.schema import Message
from dataflywheel.rows.text import split_answer, text_of
from dataflywheel.signals.words.shingles import folded, in_threads, offsets_of, piece_words, text_keys, utf8

ZLIB_LEVEL = 6


class TextStatistics(Signal):
    """Facts about the text of a row; `prompt` is everything before the final assistant turn, `answer` that turn.

    - `chars_prompt`, `chars_answer`: characters (code points).
    - `tokens_prompt`, `tokens_answer`: see `estimate_tokens`.
    - `turns`: messages other than system messages.
    - `prompt_key`: 16 hex digits over the words of the prompt; equal for prompts that differ in case, spacing and
      punctuation only; null for a prompt without a word.
    - `type_token_ratio`: distinct words over words, case folded.
    - `compression_ratio`: bytes of the text after zlib (level 6) over its UTF-8 bytes; small is repetitive, and texts
      of a few words exceed 1.
    - `repeated_ngrams`: share of the bytes of words that lie in a word 3-gram which occurs more than once.
    - `symbol_ratio`: share of the characters other than white space that are neither letter nor digit.

    Ratios over words are NaN where there is no word. Status EMPTY, and no value at all, for a row without text.
    """

    name: ClassVar[str] = "text"
    card: ClassVar[Card] = Card(
        title="Scaling Language Models: Methods, Analysis & Insights from Training Gopher",
        authors="Rae et al.",
        year=2021,
        paper="2112.11446",
        category="signals",
        subcategory="text",
        summary="Lengths in characters and estimated tokens, turns, variety, compression, repetition, symbols.",
        checked="an independent computation in plain Python; token estimate against byte-level BPE",
        pays="Every pool, first of all: empty, endless and repetitive answers are found without a model, in seconds.",
        fails="Tokens are an estimate, and thresholds of one kind of text throw out another, such as code by symbols "
        "or tables by repetition: bound quantiles, and look at what falls.",
        evidence="2410.09335: choice by length in tokens is the gain that stays on large pools, most for weak bases "
        "and long texts; here `longest` was worse than random on gsm8k (`benchmarks/selection.md`).",
    )
    version: ClassVar[int] = 2
    columns: ClassVar[dict[str, pa.DataType]] = {
        "chars_prompt": pa.int32(),
        "chars_answer": pa.int32(),
        "tokens_prompt": pa.int32(),
        "tokens_answer": pa.int32(),
        "turns": pa.int32(),
        "prompt_key": pa.string(),
        "type_token_ratio": pa.float32(),
        "compression_ratio": pa.float32(),
        "repeated_ngrams": pa.float32(),
        "symbol_ratio": pa.float32(),
    }

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        rows: list[list[Message]] = [row or [] for row in batch["messages"].to_pylist()]
        prompts, answers = zip(*map(prompt_and_answer, rows), strict=True) if rows else ((), ())
        wholes = [f"{p}\n\n{a}" if p and a else p or a for p, a in zip(prompts, answers, strict=True)]
        empty = np.array([not whole.strip() for whole in wholes], dtype=bool)
        whole_numbers: dict[str, Any] = {
            "chars_prompt": [len(p) for p in prompts],
            "chars_answer": [len(a) for a in answers],
            "tokens_prompt": estimate_tokens(prompts),
            "tokens_answer": estimate_tokens(answers),
            "turns": [sum(m["role"] != "system" for m in row) for row in rows],
        }
        ratios = {"compression_ratio": compression_ratio(wholes), **variety(wholes)}
        return {
            **{name: pa.array(np.asarray(v, dtype=np.int32), mask=empty) for name, v in whole_numbers.items()},
            "prompt_key": pa.array(text_keys(prompts), pa.string()),
            **{name: np.where(empty, np.nan, value).astype(np.float32) for name, value in ratios.items()},
            "status": np.where(empty, Status.EMPTY, Status.OK).astype(np.uint8),
        }


def prompt_and_answer(messages: Sequence[Message]) -> tuple[str, str]:
    prompt, answer = split_answer(messages)
    return text_of(prompt), text_of(answer)


def estimate_tokens(texts: Sequence[str]) -> AnyArray:
    """Tokens (n,) that a language model's byte-level BPE would make of each text, estimated without a model.

    A word of up to nine ASCII letters is one token, a longer one takes one for every nine letters begun, digits one for
    every three, other scripts one for every three characters (one a character where words are not spaced). Every run of
    one punctuation mark or of line ends is a token, a single space belongs to the word after it. Totals over English
    prose and mathematics come within 2% of the BPE of GPT-2, single texts within 5% (median); that tokeniser takes
    more for code (30%) and for other languages, where newer vocabularies lie in between.

    >>> estimate_tokens(["", "The cat sat.", "12345 birds"]).tolist()
    [0, 4, 3]
    """
    from dataflywheel.signals.text import statistics_kernels as kernels

    data, offsets = utf8(texts)
    out = np.zeros(len(offsets) - 1, dtype=np.int64)
    in_threads(lambda a, b: kernels.estimate_tokens(data, offsets, a, b, out), offsets)
    return out


def compression_ratio(texts: Sequence[str]) -> AnyArray:
    """zlib bytes over UTF-8 bytes (n,); NaN for an empty text."""
    encoded = [text.encode() for text in texts]
    return np.array([len(zlib.compress(e, ZLIB_LEVEL)) / len(e) if e else np.nan for e in encoded], dtype=np.float64)


def variety(texts: Sequence[str]) -> dict[str, AnyArray]:
    """`type_token_ratio`, `repeated_ngrams` and `symbol_ratio` (n,) each."""
    from dataflywheel.signals.text import statistics_kernels as kernels

    data, bounds = folded(texts)
    counts = np.zeros(len(texts), dtype=np.int64)
    distinct, repeated, symbols = (np.empty(len(texts)) for _ in range(3))

    def work(first: int, last: int) -> None:
        hashes, lengths = piece_words(data, bounds, first, last, counts, measured=True)
        offsets = offsets_of(counts[first:last])
        kernels.repetition(hashes, lengths, offsets, distinct[first:last], repeated[first:last])
        kernels.symbol_share(data, bounds, first, last, symbols)

    in_threads(work, bounds)
    return {"type_token_ratio": distinct, "repeated_ngrams": repeated, "symbol_ratio": symbols}
