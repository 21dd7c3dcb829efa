from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Columns
from dataflywheel.selection.order import SCORE
from dataflywheel.selection.static.delt_folding import DeltFolding, folded
from tests.selection.columns import generator, make_columns

COLUMN = "likelihood.loss_answer"


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 7), st.integers(0, 45))
def test_folds_of_the_best_rows(values: list[int], folds: int, budget: int) -> None:
    score = np.array(values, dtype=np.float64) / 4
    ids = [f"r{(7 * i) % 41:02d}" for i in range(len(values))]
    selection = DeltFolding(score="x.score", folds=folds).rank(
        Columns(np.array(ids, dtype=str), {"x.score": score}), budget, generator()
    )
    order = selection.order.tolist()
    best = sorted(range(len(values)), key=lambda i: (-score[i], ids[i]))[:budget]
    assert sorted(order) == sorted(best)
    ascending = sorted(best, key=lambda i: (score[i], ids[i]))
    assert order == [i for fold in range(folds) for i in ascending[fold::folds]]
    assert selection.gain.tolist() == score[order].tolist()


@given(st.integers(0, 60), st.integers(1, 8))
def test_a_permutation_whose_folds_are_sorted_and_alike(n: int, folds: int) -> None:
    places = folded(n, folds)
    assert sorted(places.tolist()) == list(range(n))
    sizes = [len(range(fold, n, folds)) for fold in range(folds)]
    parts = np.split(places, np.cumsum(sizes)[:-1])
    assert all((np.diff(part) == folds).all() for part in parts)
    means = [part.mean() for part in parts if len(part)]
    assert max(means, default=0) - min(means, default=0) <= folds  # one step of a fold, whatever is left over


def test_one_fold_is_the_curriculum_and_the_default_score_is_the_steps() -> None:
    columns = make_columns(30)
    plain = DeltFolding(score=COLUMN, folds=1).rank(columns, 30, generator())
    assert (np.diff(columns[COLUMN][plain.order]) >= 0).all()
    assert DeltFolding().needs() == (SCORE,)
    assert not plain.nested


@pytest.mark.parametrize("folds", [2, 3, 5])
def test_fold_means_are_equal_within_one_step(folds: int) -> None:
    score = np.arange(60.0)
    order = (
        DeltFolding(score="x.score", folds=folds)
        .rank(
            Columns(np.array([f"{i:02d}" for i in generator(2).permutation(60)]), {"x.score": score}), 60, generator()
        )
        .order
    )
    means = score[order].reshape(folds, -1).mean(axis=1)
    assert np.diff(means).tolist() == pytest.approx([1.0] * (folds - 1))
