"""Selectors over ratings: a floor, a temperature, tags."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from dataflywheel.contracts import Columns
from dataflywheel.selection.combine import Select, select_rows
from dataflywheel.selection.order import rejections
from dataflywheel.selection.static.gumbel_top_k import GumbelTopK
from dataflywheel.selection.static.rated import Rated
from dataflywheel.selection.static.tag_coverage import TagCoverage, covering_order
from tests.selection.columns import generator, make_columns


def scored(scores: list[float]) -> Columns:
    return Columns(np.array([f"row-{i}" for i in range(len(scores))]), {"x.score": np.array(scores)})


def tagged(tags: list[list[str] | None]) -> Columns:
    held = np.empty(len(tags), dtype=object)
    held[:] = tags
    return Columns(np.array([f"row-{i:03d}" for i in range(len(tags))]), {"instag.tags": held})


def test_rated_keeps_from_the_floor_on() -> None:
    selection = Rated(score="x.score", at_least=4.5).rank(scored([4.5, 5, 4, np.nan, 4.5]), 5, generator())
    assert selection.order.tolist() == [1, 0, 4]
    assert {i: why.reason for i, why in rejections(selection).items()} == {2: "x.score below 4.5"}
    assert selection.notes["not_measured"] == 1


def test_temperature_zero_is_the_order_by_score() -> None:
    columns = make_columns(200)
    cold = GumbelTopK(score="likelihood.loss_answer", temperature=0).rank(columns, 200, generator(7))
    assert cold.order.tolist() == Rated(score="likelihood.loss_answer").rank(columns, 200, generator()).order.tolist()


def draws(temperature: float, times: int) -> np.ndarray:
    """How often each of five rows comes first."""
    columns, rng = scored([0.0, 1.0, 2.0, 3.0, 4.0]), np.random.default_rng(0)
    selector = GumbelTopK(score="x.score", temperature=temperature)
    return np.bincount([selector.rank(columns, 1, rng).order[0] for _ in range(times)], minlength=5)


def test_a_high_temperature_is_uniform_and_others_follow_the_softmax() -> None:
    assert chisquare(draws(1e6, 5000)).pvalue > 0.01
    standard = np.arange(-2, 3) / np.sqrt(2)
    for temperature in (0.5, 2.0):
        weight = np.exp(standard / temperature)
        expected = 5000 * weight / weight.sum()
        assert chisquare(draws(temperature, 5000), expected).pvalue > 0.01
        assert chisquare(draws(temperature, 5000)).pvalue < 1e-6


def test_equal_scores_are_drawn_evenly() -> None:
    columns, rng = scored([3.0] * 4), np.random.default_rng(1)
    firsts = [GumbelTopK(score="x.score").rank(columns, 1, rng).order[0] for _ in range(2000)]
    assert chisquare(np.bincount(firsts)).pvalue > 0.01


def test_tag_coverage_by_hand() -> None:
    columns = tagged(
        [["a"], ["a", "b", "c"], ["b", "d"], ["c", "a"], None, ["d", "b"], ["e", "rare"], ["e"], ["e", "c"]]
    )
    # By number of tags: 1 (abc), then 2 (bd), 3 (ac), 5 (bd), 8 (ce), then 0 (a), 6 (e: "rare" is in one row), 7 (e).
    selection = TagCoverage().rank(columns, 9, generator())
    assert selection.order.tolist() == [1, 2, 8, 3, 5, 6, 0, 7]
    assert selection.gain.tolist() == [3, 1, 1, 2, 2, 1, 1, 1]
    assert {i: why.reason for i, why in rejections(selection).items()} == {4: "no tag that 2 rows have"}
    assert selection.notes["tags"] == 5
    rare = {"tag": "rare", "rows": 1, "merged_into": None, "reason": "dropped: in 1 of at least 2 rows"}
    assert selection.notes["merge_table"] == [rare]
    everything = TagCoverage(min_rows=1).rank(columns, 9, generator())
    assert everything.order.tolist() == [1, 2, 6, 3, 5, 8, 0, 7]


def test_the_merge_table_with_its_reasons_reaches_the_notes_of_a_step() -> None:
    columns = tagged([["stories"], ["story"], ["story", "math"], ["math"]])
    spec = Select(by=[{"tag_coverage": {}}], keep=2)
    notes = select_rows(columns, spec, generator())[0].notes["tag_coverage"]
    line = {"tag": "stories", "rows": 1, "merged_into": "story", "reason": "another spelling of 'story'"}
    assert json.loads(json.dumps(notes))["merge_table"] == [line]
    assert notes["merged"] == 1


@pytest.mark.parametrize("seed", range(10))
def test_more_tags_than_random_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, 201)
    tags = [[f"t{t}" for t in rng.choice(200, rng.integers(1, 5), False, share / share.sum())] for _ in range(400)]
    columns = tagged(tags)
    chosen = TagCoverage(min_rows=1).rank(columns, 60, generator()).order[:60]
    random = rng.choice(400, 60, replace=False)
    assert len({t for i in chosen for t in tags[i]}) > len({t for i in random for t in tags[i]})


def test_rows_without_a_tag_never_come() -> None:
    assert covering_order([[], ["a"], []], 5) == ([1], [1])


@given(st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4), max_size=20), st.integers(0, 25))
def test_all_rows_come_once_and_each_pass_covers_all_tags_left(tags: list[list[str]], budget: int) -> None:
    order, gain = covering_order(tags, len(tags))
    assert sorted(order) == list(range(len(tags)))
    assert all(g > 0 for g in gain)
    assert covering_order(tags, budget)[0] == order[:budget]
    known = {tag for row in tags for tag in row}
    seen: set[str] = set()
    for i in order:
        if seen == known:
            break
        assert set(tags[i]) - seen
        seen |= set(tags[i])
    assert seen == known
