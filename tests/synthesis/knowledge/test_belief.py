"""What a model believes: losses as a property, spellings that sum, and a small model that has seen half of a graph."""

from __future__ import annotations

import math
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.models.endpoint.account import account, client_for
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer, rows_digest
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.schema import Message, message
from dataflywheel.store.answers import AnswerStore
from dataflywheel.synthesis.knowledge.belief import ASK, LEAST, beliefs, surprise
from tests.models.endpoint.fake import FakeClient, first_token, parts_of

DATA = Path(os.environ.get("FLYWHEEL_DATA", "/none"))
SHARES = st.floats(0, 1)


@given(SHARES, SHARES)
def test_losses_are_finite_and_grow_with_the_probability_of_the_wrong_word(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= surprise(1 - low) <= surprise(1 - high) <= -math.log(LEAST) + 1e-9
    if high - low > 1e-9 and 1 - high > LEAST:
        assert surprise(1 - low) < surprise(1 - high)
    assert surprise(0.0) == surprise(LEAST / 2) == -math.log(LEAST)
    assert surprise(1.0) == 0


def believer(true: dict[str, float], false: dict[str, float]) -> FakeClient:
    return FakeClient(lambda request: first_token(false if "not" in parts_of(request)["statement"] else true))


def test_all_spellings_of_yes_and_no_count() -> None:
    client = believer({"Yes": 0.3, " yes": 0.2, "YES": 0.1, "\u2581Yes": 0.05, "No": 0.2, "no": 0.15},
                      {"**No": 0.45, '"no': 0.45, "yes": 0.1})  # fmt: skip
    (found,) = beliefs(client, [("Ann built it.", "Ann did not build it.")], "Judge.", "graph_gen")
    assert found.loss == pytest.approx((-math.log(0.65) - math.log(0.9)) / 2)
    assert len(found.replies) == 2
    assert all(request.sampling.max_tokens <= 16 and request.sampling.top_logprobs for request in client.requests)


def test_a_wholly_wrong_belief_has_the_greatest_loss_and_not_a_middling_one() -> None:
    pair = [("a", "not a")]
    sure, wrong, half = (
        beliefs(believer({"yes": y, "no": n}, {"yes": n, "no": y}), pair, "Judge.", "graph_gen")[0].loss
        for y, n in ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5))
    )
    assert (sure, half, wrong) == pytest.approx((0, math.log(2), -math.log(LEAST)))


def test_who_could_not_be_asked_has_no_loss() -> None:
    def answer(request: Request) -> Reply:
        said = parts_of(request)["statement"]
        if said == "fails":
            return Reply(Outcome.TIMED_OUT)
        return first_token({"Maybe": 0.95, "yes": 0.05} if said == "maybe" else {"yes": 0.9, "no": 0.1})

    found = beliefs(FakeClient(answer), [("fails", "b"), ("a", "maybe"), ("a", "b")], "Judge.", "graph_gen")
    assert [one.loss is None for one in found] == [True, True, False]
    assert found[0].why.startswith("timed out")
    assert found[1].why.startswith("malformed")
    assert beliefs(FakeClient(answer), [], "Judge.", "graph_gen") == []


def triples() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """100 triples that a model is taught, and 100 others of the same graph that it is not, each as a sentence with a
    denial: the same with another thing at its end, which no triple of the graph has."""
    lines = [line.split("\t") for line in (DATA / "kg_umls/train.tsv").read_text().splitlines()]
    every, draw = {tuple(line) for line in lines}, random.Random(5)
    ends = sorted({line[2] for line in lines})
    pairs = []
    for head, relation, tail in draw.sample(lines, 200):
        other = draw.choice([end for end in ends if (head, relation, end) not in every])
        pairs.append((_said(head, relation, tail), _said(head, relation, other)))
    return pairs[:100], pairs[100:]


def _said(head: str, relation: str, tail: str) -> str:
    return " ".join(part.replace("_", " ") for part in (head, relation, tail)) + "."


def area(low: np.ndarray, high: np.ndarray) -> float:
    """Probability that one of `high` is greater than one of `low`, ties half."""
    return float(((high[:, None] > low[None, :]) + 0.5 * (high[:, None] == low[None, :])).mean())


@pytest.mark.slow
@pytest.mark.skipif(not DATA.joinpath("kg_umls").is_dir(), reason="needs the data set kg_umls")
def test_a_small_model_is_more_surprised_by_triples_that_it_was_not_taught(tmp_path: Path) -> None:
    seen, unseen = triples()
    told = "True?"
    asked = FakeClient(lambda request: first_token({"yes": 1.0}))
    beliefs(asked, seen, told, "graph_gen")
    lessons: list[list[Message]] = [
        [*(message(str(turn["role"]), str(turn["content"])) for turn in request.messages), message("assistant", word)]
        for request, word in zip(asked.requests, ["yes", "no"] * len(seen), strict=True)
    ]
    assert ASK in lessons[0][-2]["content"]
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    start = init_tiny(pool_tokenizer(lessons, cache_dir=cache), "1m", cache_dir=cache)
    settings = TrainSettings(max_steps=600, batch_size=20, learning_rate=1e-3, dtype="float32")
    folder = cache / f"half-umls-{start.name}-{rows_digest(lessons, settings.version, settings.model_dump_json())}"
    if not folder.is_dir():
        train_sft(lessons, start, folder, settings)
    with account(AnswerStore(tmp_path / "answers.db")):
        found = beliefs(client_for(ModelSpec(hf=str(folder))), [*seen, *unseen], told, "graph_gen")
    losses = np.array([np.nan if one.loss is None else one.loss for one in found])
    known = np.isfinite(losses)
    taught, new = losses[:100][known[:100]], losses[100:][known[100:]]
    auc = area(taught, new)
    print(
        f"AUC {auc:.3f}: mean loss {taught.mean():.3f} of {len(taught)} taught, {new.mean():.3f} of {len(new)} others"
    )
    assert known.mean() > 0.95
    assert auc > 0.7
