"""Facility location as a selector: exact where the memory allows, within its cap elsewhere."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np

from dataflywheel.selection.greedy_cover import lazy_greedy, similarities
from dataflywheel.selection.static.facility_location import FacilityLocation
from tests.selection.columns import generator, vectors_only
from tests.selection.covering import clusters, plain_greedy, value


def test_no_pairwise_array_above_the_cap() -> None:
    n, capacity = 6000, 500
    vectors = clusters(n, 50)
    lazy_greedy(np.eye(2, dtype=np.float32), 1)  # compile outside of the measurement
    tracemalloc.start()
    columns = vectors_only(vectors)
    selection = FacilityLocation(memory_gb=4 * capacity**2 / 2**30).rank(columns, 100, generator())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(selection.order) == 100
    assert selection.notes["exact"] is False
    assert not selection.nested
    assert peak < 12_000_000 < 4 * n * n / 10


def test_exact_below_the_cap() -> None:
    vectors = clusters(300, 20)
    selection = FacilityLocation().rank(vectors_only(vectors), 20, generator())
    assert selection.notes["exact"] is True
    assert selection.order.tolist() == plain_greedy(similarities(vectors), 20)
    assert math.isclose(selection.notes["objective"], value(similarities(vectors), selection.order), rel_tol=1e-5)
