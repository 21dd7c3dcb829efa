"""Compiled lookup of a text's n-grams among those of the target. Loaded on first use, since numba is heavy."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.gram_kernels import gram_hash, place_of
from dataflywheel.signals.words.word_kernels import compiled

FILTER_SHIFT = np.uint64(42)
FILTER_PLACES = 1 << 22


@compiled
def gram_filter(grams: AnyArray) -> AnyArray:
    """A byte for every value of a gram's upper 22 bits: most grams of a pool are ruled out by one look."""
    present = np.zeros(FILTER_PLACES, dtype=np.bool_)
    for k in range(len(grams)):
        present[np.int64(grams[k] >> FILTER_SHIFT)] = True
    return present


@compiled
def find_grams(
    words: AnyArray, offsets: AnyArray, size: int, grams: AnyArray, present: AnyArray, rows: AnyArray, hits: AnyArray
) -> int:
    """Write (row, index into the sorted `grams`) of each n-gram of each row that is among them; gives how many."""
    found = 0
    for row in range(len(offsets) - 1):
        for start in range(offsets[row], offsets[row + 1] - size + 1):
            gram = gram_hash(words, start, size)
            if not present[np.int64(gram >> FILTER_SHIFT)]:
                continue
            place = place_of(grams, gram)
            if place < len(grams) and grams[place] == gram:
                rows[found], hits[found] = row, place
                found += 1
    return found


@compiled
def mark_monotonous(words: AnyArray, offsets: AnyArray, size: int, grams: AnyArray, marked: AnyArray) -> None:
    """Mark those of the sorted `grams` of which half the words or more repeat others, such as `a a a` or `0 1 0 1`."""
    for row in range(len(offsets) - 1):
        for start in range(offsets[row], offsets[row + 1] - size + 1):
            different = 0
            for k in range(start, start + size):
                fresh = True
                for j in range(start, k):
                    fresh = fresh and words[j] != words[k]
                different += fresh
            place = place_of(grams, gram_hash(words, start, size))
            if 2 * different <= size and place < len(grams):
                marked[place] = True


@compiled
def fewest_edits(item: AnyArray, text: AnyArray) -> int:
    """Words to change, drop or add in `item` to make some piece of `text` of it (Sellers 1980): linear in the text."""
    before = np.arange(len(item) + 1)
    fewest = len(item)
    for word in text:
        diagonal = before[0]
        for i in range(1, len(item) + 1):
            changed = diagonal + (item[i - 1] != word)
            diagonal = before[i]
            before[i] = min(changed, min(before[i], before[i - 1]) + 1)
        fewest = min(fewest, before[len(item)])
    return int(fewest)


@compiled
def edits_of_pairs(
    items: AnyArray, item_offsets: AnyArray, words: AnyArray, offsets: AnyArray, pairs: AnyArray, edits: AnyArray
) -> None:
    """`fewest_edits` of each pair (item, text)."""
    for k in range(len(pairs)):
        item, row = pairs[k, 0], pairs[k, 1]
        edits[k] = fewest_edits(
            items[item_offsets[item] : item_offsets[item + 1]], words[offsets[row] : offsets[row + 1]]
        )
