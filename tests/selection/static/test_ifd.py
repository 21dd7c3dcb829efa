"""Instruction-following difficulty, computed by hand."""

from __future__ import annotations

import math

import numpy as np

from dataflywheel.contracts import Status
from dataflywheel.selection.order import rejections
from dataflywheel.selection.static.ifd import IFD, difficulty
from tests.selection.columns import generator, likelihood


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


def test_the_likelihoods_may_stand_under_another_name() -> None:
    columns = likelihood([1.0, 1.8], [2.0, 2.0])
    others = likelihood([1.8, 0.2], [2.0, 2.0]).values
    columns.values |= {name.replace("likelihood", "lately"): held for name, held in others.items()}
    assert IFD().rank(columns, 2, generator()).order.tolist() == [1, 0]
    assert IFD(signal="lately").rank(columns, 2, generator()).order.tolist() == [0, 1]


def test_difficulty_is_never_invented() -> None:
    got = difficulty(np.array([1.0, math.nan, 1.0, math.inf]), np.array([0.0, 1.0, math.nan, 1.0]), "loss")
    assert np.isnan(got).all()
