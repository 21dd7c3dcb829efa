"""Bodies of replies: what is an answer, what is cut, what is a failure; thoughts wherever they stand."""

from __future__ import annotations

import json
from math import log
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.chat_model import (
    AttemptError,
    DroppedError,
    RateLimitedError,
    RejectedError,
    UnavailableError,
)
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.openai_reply import read_reply
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, TokenLogprob
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.fake_model import FakeModel

ASKED = Request.chat("x")


def body(content: Any = "yes", finish: Any = "stop", usage: Any = None, **more: Any) -> bytes:
    told = {"prompt_tokens": 5, "completion_tokens": 2} if usage is None else usage
    choice = {"message": {"content": content, **more}, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": told}).encode()


def read(**given: Any) -> Reply:
    return read_reply(body(**given), ASKED).spoken()


ENDS = {
    Outcome.ANSWERED: ["stop", "STOP", "FINISH_REASON_STOP", "end_turn", "eos_token", "stop_sequence", "COMPLETE", ""],
    Outcome.TRUNCATED: ["length", "max_tokens", "MAX_TOKENS", "model_length", "incomplete", "max-output-tokens"],
    Outcome.FILTERED: ["content_filter", "SAFETY", "RECITATION", "sensitive", "guardrail_intervened"],
    Outcome.REFUSED: ["refusal"],
    None: ["error", "abort", "network_error", "insufficient_system_resource", "OTHER", "malformed_function_call", "?"],
}


@pytest.mark.parametrize("outcome", ENDS)
def test_known_words_say_how_an_answer_ended_and_any_other_is_a_failure(outcome: Outcome | None) -> None:
    for finish in ENDS[outcome]:
        if outcome is not None:
            assert read(finish=finish).outcome is outcome
            continue
        with pytest.raises(UnavailableError, match="ended with") as failed:
            read(finish=finish)
        assert failed.value.used == (5, 2)


def test_without_a_word_an_answer_as_long_as_was_allowed_is_cut() -> None:
    request = ASKED.with_limit(2)
    assert read_reply(body(finish=None), request).outcome is Outcome.TRUNCATED
    assert read_reply(body(finish=None), ASKED).outcome is Outcome.ANSWERED


ERRORS: list[tuple[Any, type[FlywheelError], str]] = [
    (
        {"code": 429, "message": "Provider returned error", "metadata": {"raw": "Slow down"}},
        RateLimitedError,
        "Slow down",
    ),
    ({"code": "429", "message": "busy"}, RateLimitedError, "busy"),
    ({"type": "rate_limit_error", "message": "busy"}, RateLimitedError, "busy"),
    ({"code": "rate_limit_exceeded", "message": "busy"}, RateLimitedError, "busy"),
    ({"status": "RESOURCE_EXHAUSTED", "message": "busy"}, RateLimitedError, "busy"),
    ({"code": 502, "message": "down"}, DroppedError, "502: down"),
    ({"type": "overloaded_error", "message": "down"}, UnavailableError, "down"),
    ("something odd", UnavailableError, "something odd"),
    ({"code": 400, "message": "too long"}, RejectedError, "400: too long"),
    ({"code": "context_length_exceeded", "message": "too long"}, RejectedError, "too long"),
    ({"code": 403, "message": "Input was flagged", "metadata": {"reasons": ["violence"]}}, RejectedError, "flagged"),
    ({"code": 401, "message": "no"}, FlywheelError, "does not accept the key"),
    ({"code": "insufficient_quota", "message": "no"}, FlywheelError, "no credit left"),
    ({"code": 402, "message": "no"}, FlywheelError, "no credit left"),
]


@pytest.mark.parametrize(("error", "kind", "words"), ERRORS)
def test_an_error_in_a_body_is_what_its_code_says(error: Any, kind: type[FlywheelError], words: str) -> None:
    whole = {"id": None, "choices": None, "error": error}
    choice = {"choices": [{"message": {"content": "The su"}, "finish_reason": "error", "error": error}]}
    for told in (whole, choice):
        with pytest.raises(FlywheelError, match=words) as raised:
            read_reply(json.dumps(told).encode(), ASKED, "http://x/v1 (model m)")
        assert type(raised.value) is kind
        if isinstance(raised.value, AttemptError):
            assert raised.value.maybe_paid == (issubclass(kind, UnavailableError) and told is choice)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": None}, RateLimitedError),
        ({"base_resp": {"status_code": 1013, "status_msg": "inner error"}}, UnavailableError),
        ({"object": "error", "message": "too many requests", "code": 429}, RateLimitedError),
        ({"code": 429, "msg": "busy"}, RateLimitedError),
        ({"errors": [{"code": 503, "message": "down"}]}, UnavailableError),
        ({"detail": "Internal error"}, UnavailableError),
        ([{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"}}], RateLimitedError),
        ({"error": [{"code": 429, "message": "busy"}]}, RateLimitedError),
        ({"error": {"code": "1302", "message": "rate limit reached"}}, RateLimitedError),
        ({"error_code": 18, "error_msg": "Rate limit reached"}, RateLimitedError),
        (
            {"choices": [{"message": {"content": "The su", "error": {"code": 503}}, "finish_reason": "stop"}]},
            UnavailableError,
        ),
    ],
)
def test_errors_in_other_forms(told: Any, kind: type[FlywheelError]) -> None:
    with pytest.raises(kind):
        read_reply(json.dumps(told).encode(), ASKED)


def test_the_endpoint_says_in_the_body_how_long_to_wait() -> None:
    error = {"code": 429, "message": "busy", "metadata": {"headers": {"Retry-After": "7"}}}
    with pytest.raises(RateLimitedError) as raised:
        read_reply(json.dumps({"error": error}).encode(), ASKED)
    assert raised.value.retry_after == 7.0


BESIDE: list[dict[str, Any]] = [
    {"reasoning_content": "First"},
    {"reasoning": "First", "reasoning_details": [{"type": "reasoning.text", "text": "First"}]},
    {"reasoning_details": [{"type": "reasoning.summary", "summary": "First"}]},
    {"thinking": "First"},
    {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "First"}]},
            {"type": "text", "text": "yes"},
        ]
    },
    {"content": [{"type": "reasoning", "text": "First"}, {"type": "output_text", "text": "yes"}]},
    {"content": "<think>First</think>yes"},
    {"content": "First\n</think>\nyes"},
]


