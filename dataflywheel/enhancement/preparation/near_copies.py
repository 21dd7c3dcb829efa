"""Near-duplicates: MinHash bands propose pairs, the true Jaccard similarity of the word 3-grams decides."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil, sqrt

import numpy as np

from dataflywheel.contracts import AnyArray, Texts
from dataflywheel.enhancement.preparation.copies import Copies
from dataflywheel.signals.shingles import (
    offsets_of,
    shingle_hashes,
    signed_shingles,
)

Sets = tuple[AnyArray, AnyArray, AnyArray]
"""Sorted shingles of all rows in one array, and where those of each row begin and end in it."""

RECALL = 0.995
"""Chance that a pair exactly at the threshold shares a band; more similar pairs are found more surely."""
DEVIATIONS = 5.0
TEXTS_AT_ONCE = 8192


def near_duplicates(texts: Sequence[str], threshold: float = 0.8) -> Copies:
    """Keep the first of all texts whose word 3-grams have a Jaccard similarity of `threshold` or more.

    Case, spacing and punctuation do not matter; a text without a word is never a copy. Candidate pairs come from
    banded MinHash signatures (Broder 1997; 128 permutations) and are verified by their true Jaccard similarity: no pair
    below the threshold is ever reported, and one at the threshold is missed with a chance of 0.5% at most.

    >>> found = near_duplicates(["The cat sat on the mat.", "Dogs bark at night.", "the cat sat on the mat"])
    >>> found.kept.tolist(), found.copy_of.tolist(), found.similarity.tolist()
    ([True, True, False], [0], [1.0])
    """
    signature, words, flat, offsets = signed_shingles(texts)
    return verified_copies(signature, words > 0, lambda rows: (flat, offsets[rows], offsets[rows + 1]), threshold)


def verified_copies(
    signature: AnyArray, comparable: AnyArray, shingles: Callable[[AnyArray], Sets], threshold: float
) -> Copies:
    """`near_duplicates` over signatures (n, permutations) that were measured before, in order of preference.

    `comparable` (n,) masks rows that have a signature; `shingles` gives the `shingle_hashes` of the rows that need
    verification. Held in memory besides the signatures: 8 bytes a word of those rows, and 8 bytes a row and band.
    """
    from dataflywheel.enhancement.preparation import copy_kernels as kernels

    usable = np.flatnonzero(comparable)
    if len(usable) < 2:
        return Copies.none(len(comparable))
    bands, rows_a_band = banding(threshold, signature.shape[1])
    least = least_agreement(threshold, signature.shape[1])
    signature = rows_of(signature, usable)
    marked = np.zeros(len(usable), dtype=bool)

    def mark(band: int) -> None:  # bands mark side by side: a row is marked by any of them, and never unmarked
        _, order, starts = buckets(signature, band, rows_a_band)
        kernels.mark_partners(signature, order, starts, least, marked)

    each(mark, bands)
    candidates = np.flatnonzero(marked)
    if not len(candidates):
        return Copies.none(len(comparable))
    signature = rows_of(signature, candidates)
    groups = np.empty((bands, len(candidates)), dtype=np.int32)
    starts = np.zeros((bands, len(candidates) + 1), dtype=np.int32)

    def group(band: int) -> None:
        groups[band], _, bounds = buckets(signature, band, rows_a_band)
        starts[band, : len(bounds)] = bounds

    each(group, bands)
    sets = shingles(usable[candidates])
    original, similarity = np.empty(len(candidates), dtype=np.int64), np.empty(len(candidates))
    kernels.keep_first_sets(signature, groups, starts, *sets, least, threshold, original, similarity)
    return Copies.of(len(comparable), usable[candidates], original, similarity)


def rows_of(signature: AnyArray, rows: AnyArray) -> AnyArray:
    return signature if len(rows) == len(signature) else signature[rows]


def each(work: Callable[[int], None], bands: int) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        deque(pool.map(work, range(bands)), maxlen=0)


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


def buckets(signature: AnyArray, band: int, rows_a_band: int) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Bucket of each row in a band (n,), rows bucket by bucket (n,), and where each bucket begins (buckets + 1,).

    Two rows share a bucket if their places of the band are equal.
    """
    from dataflywheel.enhancement.preparation import copy_kernels as kernels

    n = len(signature)
    table = np.full(1 << (2 * n - 1).bit_length(), -1, dtype=np.int32)
    groups, order, starts = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32), np.zeros(n + 1, dtype=np.int32)
    used = kernels.bucket_rows(signature, band * rows_a_band, rows_a_band, table, groups, order, starts)
    return groups, order, starts[: used + 1]


def shingles_by_text(ids: AnyArray, texts: Texts) -> Sets:
    """`shingle_hashes` of the texts of some rows, fetched some thousand at a time."""
    names = [str(id) for id in ids]
    parts = [shingle_hashes(texts(names[i : i + TEXTS_AT_ONCE])) for i in range(0, len(names), TEXTS_AT_ONCE)]
    sizes = np.concatenate([np.diff(offsets) for _, offsets in parts])
    offsets = offsets_of(sizes)
    return np.concatenate([flat for flat, _ in parts]), offsets[:-1], offsets[1:]
