"""What stands in or beside a turn under its many names is read, or refused by name; never left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from dataflywheel.rows.containers.block import Block
from dataflywheel.rows.formats import CannotHold, detect, shape_named
from dataflywheel.rows.mapping import column_mapping
from dataflywheel.rows.parse import Parsed, parse_block
from dataflywheel.rows.plain import PlainChats
from dataflywheel.rows.reading import read_file
from dataflywheel.rows.schema import Row

ASKED = "Why is the sky blue over the hills?"
SAID = "Because light scatters in the air above us."
THOUGHT = "Think first of the air and of the light in it."
USER, ANSWER = {"role": "user", "content": ASKED}, {"role": "assistant", "content": SAID}
CALL = {"role": "assistant", "content": None}
RESULT = {"role": "tool", "content": "ok"}


def parsed(record: Any) -> Parsed:
    return parse_block(Block("records", 1, [(1, record)]), "f.jsonl", "")


def row(record: Any) -> Row:
    found = parsed(record)
    assert not found.quarantined, found.quarantined
    [one] = found.rows
    return one


def reason(record: Any) -> str:
    found = parsed(record)
    assert not found.rows
    return f"{found.quarantined[0].field}: {found.quarantined[0].reason}"


def told(one: Row) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"]) for turn in one["messages"]]


@pytest.mark.parametrize(
    "answer",
    [
        {**ANSWER, "thought": THOUGHT},
        {**ANSWER, "cot": THOUGHT},
        {**ANSWER, "think": THOUGHT},
        {**ANSWER, "reasoning": {"content": THOUGHT}},
        {**ANSWER, "reasoning_details": [{"type": "reasoning.text", "text": THOUGHT}, {"type": "reasoning.encrypted"}]},
        {**ANSWER, "reasoning": THOUGHT, "reasoning_details": [{"text": THOUGHT[:9]}, {"text": THOUGHT[9:]}]},
        {**ANSWER, "thinking_blocks": [{"type": "thinking", "thinking": THOUGHT, "signature": "x"}]},
        {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": THOUGHT}}}, {"text": SAID}]},
    ],
)
def test_thoughts_of_a_turn_are_its_thoughts(answer: dict[str, Any]) -> None:
    record = {"messages": [USER, answer]}
    one = row(record)
    assert (one["messages"][1]["reasoning"], one["messages"][1]["content"]) == (THOUGHT, SAID)
    assert detect(record).write(one) == record


@pytest.mark.parametrize("role", ["think", "reasoning", "Thought"])
def test_a_turn_that_thinks_is_the_thoughts_of_the_next(role: str) -> None:
    one = row({"messages": [USER, {"role": role, "content": THOUGHT}, ANSWER]})
    assert told(one) == [("user", ASKED), ("assistant", SAID)]
    assert one["messages"][1]["reasoning"] == THOUGHT


@pytest.mark.parametrize(
    "call",
    [
        {"id": 7, "type": "function", "function": {"name": "f", "parameters": {"a": 1}}},
        {"id": 7, "name": "f", "args": {"a": 1}, "type": "tool_call"},
        {"id": "7", "function": {"name": "f", "arguments": '{"a": 1}'}},
    ],
)
def test_a_call_keeps_its_arguments_and_its_id(call: dict[str, Any]) -> None:
    for calls in ([call], call):
        one = row({"messages": [USER, {**CALL, "tool_calls": calls}, {**RESULT, "tool_call_id": call["id"]}, ANSWER]})
        assert orjson.loads(one["messages"][1]["tool_calls"] or "") == [
            {"id": "7", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
        ]
        assert one["messages"][2]["tool_call_id"] == "7"


def test_calls_of_sharegpt_and_bedrock_keep_their_arguments() -> None:
    asked = {"from": "human", "value": ASKED}
    one = row({"conversations": [asked, {"from": "function_call", "value": '{"name": "f", "parameters": {"a": 1}}'}]})
    blocks = [{"toolUse": {"toolUseId": "7", "name": "f", "input": {"a": 1}}}]
    results = [{"toolResult": {"toolUseId": "7", "content": [{"json": {"t": 20}}]}}]
    turns = [USER, {"role": "assistant", "content": blocks}, {"role": "user", "content": results}, ANSWER]
    other = row({"messages": turns})
    for calls in (one["messages"][1]["tool_calls"], other["messages"][1]["tool_calls"]):
        assert orjson.loads(calls or "")[0]["function"] == {"name": "f", "arguments": {"a": 1}}
    assert (other["messages"][2]["content"], other["messages"][2]["tool_call_id"]) == ('{"t": 20}', "7")


def test_a_result_that_is_an_object_is_its_json() -> None:
    call = {**CALL, "tool_calls": [{"name": "f", "arguments": {}}]}
    record = {"messages": [USER, call, {"role": "tool", "content": {"t": [20]}}, ANSWER]}
    one = row(record)
    assert one["messages"][2]["content"] == '{"t": [20]}'
    assert detect(record).write(one) == record


def test_tools_in_a_turn_and_empty_ones_beside_it() -> None:
    first = {"role": "system", "content": "Be brief.", "functions": '[{"name": "f"}]'}
    record = {"messages": [first, USER, ANSWER]}
    one = row(record)
    assert orjson.loads(one["tools"] or "") == [{"type": "function", "function": {"name": "f"}}]
    assert detect(record).write(one) == record
    bare = row({"messages": [USER, ANSWER]})["id"]
    for none in ("", "[]", [], {}):
        assert row({"messages": [USER, ANSWER], "tools": none})["id"] == bare
    assert row({"messages": [USER, ANSWER], "tools": ['{"type": "x"}']})["tools"] == '[{"type":"x"}]'


def test_media_of_a_turn_stand_in_it() -> None:
    record = {"messages": [USER, ANSWER, {**USER, "images": ["a.png", "b.png"]}, ANSWER]}
    one = row(record)
    assert [medium["ref"] for medium in one["media"] or ()] == ["a.png", "b.png"]
    assert one["messages"][2]["content"] == f"<image><image>{ASKED}"
    assert detect(record).write(one) == record
    marked = row({"messages": [{"role": "user", "content": f"See <image>: {ASKED}", "image": "a.png"}, ANSWER]})
    assert marked["messages"][0]["content"] == f"See <image>: {ASKED}"
    assert len(marked["media"] or ()) == 1


@pytest.mark.parametrize(
    "turns",
    [
        [{"type": "human", "content": ASKED}, {"type": "ai", "content": SAID}],
        [{"type": "human", "data": {"content": ASKED}}, {"type": "ai", "data": {"content": SAID}}],
        [
            {"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": ASKED}},
            {"lc": 1, "type": "constructor", "id": ["langchain", "AIMessageChunk"], "kwargs": {"content": SAID}},
        ],
        {"role": ["user", "assistant"], "content": [ASKED, SAID]},
        [ASKED, SAID],
        [{"human": ASKED, "assistant": SAID}],
    ],
)
def test_a_chat_in_another_layout_is_the_same_chat(turns: Any) -> None:
    for key in ("messages", "conversations"):
        record = {key: turns, "system": "Be brief."}
        one = row(record)
        assert told(one) == [("system", "Be brief."), ("user", ASKED), ("assistant", SAID)]
        assert row(detect(record).write(one))["id"] == one["id"]


def test_a_bare_list_of_turns_is_a_chat_and_a_lone_turn_is_none() -> None:
    assert row([USER, ANSWER])["id"] == row({"messages": [USER, ANSWER]})["id"]
    assert "whole conversation" in reason(USER)
    assert "one turn, of the prompter" in reason(
        {"message_id": "m", "parent_id": None, "text": ASKED, "role": "prompter"}
    )
    assert "expected an object" in reason([{"role": "user", "text": ASKED, "message_id": "m"}])


def test_the_turns_before_a_question_are_part_of_it() -> None:
    for history in ([["hi", "so"]], [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "so"}]):
        for record in (
            {"query": ASKED, "response": SAID, "history": history},
            {"prompt": ASKED, "completion": SAID, "history": history, "system": "Be brief."},
            {"instruction": ASKED, "input": "", "output": SAID, "history": history},
            {"prompt": ASKED, "chosen": SAID, "rejected": "No.", "chat_history": history},
        ):
            one = row(record)
            assert told(one)[-4:] == [("user", "hi"), ("assistant", "so"), ("user", ASKED), ("assistant", SAID)]
            assert detect(record).write(one) == record
    assert "history" in reason({"query": ASKED, "response": SAID, "history": "User: hi there, how are you?"})


def test_a_history_beside_a_chat_or_with_a_system_turn_is_part_of_it() -> None:
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "so"}]
    system = {"role": "system", "content": "Be brief."}
    for record in (
        {"messages": [system, USER, ANSWER], "history": history},
        {"query": ASKED, "response": SAID, "history": [system, *history]},
    ):
        one = row(record)
        assert not PlainChats("").take(record)
        assert [role for role, _ in told(one)] == ["system", "user", "assistant", "user", "assistant"]
        assert row(detect(record).write(one))["id"] == one["id"]
    assert len(row({"messages": [*history, USER, ANSWER], "history": history})["messages"]) == 4


def test_what_a_shape_would_not_write_is_read_all_the_same() -> None:
    record = {"messages": [USER], "chosen": [ANSWER, USER, ANSWER], "rejected": [{**ANSWER, "content": "No."}]}
    one = row(record)
    assert [role for role, _ in told(one)] == ["user", "assistant", "user", "assistant"]
    with pytest.raises(CannotHold, match="several turns"):
        detect(record).write(one)
    assert shape_named("turns_preference").write(one)["rejected"] == [{"role": "assistant", "content": "No."}]


def test_a_stream_and_another_answer_than_the_last_are_refused() -> None:
    assert "stream of events" in reason({"request": {"messages": [USER]}, "response": 'data: {"choices": []}'})
    assert reason({"messages": [USER, ANSWER], "chosen": "Another answer.", "rejected": "No."}).startswith("chosen")


def test_a_worse_answer_beside_a_chat_is_the_rejected_one() -> None:
    for record in (
        {"messages": [USER, ANSWER], "rejected_response": "No."},
        {"messages": [USER, ANSWER], "rejected_messages": [USER, {"role": "assistant", "content": "No."}]},
        {"messages": [USER, ANSWER], "chosen": SAID, "rejected": [{"role": "assistant", "content": "No."}]},
        {"messages": [USER, ANSWER], "chosen": [ANSWER], "rejected": [{"role": "assistant", "content": "No."}]},
        {"conversations": [ASKED], "chosen": SAID, "rejected": "No."},
        {"query": ASKED, "response": SAID, "rejected_response": "No."},
        {"prompt": ASKED, "winner": SAID, "loser": "No."},
    ):
        one = row(record)
        assert told(one) == [("user", ASKED), ("assistant", SAID)]
        assert [turn["content"] for turn in one["rejected"] or ()] == ["No."]
        assert detect(record).write(one) == record
        assert not PlainChats("").take(record)
    other = [{"role": "user", "content": "Else?"}, {"role": "assistant", "content": "No."}]
    assert "rejected_messages" in reason({"messages": [USER, ANSWER], "rejected_messages": other})
    assert row({"messages": [USER, ANSWER], "rejected": "false"})["rejected"] is None


@pytest.mark.parametrize(
    ("record", "field", "way"),
    [
        (
            {"definition": "Say it in French, please.", "inputs": "hello", "targets": SAID},
            "definition",
            "[definition, inputs]",
        ),
        ({"task": "Say it in French, please.", "input": "hello", "output": SAID}, "task", "[task, input]"),
        (
            {"instructions": "Say it in French now.", "input": "hello", "output": SAID},
            "instructions",
            "[instructions, input]",
        ),
        ({"question": ASKED, "solution": SAID, "thinking_trajectories": [THOUGHT]}, "thinking_t", "trajectories[0]"),
        ({"instruction": ASKED, "output": SAID, "r1_reasoning": THOUGHT}, "r1_reasoning", "reasoning: r1_reasoning"),
        ({"prompt": ASKED, "gpt4_response": SAID}, "gpt4_response", "answer: gpt4_response"),
        ({"question": {"title": ASKED, "body": THOUGHT}, "answer": SAID}, "question", "question.title"),
        (
            {"prompt": ASKED, "completion": SAID, "dispreferred": "No, it is not."},
            "dispreferred",
            "rejected: dispreferred",
        ),
    ],
)
def test_what_may_belong_to_a_row_is_refused_with_a_way_out(record: dict[str, Any], field: str, way: str) -> None:
    assert reason(record).startswith(field)
    assert way in reason(record)


def test_columns_that_speak_about_a_row_stay_beside_it() -> None:
    one = row({"instruction": ASKED, "output": SAID, "task": "QA", "judge_reasoning": THOUGHT, "cot_type": "math"})
    assert told(one) == [("user", ASKED), ("assistant", SAID)]
    assert "judge_reasoning" in one["extra"]


@pytest.mark.parametrize("end", ["length", "MAX_TOKENS", "maximum_tokens", "content_filter", "error", "abort", "odd"])
def test_an_answer_that_was_cut_is_no_answer(end: str) -> None:
    log = {"request": {"messages": [USER]}, "response": {"choices": [{"message": ANSWER, "finish_reason": end}]}}
    assert "finish_reason" in reason(log)
    assert end in reason(log)
    log["response"]["choices"][0]["finish_reason"] = "stop"  # type: ignore[index]
    assert told(row(log))[-1] == ("assistant", SAID)
    log["response"]["choices"][0]["stop_reason"] = "###"  # type: ignore[index]
    assert told(row(log))[-1] == ("assistant", SAID)  # vLLM names the user's own stop there


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_files_of_lists_of_turns_hold_conversations(tmp_path: Path, name: str) -> None:
    lines = [json.dumps([USER, ANSWER]), json.dumps([{"role": "user", "content": "Else?"}, ANSWER])]
    several, one = tmp_path / f"several-{name}", tmp_path / f"one-{name}"
    several.write_text("\n".join(lines) if name == "a.jsonl" else f"[{','.join(lines)}]")
    one.write_text(lines[0])
    for file, turns in ((several, [2, 2]), (one, [2])):
        found, aside = read_file(str(file))
        assert not aside
        assert [len(turns) for turns in found["messages"].to_pylist()] == turns


def test_a_file_of_settings_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text("- prompt: a\n  completion: b\n")
    found, [aside] = read_file(str(tmp_path / "rows.yaml"))
    assert not len(found)
    assert "yaml, which holds no rows" in aside.reason


def test_a_reason_under_a_mapping_says_what_its_names_are() -> None:
    record = {"asked": ASKED, "agent_reply": SAID}
    mapping = column_mapping({"prompt": "asked"})
    [aside] = parse_block(Block("records", 1, [(1, record)]), "f", "", mapping=mapping).quarantined
    assert aside.reason.endswith("columns: {prompt: prompt, answer: agent_reply}, where prompt is asked")
