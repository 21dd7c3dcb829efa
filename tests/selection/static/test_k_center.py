"""k-center against brute force and a float64 reference."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from dataflywheel.selection.static.k_center import KCenter, greedy_k_center
from tests.selection.columns import generator, unit, vectors_only


def radius(points: Any, chosen: Any) -> float:
    return float(np.linalg.norm(points[:, None] - points[None, list(chosen)], axis=2).min(axis=1).max())


def one_at_a_time(points: Any, budget: int, first: int) -> list[int]:
    """Farthest-first traversal in float64, one distance at a time."""
    points = points.astype(np.float64)
    order = [first]
    while len(order) < budget:
        gaps = [
            min(np.linalg.norm(p - points[c]) for c in order) if i not in order else -1 for i, p in enumerate(points)
        ]
        order.append(int(np.argmax(gaps)))
    return order


def test_radius_is_at_most_twice_the_optimum() -> None:
    for seed in range(60):
        rng = generator(seed)
        n = int(rng.integers(3, 11))
        points = rng.standard_normal((n, 2)).astype(np.float32)
        for budget in range(1, min(n, 5) + 1):
            best = min(radius(points, s) for s in itertools.combinations(range(n), budget))
            assert radius(points, greedy_k_center(points, budget)[0]) <= 2 * best + 1e-5


def test_equals_one_at_a_time() -> None:
    for seed in range(8):
        points = unit(generator(seed).standard_normal((80, 6)))
        order, gap = greedy_k_center(points, 40)
        mean = points.mean(axis=0)
        assert order[0] == np.linalg.norm(points - mean, axis=1).argmin()
        assert order.tolist() == one_at_a_time(points, 40, int(order[0]))
        assert np.isnan(gap[0])
        assert (np.diff(gap[1:]) <= 1e-6).all()


def test_chosen_centres_are_respected() -> None:
    labelled = np.array([[0.0], [0.1]])
    pool = np.array([[10.0], [10.1], [20.0], [20.1]])
    order, gap = greedy_k_center(pool, 2, chosen=labelled)
    assert pool[order].ravel().tolist() == [20.1, 10.1]
    np.testing.assert_allclose(gap, [20.0, 10.0], atol=1e-3)


def test_copies_come_last_in_id_order() -> None:
    base = unit(generator().standard_normal((5, 4)))
    columns = vectors_only(np.vstack([base, base]))
    order = KCenter().rank(columns, 10, generator()).order
    assert sorted(order[:5] % 5) == [0, 1, 2, 3, 4]
    assert order[5:].tolist() == sorted(order[5:].tolist())


def test_a_lonely_row_is_second() -> None:
    crowd = unit(np.array([1.0, 0, 0]) + 0.01 * generator().standard_normal((50, 3)))
    columns = vectors_only(np.vstack([crowd, [[0, 0, 1.0]]]))
    assert KCenter().rank(columns, 2, generator()).order[1] == 50
