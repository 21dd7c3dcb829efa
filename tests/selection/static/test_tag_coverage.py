"""Tags covered in passes, by hand and against random rows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Columns
from dataflywheel.selection.combine import select_rows
from dataflywheel.selection.order import rejections
from dataflywheel.selection.spec import Select
from dataflywheel.selection.static.tag_coverage import TagCoverage, covering_order
from tests.selection.columns import generator


def tagged(tags: list[list[str] | None]) -> Columns:
    held = np.empty(len(tags), dtype=object)
    held[:] = tags
    return Columns(np.array([f"row-{i:03d}" for i in range(len(tags))]), {"instag.tags": held})


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


def test_tags_merge_by_nearness_where_an_embedder_is_named_in_the_recipe() -> None:
    columns = tagged([["car"], ["car", "cooking"], ["automobile"], ["cooking"]])
    apart = Select(by=[{"tag_coverage": {"min_rows": 1}}], keep=3)
    near = Select(by=[{"tag_coverage": {"min_rows": 1, "embedder": "minilm", "nearness": 0.7}}], keep=3)
    told = [select_rows(columns, spec, generator())[0].notes["tag_coverage"] for spec in (apart, near)]
    assert [note["tags"] for note in told] == [3, 2]
    (line,) = told[1]["merge_table"]
    assert (line["tag"], line["merged_into"]) == ("automobile", "car")


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
