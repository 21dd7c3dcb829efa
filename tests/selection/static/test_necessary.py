"""What is kept after a warm-up: what it learned, and what its model answers badly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import Columns, Status
from dataflywheel.selection.combine import Select, select_rows
from dataflywheel.selection.static.necessary import Necessary

IDS = np.array(list("gfedcba"))
REWARD = np.array([0.9, -0.1, np.nan, -0.5, 0.0, -0.2, np.nan], dtype=np.float32)
POINTS = np.array([[9.0, 0], [1, 0], [2, 0], [1, 1], [3, 3], [8, 0], [0, 0]], dtype=np.float32)


def columns() -> Columns:
    status = np.where(np.isnan(REWARD), Status.EMPTY, Status.OK).astype(np.uint8)
    return Columns(
        IDS,
        {
            "row.learned": np.array([0, 0, 0, 0, 0, 0, 1], dtype=bool),
            "own_answer.reward": REWARD,
            "own_answer.status": status,
            "embedding.vector": POINTS,
            "embedding.status": np.zeros(7, np.uint8),
        },
    )


def kept(keep: int, **more: Any) -> tuple[list[str], dict[str, str]]:
    selection, decisions = select_rows(columns(), Select(by=[{"necessary": more}], keep=keep), np.random.default_rng(0))
    return columns().ids[selection.order].tolist(), dict(zip(decisions.ids, decisions.reason, strict=True))


def test_what_was_learned_stays_though_its_own_answer_has_no_reward() -> None:
    chosen, why = kept(7)
    assert chosen[0] == "a"
    assert sorted(chosen) == ["a", "b", "d", "f"]
    assert (why["g"], why["c"]) == ("not necessary", "not necessary")  # 0 is not below 0
    assert why["e"] == "not measured: empty (own_answer)"


@pytest.mark.parametrize(("augment", "chosen"), [("k_center", ["a", "f", "b"]), ("union", ["a", "d", "b"])])
def test_order_by_hand(augment: str, chosen: list[str]) -> None:
    """Of d (1, 1), f (1, 0) and b (8, 0), f is nearest to their mean and b farthest from it; d has the least reward,
    b the next."""
    assert kept(3, augment=augment)[0] == chosen


def test_the_bound_moves_without_measuring_again() -> None:
    assert sorted(kept(7, below=0.01)[0]) == ["a", "b", "c", "d", "f"]
    assert kept(7, below=-1)[0] == ["a"]
    assert Necessary().needs() == ("row.learned", "embedding.vector", "own_answer.reward")
