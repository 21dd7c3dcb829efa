"""Scores of a model that has learnt a planted skill, against the arithmetic by hand."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.evolution.feedback.answering import answers
from dataflywheel.evolution.feedback.evaluate import Evaluate, score_rows
from dataflywheel.models.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from tests.models.copy_skill import copy_model, copy_rows


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return LanguageModel.load(ModelSpec(hf=str(copy_model())))


def rows(choices: bool = False) -> pa.Table:
    made = []
    for right, wrong in zip(copy_rows(24, seed=5), copy_rows(24, seed=6), strict=True):
        options = [wrong[1]["content"], right[1]["content"]]
        made.append(make_row(right, extra={"choices": options} if choices else {}))
    return table(made)


def test_bits_per_byte_is_the_loss_over_the_bytes(model: LanguageModel) -> None:
    pool = rows()
    found = score_rows(model, pool, ["bits_per_byte"] * 24, ["s"] * 24, Evaluate())
    messages = pool["messages"].to_pylist()
    nats = [model.answer_scores(model.encode([m])).total[0] for m in messages]
    size = [len(m[-1]["content"].encode()) for m in messages]
    assert found.metric() == pytest.approx(sum(nats) / math.log(2) / sum(size), rel=1e-4)
    assert found.metric() < 0.5


def test_the_right_choice_is_the_likeliest(model: LanguageModel) -> None:
    found = score_rows(model, rows(choices=True), ["multiple_choice"] * 24, ["s"] * 24, Evaluate())
    assert found.metric() > 0.9
    with pytest.raises(FlywheelError, match="has no field `choices`"):
        score_rows(model, rows(), ["multiple_choice"] * 24, ["s"] * 24, Evaluate())


def test_exact_match_reads_what_the_model_writes(model: LanguageModel) -> None:
    found = score_rows(model, rows(), ["exact_match"] * 24, ["s"] * 24, Evaluate(max_new_tokens=16))
    assert found.metric() > 0.8
    assert set(np.unique(found.value)) <= {0.0, 1.0}


def test_metrics_are_never_mixed(model: LanguageModel) -> None:
    with pytest.raises(FlywheelError, match="one metric at a time"):
        score_rows(model, rows(), ["bits_per_byte"] * 23 + ["exact_match"], ["s"] * 24, Evaluate())


def test_answers_of_the_model_are_scored(model: LanguageModel) -> None:
    """A model that copies: what it is asked to say is its final answer."""
    rows = table([make_row(turns) for turns in copy_rows(12, seed=5)])
    exact = score_rows(model, rows, ["exact_match"] * 12, ["s"] * 12, Evaluate(max_new_tokens=16))
    final = score_rows(model, rows, ["final_answer"] * 12, ["s"] * 12, Evaluate(max_new_tokens=16))
    assert final.metric() >= exact.metric() > 0.6
    drawn = Evaluate(max_new_tokens=16, samples=3, k=3, temperature=0.7)
    several = score_rows(model, rows, ["final_answer"] * 12, ["s"] * 12, drawn)
    assert several.metric() >= 0.6
    assert several.value.tolist() == score_rows(model, rows, ["final_answer"] * 12, ["s"] * 12, drawn).value.tolist()


def test_samples_do_not_depend_on_their_neighbours(model: LanguageModel) -> None:
    prompts = [turns[:1] for turns in copy_rows(4, seed=1)]
    together = answers(model, prompts, 8, samples=3, temperature=1.5)
    assert together[2] == answers(model, prompts[2:3], 8, samples=3, temperature=1.5)[0]
    assert len({text for texts in together for text in texts}) > 4
