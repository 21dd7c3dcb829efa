"""Random choice balanced by source."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Columns
from dataflywheel.selection.static.source_balanced_random import SourceBalancedRandom
from tests.selection.columns import generator
from tests.selection.test_quota import leximin_counts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(0, 2**20))
def test_balanced_prefixes_are_max_min_fair(sizes: list[int], seed: int) -> None:
    source = np.repeat([f"s{i}" for i in range(len(sizes))], sizes)
    columns = Columns(np.array([f"r{i:03d}" for i in range(len(source))]), {"row.source": source})
    order = SourceBalancedRandom().rank(columns, len(source), generator(seed)).order
    for budget in range(len(source) + 1):
        got = [int((source[order[:budget]] == f"s{i}").sum()) for i in range(len(sizes))]
        assert sorted(got) == sorted(leximin_counts(budget, sizes))
