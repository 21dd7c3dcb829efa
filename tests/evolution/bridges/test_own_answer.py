"""Rewards as a signal: of the answers that a model writes to the prompts of rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dataflywheel.contracts import Status
from dataflywheel.evolution.bridges.own_answer import OwnAnswer
from dataflywheel.evolution.iteration.trial import trained
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from tests.evolution.bridges.support import measured


def skilled() -> list[tuple[str, str, str]]:
    """Three skills that are told apart by a word: how many rows of which the model learns is up to the test."""
    said = {"colour": "it is green", "number": "it is seven", "town": "it is far away"}
    return [(skill, f"{i} {skill} of the thing {i * 7 % 13}?", text) for skill, text in said.items() for i in range(12)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_low_rewards_are_of_the_skill_that_the_model_never_learned(seed: int, tmp_path: Path) -> None:
    """MoDS: necessity separates the rows of a third skill from those of the two that were learned."""
    rows = {skill: [prompt_answer_row(q, a) for s, q, a in skilled() if s == skill] for skill, _, _ in skilled()}
    known = rows["colour"][:8] + rows["number"][:8]
    every = [row for some in rows.values() for row in some]
    with PartWriter(tmp_path / "rows") as writer:
        writer.write(table(known))
    student = init_tiny(pool_tokenizer([row["messages"] for row in every], cache_dir=tmp_path), "0.5m", seed=seed)
    settings = TrainSettings(max_steps=60, max_length=64, batch_size=16, learning_rate=0.004, seed=seed)
    model, _ = trained(tmp_path, tmp_path / "rows", [row["id"] for row in known], student, settings)
    signal = OwnAnswer(reward="exact_match", model=ModelSpec(hf=str(model)), max_new_tokens=12)
    values, status, _ = measured(signal, every)
    assert status == [Status.OK] * len(every)
    assert [measured(signal, [row])[0][0] for row in every[::6]] == values[::6]  # one by one as all together
    lacking = [row in rows["town"] for row in every]
    assert roc_auc_score(lacking, -np.asarray(values, dtype=float)) > 0.8