def test_thoughts_beside_and_within_the_content_are_told_from_the_answer() -> None:
    for given in BESIDE:
        reply = read(**given)
        assert (reply.outcome, reply.text, reply.reasoning) == (Outcome.ANSWERED, "yes", "First"), given
    assert read().reasoning == ""


@pytest.mark.parametrize("given", [{"content": None, "reasoning_content": "so"}, {"content": "<think>so"}])
def test_thoughts_without_an_answer_are_a_cut_reply(given: dict[str, Any]) -> None:
    reply = read(**given)
    assert (reply.outcome, reply.text, reply.reasoning) == (Outcome.TRUNCATED, "", "so")
    assert "within its thoughts" in reply.detail


def test_log_probabilities_are_those_of_the_answer() -> None:
    tokens = [TokenLogprob(text, log(0.5)) for text in ("<think>", "yes? ", "no", "</think>", "\n", "no")]
    raw = Reply(Outcome.ANSWERED, "<think>yes? no</think>\nno", "stop", tuple(tokens))
    assert [token.token for token in raw.spoken().logprobs] == ["no"]
    beside = Reply(Outcome.ANSWERED, "no", "stop", tuple(tokens), reasoning="yes? no")
    assert [token.token for token in beside.spoken().logprobs] == ["no"]
    assert Reply(Outcome.ANSWERED, "no", logprobs=tuple(tokens[:2]), reasoning="yes?").spoken().logprobs == ()


