"""Rows by a rating, from a floor on."""

from __future__ import annotations

import numpy as np

from dataflywheel.selection.order import rejections
from dataflywheel.selection.static.rated import Rated
from tests.selection.columns import generator, scored


def test_rated_keeps_from_the_floor_on() -> None:
    selection = Rated(score="x.score", at_least=4.5).rank(scored([4.5, 5, 4, np.nan, 4.5]), 5, generator())
    assert selection.order.tolist() == [1, 0, 4]
    assert {i: why.reason for i, why in rejections(selection).items()} == {2: "x.score below 4.5"}
    assert selection.notes["not_measured"] == 1
