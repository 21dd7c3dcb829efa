"""RDS+ against the naive algorithm: every taker's whole sorted list, gone through turn by turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Columns, FlywheelError, Status, UsageError
from dataflywheel.selection import taking_turns
from dataflywheel.selection.static.rds_plus import RDSPlus, directions, nearest_of
from dataflywheel.selection.taking_turns import take_turns
from tests.selection.columns import generator, make_columns


def naive(scores: Any, budget: int, lose_turn: bool) -> list[int]:
    """Turn by turn over fully sorted lists."""
    lists = [sorted(range(scores.shape[1]), key=lambda i, row=row: (-row[i], i)) for row in scores]
    picked: list[int] = []
    while len(picked) < min(budget, scores.shape[1]):
        for mine in lists:
            if len(picked) == min(budget, scores.shape[1]):
                break
            if not lose_turn:
                mine[:] = [i for i in mine if i not in picked]
            row = mine.pop(0)
            if row not in picked:
                picked.append(row)
    return picked


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 80), st.integers(0, 90), st.booleans())
def test_turns_equal_the_naive_algorithm(seed: int, takers: int, n: int, budget: int, lose_turn: bool) -> None:
    # Few distinct values, so that ties and takers who want the same rows are common.
    scores = generator(seed).integers(0, 12, (takers, n)).astype(np.float32)
    order, gain, by = take_turns(lambda a, b: scores[a:b], takers, n, budget, lose_turn)
    assert order.tolist() == naive(scores, budget, lose_turn)
    np.testing.assert_array_equal(gain, scores[by, order] if len(order) else [])


@pytest.mark.parametrize("lose_turn", [True, False])
def test_small_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch, lose_turn: bool) -> None:
    rng = generator(4)
    pool, aims = directions(rng.standard_normal((300, 6))), directions(rng.standard_normal((11, 6)))
    groups = [np.arange(0, 5), np.arange(5, 6), np.arange(6, 11)]
    whole = nearest_of(pool, aims, groups)
    expected = take_turns(lambda a, b: whole[a:b], 3, 300, 200, lose_turn)
    monkeypatch.setattr(taking_turns, "CELLS", 300)
    monkeypatch.setattr(taking_turns, "FEWEST", 1)
    np.testing.assert_allclose(nearest_of(pool, aims, groups), whole, atol=1e-6)
    found = take_turns(lambda a, b: whole[a:b], 3, 300, 200, lose_turn)
    assert found[0].tolist() == expected[0].tolist() == naive(whole, 200, lose_turn)


@pytest.mark.parametrize("takers", ["slice", "row"])
@pytest.mark.parametrize("when_taken", ["lose_turn", "next_best"])
def test_selection_equals_brute_force(takers: Any, when_taken: Any) -> None:
    columns = make_columns(120)
    target = columns.target
    assert target is not None
    found = RDSPlus(takers=takers, when_taken=when_taken).rank(columns, 60, generator())
    by_id, by_target = np.argsort(columns.ids), np.argsort(target.ids)
    pool = columns["hidden_state.vector"][by_id].astype(float)
    aims = target["hidden_state.vector"][by_target].astype(float)
    cosine = (aims @ pool.T) / np.linalg.norm(pool, axis=1)
    slices = target["row.slice"][by_target]
    if takers == "slice":
        cosine = np.stack([cosine[slices == name].max(axis=0) for name in sorted(set(slices))])
        assert set(found.notes["taken_by"]) == set(slices)
        assert sum(found.notes["taken_by"].values()) == 60
    assert [str(columns.ids[i]) for i in found.order] == [
        str(columns.ids[by_id][i]) for i in naive(cosine, 60, when_taken == "lose_turn")
    ]


def test_by_default_slices_take_turns_and_the_rows_of_a_single_one() -> None:
    columns = make_columns(80)
    several = RDSPlus().rank(columns, 20, generator())
    assert several.order.tolist() == RDSPlus(takers="slice").rank(columns, 20, generator()).order.tolist()
    assert columns.target is not None
    columns.target.values["row.slice"][:] = "only"
    single = RDSPlus().rank(columns, 20, generator())
    assert single.order.tolist() == RDSPlus(takers="row").rank(columns, 20, generator()).order.tolist()
    assert single.order.tolist() != RDSPlus(takers="slice").rank(columns, 20, generator()).order.tolist()


def test_rows_near_a_slice_come_first_and_slices_share_evenly() -> None:
    rng = generator(1)
    centres = np.eye(4, 8)
    family = rng.integers(0, 4, 200)
    columns = make_columns(200)
    columns.values["hidden_state.vector"] = (centres[family] * 5 + rng.normal(0, 0.3, (200, 8))).astype(np.float32)
    target = Columns(
        np.array(["a", "b", "c", "d"]),
        {"hidden_state.vector": centres[[0, 0, 2, 2]].astype(np.float32), "row.slice": np.array(list("xxyy"))},
    )
    columns.target = target
    found = RDSPlus().rank(columns, 40, generator())
    assert np.bincount(family[found.order], minlength=4).tolist() == [20, 0, 20, 0]


def test_a_target_that_is_missing_or_unmeasured_is_refused() -> None:
    columns = make_columns(10)
    assert columns.target is not None
    columns.target.values["hidden_state.status"] = np.full(12, Status.FAILED, dtype=np.uint8)
    with pytest.raises(FlywheelError, match=r"no row of the target .* failed \(hidden_state\)"):
        RDSPlus().rank(columns, 5, generator())
    columns.target = None
    with pytest.raises(UsageError, match="target"):
        RDSPlus().rank(columns, 5, generator())
