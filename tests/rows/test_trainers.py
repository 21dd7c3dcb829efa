"""What each trainer is given of a row: every field that it reads in the form that it reads, and refusals by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataflywheel.rows.formats import CannotHold, detect
from dataflywheel.rows.schema import Row
from dataflywheel.rows.trainers import TRAINERS
from dataflywheel.rows.trainers.kind import kind_of

U = {"role": "user", "content": "How warm is Oslo?"}
A = {"role": "assistant", "content": "5 degrees."}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo", "unit": null}'}}
OTHER = {"id": "c2", "type": "function", "function": {"name": "time", "arguments": "{}"}}
CALLS = {"role": "assistant", "content": "", "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "5", "tool_call_id": "c1", "name": "weather"}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
THINKS = {**A, "reasoning_content": "It is cold there."}
SEEN = {"messages": [{"role": "user", "content": "<image>Red or<image>blue?"}, A], "images": ["a.png", "b.png"]}
UNLEARNED = {"messages": [U, {**A, "weight": 0}, U, A]}


def row_of(record: dict[str, Any]) -> Row:
    [row] = detect(record).read(json.loads(json.dumps(record)))
    return row


def given(trainer: str, record: dict[str, Any]) -> dict[str, Any]:
    row = row_of(record)
    return TRAINERS[trainer].record(kind_of(row), row)


def refusal(trainer: str, record: dict[str, Any]) -> str:
    with pytest.raises(CannotHold) as why:
        given(trainer, record)
    return str(why.value)


def pair(*prompt: dict[str, Any], chosen: dict[str, Any] = A, **more: Any) -> dict[str, Any]:
    return {"messages": list(prompt), "chosen": chosen, "rejected": {**A, "content": "Warm."}, **more}


def test_thoughts_have_a_field_where_the_trainer_knows_one_and_a_block_else() -> None:
    block = "<think>\nIt is cold there.\n</think>\n\n"
    record = {"messages": [U, THINKS]}
    for trainer in ("trl", "axolotl"):
        assert given(trainer, record)["messages"][1] == THINKS
    assert given("llamafactory", record)["conversations"][1] == {"from": "gpt", "value": f"{block}5 degrees."}
    assert given("llamafactory_alpaca", record)["output"] == f"{block}5 degrees."
    called = given("llamafactory", {"messages": [U, {**CALLS, "reasoning_content": "It is cold there."}, RESULT, A]})
    thoughts, call = called["conversations"][1]["value"].rsplit("\n\n", 1)
    assert (f"{thoughts}\n\n", json.loads(call)["name"]) == (block, "weather")
    assert given("trl", pair(U, chosen=THINKS))["chosen"] == [THINKS]
    assert given("axolotl", pair(U, chosen=THINKS))["chosen"]["content"] == f"{block}5 degrees."
    assert given("llamafactory", pair(U, chosen=THINKS))["chosen"]["value"] == f"{block}5 degrees."
    judged = {"messages": [U, THINKS], "label": True}
    assert given("trl", judged)["completion"] == [THINKS]
    assert given("llamafactory", judged)["conversations"][1]["value"] == f"{block}5 degrees."


def test_results_of_tools_keep_their_calls() -> None:
    record = {"messages": [U, CALLS, RESULT, A], "tools": TOOLS}
    arguments = {"city": "Oslo", "unit": None}
    trl = given("trl", record)
    assert trl["messages"][1]["tool_calls"] == [{**CALL, "function": {"name": "weather", "arguments": arguments}}]
    assert (trl["messages"][2], trl["tools"]) == (RESULT, TOOLS)
    axolotl = given("axolotl", record)
    [call] = axolotl["messages"][1]["tool_calls"]
    assert (call["id"], json.loads(call["function"]["arguments"])) == ("c1", arguments)
    assert (axolotl["messages"][2], axolotl["tools"]) == (RESULT, TOOLS)
    factory = given("llamafactory", record)
    assert json.loads(factory["conversations"][1]["value"]) == {"name": "weather", "arguments": arguments, "id": "c1"}
    assert factory["conversations"][2] == {
        "from": "observation", "value": "5", "tool_call_id": "c1", "name": "weather",
    }  # fmt: skip
    assert json.loads(factory["tools"]) == TOOLS
    assert json.loads(given("llamafactory_alpaca", {"messages": [U, A], "tools": TOOLS})["tools"]) == TOOLS


def test_calls_side_by_side_are_held_where_the_trainer_knows_several_results() -> None:
    both = [
        U,
        {**CALLS, "tool_calls": [CALL, OTHER]},
        RESULT,
        {"role": "tool", "content": "9", "tool_call_id": "c2"},
        A,
    ]
    for trainer in ("trl", "axolotl"):
        assert [turn.get("tool_call_id") for turn in given(trainer, {"messages": both})["messages"]] == [
            None, None, "c1", "c2", None,
        ]  # fmt: skip
    assert "alternate" in refusal("llamafactory", {"messages": both})


def test_media_reach_every_trainer_in_the_order_of_their_marks() -> None:
    texts = [{"type": "text", "text": "Red or"}, {"type": "text", "text": "blue?"}]
    trl = given("trl", SEEN)
    assert trl["images"] == ["a.png", "b.png"]
    assert trl["messages"][0]["content"] == [{"type": "image"}, texts[0], {"type": "image"}, texts[1]]
    assert trl["messages"][1]["content"] == [{"type": "text", "text": "5 degrees."}]
    axolotl = given("axolotl", {**SEEN, "images": ["a.png", "https://x.org/b.png"]})
    assert axolotl["messages"][0]["content"] == [
        {"type": "image", "path": "a.png"}, texts[0], {"type": "image", "url": "https://x.org/b.png"}, texts[1],
    ]  # fmt: skip
    factory = given("llamafactory", SEEN)
    assert (factory["conversations"][0]["value"], factory["images"]) == (
        "<image>Red or<image>blue?",
        ["a.png", "b.png"],
    )
    assert given("llamafactory_alpaca", SEEN)["images"] == ["a.png", "b.png"]


def test_media_without_marks_are_shown_before_the_first_question() -> None:
    record = {"messages": [U, A], "images": ["a.png"]}
    assert given("trl", record) == record  # it shows them there itself
    assert given("llamafactory", record)["conversations"][0]["value"] == "<image>How warm is Oslo?"
    assert given("axolotl", record)["messages"][0]["content"][0] == {"type": "image", "path": "a.png"}
    sounds = {"messages": [U, A], "audios": ["a.wav"], "videos": ["a.mp4"]}
    factory = given("llamafactory", sounds)
    assert factory["conversations"][0]["value"] == "<video><audio>How warm is Oslo?"
    assert (factory["audios"], factory["videos"]) == (["a.wav"], ["a.mp4"])
    assert refusal("trl", sounds) in ("a video", "a sound")


def test_a_turn_that_must_not_be_learned_is_marked_or_refused() -> None:
    assert [turn.get("train") for turn in given("axolotl", UNLEARNED)["messages"]] == [None, False, None, None]
    for trainer in ("trl", "llamafactory", "llamafactory_alpaca"):
        assert refusal(trainer, UNLEARNED) == "a turn that must not be learned"
    for trainer in ("trl", "llamafactory", "axolotl"):  # earlier answers of comparisons are never learned
        assert given(trainer, pair(*UNLEARNED["messages"][:3]))
    assert refusal("axolotl", {"messages": [U, {**A, "weight": 0}]}) == "a row of which no turn is to be learned"
    assert "must not be learned" in refusal("trl", pair(U, chosen={**A, "weight": 0}))
    assert "must not be learned" in refusal("axolotl", {**SEEN, "messages": [*SEEN["messages"], U, {**A, "weight": 0}]})


@pytest.mark.parametrize(
    ("record", "trainers", "reason"),
    [
        ({"messages": [U, U, A]}, ["llamafactory", "llamafactory_alpaca"], "alternate|in turn"),
        ({"messages": [U, A, U]}, list(TRAINERS), "a row without an answer to learn"),
        ({"messages": [U, {**CALLS, "content": "I look."}, RESULT, A]}, ["llamafactory"], "text and tool calls"),
        ({"messages": [{**U, "name": "ann"}, A]}, ["llamafactory", "llamafactory_alpaca"], "name"),
        ({"messages": [U, CALLS, {**RESULT, "tool_call_id": "c9"}, A]}, ["llamafactory"], "stand after its call"),
        ({"messages": [U, CALLS, {**RESULT, "name": "time"}, A]}, ["llamafactory"], "not called in the turn before"),
        ({"messages": [U, CALLS, RESULT, A]}, ["llamafactory_alpaca"], "turns other than"),
        ({"messages": [U, A], "tools": "no JSON"}, ["trl", "llamafactory", "axolotl"], "not JSON"),
        ({"messages": [U, A], "label": True}, ["axolotl"], "KTO rows"),
        ({"messages": [U, {**A, "content": ""}], "label": True}, ["llamafactory"], "an empty answer in a KTO row"),
        (pair(U, tools=TOOLS), ["axolotl"], "tools or media in preference rows"),
        (pair(U, chosen=CALLS), ["axolotl"], "tool calls in preference rows"),
        ({"prompt": [U], "chosen": [A, U, A], "rejected": [A]}, list(TRAINERS), "several turns long"),
        ({"messages": [U, {**U, "reasoning_content": "hm"}, A]}, list(TRAINERS), "not the assistant's|alternate"),
        ({"messages": [U, A], "images": [{"bytes": "eA=="}]}, ["trl", "llamafactory", "axolotl"], "by its bytes"),
        ({"messages": [{"role": "system", "content": "s"}, A], "images": ["a"]}, list(TRAINERS), "question|alternate"),
        ({"messages": [U, A], "images": ["https://x.org/a.png"]}, ["llamafactory"], "an image that is not a file"),
        (pair(U, chosen={**A, "content": "<image>"}, images=["a"]), ["trl", "llamafactory"], "in an answer to compare"),
    ],
)  # fmt: skip
def test_what_a_trainer_does_not_know_is_refused_by_name(
    record: dict[str, Any], trainers: list[str], reason: str
) -> None:
    for trainer in trainers:
        assert any(part in refusal(trainer, record) for part in reason.split("|")), trainer


def test_labels_cells_and_copies_stand_beside_what_is_learned() -> None:
    row = row_of({"messages": [U, A], "label": "sport", "cells": {"a": 1}})
    row["copies"] = 3
    for trainer in TRAINERS.values():
        record = trainer.record("chat", row)
        assert (record["label"], record["cells"], record["copies"]) == ("sport", {"a": 1}, 3)
    assert given("trl", {"text": "A document.", "label": "sport"}) == {"text": "A document.", "label": "sport"}


def test_the_older_spelling_of_tools_reaches_trainers_as_todays() -> None:
    weather = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    asked = {
        "role": "assistant",
        "content": None,
        "function_call": {"name": "weather", "arguments": '{"city": "Oslo"}'},
    }
    record = {
        "messages": [U, asked, {"role": "function", "name": "weather", "content": "5"}, A],
        "functions": [weather],
    }
    for trainer in ("trl", "axolotl"):
        found = given(trainer, record)
        assert found["tools"] == [{"type": "function", "function": weather}]
        assert found["messages"][2] == {"role": "tool", "name": "weather", "content": "5"}
    assert json.loads(given("llamafactory", record)["tools"]) == [{"type": "function", "function": weather}]
    assert given("llamafactory", record)["conversations"][1]["from"] == "function_call"
