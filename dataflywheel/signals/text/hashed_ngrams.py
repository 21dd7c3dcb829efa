"""Hashed n-grams: the words and word pairs of a text as numbers of buckets."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal, Status
from dataflywheel.rows.text import Part, texts
from dataflywheel.signals.words.words import folded_text

WORD = re.compile(r"\w+|[^\w\s]+")
"""Runs of letters and digits, and runs of punctuation, of the text in lower case, as the authors have it."""
BUCKETS = 10_000
FACTOR, S32 = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


class HashedNgrams(Signal):
    """Column `buckets`: bytes that hold one little-endian uint16 for every word, in order, then for every pair of
    neighbouring words.

    `np.frombuffer(value, "<u2")` reads them; a text of n words has 2 n - 1. Status EMPTY where there is no word.
    """

    card: ClassVar[Card] = Card(
        title="Data Selection for Language Models via Importance Resampling",
        authors="Xie et al.",
        year=2023,
        paper="2302.03169",
        category="signals",
        subcategory="text",
        summary="Words and word pairs of a text, hashed into 10,000 buckets.",
        checked="with sha256, the counts of the data-selection package 1.0.3",
        pays="Choices by `dsir`, read once for several targets; `sha256` only to compare with the authors' package.",
        fails="Words fall together in 10,000 buckets and meaning is lost: for a target in other words or languages "
        "take `embedding`.",
        evidence="Here (`benchmarks/selection.md`), bits per byte better than random rows: `dsir` by it gsm8k +0.568 "
        "[+0.522, +0.615], pubmedqa +0.150 [+0.130, +0.169].",
    )
    version: ClassVar[int] = 2
    columns: ClassVar[dict[str, pa.DataType]] = {"buckets": pa.binary()}

    hash: Literal["fast", "sha256"] = "fast"
    """`sha256` takes words apart as the authors' package does, and puts every n-gram into the bucket in which that has
    it; several times slower, and made for English. `fast` takes the words of `signals/words.py`."""
    part: Part = "all"
    """What is read: the whole row, all before its final answer, or that answer."""

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        given = texts(batch.column("messages"), self.part)
        if self.hash == "sha256":
            hashed = _by_sha256([WORD.findall(text.lower()) for text in given])
        else:
            hashed = _fast([words_and_marks(text) for text in given])
        values = [value.astype("<u2").tobytes() if len(value) else None for value in hashed]
        status = [Status.OK if value is not None else Status.EMPTY for value in values]
        return {"buckets": pa.array(values, pa.binary()), "status": np.asarray(status, dtype=np.uint8)}


def words_and_marks(text: str) -> list[str]:
    """The words of a text as everywhere else, and its runs of punctuation."""
    return WORD.findall(text.lower()) if text.isascii() else with_marks().findall(folded_text(text))


@cache
def with_marks() -> re.Pattern[str]:
    """`WORD` where marks belong to words: in Hindi or Thai they are vowels."""
    marks = re.escape("".join(c for c in map(chr, range(0x300, 0x20000)) if unicodedata.category(c)[0] == "M"))
    return re.compile(rf"[\w{marks}]+|[^\w\s{marks}]+")


def bucket_counts(values: Sequence[bytes]) -> AnyArray:
    """How often each bucket occurs in all the texts together, shape (10_000,)."""
    return np.bincount(np.frombuffer(b"".join(values), dtype="<u2"), minlength=BUCKETS)


def _by_sha256(words: Sequence[Sequence[str]]) -> list[AnyArray]:
    known: dict[str, int] = {}

    def bucket(gram: str) -> int:
        if gram not in known:
            known[gram] = int(hashlib.sha256(gram.encode("utf-8", "surrogatepass")).hexdigest(), 16) % BUCKETS
        return known[gram]

    pairs = ([*row, *(f"{a} {b}" for a, b in pairwise(row))] for row in words)
    return [np.array([bucket(gram) for gram in row], dtype=np.int64) for row in pairs]


def _fast(words: Sequence[Sequence[str]]) -> list[AnyArray]:
    """A 64-bit hash of each distinct word; a pair's hash is made of the two numbers, without a text of its own."""
    import xxhash

    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(word for row in words for word in row))}
    hashes = np.array([xxhash.xxh3_64_intdigest(w.encode("utf-8", "surrogatepass")) for w in vocabulary], np.uint64)
    found = []
    for row in words:
        single = hashes[[vocabulary[word] for word in row]] if row else np.zeros(0, dtype=np.uint64)
        pairs = (single[:-1] * FACTOR + single[1:]) * FACTOR
        both = np.concatenate([single, pairs])
        found.append((both ^ (both >> S32)) % np.uint64(BUCKETS))
    return found
