"""Rows of similar length together, so that little is computed on padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MULTIPLE = 16


def padded(length: int, multiple: int = MULTIPLE) -> int:
    """The width that a row is padded to: the next multiple of 16, a function of the row alone."""
    return -(-length // multiple) * multiple


def batches(lengths: Sequence[int], max_tokens: int, multiple: int = MULTIPLE) -> Iterator[tuple[int, list[int]]]:
    """Pairs of a width and the positions of the rows padded to it, longest first, each at most `max_tokens` in all.

    A row's width depends on nothing but its own length, so the arithmetic that it sees does not depend on its
    neighbours. A row wider than `max_tokens` goes alone.

    >>> list(batches([3, 20, 5, 18], 64))
    [(32, [1, 3]), (16, [0, 2])]
    """
    widths = [padded(length, multiple) for length in lengths]
    order = sorted(range(len(lengths)), key=lambda i: (-widths[i], i))
    start = 0
    while start < len(order):
        width = widths[order[start]]
        stop = start + 1
        while stop < len(order) and widths[order[stop]] == width and (stop + 1 - start) * width <= max_tokens:
            stop += 1
        yield width, order[start:stop]
        start = stop