@pytest.mark.parametrize(
    ("raw", "beside", "said"),
    [
        ("<think>\nHmm: 3? No.\n</think>\n\nq1: 4", "", "q1: 4"),
        ("Hmm: 3? No.\n</think>\n\nq1: 4</think>four", "", "q1: 4</think>four"),
        ("q1: 4", "Hmm: 3? No.", "q1: 4"),
        ("q1: 4", "", "q1: 4"),
        ("<think>Hmm: 3? No.", "", ""),
    ],
)
def test_thoughts_are_not_part_of_the_answer_but_are_kept(tmp_path: Path, raw: str, beside: str, said: str) -> None:
    answers = AnswerStore(tmp_path / "answers.db")
    model = FakeModel(lambda request, attempt: Reply(Outcome.ANSWERED, raw, "stop", reasoning=beside))
    first, second = Client(model, answers).ask([ASKED, ASKED])
    assert (first.text, first.reasoning) == (second.text, second.reasoning)
    assert (first.text, first.spoken().text) == (said, said)  # what was cut once is not cut again
    asked = model.calls
    assert asked == (1 if said else 2)
    (again,) = Client(model, answers).ask([ASKED])
    assert (again.text, again.reasoning, again.cached, model.calls) == (said, first.reasoning, True, asked)
    assert ("Hmm" in again.reasoning) == (raw != said or bool(beside))
    kept = answers.explain(bytes.fromhex(again.key))
    assert kept is not None
    assert kept["text"] == raw
    assert kept.get("reasoning", "") == beside


def test_a_failed_answer_is_asked_again_and_costs_what_was_told(tmp_path: Path) -> None:
    answers = AnswerStore(tmp_path / "answers.db")

    def act(request: Request, attempt: int) -> Reply | Exception:
        failed = UnavailableError("the answer ended with 'error'", maybe_paid=True, used=(5, 2))
        return failed if attempt == 1 else Reply(Outcome.ANSWERED, "yes", "stop", tokens_in=5, tokens_out=2)

    (reply,) = Client(FakeModel(act), answers, scope="run").ask([ASKED])
    assert reply.text == "yes"
    spent = answers.spent("run")
    assert (spent.calls, spent.tokens_in, spent.tokens_out, spent.maybe_paid_calls) == (2, 10, 4, 0)


NO_REPLIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"choices": []}',
    b'{"choices": [{}]}',
    b'{"choices": {"0": 1}}',
    b'{"choices": [{"message": 3}]}',
    b'{"choices": [{"message": {"content": 3}}]}',
    b'{"choices": [{"message": {"content": "x"}, "logprobs": 3}]}',
    b'{"choices": [{"message": {"content": "x"}, "finish_reason": ["stop"]}]}',
]


@pytest.mark.parametrize("content", NO_REPLIES)
def test_a_body_that_is_no_reply_is_a_failed_attempt(content: bytes) -> None:
    with pytest.raises(UnavailableError) as error:
        read_reply(content, ASKED)
    assert error.value.maybe_paid


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (3, None),
        (-3, 1),
        (True, 1),
        (1, True),
        (0, 1),
        (5, 0),
        (2**62, 1),
        (5, 2**63 - 1),
        (10**30, 1),
        (1.5, 2),
        ("3", 1),
    ],
)
def test_usage_that_cannot_be_is_no_usage(read: object, written: object) -> None:
    for usage in ({"prompt_tokens": read, "completion_tokens": written}, {}, None):
        reply = read_reply(body(usage=usage or {}), ASKED)
        assert (reply.tokens_in, reply.tokens_out) == (0, 0)


ODD_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "-1e999", "1" + "0" * 400]


