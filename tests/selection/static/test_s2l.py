"""S2L: shares against the plain loop from the smallest group up; planted kinds of rows are told apart."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Columns
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from dataflywheel.selection.static.s2l import S2L, even_order, trajectory_clusters
from dataflywheel.signals.model.trajectory import Trajectory
from tests.models.copy_skill import WORDS, conversation
from tests.models.planted_skills import mixed_pool, pool_model, skill_rows
from tests.selection.columns import generator, make_columns


def smallest_first(sizes: dict[int, int], budget: int) -> dict[int, int]:
    """Each group in turn, from the smallest, an equal part of what is left; of equal sizes the earlier has the rest."""
    shares, left = {}, budget
    groups = sorted(sizes, key=lambda g: (sizes[g], -g))
    for i, group in enumerate(groups):
        shares[group] = min(sizes[group], left // (len(groups) - i))
        left -= shares[group]
    return shares


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(0, 70), st.integers(0, 99))
def test_every_prefix_is_shared_as_from_the_smallest_group_up(groups: list[int], budget: int, seed: int) -> None:
    group = np.unique(groups, return_inverse=True)[1]
    order = even_order(group, generator(seed).permutation(len(group)))
    assert sorted(order.tolist()) == list(range(len(group)))
    sizes = dict(enumerate(np.bincount(group).tolist()))
    taken = np.bincount(group[order[:budget]], minlength=len(sizes)).tolist()
    assert sum(taken) == min(budget, len(group))
    assert dict(enumerate(taken)) == smallest_first(sizes, budget)


def test_tiny_clusters_come_last() -> None:
    group = np.array([0, 0, 0, 1, 2, 2, 2, 2, 3, 3])
    order = even_order(group, np.arange(10), last=2)
    assert order.tolist() == [4, 0, 5, 1, 6, 2, 7, 8, 3, 9]


def test_budgets_are_exact_by_source_and_by_cluster() -> None:
    columns = make_columns(200, seed=3)
    selector = S2L(clusters=4)
    found = selector.rank(columns, 60, generator())
    sizes = {name: int((columns["row.source"] == name).sum()) for name in ("alpaca", "dolly", "flan")}
    names = sorted(sizes)
    expected = smallest_first({i: sizes[name] for i, name in enumerate(names)}, 60)
    assert found.notes["taken_by_source"] == {name: expected[i] for i, name in enumerate(names)}
    assert sum(found.notes["taken_by_source"].values()) == 60
    chosen = set(found.order[:60].tolist())
    for i, name in enumerate(names):
        members = np.flatnonzero(columns["row.source"] == name)
        members = members[np.argsort(columns.ids[members])]
        cluster = trajectory_clusters(columns["trajectory.losses"][members].astype(float), 4)
        counted = np.bincount(cluster[[j for j, row in enumerate(members) if int(row) in chosen]], minlength=4)
        large = {c: int(n) for c, n in enumerate(np.bincount(cluster)) if n > 2}
        shares = smallest_first(large, min(expected[i], sum(large.values())))
        assert {c: int(counted[c]) for c in large} == shares


def adjusted_rand(a: list[int], b: list[str]) -> float:
    """Hubert and Arabie's index from the table of counts, by its formula."""
    counted = np.array([[sum(x == i and y == j for x, y in zip(a, b, strict=True)) for j in set(b)] for i in set(a)])

    def pairs(n: np.ndarray) -> float:  # type: ignore[type-arg]
        return float((n * (n - 1) / 2).sum())

    both, rows, cols = pairs(counted), pairs(counted.sum(axis=1)), pairs(counted.sum(axis=0))
    chance = rows * cols / pairs(np.array([len(a)]))
    return (both - chance) / ((rows + cols) / 2 - chance)


def test_what_can_be_learned_is_told_apart_from_what_cannot(tmp_path: Path) -> None:
    draw = random.Random(5)
    letters = "abcdefghijklmnopqrstuvwxyz"
    noise = [
        make_row(conversation(f"count: {' '.join(draw.sample(WORDS, 3))}", "".join(draw.choices(letters, k=24))))
        for _ in range(120)
    ]
    pool = pa.concat_tables([skill_rows("count", 120, seed=1), table(noise)])
    kinds = ["learned"] * 120 + ["noise"] * 120
    start = pool_model(mixed_pool(100))
    signal = Trajectory(model=start, points=3, epochs=2).prepared(lambda: pool, tmp_path)
    losses = np.array(signal.measure(pool.combine_chunks().to_batches()[0])["losses"].to_pylist())
    assert adjusted_rand(trajectory_clusters(losses, 2).tolist(), kinds) > 0.8
    columns = Columns(
        np.array(pool["id"].to_pylist()), {"trajectory.losses": losses, "row.source": np.array(["one"] * 240)}
    )
    order = S2L(clusters=2).rank(columns, 40, generator()).order[:40]
    assert abs(sum(kinds[i] == "noise" for i in order) - 20) <= 2
