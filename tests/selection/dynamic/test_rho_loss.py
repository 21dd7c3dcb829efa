"""RHO-loss: the choice by hand, and a pool with swapped answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError, build
from dataflywheel.selection.dynamic.rho_loss import RhoLoss
from tests.selection.dynamic.draws import step, training_rows


@given(st.integers(4, 40), st.integers(0, 50), st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_the_rows_furthest_above_the_reference_are_chosen(n: int, seed: int, ratio: float) -> None:
    rng = np.random.default_rng(seed)
    reference, loss = rng.integers(0, 4, n) / 2, rng.integers(0, 4, n) / 2
    draw = RhoLoss(ratio=ratio).start(training_rows(n, reference=[[r, r] for r in reference]), 4, seed)
    for _ in range(5):
        offered = draw.candidates(4)
        assert len(set(offered.tolist())) == len(offered) == min(n, int(np.ceil(4 / ratio)))
        if ratio == 1.0:
            continue
        chosen = draw.next_batch(offered, loss[offered], 4)
        best = sorted(offered.tolist(), key=lambda i: (reference[i] - loss[i], f"r{i:04d}"))[:4]
        assert chosen.tolist() == best


def test_the_reference_goes_with_the_row_and_not_with_its_place() -> None:
    reference = np.array([3.0, 0.0, 1.0, 2.0, 0.5])
    loss = np.array([3.1, 0.05, 1.9, 2.5, 0.4])
    ids = ["c", "a", "e", "b", "d"]
    for order in (np.arange(5), np.array([4, 2, 0, 3, 1])):
        rows = training_rows(5, reference=[[r] for r in reference[order]], ids=[ids[i] for i in order])
        chosen = step(RhoLoss(ratio=0.4).start(rows, 2, 0), 2, loss[order])
        assert [ids[order[i]] for i in chosen] == ["e", "b"]


def test_rows_without_a_reference_are_never_drawn_and_counted() -> None:
    reference = [[1.0], [], [1.0], [], [1.0], [1.0]]
    draw = RhoLoss(ratio=0.5).start(training_rows(6, reference=reference), 2, 0)
    seen = {int(i) for _ in range(20) for i in step(draw, 2, np.full(6, 2.0) + np.arange(6) % 4)}
    assert seen <= {0, 2, 4, 5}
    assert draw.summary() == {"without_reference": 2}
    with pytest.raises(UsageError, match="4 of 6 rows have a reference loss, fewer than a batch of 5"):
        RhoLoss().start(training_rows(6, reference=reference), 5, 0)


def test_state_is_json_and_all_there_is() -> None:
    rows = training_rows(50, reference=[[1.0]] * 50)
    loss = np.random.default_rng(1).random(50)
    draw, other = (RhoLoss(ratio=0.2).start(rows, 4, 9) for _ in range(2))
    for _ in range(7):
        step(draw, 4, loss)
    other.load_state_dict(json.loads(json.dumps(draw.state_dict())))
    assert [step(draw, 4, loss).tolist() for _ in range(9)] == [step(other, 4, loss).tolist() for _ in range(9)]


def test_a_ratio_is_a_share() -> None:
    for wrong in (0.0, 1.5):
        with pytest.raises(UsageError, match="ratio"):
            build(RhoLoss, {"ratio": wrong})
