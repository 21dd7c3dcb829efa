"""Greedy covering against plain greedy, brute force and its memory cap."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np

from dataflywheel.selection.blocked_cover import cover, partitioned
from dataflywheel.selection.greedy_cover import lazy_greedy, similarities
from tests.selection.columns import generator, unit
from tests.selection.covering import clusters, plain_greedy, value


def test_lazy_is_plain_greedy_on_200_inputs() -> None:
    for seed in range(200):
        rng = generator(seed)
        n, width = int(rng.integers(2, 60)), int(rng.integers(2, 12))
        similarity = similarities(unit(rng.standard_normal((n, width))))
        budget = int(rng.integers(1, n + 1))
        order, gains = lazy_greedy(similarity, budget)
        expected = plain_greedy(similarity, budget)
        if order.tolist() != expected:  # only sums that differ by rounding may part the two
            assert math.isclose(value(similarity, order), value(similarity, expected), rel_tol=1e-6)
            step = next(i for i, pair in enumerate(zip(order, expected, strict=True)) if pair[0] != pair[1])
            left = value(similarity, [*order[: step + 1]])
            assert math.isclose(left, value(similarity, expected[: step + 1]), rel_tol=1e-6)
        assert math.isclose(float(gains.sum()), value(similarity, order), rel_tol=1e-5)
        assert (np.diff(gains) <= 1e-5).all()


def test_equal_gains_go_to_the_smaller_index() -> None:
    assert lazy_greedy(np.eye(6, dtype=np.float32), 6)[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_near_the_brute_force_optimum() -> None:
    for seed in range(30):
        rng = generator(seed)
        n = int(rng.integers(4, 13))
        similarity = similarities(unit(rng.standard_normal((n, 3))))
        for budget in (1, 2, 3, 4):
            best = max(value(similarity, s) for s in itertools.combinations(range(n), budget))
            assert value(similarity, lazy_greedy(similarity, budget)[0]) >= (1 - 1 / math.e) * best


def test_similarities_are_clipped_symmetric_cosines() -> None:
    vectors = unit(generator().standard_normal((2500, 5)))
    got = similarities(vectors)
    np.testing.assert_allclose(got, np.maximum(vectors @ vectors.T, 0), atol=1e-6)
    assert got.dtype == np.float32
    assert np.array_equal(got, got.T)


def test_partitioned_is_close_to_exact() -> None:
    vectors = clusters(1200, 40)
    similarity = similarities(vectors)
    for budget, capacity in ((3, 400), (30, 200), (30, 700), (150, 300), (900, 200)):
        order, gains, exact = cover(vectors, budget, capacity)
        assert not exact
        assert len(set(order.tolist())) == budget == len(gains)
        reached = value(similarity, order) / value(similarity, lazy_greedy(similarity, budget)[0])
        assert reached >= 0.99, (budget, capacity, reached)
        assert math.isclose(float(gains.sum()), value(similarity, order), rel_tol=1e-5)  # what it says is so


def test_partitioned_covers_better_than_its_best_part_alone() -> None:
    # One part cannot see the clusters that fell into the other: with singletons the merge has to help.
    vectors = np.eye(40, dtype=np.float32)
    order, gains = partitioned(vectors, 40, 20)
    assert sorted(order.tolist()) == list(range(40))
    assert math.isclose(float(gains.sum()), 40, rel_tol=1e-6)


def test_memory_is_bounded_by_blocks_of_similarities() -> None:
    vectors = np.random.default_rng(0).standard_normal((4000, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cover(vectors[:50], 5, 20)  # compiles
    tracemalloc.start()
    order, _, exact = cover(vectors, 20, 300)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(order), exact) == (20, False)
    assert peak < 4000 * 4000 * 4 / 20, "a twentieth of all pairs"
