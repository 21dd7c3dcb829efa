"""Random choice matched in length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from dataflywheel.contracts import Columns, UsageError
from dataflywheel.selection.static.length_matched_random import LengthMatchedRandom, matched_to, nearest_unused
from dataflywheel.selection.static.longest import Longest
from dataflywheel.selection.static.random import Random
from tests.selection.columns import generator, make_columns


def test_length_matched_passes_kolmogorov_smirnov() -> None:
    rng = generator(2)
    n = 4000
    columns = Columns(
        np.array([f"r{i:05d}" for i in range(n)]), {"text.tokens_answer": rng.lognormal(4, 1, n).astype(int)}
    )
    length = columns["text.tokens_answer"]
    selected = np.argsort(rng.random(n) / length)[:500]  # leans to long answers
    assert ks_2samp(length[selected], length[Random().rank(columns, 500, rng).order[:500]]).pvalue < 1e-6
    for budget in (500, 200):
        drawn = matched_to(columns, selected).rank(columns, budget, generator(1)).order
        assert len(set(drawn.tolist())) == budget
        assert ks_2samp(length[selected], length[drawn]).pvalue > 0.05
    assert len(set(drawn.tolist()) & set(selected.tolist())) < 100


def test_matching_the_longest_can_only_give_the_longest() -> None:
    columns = make_columns(50)
    longest = Longest().rank(columns, 10, generator()).order[:10]
    length = columns["text.tokens_answer"]
    drawn = matched_to(columns, longest).rank(columns, 10, generator(4)).order
    assert sorted(length[drawn]) == sorted(length[longest])


def test_nothing_to_match() -> None:
    with pytest.raises(UsageError, match="lengths"):
        LengthMatchedRandom().rank(make_columns(5), 2, generator())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_nearest_unused_serves_exact_lengths_and_uses_no_row_twice(data: st.DataObject) -> None:
    values = np.array(sorted(data.draw(st.lists(st.integers(0, 12), min_size=1, max_size=15))))
    wanted = np.array(data.draw(st.lists(st.integers(0, 12), max_size=len(values))), dtype=int)
    picks = nearest_unused(values, wanted)
    assert len(set(picks.tolist())) == len(wanted)
    for length in set(wanted.tolist()):
        served = int((values[picks][wanted == length] == length).sum())
        assert served == min((wanted == length).sum(), (values == length).sum())
    for k, pick in enumerate(picks):
        free = set(range(len(values))) - set(picks.tolist())
        assert all(abs(values[f] - wanted[k]) >= abs(values[pick] - wanted[k]) for f in free)
