"""Near-duplicates: MinHash bands propose pairs, the true Jaccard similarity of the word 3-grams decides."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import ceil, sqrt
from typing import TypeVar

import numpy as np

from dataflywheel.contracts import AnyArray, Texts
from dataflywheel.enhancement.preparation.copies import Copies
from dataflywheel.signals.words.shingles import Sets, offsets_of, shingle_hashes, signed_shingles

T = TypeVar("T")

RECALL = 0.995
"""Chance that a pair exactly at the threshold shares a band; more similar pairs are found more surely."""
DEVIATIONS = 5.0
TEXTS_AT_ONCE = 8192
ROWS_AT_ONCE = 8192
BLOCKS, PARTS = 6, 8
"""Candidates are decided block by block, and those of a block compared with the kept ones before it part by part."""


def near_duplicates(texts: Sequence[str], threshold: float = 0.8) -> Copies:
    """Keep the first of all texts whose word 3-grams have a Jaccard similarity of `threshold` or more.

    Case, spacing and punctuation do not matter; a text without a word is never a copy. Candidate pairs come from
    banded MinHash signatures (Broder 1997; 128 permutations) and are verified by their true Jaccard similarity: no pair
    below the threshold is ever reported, and one at the threshold is missed with a chance of 0.5% at most.

    >>> found = near_duplicates(["The cat sat on the mat.", "Dogs bark at night.", "the cat sat on the mat"])
    >>> found.kept.tolist(), found.copy_of.tolist(), found.similarity.tolist()
    ([True, True, False], [0], [1.0])
    """
    signature, words, sets = signed_shingles(texts)

    def shingles(rows: AnyArray) -> Sets:
        return Sets(sets.flat, sets.begins[rows], sets.ends[rows])

    return verified_copies(signature, words > 0, np.arange(len(texts)), shingles, threshold)


def verified_copies(
    signature: AnyArray, comparable: AnyArray, order: AnyArray, shingles: Callable[[AnyArray], Sets], threshold: float
) -> Copies:
    """`near_duplicates` over signatures (n, permutations) that were measured before; all results are places in `order`.

    `comparable` (n,) masks rows that have a signature; `order` (n,) holds the rows in order of preference; `shingles`
    gives the `shingle_hashes` of the places that need verification. Held in memory besides the signatures: 8 bytes a
    word of those rows, 4 bytes a row and band, and 16 bytes a candidate and band.
    """
    from dataflywheel.enhancement.preparation import copy_kernels as kernels

    usable = order[comparable[order]]
    if len(usable) < 2:
        return Copies.none(len(comparable))
    bands, rows_a_band = banding(threshold, signature.shape[1])
    least = least_agreement(threshold, signature.shape[1])
    keys = keys_of_bands(signature, bands, rows_a_band)
    marked = np.zeros(len(signature), dtype=bool)

    def mark(band: int) -> None:  # bands mark side by side: a row is marked by any of them, and never unmarked
        _, places, starts = buckets(keys[band, usable])
        kernels.mark_partners(signature, usable[places], starts, least, marked)

    side_by_side(mark, range(bands))
    candidates = np.flatnonzero(marked[order])
    rows = order[candidates]
    if not len(candidates):
        return Copies.none(len(comparable))
    groups = np.empty((bands, len(candidates)), dtype=np.int32)
    starts = np.zeros((bands, len(candidates) + 1), dtype=np.int32)

    def group(band: int) -> None:
        numbers, _, bounds = buckets(keys[band, rows])
        groups[band] = np.where(np.diff(bounds)[numbers] > 1, numbers, -1)
        starts[band, : len(bounds)] = bounds

    side_by_side(group, range(bands))
    original, similarity = np.full(len(candidates), -1, dtype=np.int64), np.zeros(len(candidates))
    # Rows of a block are compared with the kept rows before it side by side, then with those of the block in order.
    entered = (groups, starts, np.zeros_like(groups), np.empty_like(groups))
    given = (signature, rows, entered, (*shingles(candidates),), least, threshold, original, similarity)
    block = len(candidates) // BLOCKS + 1
    for first in range(0, len(candidates), block):
        last = min(first + block, len(candidates))
        parts = np.linspace(first, last, max(PARTS, os.cpu_count() or 1) + 1).astype(np.int64)
        side_by_side(lambda ab: kernels.keep_first_sets(*given, *ab, 0, False), pairwise(parts))
        kernels.keep_first_sets(*given, first, last, first, True)
    return Copies.of(len(comparable), candidates, original, similarity)


def keys_of_bands(signature: AnyArray, bands: int, rows_a_band: int) -> AnyArray:
    """Hash of each row's places of each band (bands, n) uint32."""
    from dataflywheel.enhancement.preparation import copy_kernels as kernels

    keys = np.empty((bands, len(signature)), dtype=np.uint32)
    parts = range(0, len(signature), ROWS_AT_ONCE)
    side_by_side(
        lambda a: kernels.band_keys(signature, rows_a_band, a, min(a + ROWS_AT_ONCE, len(signature)), keys), parts
    )
    return keys


def side_by_side(work: Callable[[T], None], parts: Iterable[T]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        deque(pool.map(work, parts), maxlen=0)


def banding(threshold: float, permutations: int = 128) -> tuple[int, int]:
    """Bands and rows a band: the most selective that share a band with chance `RECALL` at the threshold.

    >>> banding(0.8), banding(0.5)
    ((21, 6), (42, 3))
    """
    fitting = [r for r in range(1, permutations + 1) if 1 - (1 - threshold**r) ** (permutations // r) >= RECALL]
    rows = max(fitting, default=1)
    return permutations // rows, rows


def least_agreement(threshold: float, permutations: int) -> int:
    """Agreeing places that a pair at the threshold falls below with a chance under one in a million."""
    return ceil(permutations * threshold - DEVIATIONS * sqrt(permutations * threshold * (1 - threshold)))


def buckets(keys: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Bucket of each row (n,), rows bucket by bucket (n,), and where each bucket begins (buckets + 1,).

    Two rows share a bucket if their keys are equal.
    """
    from dataflywheel.enhancement.preparation import copy_kernels as kernels

    n = len(keys)
    table = np.full(1 << (2 * n - 1).bit_length(), -1, dtype=np.int32)
    groups, order, starts = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32), np.zeros(n + 1, dtype=np.int32)
    used = kernels.bucket_rows(keys, table, groups, order, starts)
    return groups, order, starts[: used + 1]


def shingles_by_text(ids: AnyArray, texts: Texts) -> Sets:
    """`shingle_hashes` of the texts of some rows, fetched some thousand at a time."""
    names = [str(id) for id in ids]
    parts = [shingle_hashes(texts(names[i : i + TEXTS_AT_ONCE])) for i in range(0, len(names), TEXTS_AT_ONCE)]
    sizes = np.concatenate([np.diff(offsets) for _, offsets in parts])
    offsets = offsets_of(sizes)
    return Sets(np.concatenate([flat for flat, _ in parts]), offsets[:-1], offsets[1:])
