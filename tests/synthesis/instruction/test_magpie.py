"""Magpie: a small chat model is shown the opening of a user's turn; its draws are users' turns, ended and answered."""

from __future__ import annotations

import os
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.errors import UsageError
from dataflywheel.models.endpoint.account import account
from dataflywheel.models.endpoint.local_chat import LocalChat
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.kinds import Demand, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Message
from dataflywheel.store.answers import AnswerStore
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.lock import made_once
from dataflywheel.synthesis.instruction.magpie import Magpie
from dataflywheel.synthesis.instruction.pre_query_templates import own_template
from tests.models.endpoint.fake import FakeClient
from tests.signals.rating.support import MODEL, asking
from tests.support.endpoint import Endpoint
from tests.synthesis.support import demand, failures, pairs_of, seeds

VERBS, THINGS = ("Name", "Describe", "Draw", "Count"), ("birds", "rivers", "coins", "shoes", "clouds", "boats")
TURN = re.compile(rf"({'|'.join(VERBS)}) (two|three|four) ({'|'.join(THINGS)}) for me\.")
ANSWER = re.compile(rf"Here are (two|three|four) ({'|'.join(THINGS)})\.")
EMPTY = seeds(*((f"placeholder {i}", "") for i in range(40)))


def talk() -> list[list[Message]]:
    """Every conversation of the kind, once."""
    return [
        prompt_answer_row(f"{verb} {number} {thing} for me.", f"Here are {number} {thing}.")["messages"]
        for verb in VERBS
        for number in ("two", "three", "four")
        for thing in THINGS
    ]


@pytest.fixture(scope="module")
def chatty() -> ModelSpec:
    """A model that has read conversations of one kind, both sides of them; made once, then cached."""
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    folder = cache / "chatty-1"
    if not folder.is_dir():
        made_once(folder, lambda: train_on_both_sides(folder, cache))
    return ModelSpec(hf=str(folder))


def train_on_both_sides(folder: Path, cache: Path) -> None:
    import torch

    rows = talk()
    start = LanguageModel.load(
        ModelSpec(hf=str(init_tiny(pool_tokenizer(rows, cache_dir=cache), "0.5m", cache_dir=cache)))
    )
    texts = start.chat.render(rows)
    ids = [e.ids for e in start.chat.backend.encode_batch(texts, add_special_tokens=False)]
    width = max(map(len, ids))
    tokens = torch.tensor([one + [start.pad_id] * (width - len(one)) for one in ids])
    labels = torch.tensor([one + [-100] * (width - len(one)) for one in ids])
    draw = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(start.model.parameters(), lr=3e-3)
    for _ in range(350):
        batch = torch.randint(len(ids), (12,), generator=draw)
        start.model(input_ids=tokens[batch], labels=labels[batch]).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with atomic_directory(folder) as aside:
        start.model.save_pretrained(aside)
        start.tokenizer.save_pretrained(aside)


@pytest.mark.slow
def test_a_small_chat_model_ends_its_turn_and_answers_it(chatty: ModelSpec, tmp_path: Path) -> None:
    with closing(AnswerStore(tmp_path / "answers.db")) as store, account(store):
        method = Magpie(model=chatty, instruction_tokens=48, max_tokens=48)
        terms = Terms(rows=120, visits=10, wave=40, least_yield=0.0)
        done = fulfil(method, [], EMPTY, terms, Surroundings(), 0)
    proposals = [entry.proposal for entry in done.entries]
    ended = sum(p.replies[0].answered for p in proposals)
    pairs = pairs_of(proposals)
    formed = sum(TURN.fullmatch(prompt) is not None for prompt, _ in pairs)
    answers = sum(ANSWER.fullmatch(answer) is not None for _, answer in pairs)
    print(f"{len(proposals)} draws: {ended} ended, {formed} of the kind, {answers} answers, {len(set(pairs))} differ")
    assert ended > 0.9 * len(proposals)
    assert formed > 0.8 * len(pairs)
    assert answers > 0.8 * len(pairs)
    assert len(set(pairs)) > 20
    assert {p.facts["repair"] for p in proposals if p.row} <= {"none", "cut after its first question"}
    rows = [p.row for p in proposals if p.row]
    assert all((r["parents"], r["tags"], r["source"], r["made_by"]) == ([], [], "magpie", "magpie") for r in rows)


def test_draws_are_told_apart_and_the_same_when_run_again() -> None:
    def asked(wave: int) -> list[Request]:
        client = FakeClient(
            lambda request: "Name a bird." if "Name" not in str(request.prompt) else "Robin.", completion=True
        )
        Magpie(model=MODEL, template="chatml").propose_with(client, demand(EMPTY, wave=wave))
        return client.requests[: len(EMPTY)]

    first, second = asked(0), asked(1)
    assert first == asked(0)
    assert len({r.sample for r in first + second}) == 2 * len(EMPTY)
    assert {r.prompt for r in first} == {"<|im_start|>user\n"}
    assert "<|im_end|>" in first[0].sampling.stop
    assert "\n" not in first[0].sampling.stop


@given(st.lists(st.integers(1, 300), min_size=1, max_size=6), st.integers(0, 5))
def test_no_two_draws_of_a_job_have_one_number(waves: list[int], seed: int) -> None:
    """Whatever is drawn at random: here one number comes every time."""

    class Unlucky(np.random.Generator):
        def integers(self, *given: Any, size: Any = None, **more: Any) -> Any:
            return np.full(size, seed)

    numbers = [
        number
        for wave, size in enumerate(waves)
        for number in Magpie._numbers(Demand((EMPTY[0],) * size, (0,) * size, (), Unlucky(np.random.PCG64(0)), wave))
    ]
    assert len(set(numbers)) == len(numbers) == sum(waves)
    assert all(0 <= number < 1 << 62 for number in numbers)


