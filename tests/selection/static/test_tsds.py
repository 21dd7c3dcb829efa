"""TSDS against linear programmes, planted copies and the ends of its trade-off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Columns
from dataflywheel.selection.combine import select_rows
from dataflywheel.selection.spec import Select
from dataflywheel.selection.static.tsds import TSDS, drawn, transport
from tests.selection.columns import generator, unit, vectors_only


def distances(pool: Any, aims: Any) -> Any:
    return np.linalg.norm(aims[:, None].astype(float) - pool[None].astype(float), axis=2)


def density(pool: Any, sigma: float) -> Any:
    return np.maximum(0, 1 - distances(pool, pool) ** 2 / sigma**2).sum(axis=1)


def programme(pool: Any, aims: Any, alpha: float, scale: float, sigma: float) -> tuple[Any, float]:
    """The same optimum by a general solver: mass from each aim to each row, and a bound on the scaled mass."""
    from scipy.optimize import linprog

    m, n = len(aims), len(pool)
    crowd = density(pool, sigma)
    cost = np.append((alpha / scale * distances(pool, aims)).ravel(), 1 - alpha)
    bound = np.hstack([m * np.diag(np.tile(crowd, m)), -np.ones((m * n, 1))])
    each = np.hstack([np.kron(np.eye(m), np.ones(n)), np.zeros((m, 1))])
    found = linprog(cost, A_ub=bound, b_ub=np.zeros(m * n), A_eq=each, b_eq=np.full(m, 1 / m))
    return found.x[:-1].reshape(m, n).sum(axis=0), found.fun


@pytest.mark.parametrize(("alpha", "scale", "sigma"), [(0.5, 5.0, 0.75), (0.5, 1.0, 1.2), (0.9, 0.3, 0.5), (0.1, 2, 1)])
def test_probabilities_are_the_optimum_of_the_linear_programme(alpha: float, scale: float, sigma: float) -> None:
    for seed in range(6):
        rng = generator(seed)
        pool, aims = unit(rng.standard_normal((int(rng.integers(5, 30)), 4))), unit(rng.standard_normal((4, 4)))
        pool[1] = pool[0]
        made = transport(pool, aims, TSDS(alpha=alpha, C=scale, sigma=sigma))
        expected, _ = programme(pool, aims, alpha, scale, sigma)
        assert made.probability.sum() == pytest.approx(1)
        # Between equal rows the optimum may divide as it likes.
        made.probability[0] += made.probability[1]
        expected[0] += expected[1]
        np.testing.assert_allclose(np.delete(made.probability, 1), np.delete(expected, 1), atol=2e-5)


def test_a_wider_look_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataflywheel.selection.static import tsds

    pool, aims = unit(generator(1).standard_normal((300, 6))), unit(generator(2).standard_normal((7, 6)))
    found = []
    for first in (1, 5, 300):
        monkeypatch.setattr(tsds, "FIRST", first)
        monkeypatch.setattr(tsds, "CELLS", 300 * first)
        found.append(transport(pool, aims, TSDS(C=20)).probability)
    for narrow in found[:2]:  # blocks of another shape round their float32 products otherwise
        np.testing.assert_allclose(narrow, found[2], rtol=1e-4, atol=1e-7)


def test_a_cluster_copied_fiftyfold_gets_no_more_than_once() -> None:
    rng = generator(3)
    pool, aims = unit(rng.standard_normal((200, 8))), unit(rng.standard_normal((20, 8)))
    aims[0] = pool[7]
    once = transport(pool, aims, TSDS(sigma=0.4)).probability[7]
    noise = rng.normal(0, 1e-3, (49, 8))
    copied = transport(np.vstack([pool, unit(pool[7] + noise)]), aims, TSDS(sigma=0.4)).probability
    assert copied[7] + copied[200:].sum() == pytest.approx(once, rel=0.1)
    blind = transport(np.vstack([pool, unit(pool[7] + noise)]), aims, TSDS(sigma=0)).probability
    assert blind[7] + blind[200:].sum() > 1.5 * once


def test_the_ends_of_alpha() -> None:
    rng = generator(4)
    pool, aims = unit(rng.standard_normal((60, 5))), unit(rng.standard_normal((9, 5)))
    far = distances(pool, aims)
    nearest = np.bincount(far.argmin(axis=1), minlength=60) / 9
    np.testing.assert_allclose(transport(pool, aims, TSDS(alpha=1)).probability, nearest)
    widest = transport(pool, aims, TSDS(alpha=0, neighbours=10, sigma=0)).probability
    expected = np.bincount(np.argsort(far, axis=1)[:, :10].ravel(), minlength=60) / 90
    np.testing.assert_allclose(widest, expected)
    everywhere = transport(pool, aims, TSDS(alpha=0)).probability
    share = 1 / density(pool, 0.75)
    np.testing.assert_allclose(everywhere, share / share.sum(), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=12), st.integers(1, 14), st.integers(0, 99))
def test_drawn_rows_are_distinct_and_weights_follow_the_probabilities(
    shares: list[float], budget: int, seed: int
) -> None:
    p = np.array(shares) / sum(shares)
    order, weight = drawn(p, budget, generator(seed))
    assert sorted(order.tolist()) == list(range(len(p)))
    ranked = p[order]
    assert (weight[np.argsort(ranked)][1:] >= weight[np.argsort(ranked)][:-1] - 1e-12).all()
    if budget >= len(p):
        np.testing.assert_allclose(weight, ranked)


def test_the_weighted_rows_stand_for_the_probabilities_without_bias() -> None:
    p = np.array([0.4, 0.25, 0.2, 0.1, 0.04, 0.01])
    value = np.array([5.0, 1.0, 1.0, -1.0, -1.0, 3.0])
    rng = generator(5)
    found, unweighted, sizes = [], [], []
    for _ in range(5000):
        keys = np.log(p) + rng.gumbel(size=len(p))
        order = np.argsort(-keys)
        # The weights of `drawn` are in draws; over the time of the draws they are an unbiased sum.
        kept, weight = drawn(p, 3, Replayed(keys - np.log(p)))  # type: ignore[arg-type]
        assert kept.tolist() == order.tolist()
        time = np.exp(-keys[order[3]])
        found.append((weight[:3] * value[kept[:3]]).sum() / time)
        sizes.append(weight[:3].sum() / time)
        unweighted.append(value[kept[:3]].mean())
    assert np.mean(found) == pytest.approx(float(p @ value), abs=4 * np.std(found) / 5000**0.5)
    assert np.mean(sizes) == pytest.approx(1, abs=0.03)
    assert abs(np.mean(unweighted) - p @ value) > 0.3


class Replayed:
    def __init__(self, noise: Any) -> None:
        self.noise = noise

    def gumbel(self, size: int) -> Any:
        return self.noise


def planted() -> Columns:
    """Two subjects; the target is of the first one."""
    rng = generator(6)
    centres = unit(rng.standard_normal((2, 16)))
    pool = vectors_only(unit(centres[np.arange(300) % 2] + rng.normal(0, 0.15, (300, 16))))
    target = vectors_only(unit(centres[[0] * 12] + rng.normal(0, 0.15, (12, 16))), [f"t{i:02d}" for i in range(12)])
    pool.target = target
    return pool


def test_rows_of_the_targets_subject_are_kept_with_weights_and_others_say_why() -> None:
    columns = planted()
    selection, decisions = select_rows(columns, Select(by=[{"tsds": {"C": 1}}], keep=40), generator(7))
    assert (selection.order % 2 == 0).all()
    assert len(selection.order) == 40
    assert selection.weight is not None
    assert selection.weight.mean() == pytest.approx(1)
    assert decisions.reason[1] == "in no neighbourhood of a target row"
    kept = decisions.reason[int(selection.order[0])]
    assert kept.startswith("ranked 1 of ")
    assert f"by tsds; weight {selection.weight[0]:.3g}" in kept
    assert selection.notes["tsds"]["queries"] == 12


def test_more_than_the_neighbourhoods_hold_is_never_made_up() -> None:
    columns = planted()
    selection, _ = select_rows(columns, Select(by=["tsds"], keep="100%"), generator(7))  # type: ignore[list-item]
    rows = TSDS().rank(columns, 300, generator(7))
    assert len(selection.order) == len(rows.order) == rows.notes["near"] < 300
    np.testing.assert_allclose(rows.weight, rows.gain)


def test_settings_mean_the_same_where_all_vectors_point_alike() -> None:
    columns, narrow = planted(), planted()
    for one in (narrow, narrow.target):
        assert one is not None
        shared = np.full(16, 3.0, dtype=np.float32)
        one.values["embedding.vector"] = one.values["embedding.vector"] + shared
    wide, made = (TSDS(C=1).rank(one, 40, generator(7)).notes for one in (columns, narrow))
    assert made["near"] == pytest.approx(wide["near"], rel=0.3)
    assert made["copies"] == pytest.approx(wide["copies"], rel=0.3)


def test_rows_without_a_direction_are_turned_away() -> None:
    columns = planted()
    columns.values["embedding.vector"][4] = 0
    assert TSDS().rank(columns, 10, generator()).notes["rejected"][4].reason == "its vector has no direction"
