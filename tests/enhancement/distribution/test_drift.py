"""Drift tests: distances as other libraries compute them, p-values that are right, and power against planted shifts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from dataflywheel.contracts import Columns, Status, UsageError
from dataflywheel.enhancement.distribution.drift import FEATURES, DriftTest, drift, holm
from dataflywheel.signals.text.text_statistics import estimate_tokens
from tests.signals.rows import json_lines

LENGTH, LABEL, VECTOR = "text.tokens_answer", "row.source", "embedding.vector"
TOPICS = 6
DIRECTIONS = np.random.default_rng(77).standard_normal((TOPICS, 12))
"""The topics mean the same in every set."""


def unit(vectors: Any) -> Any:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def rows(n: int, seed: int, topics: Any = None, longer: float = 1.0, shares: Any = None) -> Columns:
    """`n` rows with log-normal lengths, one of four sources, and vectors around their topic."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, TOPICS - 1, n) if topics is None else np.asarray(topics)
    source = rng.choice(list("abcd"), n, p=[0.4, 0.3, 0.2, 0.1] if shares is None else shares)
    vectors = unit(2 * DIRECTIONS[topic] + rng.standard_normal((n, 12)))
    length = np.ceil(longer * rng.lognormal(4, 0.6, n)).astype(np.int32)
    values = {LENGTH: length, LABEL: source.astype(object), VECTOR: vectors}
    return Columns(np.array([f"r{i}" for i in range(n)]), values)


def by_test(found: list[DriftTest]) -> dict[str, DriftTest]:
    return {one.test: one for one in found}


def test_distances_are_those_of_other_computations() -> None:
    a, b = rows(150, 1), rows(220, 2, longer=1.2)
    found = by_test(drift(a, b, permutations=99))
    ks = stats.ks_2samp(a[LENGTH], b[LENGTH])
    assert found["KS"].statistic == pytest.approx(ks.statistic, abs=1e-12)
    table = [[int((side[LABEL] == name).sum()) for name in "abcd"] for side in (a, b)]
    assert found["chi-square"].statistic == pytest.approx(stats.chi2_contingency(table, correction=False)[0], rel=1e-9)
    pooled = np.concatenate([a[VECTOR], b[VECTOR]]).astype(np.float64)
    distance = cdist(pooled, pooled)
    width = np.median(distance[np.triu_indices(len(pooled), 1)])
    kernel = np.exp(-(distance**2) / (2 * width**2))
    sign = np.concatenate([np.full(150, 1 / 150), np.full(220, -1 / 220)])
    assert found["MMD"].statistic == pytest.approx(sign @ kernel @ sign, abs=3 / FEATURES)
    assert {(one.before, one.after) for one in found.values()} == {(150, 220)}


def test_p_values_agree_with_the_asymptotic_ones() -> None:
    a, b = rows(400, 3), rows(400, 4, longer=1.08, shares=[0.36, 0.3, 0.22, 0.12])
    for side, seed in ((a, 5), (b, 6)):  # without ties, where the asymptotic p is right
        side.values[LENGTH] = np.random.default_rng(seed).lognormal(4 + 0.01 * seed, 0.6, 400)
    found = by_test(drift(a, b, permutations=1999))
    table = [[int((side[LABEL] == name).sum()) for name in "abcd"] for side in (a, b)]
    assert found["chi-square"].p == pytest.approx(stats.chi2_contingency(table, correction=False)[1], abs=0.04)
    assert found["KS"].p == pytest.approx(stats.ks_2samp(a[LENGTH], b[LENGTH]).pvalue, abs=0.04)


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.5, 0.02]) == pytest.approx([0.08, 0.04, 0.5, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_equal_sets_do_not_drift_and_the_same_seed_gives_the_same_p() -> None:
    a, b = rows(200, 5), rows(200, 5)
    found = drift(a, b, permutations=99)
    assert all(one.statistic == pytest.approx(0, abs=1e-9) and one.p == 1 for one in found)
    other = rows(200, 6)
    assert drift(a, other, permutations=99) == drift(a, other, permutations=99)


def test_failed_rows_and_constant_columns_take_no_part() -> None:
    a, b = rows(100, 7), rows(100, 8)
    status = np.zeros(100, dtype=np.uint8)
    status[:30] = Status.FAILED
    a.values |= {"text.status": status, LABEL: np.full(100, "same", dtype=object)}
    b.values |= {LABEL: np.full(100, "same", dtype=object)}
    found = by_test(drift(a, b, permutations=19))
    assert (found["KS"].before, found["KS"].after) == (70, 100)
    assert "chi-square" not in found
    with pytest.raises(UsageError, match=r"none of .*text\.tokens_answer"):
        drift(a, Columns(b.ids, {}))


@pytest.mark.slow
def test_p_is_uniform_over_random_splits() -> None:
    """500 splits of one set of rows: no test sees a difference where there is none."""
    pool = rows(300, 9)
    seen: dict[str, list[float]] = {}
    for seed in range(500):
        order = np.random.default_rng(seed).permutation(300)
        for one in drift(pool.take(order[:150]), pool.take(order[150:]), permutations=99, seed=seed):
            seen.setdefault(one.test, []).append(one.p)
    assert set(seen) == {"KS", "chi-square", "MMD", "cluster shares"}
    for test, values in seen.items():
        assert stats.kstest(values, "uniform").pvalue > 0.01, test


SHIFTS: dict[str, tuple[set[str], dict[str, Any]]] = {
    "20 % of the topics new": ({"MMD", "cluster shares"}, {"topics": True}),
    "30 % longer": ({"KS"}, {"longer": 1.3}),
    "one class halved": ({"chi-square"}, {"shares": [0.2, 0.4, 0.267, 0.133]}),
}


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.slow
def test_power_against_planted_shifts(shift: str) -> None:
    """After Holm's correction, at 5 %, in more than 90 of 100 pairs of sets with 400 rows each."""
    expected, change = SHIFTS[shift]
    hits = dict.fromkeys(expected, 0)
    for seed in range(100):
        more = dict(change)
        if "topics" in more:
            topics = np.random.default_rng(seed).integers(0, TOPICS - 1, 400)
            more["topics"] = np.where(np.arange(400) < 80, TOPICS - 1, topics)
        for one in drift(rows(400, 2 * seed), rows(400, 2 * seed + 1, **more), permutations=199):
            if one.test in expected:
                hits[one.test] += one.drifted()
    assert min(hits.values()) > 90, hits


@pytest.mark.slow
def test_real_rows(data: Path) -> None:
    """Dolly by its own categories: random halves do not differ, and one category halved is seen."""
    pool = [row for row in json_lines(data / "dolly" / "dolly_pool.jsonl.gz") if row["category"]]
    category = np.array([row["category"] for row in pool], dtype=object)
    length = estimate_tokens([row["output"] for row in pool])
    columns = Columns(np.array([str(i) for i in range(len(pool))]), {LENGTH: length, LABEL: category})
    rng = np.random.default_rng(0)
    halves = [np.array_split(rng.permutation(len(pool)), 2) for _ in range(20)]
    adjusted = [one.adjusted for a, b in halves for one in drift(columns.take(a), columns.take(b), permutations=199)]
    assert sum(value <= 0.05 for value in adjusted) <= 4
    often = max(set(category), key=list(category).count)
    a, b = halves[0]
    kept = b[(category[b] != often) | (rng.random(len(b)) < 0.5)]
    assert by_test(drift(columns.take(a), columns.take(kept)))["chi-square"].drifted()
