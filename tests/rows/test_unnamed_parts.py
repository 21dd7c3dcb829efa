"""Thoughts deep in a turn or encrypted, prompts and answers under names that nobody knows: read, or refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataflywheel.rows.formats import detect, shape_named
from dataflywheel.rows.schema import Row
from tests.rows.test_field_forms import CALL, CHAT, USER, A, B, Q, S, T, parsed, shown

SEALED = {"type": "reasoning.encrypted", "data": "gAAAAABo", "format": "openai-responses-v1", "index": 0}
SUMMED = {"type": "reasoning.summary", "summary": T}
REDACTED = {"type": "redacted_thinking", "data": "EqQB"}
TEXT = {"type": "text", "text": A}
PAIR = {"chosen": A, "rejected": B}
WRITTEN = f"<think>\n{T}\n</think>\n<answer>\n{A}\n</answer>"


def turn(**beside: Any) -> dict[str, Any]:
    return {"messages": [USER, {"role": "assistant", "content": A, **beside}]}


def one(record: Any) -> Row:
    found = parsed(record)
    assert not found.quarantined, found.quarantined
    [row] = found.rows
    return row


@pytest.mark.parametrize(
    "beside",
    [
        {"info": {"think_content": T, "answer_content": A, "reference_answer": "blue", "source": "x"}},
        {"info": json.dumps({"think_content": T})},
        {"metadata": {"thinking": T}},
        {"meta": {"cot": [T]}},
        {"additional_kwargs": {"reasoning_content": T}},
        {"provider_specific_fields": {"thinking_blocks": [{"type": "thinking", "thinking": T, "signature": "x"}]}},
        {"provider_specific_fields": {"reasoning_content": T}, "reasoning_content": T},
        {"extra_content": {"google": {"thoughts": T}}},
        {"model_extra": {"reasoning": {"summary": [{"type": "summary_text", "text": T}]}}},
        {"extra": {"internalThoughts": T}},
        {"reasoning_details": [SUMMED, SEALED]},
        {"reasoning_details": json.dumps([{"type": "reasoning.text", "text": T, "signature": "x"}])},
        {"reasoning_details": [{"text": T[:9], "index": 0}, {"text": T[9:], "index": 0}, {**SEALED, "index": 1}]},
        {"reasoning": {"summary": [{"type": "summary_text", "text": T}], "encrypted_content": "gAAAAABo"}},
        {"content": [{"type": "thinking", "thinking": T}, TEXT], "reasoning_content": T},
        {"content": [{"type": "output_text", "text": A}], "reasoning_content": T},
    ],
)
def test_thoughts_within_a_turn_are_its_thoughts(beside: dict[str, Any]) -> None:
    record = turn(**beside)
    row = one(record)
    assert shown(row) == "u:Q a:[T]A"
    assert detect(record).write(row) == record


def test_thoughts_that_stand_twice_are_learned_once() -> None:
    for beside in ({"info": {"think_content": f"\n{T}\n", "answer_content": A}}, {"reasoning_content": T}):
        row = one(turn(content=WRITTEN, **beside))
        assert (row["messages"][1]["content"], row["messages"][1]["reasoning"]) == (WRITTEN, None)


def test_what_stands_beside_blocks_is_not_left_out() -> None:
    thinks = [{"type": "thinking", "thinking": T}, TEXT]
    assert shown(one(turn(content=thinks, tool_calls=[CALL]))) == 'u:Q a:[T]<f {"a": 1} c1>A'
    calls = [{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}]
    assert shown(one(turn(content=calls, reasoning_content=T, tool_calls=[CALL]))) == 'u:Q a:[T]<f {"a": 1} c1>'
    assert one(turn(content=thinks, name="Ada"))["messages"][1]["name"] == "Ada"


@pytest.mark.parametrize(
    "beside",
    [
        {"metadata": {"judge_reasoning": T}},
        {"info": {"reasoning_effort": "low"}},
        {"usage": {"completion_tokens_details": {"reasoning_tokens": 5}}},
        {"evaluation": {"reasoning": T}},
        {"info": {"model": "m", "source": "s", "test_case": None, "reference_answer": "b"}},
        {"extra_content": {"google": {"thought_signature": "abc"}}},
        {"reasoning_details": []},
        {"redacted": True},
    ],
)
def test_what_is_no_thought_stays_beside_a_turn(beside: dict[str, Any]) -> None:
    assert shown(one(turn(**beside))) == "u:Q a:A"


LOST: list[tuple[Any, str]] = [
    # thoughts of a judge or of nobody knows whom, and an answer where it does not belong
    (turn(info={"score": 4, "reasoning": T}), "messages[1].info.reasoning"),
    (turn(reasoning_content=T, info={"think_content": S}), "messages[1].info.think_content"),
    (turn(content=WRITTEN, reasoning_content=S), "messages[1].reasoning_content"),
    (turn(content="", info={"think_content": T, "answer_content": A}), "messages[1].info.answer_content"),
    ({"messages": CHAT, "metadata": {"think_content": T}}, "metadata.think_content"),
    ({"question": Q, "answer": A, "info": {"reasoning_content": T}}, "info.reasoning_content"),
    (turn(content=[{"type": "thinking", "thinking": T}, TEXT], finish_reason="length"), "messages[1].finish_reason"),
    (turn(content=[{"type": "thinking", "thinking": T}, TEXT], rejected=B), "messages[1].rejected"),
    (turn(content=[{"type": "tool_use", "id": "c1", "name": "g", "input": {}}], tool_calls=[CALL]),
     "messages[1].tool_calls"),
    # thoughts that nobody can read
    (turn(reasoning_details=[SEALED]), "messages[1].reasoning_details"),
    (turn(reasoning_details=SEALED), "messages[1].reasoning_details"),
    (turn(reasoning_details=json.dumps([SEALED])), "messages[1].reasoning_details"),
    (turn(thinking_blocks=[REDACTED]), "messages[1].thinking_blocks"),
    (turn(encrypted_content="gAAAAABo"), "messages[1].encrypted_content"),
    (turn(reasoning_opaque="gAAAAABo"), "messages[1].reasoning_opaque"),
    (turn(provider_specific_fields={"thinking_blocks": [REDACTED]}), "messages[1].provider_specific_fields"),
    (turn(content=[REDACTED, TEXT]), "messages[1].content[0]"),
    (turn(content=[{"type": "thinking", "thinking": "", "signature": "EqQB"}, TEXT]), "messages[1].content[0]"),
    (turn(content=[{"reasoningContent": {"redactedContent": "EqQB"}}, {"text": A}]), "messages[1].content[0]"),
    (turn(content=[{"type": "reasoning", "summary": [], "encrypted_content": "gAA"}, TEXT]), "messages[1].content[0]"),
    ({"input": Q, "output": [{"type": "reasoning", "summary": [], "encrypted_content": "gAA"},
                             {"type": "message", "role": "assistant", "content": A}]}, "output[0]"),
    ({"messages": CHAT, "reasoning_details": [SEALED]}, "reasoning_details"),
    ({"prompt": Q, "completion": A, "reasoning_details": [SEALED]}, "reasoning_details"),
    # a prompt, however short, beside two answers
    *(({name: said, **PAIR}, name) for name, said in (
        ("post", "Why blue?"), ("task", "Sort this list"), ("title", "Sky colour"), ("request", "Explain"),
        ("q", "Why?"), ("goal", "blue sky"), ("utterance", "Hello"), ("msg", "天空为什么是蓝色"), ("frage", "Warum?"),
        ("user_turn", ["Why blue?"]), ("ctx", {"text": "Why blue?"}),
    )),
    ({"post": "Why?", "winner": A, "loser": B}, "post"),
    ({"ask": "Why?", "response_a": A, "response_b": B, "preference": "a"}, "ask"),
    ({"post": "Why?", "prompt": "", **PAIR}, "post"),
    ({"post": "Why?", "chosen": [{"role": "assistant", "content": A}],
      "rejected": [{"role": "assistant", "content": B}]}, "post"),
    # an answer under any name beside a prompt
    *(({"prompt": Q, name: A}, name) for name in (
        "final", "gold", "ideal", "best", "result", "gpt4", "sft", "demonstration", "y", "ground_truth", "antwort",
    )),
    *(({**asked, "final": "42"}, "final") for asked in (
        {"prompt": Q}, {"question": Q}, {"instruction": Q, "input": ""}, {"messages": [USER]}, {"prompt": [USER]},
        {"conversations": [{"from": "human", "value": Q}]}, {"turns": [Q]},
    )),
    ({"prompt": Q, "final": {"text": A}}, "final"),
    # a third answer beside two
    ({"prompt": Q, "completion": S, **PAIR}, "completion"),
    ({"question": Q, "response": S, **PAIR}, "response"),
    ({"prompt": "天空为什么是蓝色的", "结果": "因为空气散射蓝光最多所以天空是蓝色的"}, "结果"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "field"), LOST)
def test_what_would_be_lost_under_a_name_of_its_own_is_refused_by_it(record: Any, field: str) -> None:
    found = parsed(record)
    assert not found.rows, shown(found.rows[0])
    assert [entry.field for entry in found.quarantined] == [field]


NOTED: list[dict[str, Any]] = [
    {"lang": "en", "category": "sky science", "id": "a b", "dataset": "my own set", "model": "gpt 4", **PAIR},
    {"source": "red dit", "annotator": "Ada L", "task": "summarization", "difficulty": "very hard", **PAIR},
    {"chosen_model": "gpt 4 turbo", "chosen_rating": "very good", "margin": "0.5", "topic": "the sky", **PAIR},
    {"prompt": Q, "ground_truth": "42", "data_source": "gsm8k", "extra_info": {"answer": A, "index": 1}},
    {"prompt": Q, "rubric": T, "constraint": S, "tests": ["assert f(1) == 2 and f(2) == 3"]},
    {"prompt": Q, "topic": "all that is to be seen of the sky", "category": "physics", "description": T},
    {"messages": [USER], "reference": [A], "question_id": 81, "metadata": {"note": T}},
]


@pytest.mark.parametrize("record", NOTED)
def test_columns_that_speak_about_a_row_do_not_refuse_it(record: dict[str, Any]) -> None:
    assert shown(one(record)) in ("a:A ! a:B", "u:Q")


def test_the_proposed_mappings_help() -> None:
    for record in ({"prompt": Q, "gold": A}, {"question": Q, "final": "42"}, {"messages": [USER], "final": A}):
        [entry] = parsed(record).quarantined
        for proposed, turns in zip(entry.reason.split("columns: {")[1:], (2, 1), strict=True):
            columns = dict(pair.split(": ") for pair in proposed.split("}")[0].split(", "))
            assert len([*parsed(record, columns=columns).rows[0]["messages"]]) == turns
    pair = {"post": "Why?", **PAIR}
    assert shown(parsed(pair, columns={"answer": "chosen", "rejected": "rejected"}).rows[0]) == "a:A ! a:B"
    asked = parsed(pair, columns={"prompt": "post", "answer": "chosen", "rejected": "rejected"}).rows[0]
    assert shown(asked) == "u:Why? a:A ! a:B"
    assert shape_named("columns").write(asked)
