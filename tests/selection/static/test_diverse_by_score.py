"""DEITA's rule against one row at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.selection.order import rejections
from dataflywheel.selection.static.diverse_by_score import DiverseByScore, unlike_the_kept
from tests.selection.columns import generator, make_columns, unit, vectors_only


def one_at_a_time(vectors: Any, threshold: float, budget: int) -> tuple[list[int], list[int]]:
    kept: list[int] = []
    near = [-1] * len(vectors)
    for i, vector in enumerate(vectors):
        if len(kept) == budget:
            break
        close = [k for k in kept if float(vector @ vectors[k]) >= threshold]
        if close:
            near[i] = close[0]
        else:
            kept.append(i)
    return kept, near


def test_every_block_size_equals_one_at_a_time() -> None:
    for seed in range(50):
        rng = generator(seed)
        vectors = unit(rng.standard_normal((60, 4)))
        threshold, budget = float(rng.uniform(0.3, 0.95)), int(rng.integers(1, 61))
        expected = one_at_a_time(vectors, threshold, budget)
        for block in (1, 2, 3, 7, 16, 59, 60, 512):
            kept, near = unlike_the_kept(vectors, threshold, budget, block)
            assert kept.tolist() == expected[0], (seed, block)
            stop = expected[0][-1] + 1 if len(expected[0]) == budget else len(vectors)
            assert near[:stop].tolist() == expected[1][:stop], (seed, block)


def test_the_better_of_two_equal_rows_stays() -> None:
    columns = vectors_only([[1, 0], [1, 0], [0, 1]], ["a", "b", "c"])
    columns.values["rating.quality"] = np.array([1.0, 2.0, 0.5])
    selection = DiverseByScore(score="rating.quality").rank(columns, 3, generator())
    assert selection.order.tolist() == [1, 2]
    why = rejections(selection)[0]
    assert (why.reason, why.near, why.score) == ("near a chosen row", 1, 1.0)


def test_a_dropped_row_stands_in_nobodys_way() -> None:
    angle = np.deg2rad([0, 20, 40])
    columns = vectors_only(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    columns.values["rating.quality"] = np.array([3.0, 2.0, 1.0])
    # The third row is 20 degrees from the dropped second, but 40 degrees from the kept first.
    selection = DiverseByScore(score="rating.quality", threshold=0.9).rank(columns, 3, generator())
    assert selection.order.tolist() == [0, 2]


def test_without_a_score_it_says_so() -> None:
    with pytest.raises(UsageError, match=r"select\.score"):
        DiverseByScore().rank(make_columns(5), 2, generator())