@pytest.mark.parametrize("number", ODD_NUMBERS)
def test_a_number_that_json_does_not_know_loses_no_answer(number: str) -> None:
    def reply(logprob: str, other: str, read: str) -> Reply:
        token = f'{{"token": "yes", "logprob": {logprob}, "top_logprobs": [{{"token": "no", "logprob": {other}}}]}}'
        choice = f'{{"message": {{"content": "yes"}}, "finish_reason": "stop", "logprobs": {{"content": [{token}]}}}}'
        usage = f'{{"prompt_tokens": {read}, "completion_tokens": 1}}'
        return read_reply(f'{{"choices": [{choice}], "usage": {usage}}}'.encode(), ASKED)

    free, likely, unlikely = reply("-1.0", "-2.0", number), reply("-1.0", number, "5"), reply(number, "-2.0", "5")
    assert {(one.outcome, one.text) for one in (free, likely, unlikely)} == {(Outcome.ANSWERED, "yes")}
    assert (free.tokens_in, likely.tokens_in, unlikely.tokens_in) == (0, 5, 5)
    assert [(dict(one.top), one.logprob) for one in free.logprobs] == [({"no": -2.0}, -1.0)]
    assert [(dict(one.top), one.logprob) for one in likely.logprobs] == [({}, -1.0)]
    assert unlikely.logprobs == ()


def test_usage_that_is_told_twice_is_no_usage() -> None:
    said = '{"choices": [{"message": {"content": %s}, "finish_reason": "stop"}], "usage": %s}'
    two = '{"prompt_tokens": 900, "prompt_tokens": 1, "completion_tokens": 1}'
    again = '{"prompt_tokens": 900, "completion_tokens": 9}, "usage": {"prompt_tokens": 1, "completion_tokens": 1}'
    once = '{"prompt_tokens": 9, "completion_tokens": 1}, "x_groq": {"usage": {"prompt_tokens": 9}}'
    quoted = json.dumps('"usage" and "prompt_tokens", "usage"')
    for usage, tokens in ((two, 0), (again, 0), (once, 9)):
        for content in ('"yes"', quoted):
            reply = read_reply((said % (content, usage)).encode(), ASKED)
            assert (reply.outcome, reply.tokens_in) == (Outcome.ANSWERED, tokens)


PART = {"type": "text", "text": "yes"}
CALLS = [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}]


def test_what_a_part_of_the_content_says_is_its_text_and_never_the_name_of_nothing() -> None:
    for content in ([PART], ["yes"], [{"text": "yes"}], [{"type": "text", "text": {"value": "yes"}}]):
        assert (read(content=content).outcome, read(content=content).text) == (Outcome.ANSWERED, "yes")
    for part in (None, 4, {"type": "text", "text": None}, {"type": "text", "text": {"text": "yes"}}):
        with pytest.raises(UnavailableError, match="not a reply"):
            read(content=[part])


def test_calls_where_text_was_asked_are_no_answer() -> None:
    offered = Request((*ASKED.messages,), tools='[{"type": "function", "function": {"name": "look"}}]')
    for request, content, outcome in (
        (ASKED, "Let me look.", Outcome.MALFORMED),
        (ASKED, None, Outcome.MALFORMED),
        (offered, "Let me look.", Outcome.ANSWERED),
        (offered, None, Outcome.ANSWERED),
    ):
        assert read_reply(body(content, "tool_calls", tool_calls=CALLS), request).outcome is outcome


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("It is.<|im_end|>", "It is."),
        ("It is.\n<|eot_id|>\n", "It is."),
        ("It is.</s>", "It is."),
        ("It is.<|im_end|>\n<|im_start|>user\nAnd then?<|im_end|>", "It is."),
        ("It is.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAnd?", "It is."),
        ("It is.</s><s>[INST] And? [/INST] Yes.", "It is."),
        ("<think>Hm.</think>It is.<|im_end|>\n<|im_start|>user\nAnd?", "It is."),
        ("<|channel|>final<|message|>It is.<|end|><|start|>user<|message|>And?", "It is."),
        # talked about
        ("A turn ends with <|im_end|>", "A turn ends with <|im_end|>"),
        ("It was <s>ten</s>", "It was <s>ten</s>"),
        ("As `<|eot_id|>`", "As `<|eot_id|>`"),
        (
            "```\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>x\n```",
            "```\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>x\n```",
        ),
        (
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nso",
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nso",
        ),
    ],
)
def test_an_answer_is_the_turn_that_was_asked_for(said: str, answer: str) -> None:
    assert read(content=said).text == answer
