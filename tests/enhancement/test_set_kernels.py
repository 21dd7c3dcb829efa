from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.enhancement.preparation.set_kernels import MARKS, jaccard, may_reach, set_marks

# Few first bits, so that members that differ fall on the same mark.
MEMBERS = st.sets(st.builds(lambda high, low: (high << 60) + low, st.integers(0, 15), st.integers(0, 12)), max_size=150)


@settings(max_examples=300, deadline=None)
@given(MEMBERS, MEMBERS, st.sampled_from([0.1, 0.5, 0.8, 1.0]))
def test_similarity_and_its_bound_against_sets(one: set[int], other: set[int], least: float) -> None:
    flat = np.array(sorted(one) + sorted(other), dtype=np.uint64)
    truth = len(one & other) / len(one | other) if one | other else 0.0
    value = jaccard(flat, 0, len(one), len(one), len(flat), least)
    if truth >= least:
        assert value == truth
    else:
        assert value in (0.0, truth)
    marks = np.zeros(MARKS, dtype=np.uint8)
    set_marks(flat, 0, len(one), marks, 1)
    if truth >= least:
        assert may_reach(flat, len(one), len(one), len(flat), marks, least)
    set_marks(flat, 0, len(one), marks, 0)
    assert not marks.any()


def test_sets_apart_are_refused_by_their_marks() -> None:
    flat = np.sort(np.random.default_rng(0).integers(0, 1 << 63, 800, dtype=np.uint64) * np.uint64(2))
    one, other = flat[::2], flat[1::2]
    both = np.concatenate([one, other])
    marks = np.zeros(MARKS, dtype=np.uint8)
    set_marks(both, 0, 400, marks, 1)
    assert not may_reach(both, 400, 400, 800, marks, 0.5)
    assert may_reach(np.concatenate([one, one]), 400, 400, 800, marks, 1.0)
