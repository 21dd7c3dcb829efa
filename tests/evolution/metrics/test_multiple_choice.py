"""The likeliest of given choices."""

from __future__ import annotations

import numpy as np
import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.evolution.feedback.evaluate import Evaluate, score_rows
from dataflywheel.evolution.metrics.multiple_choice import NO_CHOICES, MultipleChoice
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message, table
from tests.evolution.metrics.planted import ROWS, copier, rows


def test_the_right_choice_is_the_likeliest() -> None:
    found = score_rows(copier(), rows(choices=True), ["multiple_choice"] * ROWS, ["s"] * ROWS, Evaluate())
    assert found.metric() > 0.9
    with pytest.raises(FlywheelError, match="has no field `choices`"):
        score_rows(copier(), rows(), ["multiple_choice"] * ROWS, ["s"] * ROWS, Evaluate())


def test_rows_that_cannot_be_scored_say_why_and_a_choice_that_does_not_fit_decides_nothing() -> None:
    lacks = MultipleChoice().lacks
    assert lacks(prompt_answer_row("Q", "a")) == NO_CHOICES
    assert lacks(make_row(prompt_answer_row("Q", "c")["messages"], extra={"choices": ["a", "b"]})) != ""
    thinking = make_row([message("user", "Q"), message("assistant", "a", reasoning="Hm.")], extra={"choices": ["a"]})
    assert lacks(thinking) == ""
    long = make_row(prompt_answer_row("Q", "a")["messages"], extra={"choices": ["a", "amber " * 3000]})
    assert np.isnan(score_rows(copier(), table([long]), ["multiple_choice"], ["s"], Evaluate()).value).all()
