from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.models.endpoint.batch_results import Results
from dataflywheel.models.endpoint.caller import Question
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Outcome, Request
from dataflywheel.models.spec import ModelSpec

MODEL = OpenAIEndpoint(ModelSpec(endpoint="http://127.0.0.1:1/v1", model="m", capabilities={"batch": True}))
ASKED = [Question.of(Request.chat(f"row {i}"), MODEL.identity) for i in range(3)]
LEFT = {question.key: question.canonical for question in ASKED}


def line(i: int, status: object, body: object) -> dict[str, Any]:
    return {"custom_id": ASKED[i].key.hex(), "response": {"status_code": status, "body": body}, "error": None}


def good(text: str, **usage: int) -> dict[str, Any]:
    told = {"prompt_tokens": 5, "completion_tokens": 2, **usage}
    return {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": told}


def outcomes(lines: list[dict[str, Any]]) -> dict[int, tuple[str, int, bool]]:
    """By number of the request: outcome, calls charged, and whether it is only maybe paid."""
    numbers = {question.key: i for i, question in enumerate(ASKED)}
    found = {}
    for end in Results(MODEL, "s", LEFT).read(lines):
        assert end.record is not None
        found[numbers[end.settle.key]] = (end.record.outcome, end.settle.cost.calls, bool(end.settle.maybe))
    return found


def test_each_line_is_through_or_handed_in_again() -> None:
    lines = [line(0, 200, good("x")), line(2, 400, {"error": {"message": "too long"}})]
    assert outcomes([*lines, line(1, 400, {"error": {"code": "content_filter", "message": "no"}})]) == {
        0: (Outcome.ANSWERED, 1, False),
        1: (Outcome.FILTERED, 0, False),
        2: (Outcome.REJECTED, 0, False),
    }
    again = [line(0, 500, {}), line(1, 429, {}), {"custom_id": ASKED[2].key.hex(), "response": None}]
    assert outcomes(again) == {}


def test_a_body_that_is_no_reply_may_have_been_paid() -> None:
    assert outcomes([line(0, 200, {"choices": []}), line(1, 200, None)]) == {
        0: (Outcome.SERVER_ERROR, 1, True),
        1: (Outcome.SERVER_ERROR, 1, True),
    }


def test_an_endpoint_that_wants_the_newer_limit_gets_it_in_the_next_round() -> None:
    model: Any = SimpleNamespace(adapts=lambda said: "max_completion_tokens" in said)
    refusal = {"error": {"message": "use max_completion_tokens"}}
    assert Results(model, "s", LEFT).read([line(i, 400, refusal) for i in range(3)]) == []


NUMBERS = st.integers(-(2**63), 2**63 - 1)
FIELDS = st.sampled_from(["choices", "message", "content", "usage", "finish_reason"])
BODIES = st.recursive(
    st.none() | st.text(max_size=5) | NUMBERS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner, max_size=3),
)
STRANGE = st.dictionaries(st.sampled_from(["custom_id", "response", "error"]), st.none() | st.text() | NUMBERS)
LINES = st.builds(line, st.integers(0, 2), st.sampled_from([200, 400, 500, None, "200"]), BODIES)


@given(st.lists(STRANGE | LINES))
def test_no_line_breaks_the_reading_or_invents_an_answer(lines: list[dict[str, Any]]) -> None:
    for end in Results(MODEL, "s", LEFT).read(lines):
        assert end.settle.key in LEFT
        assert end.record is not None
        assert end.record.outcome != Outcome.ANSWERED or end.record.reply["text"].strip()
