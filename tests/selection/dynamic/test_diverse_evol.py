"""DiverseEvol: the picks of the plain algorithm, planted regions, and a first round that is a draw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Columns
from dataflywheel.selection.combine import select_rows
from dataflywheel.selection.dynamic.diverse_evol import VECTOR, DiverseEvol
from dataflywheel.selection.spec import Select


def columns(vectors: Any, start: int = 0) -> Columns:
    ids = np.array([f"r{i:05d}" for i in range(start, start + len(vectors))])
    return Columns(ids, {VECTOR: np.asarray(vectors, np.float32)})


def plain(pool: Any, known: Any, budget: int) -> list[int]:
    """The whole matrix of distances to the centres, a column longer with every pick."""
    pool, known = pool.astype(np.float64), known.astype(np.float64)
    far = np.linalg.norm(pool[:, None] - known[None], axis=2)
    left, picks = list(range(len(pool))), []
    for _ in range(budget):
        best = max(left, key=lambda i: far[i].min())
        picks.append(best)
        left.remove(best)
        far = np.concatenate([far, np.linalg.norm(pool - pool[best], axis=1)[:, None]], axis=1)
    return picks


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 30))
def test_the_picks_are_those_of_the_plain_algorithm(seed: int, centres: int, budget: int) -> None:
    rng = np.random.default_rng(seed)
    pool, known = rng.standard_normal((80, 6)), rng.standard_normal((centres, 6))
    offered = replace(columns(pool), earlier=columns(known, 80))
    found = DiverseEvol().rank(offered, budget, rng)
    assert found.order.tolist() == plain(offered[VECTOR], offered.earlier[VECTOR], budget)  # type: ignore[index]
    assert found.notes["centres"] == centres


def test_the_order_of_rows_and_of_centres_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    pool, earlier = columns(rng.standard_normal((90, 4))), columns(rng.standard_normal((20, 4)), 90)
    found = []
    for at, around in ((np.arange(90), np.arange(20)), (rng.permutation(90), rng.permutation(20))):
        offered = replace(pool.take(at), earlier=earlier.take(around))
        found.append(offered.ids[DiverseEvol().rank(offered, 30, rng).order].tolist())
    assert found[0] == found[1]


def test_two_thousand_rows_give_the_same_picks() -> None:
    rng = np.random.default_rng(0)
    offered = replace(columns(rng.standard_normal((2000, 16))), earlier=columns(rng.standard_normal((50, 16)), 2000))
    assert offered.earlier is not None
    found = DiverseEvol().rank(offered, 60, rng)
    assert found.order.tolist() == plain(offered[VECTOR], offered.earlier[VECTOR], 60)


def test_what_was_learned_before_is_not_chosen_again() -> None:
    """Ninety of a hundred rows lie where earlier rounds have been: the first picks are the other regions, one each."""
    region = np.repeat(np.arange(5), [60, 30, 4, 3, 3])
    rng = np.random.default_rng(1)
    spots = 10 * np.eye(5)
    pool = columns(spots[region] + rng.normal(0, 0.1, (100, 5)))
    earlier = columns(spots[[0, 0, 1]], 100)
    spec = Select(by=["diverse_evol"], keep=3)
    chosen, decisions = select_rows(replace(pool, earlier=earlier), spec, rng)
    assert sorted(region[chosen.order].tolist()) == [2, 3, 4]
    assert decisions.action.count("kept") == 3
    unmeasured = columns(np.full((3, 5), np.nan), 100)
    drawn = DiverseEvol().rank(replace(pool, earlier=unmeasured), 3, rng)
    assert drawn.reason.startswith("drawn at random")  # nothing is known to be farthest from


def test_the_first_round_is_a_draw_that_reads_nothing() -> None:
    first = Select(by=[{"diverse_evol": {}}, "longest"], then="diverse_evol", keep=3).at_first()
    assert first.label() == "random + longest > random"
    assert VECTOR not in first.needs()
    found = [DiverseEvol().rank(columns(np.eye(50)), 5, np.random.default_rng(s)).order[:5].tolist() for s in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("vector", [VECTOR, "last.vector"])
def test_its_own_column_follows_the_model_and_another_is_taken_as_it_is(vector: str) -> None:
    wanted = DiverseEvol(vector=vector).signal_parameters()
    assert wanted == ({"hidden_state": {"of": "trained", "pooling": "mean"}} if vector == VECTOR else {})
