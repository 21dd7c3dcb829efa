"""Order by length."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import Columns
from dataflywheel.selection.static.longest import Longest
from tests.selection.columns import generator


def test_longest_breaks_ties_by_id() -> None:
    columns = Columns(np.array(["c", "a", "b"]), {"text.tokens_answer": np.array([5, 5, 9])})
    assert Longest().rank(columns, 3, generator()).order.tolist() == [2, 1, 0]
