"""What an endpoint can do is found by one question, once for a store; closed forms have little room, thoughts more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field

from dataflywheel.models.endpoint.account import account, client_for
from dataflywheel.models.endpoint.chat_model import declared
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.probe import Found, found_of
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.endpoint.structured import Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.fake import FakeClient, asked_of
from tests.models.endpoint.fake_model import FakeModel
from tests.support.endpoint import Endpoint


class Graded(Form):
    limit: ClassVar[int] = 24

    score: int = Field(ge=1, le=5)


RATER = {"rule": "rater"}
ASKED = [question("Grade it.", {"text": f"[[truth:{i}]]"}, "Which grade, as `score`?") for i in (2, 4)]


def asking(endpoint: Endpoint, folder: Path, work: Callable[[Client], Any], **spec: Any) -> Any:
    with closing(AnswerStore(folder / "answers.db")) as answers, account(answers):
        return work(client_for(ModelSpec(endpoint=endpoint.url, model="m", **spec)))


def grades(client: Client) -> list[int | None]:
    return [answer.value and answer.value.score for answer in ask_for(client, ASKED, Graded)]


def test_an_endpoint_that_obeys_a_schema_is_sent_one(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[RATER])
    assert asking(endpoint, tmp_path, grades) == [2, 4]
    assert len(endpoint.bill().charged) == 3
    assert asking(endpoint, tmp_path, found_of) == Found(True, False)
    more = [question("Grade it.", {"text": "[[truth:5]]"}, "Which grade, as `score`?")]
    asking(endpoint, tmp_path, lambda client: ask_for(client, more, Graded))
    assert len(endpoint.bill().charged) == 4, "what was found is in the store"


def test_one_that_writes_something_else_is_shown_the_form(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "echo", "match": "hello", "text": "hello"}, RATER])
    assert asking(endpoint, tmp_path, grades) == [2, 4]
    assert asking(endpoint, tmp_path, found_of) == Found(False, False)
    assert len(endpoint.bill().charged) == 3


@pytest.mark.parametrize("fault", ["http_400", "cut", "refusal", "length", "tool_call"])
def test_whatever_else_comes_of_it_is_remembered(endpoint: Endpoint, tmp_path: Path, fault: str) -> None:
    endpoint.configure(rules=[RATER], script=[{"fault": fault, "match": "hello", "attempts": [1]}])
    assert asking(endpoint, tmp_path, grades) == [2, 4]
    arrived = len(endpoint.bill().lines)
    asking(endpoint, tmp_path, grades)
    assert not asking(endpoint, tmp_path, found_of).schema
    assert len(endpoint.bill().lines) == arrived, "nothing is asked again, whatever it would say now"


def test_nobody_else_is_probed(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[RATER])
    for able in (True, False):
        assert asking(endpoint, tmp_path, found_of, capabilities={"json_schema": able}) == Found(able, False)
    thinks = {"json_schema": False, "thinks": True}
    assert asking(endpoint, tmp_path, found_of, capabilities=thinks) == Found(False, True)
    batch = ModelSpec(endpoint=endpoint.url, model="m", batch=True, capabilities={"batch": True})
    assert (declared(batch).json_schema, declared(batch).thinks) == (False, True)
    assert found_of(FakeClient(lambda request: "hello")) == Found(False, False)
    assert not endpoint.bill().lines


@pytest.mark.parametrize("fault", ["reasoning_field", "thoughts", "only_thoughts"])
def test_a_model_that_thinks_has_room(endpoint: Endpoint, tmp_path: Path, fault: str) -> None:
    endpoint.configure(rules=[RATER], script=[{"fault": fault, "match": "hello", "attempts": []}])
    assert asking(endpoint, tmp_path, found_of).thinks
    assert not asking(endpoint, tmp_path, found_of, capabilities={"thinks": False}).thinks


def cut(store: Path, replies: list[Reply]) -> tuple[list[Request], Outcome]:
    """What is sent for one closed question to a model that says these things in turn, and what comes of it."""
    sent: list[Request] = []

    def says(request: Request, attempt: int) -> Reply:
        sent.append(request)
        return replies[len(sent) - 1]

    model = FakeModel(says)
    with closing(AnswerStore(store)) as answers:
        client = Client(model, answers)
        try:
            (answer,) = ask_for(client, ASKED[:1], Graded)
        finally:
            client.close()
    return sent, answer.outcome


def test_a_closed_answer_that_is_cut_is_not_asked_for_again(tmp_path: Path) -> None:
    looping = Reply(Outcome.TRUNCATED, '{"score": 1111111111', tokens_out=24)
    sent, outcome = cut(tmp_path / "a.db", [looping])
    assert ([one.sampling.max_tokens for one in sent], outcome) == ([24], Outcome.TRUNCATED)


def test_thoughts_up_to_the_limit_are_no_answer_that_was_cut(tmp_path: Path) -> None:
    thinking = Reply(Outcome.TRUNCATED, "", reasoning="Hm.", tokens_out=24)
    sent, outcome = cut(tmp_path / "a.db", [thinking, Reply(Outcome.ANSWERED, '{"score": 3}', reasoning="Hm. Yes.")])
    assert ([one.sampling.max_tokens for one in sent], outcome) == ([24, 1024], Outcome.ANSWERED)


def test_bounds_that_an_endpoint_refuses_are_left_out() -> None:
    spec = ModelSpec(endpoint="http://localhost:1/v1", model="m", capabilities={"json_schema": True})
    endpoint = OpenAIEndpoint(spec)
    client = FakeClient(lambda request: '{"score": 3}', json_schema=True)
    ask_for(client, ASKED[:1], Graded)
    (request,) = client.requests
    sent = endpoint.body(request)
    assert sent["response_format"]["json_schema"]["schema"]["properties"]["score"]["maximum"] == 5
    refusal = "Invalid schema for response_format 'answer': In context=('properties',), 'maximum' is not permitted."
    assert endpoint.adapts(refusal, sent.keys())
    sent = endpoint.body(request)
    assert sent["response_format"]["json_schema"]["schema"]["properties"] == {"score": {"type": "integer"}}
    assert not endpoint.adapts(refusal, sent.keys()), "once"
    assert asked_of(request) == "Which grade, as `score`?"
