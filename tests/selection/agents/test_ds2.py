"""DS2 on a rater whose errors are known: the matrix, the correction, the refusal, the order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Columns, Status, UsageError
from dataflywheel.selection.agents.ds2 import DS2, rarity
from dataflywheel.selection.agents.rater_errors import kappa, nearest, posterior, rater_errors
from tests.selection.columns import generator, unit

LEVELS = np.arange(4, 10)


def rated(seed: int, n: int = 5000, purity: float = 1.0) -> tuple[Any, Any, Any, Any]:
    """Vectors in 60 clusters, the true score of each row, the rater's score, and the rater's matrix.

    For each true score the rater errs in 20 to 40 % of the rows, unevenly over the other five. A share 1 - `purity` of
    the rows has a true score of its own, whatever its cluster.
    """
    rng = np.random.default_rng(seed)
    cluster = rng.integers(60, size=n)
    vectors = unit(unit(rng.standard_normal((60, 32)))[cluster] + 0.05 * rng.standard_normal((n, 32)))
    true = np.where(rng.random(n) < purity, cluster % 6, rng.integers(6, size=n))
    matrix = np.zeros((6, 6))
    for i in range(6):
        matrix[i, np.arange(6) != i] = rng.dirichlet(np.ones(5)) * rng.uniform(0.2, 0.4)
        matrix[i, i] = 1 - matrix[i].sum()
    given = np.array([rng.choice(6, p=matrix[t]) for t in true])
    return vectors, LEVELS[true], LEVELS[given].astype(float), matrix


@pytest.mark.parametrize("seed", range(5))
def test_the_matrix_is_found_and_corrected_scores_are_better(seed: int) -> None:
    vectors, true, given, matrix = rated(seed)
    near, _ = nearest(vectors)
    errors = rater_errors(given, near)
    assert errors.levels.tolist() == LEVELS.tolist()
    assert np.abs(errors.matrix - matrix).max() < 0.05
    assert np.abs(errors.matrix - matrix).mean() < 0.015
    assert errors.accuracy == pytest.approx((given == true).mean(), abs=0.02)
    corrected = errors.levels[posterior(errors, given, near).argmax(axis=1)]
    assert (corrected == true).mean() > 0.95 > (given == true).mean() + 0.15


@pytest.mark.parametrize("purity", [0.0, 0.3, 0.5])
def test_vectors_that_say_nothing_about_scores_are_refused(purity: float) -> None:
    vectors, _, given, _ = rated(1, purity=purity)
    near, _ = nearest(vectors)
    with pytest.raises(UsageError, match="near vectors do not share their scores"):
        rater_errors(given, near)


def test_a_frequent_score_is_no_agreement() -> None:
    """Nine of ten scores are equal, so most neighbours agree; but not beyond chance."""
    rng = np.random.default_rng(0)
    near, _ = nearest(unit(rng.standard_normal((2000, 16))))
    with pytest.raises(UsageError, match=r"kappa .* is needed"):
        rater_errors(np.where(rng.random(2000) < 0.9, 5.0, 4.0), near)


def test_too_little_to_tell_is_refused() -> None:
    vectors, _, given, _ = rated(1, n=200)
    near, _ = nearest(vectors)
    with pytest.raises(UsageError, match="at least 50"):
        rater_errors(given[:49], near[:49])
    with pytest.raises(UsageError, match="every row has the score 7"):
        rater_errors(np.full(200, 7.0), near)


def test_the_selector_ranks_by_corrected_score_then_rarity() -> None:
    vectors, true, given, _ = rated(2, n=1200)
    values = {"embedding.vector": vectors, "ds2_rating.overall": given, "ds2_rating.status": np.zeros(1200, np.uint8)}
    values["ds2_rating.overall"][5] = np.nan
    values["ds2_rating.status"][5] = Status.FAILED
    columns = Columns(np.array([f"row-{i:04d}" for i in range(1200)]), values)
    selection = DS2().rank(columns, 300, generator())
    assert 5 not in selection.order
    assert (np.diff(selection.gain) <= 0).all()
    by_raw = np.argsort(-np.nan_to_num(given), kind="stable")[:200]
    assert (true[selection.order[:200]] == 9).mean() > (true[by_raw] == 9).mean() + 0.1
    rows = np.delete(np.arange(1200), 5)
    rare = dict(zip(rows.tolist(), rarity(nearest(vectors[rows])[1]).tolist(), strict=True))
    top = [i for i, gain in zip(selection.order.tolist(), selection.gain, strict=True) if gain == selection.gain[0]]
    assert [rare[i] for i in top] == sorted((rare[i] for i in top), reverse=True)
    changed = [r for r in selection.reason if "corrected to" in r]
    assert len(changed) == selection.notes["corrected"] > 100
    assert np.allclose(np.sum(selection.notes["rater_matrix"], axis=1), 1, atol=1e-3)


def test_scores_outside_the_range_count_as_its_ends() -> None:
    vectors, true, _, _ = rated(3, n=1500)
    scores = np.where(true == 4, np.resize([1.0, 2.0, 4.0], 1500), np.where(true == 9, 10.0, true))
    columns = Columns(np.array([f"{i:04d}" for i in range(1500)]), {"embedding.vector": vectors, "x.score": scores})
    selection = DS2(score="x.score").rank(columns, 1500, generator())
    assert selection.notes["levels"] == LEVELS.tolist()
    assert np.array_equal(selection.gain, true[selection.order])
    with pytest.raises(ValueError, match="low must be below high"):
        DS2(low=5, high=5)


def test_rarity_by_hand() -> None:
    assert rarity(np.array([[1.0, 1.0], [0.5, 0.0]])) == pytest.approx([0.0, 2 / (1 + np.exp(-0.75)) - 1])


@given(st.integers(2, 30), st.integers(1, 12), st.integers(0, 9))
def test_neighbours_equal_brute_force(n: int, count: int, seed: int) -> None:
    vectors = unit(np.random.default_rng(seed).standard_normal((n, 4)))
    found, cosines = nearest(vectors, count)
    full = vectors @ vectors.T
    np.fill_diagonal(full, -2)
    assert found.shape == (n, min(count, n - 1))
    np.testing.assert_allclose(cosines, -np.sort(-full, axis=1)[:, : found.shape[1]], atol=1e-6)
    assert all(i not in row for i, row in enumerate(found.tolist()))


def test_kappa_of_equal_and_of_unrelated() -> None:
    a = np.random.default_rng(0).integers(0, 3, 100_000)
    assert kappa(a, a, 3) == 1.0
    assert abs(kappa(a, np.roll(a, 1), 3)) < 0.01
