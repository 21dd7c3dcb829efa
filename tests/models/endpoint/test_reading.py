"""Before many answers are paid for, one of them must have been read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dataflywheel.contracts import UnreadableAnswersError
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.reading import ask_read
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.endpoint.structured import Form, ask_for
from dataflywheel.models.endpoint.tried import TRIED, Asking, Tried
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.fake import FakeClient
from tests.support.endpoint import Endpoint

ASKING = Asking("rater", "one word, yes")
REQUESTS = [Request.chat(f"Question {i:03d}.") for i in range(200)]


class Marked(Form):
    score: int


class Titled(Form):
    title: str


def reads(i: int, reply: Reply) -> str:
    return "" if reply.text == "yes" else "neither yes nor no"


def asked(endpoint: Endpoint, folder: Path, work: Callable[[Client], object]) -> None:
    spec = ModelSpec(endpoint=endpoint.url, model="m", concurrency=8)
    with closing(AnswerStore(folder / "answers.db")) as answers:
        client = Client(OpenAIEndpoint(spec), answers)
        try:
            work(client)
        finally:
            client.close()


def yes_to(number: int) -> list[dict[str, str]]:
    return [{"rule": "echo", "match": f"Question {number:03d}", "text": "yes"}, {"rule": "echo", "text": "Hm\n" * 400}]


def test_twenty_answers_that_cannot_be_read_are_the_last(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "echo", "text": "Hm\n" * 400}])

    def work(client: Client) -> None:
        with pytest.raises(UnreadableAnswersError) as raised:
            ask_read(client, REQUESTS, ASKING, reads)
        said = str(raised.value)
        assert said.startswith("rater: none of the first 20 answers of m@")
        assert "'Hm\\nHm" in said
        assert "and so on (neither yes nor no); expected: one word, yes" in said
        assert len(said) < 900

    asked(endpoint, tmp_path, work)
    assert len(endpoint.bill().charged) == 20
    asked(endpoint, tmp_path, work)  # another process finds them in the store
    assert len(endpoint.bill().charged) == 20


@pytest.mark.parametrize(("number", "paid"), [(0, 200), (19, 200), (20, 20)])
def test_one_among_them_is_enough(endpoint: Endpoint, tmp_path: Path, number: int, paid: int) -> None:
    endpoint.configure(rules=yes_to(number))

    def work(client: Client) -> None:
        if paid == 20:
            with pytest.raises(UnreadableAnswersError):
                ask_read(client, REQUESTS, ASKING, reads)
            return
        replies = ask_read(client, REQUESTS, ASKING, reads)
        assert [i for i, reply in enumerate(replies) if reply.text == "yes"] == [number]
        again = ask_read(client, REQUESTS[100:], ASKING, reads)  # known to be readable
        assert len(again) == 100

    asked(endpoint, tmp_path, work)
    assert len(endpoint.bill().charged) == paid


def test_few_answers_are_looked_at_over_several_calls(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=yes_to(150))

    def work(client: Client) -> None:
        for start in (0, 8):
            assert len(ask_read(client, REQUESTS[start : start + 8], ASKING, reads)) == 8
        with pytest.raises(UnreadableAnswersError):
            ask_read(client, REQUESTS[16:], ASKING, reads)

    asked(endpoint, tmp_path, work)
    assert len(endpoint.bill().charged) == 20


def test_what_a_repair_can_mend_goes_on() -> None:
    """A model that never closes its brackets is read after one repair each; one that says nothing of use is not."""

    def says(request: Request) -> str:
        return '{"title": "A"}' if "error" in str(request.messages[-1]["content"]) else '{"title": "A"'

    client = FakeClient(says, json_schema=True)
    assert {answer.value for answer in ask_for(client, REQUESTS[:40], Titled)} == {Titled(title="A")}
    with pytest.raises(UnreadableAnswersError, match=r"test_reading: .*one JSON object with `title`"):
        ask_for(FakeClient(lambda request: "A", json_schema=True), REQUESTS[:40], Titled)


def test_a_number_alone_is_a_grade() -> None:
    said = ["4\nBecause.", '{"score": 3}', '{"name": "q9", "score": 3}', "It is 5"]
    client = FakeClient(lambda request: said[int(str(request.messages[-1]["content"])[-4:-1])] if len(
        str(request.messages[-1]["content"])) < 20 else "no", json_schema=True)  # fmt: skip
    found = ask_for(client, REQUESTS[:4], Marked, alone=True)
    assert [answer.value and answer.value.score for answer in found] == [4, 3, None, None]


def test_whole_replies_without_an_answer_are_the_last_too() -> None:
    """As of a model that thinks up to its limit: they are paid, and hold nothing."""
    empty = Reply(Outcome.MALFORMED, detail="the reply has no content (finish reason stop)")
    tried = Tried()
    assert all(tried.take(empty, "") for _ in range(TRIED))
    assert (tried.unreadable, tried.readable) == (TRIED, False)
    assert "the reply has no content" in str(tried.error(ASKING, "m"))
    assert not Tried().take(Reply(Outcome.TIMED_OUT), "")
    client = FakeClient(lambda request: empty)
    with pytest.raises(UnreadableAnswersError, match="the reply has no content"):
        ask_read(client, REQUESTS, ASKING, reads)
