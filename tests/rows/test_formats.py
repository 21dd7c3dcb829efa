"""Every shape: what it reads, what it cannot hold, and that it loses nothing."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.rows.formats import SHAPES, CannotHold, ReadError, Shape, detect, holding, shape_named
from dataflywheel.rows.formats.patch import PatchError, apply, difference
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.rows.text import bare_calls, text_of
from tests.rows.strategies import any_rows, chats, texts, values

ONE_ROW = [shape for shape in SHAPES if shape.name != "oasst_tree"]


def written(shape: Shape, row: Row) -> Row:
    record = orjson.loads(orjson.dumps(shape.write(row, source="")))
    assert detect(record).name == shape.name
    back = detect(record).read(record)
    assert len(back) == 1
    return back[0]


@pytest.mark.parametrize("shape", ONE_ROW, ids=lambda shape: shape.name)
@given(row=any_rows())
def test_any_row_comes_back_the_same_or_is_refused(shape: Shape, row: Row) -> None:
    try:
        record = shape.write(row)
    except CannotHold:
        return
    [back] = shape.read(orjson.loads(orjson.dumps(record)))
    assert back == row


@pytest.mark.parametrize("name", ["canonical", "messages"])
@given(row=any_rows())
def test_canonical_holds_every_row_and_messages_every_chat(name: str, row: Row) -> None:
    if name == "canonical" or row["rejected"] is None:
        assert shape_named(name).write(row)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("alpaca", {"turns": 3, "system": True}), ("alpaca", {"pair": True}), ("dolly", {}),
        ("sharegpt", {"turns": 3, "system": True}),
        ("sharegpt", {"turns": 2, "pair": True}), ("messages", {"turns": 3, "system": True}), ("prompt_completion", {}),
        ("prompt_response", {}), ("question_answer", {}), ("query_response", {}), ("turns_completion", {"turns": 2}),
        ("preference", {"pair": True}), ("turns_preference", {"turns": 2, "pair": True}), ("self_instruct", {}),
        ("implicit_preference", {"turns": 2, "pair": True}), ("canonical", {"turns": 2, "pair": True}),
    ],
)  # fmt: skip
@given(data=st.data())
def test_rows_that_fit_a_shape_are_held_by_it(name: str, kind: dict[str, Any], data: st.DataObject) -> None:
    row = data.draw(chats(**kind))
    shape = shape_named(name)
    [back] = shape.read(orjson.loads(orjson.dumps(shape.write(row))))
    assert back == row


def says(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


Q, A, B = says("user", "q"), says("assistant", "a"), says("assistant", "b")
RECORDS: list[tuple[str, dict[str, Any], str]] = [
    ("alpaca", {"instruction": "add", "input": "1 2", "output": "3", "category": "x"}, "user assistant"),
    ("alpaca", {"instruction": "add", "output": "3", "history": [["a", "b"]]}, "user assistant user assistant"),
    ("alpaca", {"instruction": "add", "input": None, "output": "3", "system": "s"}, "system user assistant"),
    ("dolly", {"instruction": "add", "context": "", "response": "3", "category": "math"}, "user assistant"),
    ("sharegpt", {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}, "user assistant"),
    ("sharegpt", {"system": "s", "conversations": [{"from": "chatgpt", "value": "b"}], "id": 7}, "system assistant"),
    ("messages", {"messages": [Q, A], "label": True}, "user assistant"),
    ("messages", {"messages": [Q], "chosen": A, "rejected": B}, "user assistant"),
    ("prompt_completion", {"prompt": "a", "completion": "b", "template": "t"}, "user assistant"),
    ("turns_completion", {"prompt": [Q], "completion": [A]}, "user assistant"),
    ("question_answer", {"question": "a", "answer": "b"}, "user assistant"),
    ("preference", {"prompt": "a", "chosen": "b", "rejected": "c"}, "user assistant"),
    ("turns_preference", {"prompt": [Q], "chosen": [A], "rejected": [B]}, "user assistant"),
    ("implicit_preference", {"prompt": "q", "chosen": [Q, A], "rejected": [Q, B]}, "user assistant"),
    (
        "transcript",
        {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant:"},
        "user assistant",
    ),
    ("prompt", {"prompt": "a"}, "user"),
    ("text", {"text": "a", "url": None}, "assistant"),
]


@pytest.mark.parametrize(("name", "record", "roles"), RECORDS)
def test_each_shape_is_told_from_its_keys_and_gives_it_back(name: str, record: dict[str, Any], roles: str) -> None:
    shape = detect(record)
    [row] = shape.read(record)
    assert shape.name == name
    assert " ".join(m["role"] for m in row["messages"]) == roles
    assert shape.write(row) == record


def test_what_is_not_content_stays_in_extra() -> None:
    record = {"instruction": "add", "input": "", "output": "3", "category": "math", "tags": ["sum"], "label": "easy"}
    [row] = detect(record).read(record, "pool")
    assert orjson.loads(row["extra"]) == {"category": "math"}
    assert (row["tags"], row["label"], row["source"]) == (["sum"], "easy", "pool")


def test_tool_calls_of_both_spellings_differ_in_their_ids_alone() -> None:
    arguments = {"city": "Rome", "days": 2}
    call = {"name": "look", "arguments": orjson.dumps(arguments).decode()}
    openai = [
        {"role": "user", "content": "weather?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sun"},
        {"role": "assistant", "content": "Sunny."},
    ]  # fmt: skip
    sharegpt = [
        {"from": "human", "value": "weather?"},
        {"from": "function_call", "value": orjson.dumps({"arguments": arguments, "name": "look"}).decode()},
        {"from": "observation", "value": "sun"},
        {"from": "gpt", "value": "Sunny."},
    ]
    [a] = detect({"messages": openai}).read({"messages": openai})
    [b] = detect({"conversations": sharegpt}).read({"conversations": sharegpt})
    assert b["messages"][1]["tool_calls"] == (
        '[{"function":{"arguments":{"city":"Rome","days":2},"name":"look"},"type":"function"}]'
    )
    assert [turn["tool_call_id"] for turn in a["messages"]] == [None, None, "call_1", None]
    assert bare_calls(a["messages"][1]["tool_calls"]) == b["messages"][1]["tool_calls"]
    assert a["id"] != b["id"]
    assert text_of(a["messages"]) == text_of(b["messages"])
    assert shape_named("messages").write(a) == {"messages": openai}
    assert shape_named("sharegpt").write(b) == {"conversations": sharegpt}


def test_a_spelling_from_before_a_change_is_not_restored() -> None:
    record = {"conversations": [{"from": "chatgpt", "value": "old"}, {"from": "gpt", "value": "two"}]}
    [row] = detect(record).read(record)
    changed = make_row([message("user", "new"), message("assistant", "two")], extra=orjson.loads(row["extra"]))
    [back] = shape_named("sharegpt").read(shape_named("sharegpt").write(changed))
    assert back == changed


def test_instances_of_a_task_are_rows_and_become_one_record_again() -> None:
    shape = shape_named("self_instruct")
    record = {
        "id": "t",
        "instruction": "add",
        "instances": [{"input": "1 1", "output": "2"}, {"input": "", "output": "", "n": 1}],
    }
    rows = shape.read(record)
    assert [m["content"] for row in rows for m in row["messages"]] == ["add\n\n1 1", "2", "add", ""]
    assert [r for _, r in shape.write_all([*rows, *rows])] == [record, record]
    lone = [r for _, r in shape.write_all(rows[1:])]
    assert [row for record in lone for row in shape.read(record)] == rows[1:]


def reply(text: str, rank: int | None, *replies: dict[str, Any]) -> dict[str, Any]:
    role = "assistant" if rank is not None else "prompter"
    return {"message_id": text, "text": text, "role": role, "rank": rank, "replies": list(replies)}


def test_a_tree_gives_the_best_way_and_pairs_of_ranked_siblings() -> None:
    shape = shape_named("oasst_tree")
    tree = reply(
        "q",
        None,
        reply("bad", 2),
        reply("good", 0, reply("q2", None, reply("a2", 0))),
        reply("fair", 1, reply("q3", None)),
    )
    record = {"message_tree_id": "t", "tree_state": "ready", "prompt": tree}
    rows = shape.read(record, "trees")
    assert [[m["content"] for m in row["messages"]] for row in rows] == [["q", "good"], ["q", "good", "q2", "a2"]]
    assert [row["rejected"] and row["rejected"][0]["content"] for row in rows] == ["bad", None]
    assert [r for _, r in shape.write_all(rows, source="trees")] == [record]
    with pytest.raises(CannotHold, match="dropped or changed"):
        list(shape.write_all(rows[:1]))


@pytest.mark.parametrize(
    ("record", "field", "reason"),
    [
        ({"messages": "abc"}, "messages", "expected a list of turns"),
        ({"messages": []}, "messages", "at least one turn"),
        ({"messages": [{"content": "a"}]}, "messages[0].role", "got nothing"),
        ({"messages": [{"role": "critic", "content": "a"}]}, "messages[0].role", "got 'critic'"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content", "expected text, got a number"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "images", "no column holds it"),
        ({"messages": [{"role": "user", "content": [{"type": "file"}]}]}, "messages[0].content", "'file'"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0]", "function's name"),
        ({"conversations": [{"from": "human"}]}, "conversations[0].value", "expected text, got null"),
        ({"instruction": "a", "output": ["b", "c"]}, "output", "expected one text, got 2"),
        ({"instruction": "a", "instances": {}}, "instances", "expected a list"),
        ({"prompt": 1, "completion": "b"}, "prompt", "expected text"),
        ({"text": ""}, "", "no content"),
        ({"url": "a"}, "", "no known shape has the keys url"),
    ],
)
def test_a_wrong_record_names_field_and_expectation(record: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(ReadError) as error:
        detect(record).read(record)
    assert error.value.field == field
    assert reason in error.value.reason


def test_there_is_a_shape_for_every_row() -> None:
    row = make_row([message("user", "a"), message("assistant", "b"), message("user", "c"), message("assistant", "d")])
    with pytest.raises(CannotHold):
        shape_named("prompt_completion").write(row)
    assert holding(row) == "messages"


def test_an_unknown_shape_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'alpaca'"):
        shape_named("alpacca")


@given(a=st.dictionaries(texts, values, max_size=3), b=st.dictionaries(texts, values, max_size=3))
def test_a_patch_turns_one_value_into_the_other(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert orjson.dumps(apply(a, difference(a, b)), option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        b, option=orjson.OPT_SORT_KEYS
    )
    assert difference(a, a) == []


def test_a_patch_for_another_value_is_refused() -> None:
    with pytest.raises(PatchError):
        apply({"a": []}, [[["a", 3, "b"], 1]])


def test_a_chat_with_a_field_of_another_shape_is_still_a_chat() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert detect({"messages": turns, "chosen": [], "prompt": None}).name == "messages"
    assert detect({"messages": turns, "chosen": turns, "rejected": turns}).name != "messages"
