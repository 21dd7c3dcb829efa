"""Replies in the forms of the servers that people use: one outcome each, with its text, thoughts, calls and tokens."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.chat_model import (
    DroppedError,
    RateLimitedError,
    RejectedError,
    TooSlowError,
    UnavailableError,
)
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.openai_error import refusal
from dataflywheel.models.endpoint.openai_reply import read_reply
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.fake_model import FakeModel

ASKED = Request.chat("x")
WITH_TOOLS = Request(ASKED.messages, tools='[{"type":"function","function":{"name":"look"}}]')
CALLS = [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
CALLED = json.dumps(CALLS, separators=(",", ":"))
USED = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def body(content: Any = "yes", finish: Any = "stop", usage: Any = USED, choice: Any = None, **more: Any) -> Any:
    message = {"role": "assistant", "content": content, **more}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish, **(choice or {})}], "usage": usage}


def read(given: Any, request: Request = ASKED) -> Reply:
    return read_reply(given if isinstance(given, bytes) else json.dumps(given).encode(), request).spoken()


def part(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


ANSWERS = {
    "openai": body(refusal=None, annotations=[], choice={"logprobs": None}),
    "vllm": body(tool_calls=[], reasoning_content=None, function_call=None, choice={"stop_reason": None}),
    "sglang": body(finish={"type": "stop", "matched": 151645}),
    "llama.cpp": body() | {"timings": {"prompt_n": 5}},
    "tgi": body(finish="eos_token", tool_calls=None),
    "lm studio": body(finish="eosFound", reasoning_content="", tool_calls=[]) | {"stats": {}},
    "azure": body(choice={"content_filter_results": {"hate": {"filtered": False}}}) | {"prompt_filter_results": []},
    "azure, filter down": body(choice={"content_filter_result": {"error": {"message": "not filtered"}}}),
    "minimax": body() | {"base_resp": {"status_code": 0, "status_msg": ""}},
    "a gateway's good word": {"code": 0, "message": "ok", "error": None, **body()},
    "mistral with sources": body([part("text", text="yes"), part("reference", reference_ids=[1])]),
    "parts": body([part("text", text="ye"), part("output_text", text="s", annotations=[])]),
    "claude, thoughts hidden": body([part("redacted_thinking", data="Q"), part("text", text="yes")], "end_turn"),
    "qwen, thinking off": body("<think>\n\n</think>\n\nyes"),
    "cohere": body(finish="COMPLETE"),
    "titan": body(finish="FINISHED"),
    "no word": body(finish=None),
    "byte order mark": codecs.BOM_UTF8 + json.dumps(body()).encode(),
    "blank lines to keep the line open": b"\n\n\n" + json.dumps(body()).encode(),
}
THOUGHT = {
    "vllm": body(reasoning="hm", reasoning_content="hm"),
    "ollama, groq": body(reasoning="hm"),
    "deepseek": body(reasoning_content="hm"),
    "openrouter": body(reasoning="hm", reasoning_details=[part("reasoning.text", text="hm")]) | {"provider": "Z"},
    "openrouter, part hidden": body(
        reasoning_details=[part("reasoning.summary", summary="hm"), part("reasoning.encrypted", data="Q")]
    ),
    "litellm": body(thinking_blocks=[part("thinking", thinking="hm", signature="s")]),
    "claude": body([part("thinking", thinking="hm", signature="s"), part("text", text="yes")], "end_turn"),
    "mistral": body([part("thinking", thinking=[part("text", text="hm")], closed=True), part("text", text="yes")]),
    "magistral": body("[THINK]hm[/THINK]yes"),
    "qwen": body("<think>\nhm\n</think>\n\nyes"),
    "no opening": body("hm\n</think>\n\nyes"),
    "gemini": body("<thought>hm</thought>yes"),
    "gpt-oss": body(
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>"
    ),
    "twice": body("<think>\nhm\n</think>\nyes", reasoning_content="hm"),
}
CALLING = {
    "plain": (body(None, "tool_calls", tool_calls=CALLS), ""),
    "empty": (body("", "tool_calls", tool_calls=CALLS), ""),
    "a line end": (body("\n\n", "tool_calls", tool_calls=CALLS), ""),
    "no parts": (body([], "stop", tool_calls=CALLS), ""),
    "thoughts": (body("<think>\nhm\n</think>\n\n", "tool_calls", tool_calls=CALLS), ""),
    "thoughts beside": (body(None, "tool_calls", tool_calls=CALLS, reasoning_content="hm"), ""),
    "words": (body("Let me look.", "tool_calls", tool_calls=CALLS), "Let me look."),
}
NONE = {
    Outcome.TRUNCATED: [
        body(finish={"type": "length", "length": 16}),
        body("", "length", reasoning_content="hm"),
        body("<think>\nhm", "length"),
        body('<think>\nhm {"better": "1"}', "stop"),
        body("<|channel|>analysis<|message|>hm", "length"),
        body([part("thinking", thinking=[part("text", text="hm")], closed=False)], "length"),
        body(finish="model_context_window_exceeded"),
        body(None, reasoning_content="hm"),
        body(finish="ERROR_LIMIT"),
        body(finish="maxPredictedTokensReached"),
        {"choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant"}}], "usage": USED},
        {"choices": [{"index": 0, "finish_reason": "MAX_TOKENS", "message": None}], "usage": USED},
    ],
    Outcome.FILTERED: [
        body("ye", "content_filter", choice={"content_filter_results": {"hate": {"filtered": True}}}),
        body(None, "content_filter: PROHIBITED_CONTENT"),
        {"choices": [{"index": 0, "finish_reason": "content_filter", "content_filter_results": {}}], "usage": USED},
        {"choices": [{"index": 0, "finish_reason": "SAFETY", "message": None}], "usage": USED},
        *(body("", word) for word in ("RECITATION", "BLOCKLIST", "SPII", "MODEL_ARMOR", "IMAGE_PROHIBITED_CONTENT")),
    ],
    Outcome.REFUSED: [
        body(None, refusal="I can't."),
        body([part("refusal", refusal="I can't.")]),
        body("", "refusal"),
    ],
    Outcome.MALFORMED: [
        body(None),
        body("  \n"),
        body(None, "tool_calls", tool_calls=CALLS),
        body("yes", "tool_calls", tool_calls=CALLS),
        body(None, "function_call", function_call={"name": "look", "arguments": "{}"}),
        body([part("text", text="See:"), part("image_url", image_url={"url": "data:"})]),
        body([part("text", text="yes"), part("tool_use", id="t", name="look", input={})], "tool_use"),
    ],
}
FAILURES: list[tuple[type[FlywheelError], Any]] = [
    *(
        (UnavailableError, body("ye", word))
        for word in (
            *(
                "error",
                "abort",
                "cancelled",
                "USER_CANCEL",
                "timeout",
                "time_limit",
                "load",
                "null",
                "unknown",
                "OTHER",
            ),
            *("LANGUAGE", "MALFORMED_FUNCTION_CALL", "insufficient_system_resource", "pause_turn", "modelUnloaded"),
            *("network_error", "preempted", "FINISH_REASON_UNSPECIFIED", {"type": "abort", "message": "x"}),
        )
    ),
    (UnavailableError, body("The su", None, choice={"error": {"code": 502, "message": "lost"}})),
    (UnavailableError, {"error": {"message": "Provider returned error", "code": 502}, "provider": "Z"}),
    (UnavailableError, {"error": "Model unloaded."}),
    (UnavailableError, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    (UnavailableError, {"success": False, "errors": [{"code": 3040, "message": "Capacity exceeded"}], "result": None}),
    (UnavailableError, {"choices": [], "prompt_filter_results": [{}], "usage": USED}),
    (UnavailableError, {"choices": [{"delta": {"content": "yes"}, "finish_reason": "stop"}]}),
    (UnavailableError, b"data: " + json.dumps(body()).encode() + b"\n\ndata: [DONE]\n"),
    (RateLimitedError, {"error": {"message": "temporarily rate-limited upstream", "code": 429}}),
    (RateLimitedError, {"error": "Rate limit exceeded"}),
    (RateLimitedError, {"status": 429, "title": "Too Many Requests"}),
    (RejectedError, {"object": "error", "message": "maximum context length", "type": "BadRequestError", "code": 400}),
    (RejectedError, {"choices": None, "base_resp": {"status_code": 2013, "status_msg": "invalid params"}}),
    (FlywheelError, {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
]


@pytest.mark.parametrize("server", ANSWERS)
def test_an_answer_of_any_server_is_its_text(server: str) -> None:
    reply = read(ANSWERS[server])
    assert (reply.outcome, reply.text, reply.reasoning, reply.calls) == (Outcome.ANSWERED, "yes", "", "")
    assert (reply.tokens_in, reply.tokens_out) == (5, 2)


@pytest.mark.parametrize("server", THOUGHT)
def test_thoughts_of_any_server_are_told_once_from_the_answer(server: str) -> None:
    reply = read(THOUGHT[server])
    assert (reply.outcome, reply.text, reply.reasoning.strip()) == (Outcome.ANSWERED, "yes", "hm")


@pytest.mark.parametrize("form", CALLING)
def test_calls_are_kept_beside_the_words_and_apart_from_the_thoughts(form: str) -> None:
    given, words = CALLING[form]
    reply = read(given, WITH_TOOLS)
    assert (reply.outcome, reply.text.strip(), reply.calls) == (Outcome.ANSWERED, words, CALLED)
    assert reply.reasoning == ("hm" if "thoughts" in form else "")


def test_the_older_spelling_of_a_call_and_a_cut_one() -> None:
    older = body(None, "function_call", function_call={"name": "look", "arguments": "{}"})
    assert orjson.loads(read(older, WITH_TOOLS).calls)[0]["function"]["name"] == "look"
    assert read(body(None, "length", tool_calls=CALLS), WITH_TOOLS).outcome is Outcome.TRUNCATED


@pytest.mark.parametrize("outcome", NONE)
def test_what_was_cut_filtered_declined_or_is_no_text_is_no_answer(outcome: Outcome) -> None:
    for given in NONE[outcome]:
        assert read(given).outcome is outcome, given


def test_failures_are_what_they_are_to_be_asked_again_or_not() -> None:
    for kind, given in FAILURES:
        with pytest.raises(FlywheelError) as raised:
            read(given)
        found = UnavailableError if isinstance(raised.value, UnavailableError) else type(raised.value)
        assert found is kind, given
    with pytest.raises(FlywheelError, match="no credit"):
        read(FAILURES[-1][1])


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 107}, (5, 102)),  # Gemini: thoughts in the total
        ({"prompt_tokens": 5, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 90}}, (5, 92)),
        ({"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 65}, (5, 60)),
        ({**USED, "completion_tokens": 102, "completion_tokens_details": {"reasoning_tokens": 90}}, (5, 102)),
        ({"input_tokens": 5, "output_tokens": 2}, (5, 2)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 5, "output_tokens": 2}, (5, 2)),
        ({"prompt_tokens": 5.0, "completion_tokens": 2.0, "prompt_tokens_details": None}, (5, 2)),
        ({"prompt_tokens": 5, "total_tokens": 7}, (5, 2)),
        ({**USED, "total_tokens": 2}, (5, 2)),
        ({**USED, "total_tokens": 10**12}, (5, 2)),
        ({"prompt_tokens": "5", "completion_tokens": "2"}, (0, 0)),
        ({"total_tokens": 7}, (0, 0)),
        (None, (0, 0)),
    ],
)
def test_thoughts_that_are_paid_for_are_counted(usage: Any, tokens: tuple[int, int]) -> None:
    reply = read(body(usage=usage))
    assert (reply.tokens_in, reply.tokens_out) == tokens


FILTERS = [
    {"error": {"code": "content_filter", "message": "The response was filtered", "status": 400}},
    {"error": {"code": "400", "message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
    {"error": {"message": "Your request was rejected as a result of our safety system.", "type": "image"}},
    {"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}},
    {"code": "DataInspectionFailed", "message": "Input data may contain inappropriate content."},
    {"error": {"code": 403, "message": "no", "metadata": {"reasons": ["violence"]}}},
]


def test_a_prompt_that_a_filter_stopped_is_filtered_and_not_asked_again(tmp_path: Path) -> None:
    for told in FILTERS:
        error = refusal(400, json.dumps(told).encode(), {}, "x")
        assert isinstance(error, RejectedError)
        assert error.outcome is Outcome.FILTERED, told
    long = refusal(400, b'{"error": {"message": "the prompt is too long: 9000 tokens"}}', {}, "x")
    assert isinstance(long, RejectedError)
    assert long.outcome is Outcome.REJECTED
    answers = AnswerStore(tmp_path / "answers.db")
    model = FakeModel(lambda request, attempt: RejectedError("400: content_filter", filtered=True))
    for cached in (False, True):
        (reply,) = Client(model, answers).ask([ASKED])
        assert (reply.outcome, reply.cached, model.calls) == (Outcome.FILTERED, cached, 1)


STATUSES: list[tuple[int, str, type[FlywheelError], str]] = [
    *((status, "down", UnavailableError, "down") for status in (409, 424, 425, 499, 500, 520, 529)),
    *((status, "down", DroppedError, "down") for status in (502, 503, 521, 522, 523, 530)),
    *((status, "down", TooSlowError, "down") for status in (408, 504, 524)),
    (429, "slow", RateLimitedError, "slow"),
    (498, "no capacity", RateLimitedError, "no capacity"),
    *((status, "too large", RejectedError, "too large") for status in (400, 413, 414, 422, 451)),
    *(
        (status, "no way", UnavailableError, "no way")
        for status in (300, 302, 304, 405, 406, 407, 410, 415, 418, 426, 431)
    ),
    (429, "Request too large for gpt-4 on tokens per min (TPM): Limit 10000, Requested 12000.", RejectedError, "large"),
    (
        429,
        "Rate limit reached for gpt-4: Limit 10000, Used 9900, Requested 200. Try again in 600ms.",
        RateLimitedError,
        "reached",
    ),
    (400, "API key not valid. Please pass a valid API key.", FlywheelError, "does not accept the key"),
    (403, "Incorrect API key provided", FlywheelError, "does not accept the key"),
    (400, "acme/x is not a valid model ID", FlywheelError, "check `endpoint`"),
    (400, "Access denied, please make sure your account is in good standing.", FlywheelError, "no credit left"),
    (401, "no", FlywheelError, "does not accept the key"),
    (403, "no", FlywheelError, "no permission"),
    (404, "no", FlywheelError, "check `endpoint`"),
]


def test_what_no_other_request_would_escape_stops_the_run_and_what_may_pass_is_asked_again() -> None:
    for status, words, kind, said in STATUSES:
        error = refusal(status, json.dumps({"error": {"message": words}}).encode(), {}, "x")
        assert type(error) is kind, (status, words)
        assert said in str(error), (status, words)


def test_calls_come_from_the_store_as_they_came_from_the_model(tmp_path: Path) -> None:
    answers = AnswerStore(tmp_path / "answers.db")
    model = FakeModel(lambda request, attempt: read_reply(json.dumps(CALLING["words"][0]).encode(), WITH_TOOLS))
    for cached in (False, True):
        (reply,) = Client(model, answers).ask([WITH_TOOLS])
        assert (reply.text, reply.calls, reply.cached) == ("Let me look.", CALLED, cached)
