"""Compiled loops of the duplicate searches. Loaded on first use, since numba is heavy.

Rows come in order of preference, and both searches decide them one after the other against the rows kept so far.
Buckets and cells hold kept rows only, so that thousands of equal rows cost one comparison each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from dataflywheel.contracts import AnyArray

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile on first call; sums may be reordered, which lets a dot product use the vector units."""
    return cast(F, numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})(function))


@compiled
def agreement(signatures: AnyArray, a: int, b: int) -> Any:
    """Places at which two signatures are equal."""
    first, second = signatures[a], signatures[b]
    equal = np.uint32(0)
    for p in range(len(first)):
        equal += np.uint32(first[p] == second[p])
    return np.int64(equal)


@compiled
def same_places(signatures: AnyArray, a: int, b: int, first: int, width: int) -> bool:
    for p in range(first, first + width):  # noqa: SIM110 (a generator does not compile)
        if signatures[a, p] != signatures[b, p]:
            return False
    return True


@compiled
def bucket_rows(
    signatures: AnyArray, first: int, width: int, table: AnyArray, groups: AnyArray, order: AnyArray, starts: AnyArray
) -> int:
    """Group rows whose places `first` to `first + width` are equal, in linear time; gives the number of groups.

    Args:
        table: (a power of two, at least twice the rows), all -1; used as a hash table of the first row of each group.
        groups: (n,) out, numbered by their first rows.
        order: (n,) out, rows group by group, ascending in each.
        starts: (n + 1,) zeros, out, where each group begins in `order`.
    """
    rows, used, last = len(groups), 0, len(table) - 1
    for i in range(rows):
        key = np.uint64(0)
        for p in range(first, first + width):
            key = (key ^ np.uint64(signatures[i, p])) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        slot = np.int64(key) & last
        while table[slot] >= 0 and not same_places(signatures, i, table[slot], first, width):
            slot = (slot + 1) & last
        if table[slot] < 0:
            table[slot] = i
            groups[i] = used
            used += 1
        else:
            groups[i] = groups[table[slot]]
        starts[groups[i] + 1] += 1
    for g in range(used):
        starts[g + 1] += starts[g]
    for i in range(rows):
        order[starts[groups[i]]] = i
        starts[groups[i]] += 1
    for g in range(used, 0, -1):
        starts[g] = starts[g - 1]
    starts[0] = 0
    return used


@compiled
def mark_partners(signatures: AnyArray, order: AnyArray, starts: AnyArray, least: int, marked: AnyArray) -> None:
    """Mark rows that agree in `least` places or more with another row of their bucket.

    `order` holds rows bucket by bucket, `starts` (buckets + 1) where each bucket begins. A row that is marked already
    is not looked at again.
    """
    for g in range(len(starts) - 1):
        for k in range(starts[g], starts[g + 1]):
            a = order[k]
            if marked[a]:
                continue
            for j in range(starts[g], starts[g + 1]):
                b = order[j]
                if j != k and agreement(signatures, a, b) >= least:
                    marked[a] = marked[b] = True
                    break


@compiled
def jaccard(flat: AnyArray, a: int, a_end: int, b: int, b_end: int, least: float) -> float:
    """Shared over all members of two sorted sets that lie in one array; 0 once it cannot reach `least` any more."""
    total, shared, alone = (a_end - a) + (b_end - b), 0, 0
    allowed = np.int64(total * (1 - least) / (1 + least) + 1e-6)
    while a < a_end and b < b_end and alone <= allowed:
        x, y = flat[a], flat[b]
        shared += x == y
        alone += x != y
        a += x <= y
        b += y <= x
    return shared / (total - shared) if alone <= allowed and total > shared else 0.0


@compiled
def keep_first_sets(
    signatures: AnyArray,
    groups: AnyArray,
    starts: AnyArray,
    flat: AnyArray,
    begins: AnyArray,
    ends: AnyArray,
    least: int,
    threshold: float,
    original: AnyArray,
    similarity: AnyArray,
) -> None:
    """Decide each row against the kept rows that share a band with it and whose true Jaccard reaches the threshold.

    Args:
        signatures: (n, permutations).
        groups: (bands, n), the bucket of each row in each band.
        starts: (bands, n + 1), where each bucket's places begin; a bucket has a place for each of its rows.
        flat: shingles of row i at `begins[i]:ends[i]`, sorted.
        least: agreeing places below which a pair is not verified.
        original: (n,) out, the kept row that a dropped row is a copy of, or -1.
        similarity: (n,) out.
    """
    bands, rows = groups.shape
    places, filled = np.empty((bands, rows), dtype=np.int32), np.zeros((bands, rows), dtype=np.int32)
    seen = np.full(rows, -1, dtype=np.int64)
    for i in range(rows):
        best, best_similarity = -1, 0.0
        for band in range(bands):
            group = groups[band, i]
            first = starts[band, group]
            for k in range(first, first + filled[band, group]):
                j = places[band, k]
                if seen[j] == i:
                    continue
                seen[j] = i
                if agreement(signatures, i, j) < least:
                    continue
                goal = max(threshold, best_similarity)
                value = jaccard(flat, begins[i], ends[i], begins[j], ends[j], goal)
                if value >= threshold and (value > best_similarity or (value == best_similarity and j < best)):
                    best, best_similarity = j, value
        original[i], similarity[i] = best, best_similarity
        if best < 0:
            for band in range(bands):
                group = groups[band, i]
                places[band, starts[band, group] + filled[band, group]] = i
                filled[band, group] += 1


@compiled
def keep_first_vectors(
    vectors: AnyArray,
    cells: AnyArray,
    starts: AnyArray,
    threshold: float,
    original: AnyArray,
    similarity: AnyArray,
) -> None:
    """Decide each row against the kept rows of its cells whose cosine reaches the threshold.

    Args:
        vectors: (n, d) float32 of unit length.
        cells: (n, c), the cells of each row; a kept row is entered in all of them.
        starts: (cells + 1,), where each cell's places begin; a cell has a place for each of its rows.
        original, similarity: (n,) out, as in `keep_first_sets`.
    """
    rows, width = vectors.shape
    places, filled = np.empty(starts[-1], dtype=np.int32), np.zeros(len(starts) - 1, dtype=np.int64)
    seen = np.full(rows, -1, dtype=np.int64)
    for i in range(rows):
        best, best_similarity = -1, -2.0
        for c in range(cells.shape[1]):
            cell = cells[i, c]
            for k in range(starts[cell], starts[cell] + filled[cell]):
                j = places[k]
                if seen[j] == i:
                    continue
                seen[j] = i
                value: Any = np.float32(0.0)
                for d in range(width):
                    value += vectors[i, d] * vectors[j, d]
                if value >= threshold and (value > best_similarity or (value == best_similarity and j < best)):
                    best, best_similarity = j, value
        original[i], similarity[i] = best, best_similarity
        if best < 0:
            for c in range(cells.shape[1]):
                cell = cells[i, c]
                places[starts[cell] + filled[cell]] = i
                filled[cell] += 1
