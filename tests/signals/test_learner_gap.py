"""The learner's gap is the loss of the model in training, whichever round it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import table
from dataflywheel.signals.model.learner_gap import LearnerGap
from dataflywheel.signals.model.likelihood import Likelihood
from dataflywheel.store.run import RunDirectory

ROWS = [prompt_answer_row(f"Question {i}?", f"Answer number {i}, at some length.") for i in range(4)]


@pytest.fixture(scope="module")
def models() -> list[Path]:
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    tokenizer = pool_tokenizer([row["messages"] for row in ROWS], cache_dir=cache)
    return [init_tiny(tokenizer, "0.5m", seed=seed, cache_dir=cache) for seed in (1, 2)]


def test_the_gap_is_measured_with_the_model_that_was_trained_last(models: list[Path], tmp_path: Path) -> None:
    steps = [{"select": {"by": "random", "keep": 2}}, "train"]
    value = {"name": "a", "pool": [{"builtin": "python_docs"}], "models": {"student": str(models[0])}, "steps": steps}
    context = Context(recipe_from(value), RunDirectory(tmp_path / "run"), tmp_path / "store")
    tools = '[{"type": "function", "function": {"name": "look", "parameters": {}}}]'
    with_tools = make_row(ROWS[0]["messages"], tools=tools)
    (batch,) = table([*ROWS, prompt_answer_row("No answer", ""), with_tools]).to_batches()
    keys = set()
    for trained, model in ((None, models[0]), (models[1], models[1])):
        context = replace(context, trained=trained)
        signal = context.signal("learner_gap")
        assert isinstance(signal, LearnerGap)
        assert context.signal("learner_gap") is signal
        keys.add(signal.key())
        found = signal.measure(batch)
        same = Likelihood(model=ModelSpec(hf=str(model))).measure(batch)
        np.testing.assert_array_equal(found["gap"], same["loss_answer_given_prompt"])
        np.testing.assert_array_equal(found["status"], same["status"])
        assert np.isfinite(found["gap"]).tolist() == [True] * 4 + [False, True]
        assert found["gap"][5] != found["gap"][0]
    assert len(keys) == 2, "what one round's model says is not taken for another's"
