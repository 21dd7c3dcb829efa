"""Uniform choice."""

from __future__ import annotations

import numpy as np

from dataflywheel.selection.static.random import Random
from tests.selection.columns import generator, make_columns


def test_random_is_uniform() -> None:
    columns, rng = make_columns(20), generator()
    seen = np.zeros(20)
    for _ in range(2000):
        seen[Random().rank(columns, 5, rng).order[:5]] += 1
    # 2,000 draws of 5 of 20: 500 expected, standard deviation 19.4
    assert np.abs(seen - 500).max() < 4.5 * 19.4
