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
from dataflywheel.enhancement.preparation.set_kernels import MARKS, jaccard, may_reach, set_marks

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
def band_keys(signatures: AnyArray, width: int, first: int, last: int, keys: AnyArray) -> None:
    """Hash of each band, `width` places, of the rows `first` to `last`: `keys` is (bands, n) uint32, out.

    Rows whose places of a band are equal have equal keys; others hardly ever, and verification tells those apart.
    """
    for i in range(first, last):
        for band in range(len(keys)):
            key = np.uint64(0)
            for p in range(band * width, (band + 1) * width):
                key = (key ^ np.uint64(signatures[i, p])) * np.uint64(0x9E3779B97F4A7C15)
                key ^= key >> np.uint64(29)
            keys[band, i] = np.uint32(key)


@compiled
def bucket_rows(keys: AnyArray, table: AnyArray, groups: AnyArray, order: AnyArray, starts: AnyArray) -> int:
    """Group rows of equal keys (n,), in linear time; gives the number of groups.

    Args:
        table: (a power of two, at least twice the rows), all -1; used as a hash table of the first row of each group.
        groups: (n,) out, numbered by their first rows.
        order: (n,) out, rows group by group, ascending in each.
        starts: (n + 1,) zeros, out, where each group begins in `order`.
    """
    rows, used, last = len(keys), 0, len(table) - 1
    for i in range(rows):
        slot = np.int64(keys[i]) & last
        while table[slot] >= 0 and keys[table[slot]] != keys[i]:
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
def keep_first_sets(
    signatures: AnyArray,
    rows: AnyArray,
    buckets: tuple[AnyArray, AnyArray, AnyArray, AnyArray],
    sets: tuple[AnyArray, AnyArray, AnyArray],
    least: int,
    threshold: float,
    original: AnyArray,
    similarity: AnyArray,
    first: int,
    last: int,
    since: int,
    settle: bool,
) -> None:
    """Compare each of the rows `first` to `last` with the kept rows from `since` on that share a bucket with it.

    Args:
        signatures: of all rows; row i here has the one at `rows[i]`.
        buckets: the bucket of each row in each band, -1 where nothing else is in it (bands, n); where each bucket's
            places begin (bands, n + 1), how many are taken (bands, n), and the kept rows in them, ascending (bands, n).
        sets: shingles; those of row i are sorted, and begin and end where the second and third array say.
        least: agreeing places below which a pair is not verified.
        original: (n,) in and out, the most similar kept row so far that the row is a copy of, or -1.
        similarity: (n,) in and out.
        settle: whether rows that are no copies take their places in the buckets, one after the other.
    """
    groups, starts, filled, places = buckets
    flat, begins, ends = sets
    seen, marks = np.full(last, -1, dtype=np.int32), np.zeros(MARKS, dtype=np.uint8)
    for i in range(first, last):
        a, a_end, marked = begins[i], ends[i], False
        for band in range(len(groups)):
            group = groups[band, i]
            start = starts[band, group] if group >= 0 else 0
            k = start + filled[band, group] if group >= 0 else 0
            while k > start and places[band, k - 1] >= since:
                k -= 1
                j = places[band, k]
                if seen[j] == i:
                    continue
                seen[j] = i
                if agreement(signatures, rows[i], rows[j]) < least:
                    continue
                if not marked:
                    set_marks(flat, a, a_end, marks, 1)
                    marked = True
                goal = max(threshold, similarity[i])
                if not may_reach(flat, a_end - a, begins[j], ends[j], marks, goal):
                    continue
                value = jaccard(flat, a, a_end, begins[j], ends[j], goal)
                if value >= threshold and (value > similarity[i] or (value == similarity[i] and j < original[i])):
                    original[i], similarity[i] = j, value
        if marked:
            set_marks(flat, a, a_end, marks, 0)
        if settle and original[i] < 0:
            enter(i, groups, starts, filled, places)


@compiled
def enter(i: int, groups: AnyArray, starts: AnyArray, filled: AnyArray, places: AnyArray) -> None:
    """Put a kept row into its buckets."""
    for band in range(len(groups)):
        group = groups[band, i]
        if group >= 0:
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
        original, similarity: (n,) out, the kept row that a dropped row is a copy of, or -1, and their cosine.
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
