"""Bits per byte by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataflywheel.evolution.feedback.evaluate import Evaluate, score_rows
from dataflywheel.evolution.metrics.bits_per_byte import NO_ANSWER, BitsPerByte
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message, table
from tests.evolution.metrics.planted import ROWS, copier, rows


def test_it_is_the_loss_over_the_bytes() -> None:
    model, pool = copier(), rows()
    found = score_rows(model, pool, ["bits_per_byte"] * ROWS, ["s"] * ROWS, Evaluate())
    messages = pool["messages"].to_pylist()
    nats = [model.answer_scores(model.encode([m])).total[0] for m in messages]
    size = [len(m[-1]["content"].encode()) for m in messages]
    assert found.metric() == pytest.approx(sum(nats) / math.log(2) / sum(size), rel=1e-4)
    assert found.metric() < 0.5


def test_an_answer_that_does_not_fit_and_none_at_all_are_not_scored() -> None:
    pool = table([prompt_answer_row("repeat", "amber " * 3000), make_row([message("user", "repeat")])])
    found = score_rows(copier(), pool, ["bits_per_byte"] * 2, ["s"] * 2, Evaluate())
    assert np.isnan(found.value).all()
    assert BitsPerByte().lacks(pool.to_pylist()[1]) == NO_ANSWER
