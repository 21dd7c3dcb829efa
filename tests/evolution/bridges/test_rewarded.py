"""Rewards as signals: of the answers that stand in rows, and of those that a model writes to their prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dataflywheel.contracts import Status, UsageError, build
from dataflywheel.evolution.bridges.answer_reward import AnswerReward
from dataflywheel.evolution.bridges.own_answer import OwnAnswer
from dataflywheel.evolution.iteration.trial import trained
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import Row, table

SCORES = """
def length(answer, row):
    return None if "?" in answer else float(len(answer))

def as_trl(prompts, completions, **rest):
    return [len(turns[0]["content"]) for turns in completions]
"""


@pytest.fixture
def scores(tmp_path: Path) -> str:
    (tmp_path / "scores.py").write_text(SCORES)
    return str(tmp_path / "scores.py")


def measured(signal: Any, rows: list[Row]) -> tuple[list[float | None], list[int], list[str | None]]:
    found = signal.measure(table(rows).to_batches()[0])
    values = [None if np.isnan(value) else round(float(value), 3) for value in found["reward"]]
    return values, found["status"].tolist(), found["error"]


def test_the_reward_of_a_rows_own_answer(scores: str) -> None:
    rows = [prompt_answer_row("Say", text) for text in ("Yes", "Why?", "")]
    values, status, why = measured(AnswerReward(reward={"python": {"function": f"{scores}:length"}}), rows)
    assert (values, status) == ([3.0, None, None], [Status.OK, Status.EMPTY, Status.EMPTY])
    assert why == [None, "the function gave no number", "no answer"]
    assert measured(AnswerReward(reward=f"python:{scores}:as_trl"), rows)[0] == [3.0, 4.0, None]
    assert measured(AnswerReward(reward="refusal"), [prompt_answer_row("Why?", "I cannot help with that.")])[0] == [0.0]


def test_what_it_depends_on_is_in_its_key(scores: str, tmp_path: Path) -> None:
    def key(name: str = "length") -> str:
        return AnswerReward(reward={"python": {"function": f"{scores}:{name}"}}).key()

    before = key()
    assert before == key()
    assert before != key("as_trl")
    (tmp_path / "scores.py").write_text(SCORES.replace("float(", "2.0 * float("))
    assert key() != before


@pytest.mark.parametrize(
    ("reward", "said"),
    [
        ("rubric", "rubric asks a model at an endpoint"),
        ("bits_per_byte", "scores no answer by itself"),
        ("final_anser", "did you mean 'final_answer'"),
    ],
)
def test_what_cannot_score_is_refused(reward: str, said: str) -> None:
    for kind in (AnswerReward, OwnAnswer):
        with pytest.raises(UsageError, match=said):
            build(kind, {"reward": reward, **({"model": "tiny"} if kind is OwnAnswer else {})})


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
