"""SPIN's pairs by a scripted model, and the loss by hand beside preference training against the previous model."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.distillation.model.dpo import DPO
from dataflywheel.evolution.iteration.spin import Spin
from dataflywheel.models.endpoint.account import account
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.rows.text import part_of, split_answer, text_of
from dataflywheel.store.answers import AnswerStore
from tests.distillation.model.support import loaded, untrained
from tests.models.copy_skill import copy_rows
from tests.models.endpoint.fake import FakeClient
from tests.synthesis.support import demand, failures, seeds

METHOD = Spin(model=ModelSpec(endpoint="http://localhost:1/v1", model="m"))


def test_a_pair_is_the_rows_answer_against_the_models_own() -> None:
    turns = [("system", "Be brief."), ("user", "One?"), ("assistant", "1"), ("user", "Two?"), ("assistant", "2")]
    row = make_row([message(*turn) for turn in turns], source="s", tags=["count"])
    client = FakeClient(lambda request: f" {request.messages[-1]['content']} {request.sample} ")
    (found,) = METHOD.propose_with(client, demand([row], turn=3))
    assert found.row is not None
    assert found.row["messages"] == row["messages"]
    assert found.row["rejected"] == [message("assistant", "Two? 3")]
    assert (found.row["parents"], found.row["made_by"], found.row["tags"]) == ([row["id"]], "spin", ["count"])
    (asked,) = client.requests
    assert [m["role"] for m in asked.messages] == ["system", "user", "assistant", "user"]
    assert (asked.sampling.temperature, asked.sampling.max_tokens, asked.sample) == (1.0, 256, 3)


def test_what_is_no_pair_says_why() -> None:
    said = {
        "same": " gold ",
        "empty": "  ",
        "cut": Reply(Outcome.TRUNCATED, "half of an ans"),
        "refused": Reply(Outcome.REFUSED, "no"),
        "down": Reply(Outcome.SERVER_ERROR, detail="500"),
    }
    rows = seeds(*((name, "gold") for name in said), ("question without an answer", ""))
    found = METHOD.propose_with(FakeClient(lambda request: said[request.messages[-1]["content"]]), demand(rows))
    assert [reason.partition(",")[0] for reason in failures(found)] == [
        "no pair", "no pair", "refused", "server error", "not rewritten",
    ]  # fmt: skip
    assert found[2].row is not None
    assert text_of(found[2].row["rejected"] or []) == "half of an ans"


def test_white_space_tells_no_answer_from_the_other() -> None:
    (row,) = seeds(("Say it.", "\n  gold \n\n"))
    (found,) = METHOD.propose_with(FakeClient(lambda request: " own\n"), demand([row]))
    assert found.row is not None
    assert (part_of(found.row["messages"], "answer"), text_of(found.row["rejected"] or [])) == ("gold", "own")


def loglikelihoods(folder: Path, rows: list[Row]) -> Any:
    """(rows, 2): of the human and of the own answer."""
    model = loaded(folder)
    own = [[*split_answer(row["messages"])[0], *(row["rejected"] or [])] for row in rows]
    answers = [row["messages"] for row in rows], own
    return -np.stack([model.answer_scores(model.encode(part)).total for part in answers], axis=1)


def spin_loss(policy: Any, opponent: Any, beta: float) -> float:
    """-log sigmoid(beta [(log p(y) - log p(y')) - (log q(y) - log q(y'))]), y the human answer, y' the opponent's."""
    apart = (policy[:, 0] - policy[:, 1]) - (opponent[:, 0] - opponent[:, 1])
    return float(np.logaddexp(0.0, -beta * apart).mean())


def pairs(folder: Path, rows: list[Row], answers: Path) -> list[Row]:
    """SPIN rows by a local model as the opponent."""
    with closing(AnswerStore(answers)) as store, account(store):
        method = Spin(model=ModelSpec(hf=str(folder)), max_tokens=16)
        return [p.row for p in method.propose(demand(rows)) if p.row]


def rows_of(count: int, seed: int) -> list[Row]:
    return [make_row(turns) for turns in copy_rows(count, seed)]


@pytest.mark.slow
def test_the_loss_is_that_of_preference_training_against_the_previous_model(tmp_path: Path) -> None:
    opponent, policy = untrained(0), untrained(1)
    made = pairs(opponent, rows_of(12, 4), tmp_path / "answers.db")
    assert len(made) == 12
    settings = TrainSettings(max_steps=1, batch_size=12, dtype="float32")
    trained = DPO(beta=0.1).train(made, policy, tmp_path / "m", settings, reference=opponent)
    wanted = spin_loss(loglikelihoods(policy, made), loglikelihoods(opponent, made), 0.1)
    print(f"\npreference training {trained.losses[0]:.9f}, by hand {wanted:.9f}")
    assert trained.losses[0] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.slow
def test_own_answers_become_less_likely_and_fall_behind_human_ones(tmp_path: Path) -> None:
    rows = copy_rows(1500, seed=1)
    start = init_tiny(pool_tokenizer(rows, cache_dir=tmp_path), "0.5m", cache_dir=tmp_path)
    settings = TrainSettings(max_steps=60, batch_size=32, learning_rate=3e-3, dtype="float32")
    half_trained = train_sft(rows, start, tmp_path / "sft", settings).folder
    made = pairs(half_trained, rows_of(192, 3), tmp_path / "answers.db")
    unseen = pairs(half_trained, rows_of(64, 5), tmp_path / "answers.db")
    few = TrainSettings(max_steps=24, batch_size=32, learning_rate=1e-4, dtype="float32")
    after = DPO(beta=0.1).train(made, half_trained, tmp_path / "spin", few).folder
    gain = (loglikelihoods(after, unseen) - loglikelihoods(half_trained, unseen)).mean(axis=0)
    print(f"\n{len(made)} pairs: human answers {gain[0]:+.3f} nats, own answers {gain[1]:+.3f}")
    # Near words of one vocabulary, human answers lose a little too: the loss asks for the distance alone.
    assert gain[1] < -0.2
    assert gain[0] - gain[1] > 0.2
    assert all(part_of(row["messages"], "answer") != text_of(row["rejected"] or []) for row in made)