def test_other_rounds_of_a_job_draw_other_turns() -> None:
    first, second = (Magpie._numbers(Demand(EMPTY, (0,) * 40, (), np.random.default_rng([s, 0]), 0)) for s in (1, 1010))
    assert not set(first) & set(second)


@pytest.mark.parametrize("named", [False, True])
def test_a_local_model_reads_one_bos(named: bool) -> None:
    """By its own format, and by a named one that begins with BOS or does not."""
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    model = LocalChat(ModelSpec(hf=str(init_tiny(pool_tokenizer(talk(), cache_dir=cache), "0.5m", cache_dir=cache))))
    tokenizer = model.model.tokenizer
    own = own_template(model.model.chat)
    assert own.opening.startswith(tokenizer.bos_token)
    openings = [own.opening, own.before("Be brief.")] if not named else ["User: ", f"{tokenizer.bos_token}User: "]
    for opening in openings:
        ids = model._encode(Request(prompt=opening))
        assert (ids[0], ids.count(tokenizer.bos_token_id)) == (tokenizer.bos_token_id, 1)


def test_the_answer_is_asked_for_behind_the_cleaned_turn_in_the_models_format() -> None:
    def say(request: Request) -> str:
        return "Robin." if "assistant" in str(request.prompt) else "Task: Name a bird.\nAnswer: Robin"

    client = FakeClient(say, completion=True)
    made = Magpie(model=MODEL, template="chatml", system="Be brief.", one_line=True).propose_with(
        client, demand(EMPTY[:2])
    )
    assert pairs_of(made) == [("Name a bird.", "Robin.")] * 2
    assert [p.facts["repair"] for p in made] == ["cut before an answer's label"] * 2
    assert client.requests[2].prompt == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nName a bird.<|im_end|>\n<|im_start|>assistant\n"
    )
    assert "\n" in client.requests[0].sampling.stop
    assert client.requests[2].sampling.temperature == 0


def test_a_talk_goes_on_behind_its_answers_in_the_models_format() -> None:
    def say(request: Request) -> str | Reply:
        text = str(request.prompt)
        turn = text.count("<|im_start|>user")
        if text.endswith("assistant\n"):
            return f"Answer {turn}."
        if turn == 3 and request.sample == ended:
            return Reply(Outcome.TRUNCATED)
        return f"Question {turn} of {request.sample}?"

    client = FakeClient(say, completion=True)
    given = demand(EMPTY[:3])
    ended = Magpie._numbers(demand(EMPTY[:3]))[1]
    method = Magpie(model=MODEL, template="chatml", turns=3)
    made = method.propose_with(client, given)
    (first, second, third) = [p.row["messages"] for p in made if p.row]
    assert [len(first), len(second), len(third)] == [6, 4, 6]
    assert [turn["content"] for turn in first[::2]] == [f"Question {i} of {made_by(first)}?" for i in (1, 2, 3)]
    assert [turn["content"] for turn in first[1::2]] == ["Answer 1.", "Answer 2.", "Answer 3."]
    assert [p.facts.get("turns") for p in made] == [3, 2, 3]
    assert made[1].facts["ended"].startswith("truncated")
    assert [len(p.replies) for p in made] == [6, 5, 6]
    assert method.calls_a_seed() == 6
    talk = next(r for r in client.requests if str(r.prompt).count("<|im_start|>user") == 2)
    assert str(talk.prompt).startswith("<|im_start|>user\nQuestion 1 of")
    assert str(talk.prompt).endswith("?<|im_end|>\n<|im_start|>assistant\nAnswer 1.<|im_end|>\n<|im_start|>user\n")


def made_by(talk: list[Message]) -> str:
    """The number of the draw that a talk is of."""
    return talk[0]["content"].rpartition(" ")[2].rstrip("?")


def test_what_is_no_turn_or_no_answer_fails() -> None:
    turns = iter(["", "Answer: only", Reply(Outcome.TRUNCATED), "Name a bird.", "Name a fish."])
    answers = iter(["", Reply(Outcome.REFUSED)])
    client = FakeClient(lambda r: next(answers) if "assistant" in str(r.prompt) else next(turns), completion=True)
    made = Magpie(model=MODEL, template="chatml").propose_with(client, demand(EMPTY[:5]))
    assert failures(made) == ["empty instruction", "empty instruction", "truncated", "empty answer", "refused"]
    assert [len(p.replies) for p in made] == [1, 1, 1, 2, 2]


def test_an_interface_without_completion_is_refused_before_anything_is_spent(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    with asking(endpoint, tmp_path) as spec, pytest.raises(UsageError, match="magpie needs completion"):
        Magpie(model=spec, template="chatml").propose(demand(EMPTY))
    assert endpoint.bill().lines == []


def test_through_an_endpoint_that_completes(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "echo", "text": "Name a bird.", "vary": True}])
    with asking(endpoint, tmp_path, capabilities={"completion": True}) as spec:
        made = Magpie(model=spec, template="chatml").propose(demand(EMPTY[:8]))
    assert len({prompt for prompt, _ in pairs_of(made)}) == 8


@pytest.mark.parametrize(("template", "message"), [("", "write `template:`"), ("gpt", "there is no chat format 'gpt'")])
def test_a_format_that_is_not_known_is_asked_for(template: str, message: str) -> None:
    client = FakeClient(lambda request: "x", completion=True)
    with pytest.raises(UsageError, match=message):
        Magpie(model=MODEL, template=template).propose_with(client, demand(EMPTY))
    assert client.requests == []
