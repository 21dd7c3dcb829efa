"""Orders by length and likelihood, computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataflywheel.contracts import Columns, Status
from dataflywheel.selection.order import rejections
from dataflywheel.selection.static.ifd import IFD, difficulty
from dataflywheel.selection.static.longest import Longest
from dataflywheel.selection.static.perplexity import Perplexity
from tests.selection.columns import generator


def likelihood(given: list[float], alone: list[float] | None = None) -> Columns:
    values = {"likelihood.loss_answer_given_prompt": np.array(given)}
    if alone is not None:
        values["likelihood.loss_answer"] = np.array(alone)
    return Columns(np.array([f"r{i}" for i in range(len(given))]), values)


@pytest.mark.parametrize(
    ("keep", "expected"), [("top", [4, 0, 3, 1, 2]), ("low", [2, 1, 3, 0, 4]), ("middle", [3, 0, 1, 2, 4])]
)
def test_perplexity(keep: str, expected: list[int]) -> None:
    selection = Perplexity(keep=keep).rank(likelihood([4.0, 2.0, 1.0, 3.0, 9.0]), 5, generator())  # type: ignore[arg-type]
    assert selection.order.tolist() == expected
    assert selection.gain[0] == {"top": 9.0, "low": 1.0, "middle": 3.0}[keep]


def test_longest_breaks_ties_by_id() -> None:
    columns = Columns(np.array(["c", "a", "b"]), {"text.tokens_answer": np.array([5, 5, 9])})
    assert Longest().rank(columns, 3, generator()).order.tolist() == [2, 1, 0]


def test_ifd_by_hand() -> None:
    # ratios .5, .9, 1.5, 0/0, and a row that could not be measured
    columns = likelihood([1.0, 1.8, 3.0, 0.0, math.nan], [2.0, 2.0, 2.0, 0.0, 2.0])
    columns.values["likelihood.status"] = np.array([0, 1, 0, 0, Status.FAILED], dtype=np.uint8)
    selection = IFD().rank(columns, 5, generator())
    assert selection.order.tolist() == [1, 0]
    np.testing.assert_allclose(selection.gain, [0.9, 0.5])
    why = rejections(selection)
    assert why[2].reason == "ifd above 1"
    assert why[2].score == 1.5
    assert "not finite" in why[3].reason
    assert why[3].score is None
    assert set(why) == {2, 3}
    assert (selection.notes["not_measured"], selection.notes["truncated"], selection.notes["above_one"]) == (1, 1, 1)


def test_the_two_ratios_rank_differently() -> None:
    # .5 / 1 = .5 and 6 / 8 = .75 by loss; exp(-.5) = .61 and exp(-2) = .14 by perplexity
    columns = likelihood([0.5, 6.0], [1.0, 8.0])
    assert IFD(ratio="loss").rank(columns, 2, generator()).order.tolist() == [1, 0]
    by_perplexity = IFD(ratio="perplexity").rank(columns, 2, generator())
    assert by_perplexity.order.tolist() == [0, 1]
    np.testing.assert_allclose(by_perplexity.gain, [math.exp(-0.5), math.exp(-2)])


def test_difficulty_is_never_invented() -> None:
    got = difficulty(np.array([1.0, math.nan, 1.0, math.inf]), np.array([0.0, 1.0, math.nan, 1.0]), "loss")
    assert np.isnan(got).all()
