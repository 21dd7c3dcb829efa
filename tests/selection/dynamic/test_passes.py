from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.selection.dynamic.passes import BySource, Passes


@given(st.integers(1, 30), st.lists(st.integers(0, 40), max_size=8), st.integers(0, 3))
def test_passes_are_permutations_however_they_are_cut(n: int, takes: list[int], seed: int) -> None:
    rows = Passes(np.arange(n) + 100, (seed,))
    drawn = np.concatenate([rows.take(k) for k in takes] or [np.empty(0, dtype=int)])
    assert len(drawn) == sum(takes)
    assert drawn.tolist() == Passes(np.arange(n) + 100, (seed,)).take(sum(takes)).tolist()
    for start in range(0, len(drawn) - n + 1, n):
        assert sorted(drawn[start : start + n]) == list(range(100, 100 + n))


@given(st.integers(1, 30), st.lists(st.integers(1, 30), max_size=12))
def test_distinct_rows_even_where_a_pass_ends(n: int, takes: list[int]) -> None:
    rows = Passes(np.arange(n), (0,))
    for k in takes:
        found = rows.take_distinct(min(k, n))
        assert len(set(found.tolist())) == len(found) == min(k, n)


def test_what_was_drawn_is_all_the_state() -> None:
    rows, other = Passes(np.arange(7), (3,)), Passes(np.arange(7), (3,))
    rows.take(10)
    other.drawn = rows.drawn
    assert rows.take(20).tolist() == other.take(20).tolist()
    assert Passes(np.arange(7), (4,)).take(7).tolist() != Passes(np.arange(7), (3,)).take(7).tolist()


def test_sources_are_drawn_by_weight_and_rows_within_them_in_passes() -> None:
    sources = ["b", "a", "b", "b", "c"] * 10
    rows = BySource(sources, seed=5)
    assert (rows.names, rows.sizes.tolist()) == (["a", "b", "c"], [10, 30, 10])
    drawn = [rows.draw(np.array([0.5, 0.2, 0.3]), 8, step) for step in range(500)]
    assert {len(one) for one in drawn} == {8}
    seen = np.bincount(np.concatenate(drawn), minlength=50)
    share = np.bincount(rows.of, weights=seen) / seen.sum()
    assert np.abs(share - [0.5, 0.2, 0.3]).max() < 3 * np.sqrt(0.25 / 4000)
    for source in range(3):
        assert np.ptp(seen[rows.of == source]) <= 1
