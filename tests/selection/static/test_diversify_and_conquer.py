"""Diversify and Conquer: exact budgets, small clusters included, draws by quality, more of the pool covered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Columns
from dataflywheel.models.embedding.shared_embedder import shared_embedder
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.selection.static import diversify_and_conquer
from dataflywheel.selection.static.diversify_and_conquer import DiversifyAndConquer, cluster_weights
from tests.selection.columns import generator, unit
from tests.signals.rows import alpaca


def planted(sizes: list[int], seed: int = 0) -> tuple[Columns, Any]:
    """Clusters that nothing can mistake: one axis each, with a little noise; and each row's cluster."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    vectors = unit(np.eye(len(sizes))[cluster] + rng.normal(0, 0.01, (len(cluster), len(sizes))))
    values = {"embedding.vector": vectors, "rated.score": rng.standard_normal(len(cluster)), "gap.value": 1.0 * cluster}
    return Columns(np.array([f"r{i:05d}" for i in range(len(cluster))]), values), cluster


def found_clusters(columns: Columns, **more: Any) -> DiversifyAndConquer:
    return DiversifyAndConquer(score="rated.score", **more)


def handed_out(budget: int, sizes: list[int]) -> list[int]:
    """One row at a time to a cluster with the fewest that still has some."""
    got = [0] * len(sizes)
    for _ in range(min(budget, sum(sizes))):
        open_ones = [i for i in range(len(sizes)) if got[i] < sizes[i]]
        got[min(open_ones, key=lambda i: got[i])] += 1
    return got


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.integers(0, 90), st.integers(0, 5))
def test_budgets_are_exact_and_nested(sizes: list[int], budget: int, seed: int) -> None:
    """Whatever clusters k-means finds: so many rows as were asked for, and the beginning of a larger selection."""
    columns, _ = planted(sizes)
    everything = found_clusters(columns, clusters=6).rank(columns, sum(sizes), generator(seed))
    assert sorted(everything.order.tolist()) == list(range(sum(sizes)))
    selection = found_clusters(columns, clusters=6).rank(columns, budget, generator(seed))
    assert len(set(selection.order.tolist())) == len(selection.order) == min(budget, sum(sizes))
    assert selection.order.tolist() == everything.order[: len(selection.order)].tolist()


@pytest.fixture
def known_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters are the planted ones."""
    monkeypatch.setattr(diversify_and_conquer, "spherical_kmeans", lambda vectors, cells, seed: np.eye(cells))


@pytest.mark.usefixtures("known_cells")
@given(st.lists(st.integers(4, 30), min_size=2, max_size=6), st.integers(0, 6), st.integers(0, 200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shares_against_hand_out_one_by_one(sizes: list[int], cut: int, budget: int) -> None:
    sizes = [max(1, size - 3) if i < cut else size for i, size in enumerate(sizes)] + [60]
    columns, cluster = planted(sizes)
    order = found_clusters(columns, clusters=len(sizes)).rank(columns, budget, generator()).order
    assert np.bincount(cluster[order], minlength=len(sizes)).tolist() == handed_out(budget, sizes)


def test_within_a_cluster_the_draw_follows_exp_of_quality() -> None:
    vectors = unit(np.ones((4, 3)))
    quality = np.array([0.0, 1.0, 2.0, 3.0])
    columns = Columns(np.array(list("abcd")), {"embedding.vector": vectors, "rated.score": quality})
    first = [found_clusters(columns).rank(columns, 1, generator(s)).order[0] for s in range(3000)]
    weight = np.exp(quality / quality.std())
    assert np.bincount(first, minlength=4) / 3000 == pytest.approx(weight / weight.sum(), abs=0.03)
    best = found_clusters(columns, temperature=0).rank(columns, 4, generator())
    assert best.order.tolist() == [3, 2, 1, 0]


@pytest.mark.usefixtures("known_cells")
def test_a_gap_moves_the_budget_to_its_cluster() -> None:
    columns, cluster = planted([200, 200, 200])
    selection = found_clusters(columns, clusters=3, gap="gap.value").rank(columns, 90, generator())
    got = np.bincount(cluster[selection.order], minlength=3)
    weight = np.exp([0.0, 1.0, 2.0])
    assert got == pytest.approx(90 * weight / weight.sum(), abs=1)
    assert got.sum() == 90
    assert not selection.nested


@pytest.mark.usefixtures("known_cells")
def test_a_part_of_a_longer_ranking_divides_itself_as_the_whole_does() -> None:
    """Where groups share a step's budget, more rows are ranked than are kept, and the first of them are taken."""
    columns, cluster = planted([40, 40, 40])
    columns.values["gap.value"] = np.log([1.0, 2.0, 5.0])[cluster]
    longer = found_clusters(columns, clusters=3, gap="gap.value").rank(columns, 100, generator())
    assert np.bincount(cluster[longer.order[:32]]).tolist() == [4, 8, 20]


def test_cluster_weights_by_hand() -> None:
    found = cluster_weights(np.array([1.0, 3.0, 2.0, 700.0]), np.array([0, 0, 1, 2]), 3)
    assert found == pytest.approx([np.exp(-698), np.exp(-698), 1.0])


def test_more_of_the_pool_is_covered_than_by_quality_alone(data: Path) -> None:
    """Quality that lies in a few regions of real rows: the best rows crowd there, clusters do not."""
    texts = [f"{p}\n{a}" for p, a in alpaca(data)[:1500]]
    vectors = shared_embedder(EmbedderSpec(builtin="static")).encode(texts)
    quality = vectors @ vectors[7]
    ids = np.array([f"r{i:05d}" for i in range(len(texts))])
    columns = Columns(ids, {"embedding.vector": vectors, "rated.score": quality})
    from sklearn.cluster import KMeans

    region = KMeans(40, n_init=1, random_state=0).fit_predict(vectors)
    best = np.argsort(-quality)[:120]
    for seed in range(3):
        chosen = found_clusters(columns, clusters=60).rank(columns, 120, generator(seed)).order
        assert len(set(region[chosen])) > len(set(region[best])) + 5
        drawn = generator(seed).permutation(len(texts))[:120]
        assert quality[chosen].mean() > quality[drawn].mean()
