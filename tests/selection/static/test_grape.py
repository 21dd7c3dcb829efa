"""GRAPE against brute force over groups, with ties, failed scores and rows without a prompt."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Columns, Status
from dataflywheel.selection.combine import select_rows
from dataflywheel.selection.order import rejections
from dataflywheel.selection.spec import Select
from dataflywheel.selection.static.grape import GRAPE
from tests.selection.columns import generator

CASES = st.lists(
    st.tuples(st.sampled_from(["p", "q", "r", None]), st.sampled_from([0.5, 1.0, 2.0, math.nan])), min_size=1
)


def columns_of(cases: list[tuple[str | None, float]], seed: int = 0) -> Columns:
    keys, losses = zip(*cases, strict=True)
    failed, nameless = np.isnan(losses), np.array([key is None for key in keys])
    values: dict[str, Any] = {
        "prompt_group.key": np.array(keys, dtype=object),
        "prompt_group.status": np.where(nameless, Status.EMPTY, Status.OK).astype(np.uint8),
        "likelihood.loss_answer_given_prompt": np.array(losses),
        "likelihood.status": np.where(failed, Status.FAILED, Status.OK).astype(np.uint8),
    }
    return Columns(np.array([f"r{i:03d}" for i in generator(seed).permutation(len(cases))]), values)


@settings(max_examples=150, deadline=None)
@given(CASES, st.integers(0, 99))
def test_one_row_a_prompt_as_by_brute_force(cases: list[tuple[str | None, float]], seed: int) -> None:
    columns = columns_of(cases, seed)
    groups = defaultdict(list)
    for (key, loss), id in zip(cases, columns.ids, strict=True):
        if key is not None and not math.isnan(loss):
            groups[key].append((loss, str(id)))
    expected = sorted(min(members) for members in groups.values())
    found = GRAPE().rank(columns, len(cases), generator())
    assert [str(columns.ids[i]) for i in found.order] == [id for _, id in expected]
    assert (-found.gain).tolist() == [loss for loss, _ in expected]
    keys = {key for key, _ in cases if key is not None}
    assert GRAPE().remarks(columns)["prompts_without_a_score"] == len(keys - set(groups))
    others = {id for members in groups.values() for _, id in members} - {id for _, id in expected}
    assert {str(columns.ids[i]) for i in rejections(found)} == others
    for row, why in rejections(found).items():
        assert why.near is not None
        assert cases[row][0] == cases[why.near][0]


def test_every_row_says_why_and_prompts_without_a_score_are_reported() -> None:
    cases: list[tuple[str | None, float]] = [("p", 1.0), ("p", 0.5), ("q", math.nan), ("q", math.nan), ("r", 3.0)]
    columns = columns_of(cases)
    selection, decisions = select_rows(columns, Select(by="grape", keep="100%"), generator())
    assert sorted(selection.order.tolist()) == [1, 4]
    assert selection.notes["grape"]["prompts_without_a_score"] == 1
    assert decisions.reason[0] == "another answer to the same prompt is likelier"
    assert decisions.other[0] == columns.ids[1]
    assert decisions.reason[2] == decisions.reason[3] == "not measured: failed (likelihood)"
