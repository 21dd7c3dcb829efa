"""Uniform choice."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import Columns
from dataflywheel.selection.static.random import Random
from tests.selection.columns import generator, make_columns


def test_random_is_uniform() -> None:
    columns, rng = make_columns(20), generator()
    seen = np.zeros(20)
    for _ in range(2000):
        seen[Random().rank(columns, 5, rng).order[:5]] += 1
    # 2,000 draws of 5 of 20: 500 expected, standard deviation 19.4
    assert np.abs(seen - 500).max() < 4.5 * 19.4


def test_rows_that_go_leave_the_others_their_places() -> None:
    columns = make_columns(400)
    fewer = Columns(columns.ids[::2])
    whole = [columns.ids[k] for k in Random().rank(columns, 400, generator()).order]
    left = [fewer.ids[k] for k in Random().rank(fewer, 200, generator()).order]
    assert left == [id for id in whole if id in set(left)]
    assert left != [fewer.ids[k] for k in Random().rank(fewer, 200, np.random.default_rng(9)).order]
