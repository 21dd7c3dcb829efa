"""Texts as sets of hashed word n-grams: what duplicates and leaks are found with.

Texts are compared without regard to case, spacing, punctuation and Unicode compatibility forms.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.contracts import AnyArray

PERMUTATIONS = 128
THREAD_BYTES = 1 << 20


def utf8(texts: Sequence[str] | pa.Array) -> tuple[AnyArray, AnyArray]:
    """The UTF-8 bytes of all texts in one uint8 array, and the offsets (n + 1, int64) of each in it."""
    array = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.large_string())
    array = array.cast(pa.large_string()).fill_null("")
    _, offsets, data = array.buffers()
    if not len(array) or data is None:
        return np.zeros(0, dtype=np.uint8), np.zeros(len(array) + 1, dtype=np.int64)
    bounds = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data, dtype=np.uint8), bounds


def folded(texts: Sequence[str] | pa.Array) -> tuple[AnyArray, AnyArray]:
    """`utf8` of the texts in lower case and in Unicode form NFKC."""
    array = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.large_string())
    array = pc.utf8_lower(array.cast(pa.large_string()))
    if pc.all(pc.string_is_ascii(array)).as_py():
        return utf8(array)
    # Not Arrow's utf8_normalize: it decomposes whatever form is asked for.
    return utf8([unicodedata.normalize("NFKC", text) for text in array.fill_null("").to_pylist()])


def in_threads(work: Callable[[int, int], None], offsets: AnyArray) -> None:
    """`work(first, last)` over ranges of rows of about equal bytes, side by side when there is enough to do."""
    rows, total = len(offsets) - 1, int(offsets[-1] - offsets[0])
    threads = min(os.cpu_count() or 1, max(1, total // THREAD_BYTES), max(1, rows))
    if threads == 1:
        return work(0, rows)
    pieces = 4 * threads  # more pieces than threads, since rows differ in cost
    cuts = np.searchsorted(offsets, offsets[0] + total * np.arange(1, pieces) // pieces)
    bounds = [0, *np.minimum(cuts, rows).tolist(), rows]
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, a, b) for a, b in pairwise(bounds) if a < b]:
            done.result()
    return None


def word_hashes(texts: Sequence[str] | pa.Array) -> tuple[AnyArray, AnyArray]:
    """Hashes (uint64) of the words of all texts in order, flat, and the offsets (n + 1, int64) of each text in them."""
    from dataflywheel.signals import word_kernels as kernels

    data, bounds = folded(texts)
    counts = np.zeros(len(bounds) - 1, dtype=np.int64)
    in_threads(lambda a, b: kernels.count_words(data, bounds, a, b, counts), bounds)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    hashes = np.empty(offsets[-1], dtype=np.uint64)
    in_threads(lambda a, b: kernels.hash_words(data, bounds, a, b, offsets, hashes), bounds)
    return hashes, offsets


def gram_sets(words: AnyArray, offsets: AnyArray, size: int, whole_if_short: bool = False) -> tuple[AnyArray, AnyArray]:
    """Sorted distinct word n-grams of each text as (flat uint64, offsets), from `word_hashes`.

    A text of fewer than `size` words has none, or with `whole_if_short` the one gram of all its words.
    """
    from dataflywheel.signals import word_kernels as kernels

    flat, counts = np.empty(len(words), dtype=np.uint64), np.zeros(len(offsets) - 1, dtype=np.int64)
    in_threads(lambda a, b: kernels.unique_grams(words, offsets, a, b, size, whole_if_short, flat, counts), offsets)
    packed = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    place = np.arange(packed[-1]) + np.repeat(offsets[:-1] - packed[:-1], counts)
    return flat[place], packed


def shingle_hashes(texts: Sequence[str] | pa.Array) -> tuple[AnyArray, AnyArray]:
    """The set of word 3-grams of each text, as sorted 64-bit hashes: (flat uint64, offsets (n + 1) int64).

    A text of one or two words has one shingle of what is there, a text without a word has none. The Jaccard similarity
    of two of these sets is that of the texts' sets of 3-grams up to collisions (chance about 1e-19 a pair).

    >>> flat, offsets = shingle_hashes(["The cat sat down.", "the cat, sat"])
    >>> offsets.tolist(), bool(flat[2] in flat[:2])
    ([0, 2, 3], True)
    """
    from dataflywheel.signals import word_kernels as kernels

    words, offsets = word_hashes(texts)
    return gram_sets(words, offsets, kernels.SHINGLE_WORDS, whole_if_short=True)


def text_keys(texts: Sequence[str] | pa.Array) -> list[str | None]:
    """16 hex digits for the sequence of words of each text, None where there is no word.

    >>> a, b, c = text_keys(["Say hello!", "say  HELLO", "..."])
    >>> a == b, c
    (True, None)
    """
    from dataflywheel.signals import word_kernels as kernels

    words, offsets = word_hashes(texts)
    keys = np.zeros(len(offsets) - 1, dtype=np.uint64)
    kernels.hash_rows(words, offsets, keys)
    return [f"{key:016x}" if n else None for key, n in zip(keys.tolist(), np.diff(offsets).tolist(), strict=True)]


def signatures(texts: Sequence[str] | pa.Array, permutations: int = PERMUTATIONS) -> tuple[AnyArray, AnyArray]:
    """MinHash signatures (n, permutations) uint32 over the sets of `shingle_hashes`, and the words of each text (n,).

    The share of equal places of two signatures estimates the Jaccard similarity of the two sets, with a standard
    deviation of sqrt(j (1 - j) / permutations). A text without a word has the largest value everywhere.
    """
    from dataflywheel.signals import word_kernels as kernels

    rng = np.random.Generator(np.random.PCG64(20_230_517))  # fixed: signatures of different runs must agree
    factors = rng.integers(0, 1 << 63, permutations, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    terms = rng.integers(0, 1 << 63, permutations, dtype=np.uint64) * np.uint64(2)
    data, bounds = folded(texts)
    out = np.empty((len(bounds) - 1, permutations), dtype=np.uint32)
    counts = np.zeros(len(bounds) - 1, dtype=np.int64)
    in_threads(lambda a, b: kernels.minhash(data, bounds, a, b, factors, terms, out, counts), bounds)
    return out, counts
