"""Logs of endpoints, ranked answers, blocks and calls, as their makers write them."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from dataflywheel.rows.formats import CannotHold, ReadError, detect, shape_named
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import message
from tests.rows.test_public_sets import A, B, Q, read, shown

ASKED = {"model": "m", "messages": [{"role": "system", "content": "s"}, Q]}
REPLY = {"id": "x", "choices": [{"index": 0, "message": {**A, "reasoning_content": "t"}, "finish_reason": "stop"}]}
USE = {"type": "tool_use", "id": "c1", "name": "look", "input": {"city": "Oslo"}}
BLOCKS = [
    {"role": "user", "content": [{"type": "text", "text": "q"}]},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "x"}, USE]},
    {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "5"}]},
        {"type": "text", "text": "q2"}]},
    {"role": "assistant", "content": [{"type": "text", "text": "a"}]},
]  # fmt: skip
ITEMS = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}]},
    {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "5"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
]
LOGS: list[tuple[dict[str, Any], str]] = [
    ({"request": ASKED, "response": REPLY}, "s:s u:q a:[t]a"),
    ({"request": json.dumps(ASKED), "response": json.dumps(REPLY), "ms": 3}, "s:s u:q a:[t]a"),
    ({"request": {"body": ASKED}, "response": {"status_code": 200, "body": REPLY}}, "s:s u:q a:[t]a"),
    ({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": ASKED}, "s:s u:q"),
    ({"request": {"model": "c", "system": "s", "messages": [Q]},
      "response": {"role": "assistant", "content": [{"type": "text", "text": "a"}]}}, "s:s u:q a:a"),
    ({"input": "q", "output": ITEMS}, "u:q a:[t] t:5 a:a"),
    ({"inputs": {"question": "q"}, "outputs": {"answer": "a"}}, "u:q a:a"),
    ({"inputs": {"messages": [Q]}, "outputs": {"choices": [{"message": A}]}, "run_type": "llm"}, "u:q a:a"),
    ({"input": {"messages": [Q]}, "preferred_output": [A], "non_preferred_output": [B]}, "u:q a:a ! a:b"),
    ({"systemInstruction": {"parts": [{"text": "s"}]}, "contents": [{"role": "user", "parts": [{"text": "q"}]},
      {"role": "model", "parts": [{"text": "t", "thought": True}, {"text": "a"}]}]}, "s:s u:q a:[t]a"),
    ({"messages": BLOCKS}, "u:q a:[t] t:5 u:q2 a:a"),
    ({"system": [{"type": "text", "text": "s"}], "messages": [Q, A]}, "s:s u:q a:a"),
    ({"instruction": "q", "completions": [{"response": "b", "fine-grained_score": 2.0},
                                          {"response": "a", "fine-grained_score": 4.5}]}, "u:q a:a ! a:b"),
    ({"prompt": "\n\nHuman: q\n\nAssistant: ", "answers": [{"answer": "a", "rank": 1.0}, {"answer": "b", "rank": 2.0},
                                                         {"answer": "c", "rank": 1.5}]}, "u:q a:a ! a:b"),
    ({"instruction": "q", "generations": ["b", "a"], "ratings": [1, 5]}, "u:q a:a ! a:b"),
    ({"system": "SYSTEM: s", "chat": "USER: q\n\n\nASSISTANT: a <|endoftext|>\n\n\nFUNCTION RESPONSE: 5\n"},
     "s:s u:q a:a t:5"),
    ({"query": "q", "tools": "[]", "answers": '[{"name": "look", "arguments": {"city": "Oslo"}}]'}, "u:q a:"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "row"), LOGS)
def test_logs_and_ranked_answers_are_read_and_given_back(record: dict[str, Any], row: str) -> None:
    found = read(record)
    assert shown(found) == row
    if not found["rejected"]:
        assert read(orjson.loads(orjson.dumps(shape_named("messages").write(found)))) == found
    assert read(detect(record).write(found)) == found


def test_calls_of_blocks_and_items_keep_their_ids() -> None:
    for record in ({"messages": BLOCKS}, {"input": "q", "output": ITEMS}):
        turns = read(record)["messages"]
        assert orjson.loads(turns[1]["tool_calls"] or "")[0]["id"] == turns[2]["tool_call_id"] == "c1"
    [call] = orjson.loads(read({"messages": BLOCKS})["messages"][1]["tool_calls"] or "")
    assert call["function"] == {"name": "look", "arguments": {"city": "Oslo"}}
    tools = [{"name": "look", "description": "d", "input_schema": {"type": "object"}}]
    [tool] = orjson.loads(read({"messages": BLOCKS, "tools": tools})["tools"] or "")
    assert tool == {
        "type": "function",
        "function": {"name": "look", "description": "d", "parameters": {"type": "object"}},
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"custom_id": "1", "response": {"status_code": 200, "body": REPLY}}, "a reply without its request"),
    ({"request": ASKED, "response": {"error": {"message": "quota"}}}, "the request failed"),
    ({"request": ASKED, "response": {"status_code": 500, "body": {}}}, "failed with 500"),
    ({"request": ASKED, "response": {"choices": [REPLY["choices"][0], REPLY["choices"][0]]}}, "2 answers; name one"),
    ({"instruction": "q", "completions": [{"response": "b", "score": 1}, {"response": "a", "score": 1}]}, "a tie"),
    ({"prompt": "q", "responses": ["a", "b"]}, "responses"),
    ({"messages": [{"role": "assistant", "content": [USE, {"type": "text", "text": "a"}]}]}, "after a call"),
    ({"messages": [Q, {**A, "channel": "analysis"}]}, "no turn of the assistant follows"),
    ({"messages": [Q, {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}]}]}, "redacted"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "reason"), REFUSED)
def test_what_a_log_does_not_say_is_refused_by_name(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        read(record)


def test_a_changed_row_is_not_written_as_the_log_that_it_came_from() -> None:
    row = read(LOGS[0][0])
    changed = make_row([*row["messages"][:-1], message("assistant", "new")], extra=orjson.loads(row["extra"]))
    with pytest.raises(CannotHold, match="changed since"):
        shape_named("log").write(changed)
    assert read(shape_named("messages").write(changed)) == changed


def test_null_fields_within_turns_parts_calls_and_tools_change_nothing() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"city": "Oslo"}}}
    plain = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image", "url": "a.png"}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"city": {}}}}}],
    }
    filled = orjson.loads(orjson.dumps(plain))
    filled["messages"][0] |= {"tool_calls": None, "name": None, "reasoning_content": None, "weight": None}
    filled["messages"][0]["content"][0] |= {"image_url": None, "url": None}
    filled["messages"][0]["content"][1] |= {"text": None, "image": None}
    filled["messages"][1]["tool_calls"][0]["function"]["arguments"]["days"] = None
    filled["tools"][0]["function"]["parameters"]["properties"]["days"] = None
    assert read(filled)["id"] == read(plain)["id"]
    assert detect(filled).write(read(filled)) == filled
