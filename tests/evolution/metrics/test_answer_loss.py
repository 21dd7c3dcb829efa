"""Answer loss by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dataflywheel.evolution.feedback.evaluate import Evaluate, score_rows
from dataflywheel.evolution.metrics.named import better
from tests.evolution.metrics.planted import ROWS, copier, rows


def test_it_is_the_mean_loss_of_all_answer_tokens() -> None:
    model, pool = copier(), rows()
    found = score_rows(model, pool, ["answer_loss"] * ROWS, ["s"] * ROWS, Evaluate())
    scores = [model.answer_scores(model.encode([turns])) for turns in pool["messages"].to_pylist()]
    nats, tokens = (np.array([getattr(one, name)[0] for one in scores]) for name in ("total", "tokens"))
    assert found.metric() == pytest.approx(nats.sum() / tokens.sum(), rel=1e-4)
    assert found.metric(np.array([0, 1])) == pytest.approx(nats[:2].sum() / tokens[:2].sum(), rel=1e-4)
    assert better("answer_loss") == "lower"
