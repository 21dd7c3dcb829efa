"""Plain records by the short way: the same rows, identities, lines and set-aside records as by the long one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.rows.builder import build
from dataflywheel.rows.containers.block import Block
from dataflywheel.rows.mapping import column_mapping
from dataflywheel.rows.parse import parse_block
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.rows.peek import look_into, peek
from dataflywheel.rows.plain import NEUTRAL, PlainChats, plain_way
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.spill import in_place
from dataflywheel.rows.text import text_of
from tests.rows.strategies import texts, values

USER, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
ASKED, SAID = {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}
SHORT: dict[str, dict[str, Any]] = {
    "plain": {"messages": [USER, ANSWER]},
    "system and several turns": {"messages": [{"role": "system", "content": "s"}, USER, ANSWER, USER, ANSWER]},
    "two spellings of one letter": {"messages": [USER, {"role": "assistant", "content": "cafe\u0301 \u00e9"}]},
    "other fields": {"messages": [USER, ANSWER], "uuid": 1, "id": "7", "meta": {"y": [None], "b": 2.5}},
    "an empty answer": {"messages": [USER, {"role": "assistant", "content": ""}]},
    "sharegpt": {"conversations": [{"from": "system", "value": "s"}, ASKED, SAID, ASKED, SAID], "id": "x_0"},
    "a result of a tool": {"conversations": [ASKED, {"from": "observation", "value": "[1]"}, SAID]},
    "alpaca": {"instruction": "i", "input": "given", "output": "o", "category": "c"},
    "alpaca without input": {"instruction": "i", "input": "", "output": "o"},
    "alpaca without instruction": {"instruction": "", "input": "\n\ngiven", "output": "\n\n"},
    "alpaca twice the same": {"instruction": "given", "input": "given", "output": "given"},
    "dolly": {"instruction": "i", "context": "given", "response": "o", "category": "open_qa"},
    "prompt and completion": {"prompt": "q", "completion": " a"},
    "prompt and response": {"prompt": "\n\nHuman: q", "response": "a", "model": "m"},
    "question and answer": {"question": "caf\u0065\u0301", "answer": "", "meta": {"q": [1, None]}},
    "query and response": {"response": "a", "query": "q", "source": ""},
}
"""Records that are read in the short way."""
LONG: dict[str, Any] = {
    "a field nobody knows": {"messages": [USER, ANSWER], "z": 1},
    "a worse answer beside": {"messages": [USER, ANSWER], "rejected_response": "another"},
    "no answer": {"messages": [USER]},
    "answer beside": {"messages": [USER], "completion": "a", "kind": "x"},
    "nothing said": {"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]},
    "no turns": {"messages": []},
    "turns as text": {"messages": orjson.dumps([USER, ANSWER]).decode()},
    "a null beside": {"messages": [USER, ANSWER], "system": None},
    "system beside": {"messages": [USER, ANSWER], "system": "be brief"},
    "tags, label and tools": {"messages": [USER, ANSWER], "tags": ["x"], "label": True, "tools": [{"name": "f"}]},
    "images": {"messages": [USER, ANSWER], "images": ["a.png"]},
    "two answers": {"messages": [USER], "chosen": ANSWER, "rejected": ANSWER},
    "whole comparisons": {"messages": [USER, ANSWER], "chosen": [USER, ANSWER], "rejected": [USER, ANSWER]},
    "ours": {"messages": [USER, ANSWER], "flywheel": {"source": "there", "copies": 3}},
    "canonical": {"messages": [USER, ANSWER], "copies": 2, "extra": "{}", "made_by": "m"},
    "another speaker": {"messages": [{"role": "human", "content": "q"}, ANSWER]},
    "no speaker": {"messages": [{"role": "judge", "content": "q"}, ANSWER]},
    "role is a list": {"messages": [{"role": ["user"], "content": "q"}, ANSWER]},
    "a turn of text": {"messages": ["role", ANSWER]},
    "weight and thoughts": {"messages": [USER, {**ANSWER, "weight": 0, "reasoning_content": "r"}]},
    "blocks": {"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}, ANSWER]},
    "a channel": {"messages": [USER, {**ANSWER, "channel": "final"}]},
    "conversations too": {"messages": [USER, ANSWER], "conversations": [{"from": "human", "value": "q"}]},
    "a prompt too": {"messages": [USER, ANSWER], "prompt": "q", "response": "another"},
    "human and assistant": {"conversations": [ASKED, {"from": "assistant", "value": "a"}]},
    "roles under conversations": {"conversations": [USER, ANSWER]},
    "a call": {"conversations": [ASKED, {"from": "function_call", "value": '{"name": "f", "arguments": {}}'}]},
    "loss of a turn": {"conversations": [ASKED, {**SAID, "loss": False}]},
    "the human last": {"conversations": [SAID, ASKED]},
    "nothing said in values": {"conversations": [{"from": "human", "value": ""}, {"from": "gpt", "value": ""}]},
    "pairs as turns": {"conversations": [{"human": "q", "assistant": "a"}]},
    "a system text beside": {"conversations": [ASKED, SAID], "system": "s"},
    "no input": {"instruction": "i", "output": "o"},
    "a null input": {"instruction": "i", "input": None, "output": "o"},
    "input is a list": {"instruction": "i", "input": ["given"], "output": "o"},
    "output is a number": {"instruction": "i", "input": "", "output": 3},
    "history": {"instruction": "i", "input": "", "output": "o", "history": [["a", "b"]]},
    "a text beside": {"instruction": "i", "input": "", "output": "o", "text": "Below is an instruction: i o"},
    "thoughts beside": {"question": "q", "answer": "a", "reasoning": "because it is so and not otherwise"},
    "context beside": {"question": "q", "answer": "a", "context": "it is said that it is so"},
    "two answers to one prompt": {"prompt": "q", "completion": "a", "response": "b"},
    "an answer with a label": {"prompt": "q", "completion": "a", "label": True},
    "turns in both": {"prompt": [USER], "completion": [ANSWER]},
    "answers": {"question": "q", "answer": ["a"]},
    "a log": {"prompt": "q", "response": '{"choices": [{"message": {"role": "assistant", "content": "a"}}]}'},
    "nothing asked or answered": {"question": "", "answer": ""},
    "a list of texts": ["question", "answer"],
    "a text": "question",
}
LINES = SHORT | LONG


def both_ways(payload: bytes) -> tuple[PlainChats, pa.Table, pa.Table]:
    block = Block("jsonl", 5, payload)
    plain = PlainChats("here")
    short, long = parse_block(block, "f", "here", plain=plain), parse_block(block, "f", "here")
    assert (short.lines, short.quarantined, short.shapes) == (long.lines, long.quarantined, long.shapes)
    return plain, in_place(short, plain), build(long.rows)


@pytest.mark.parametrize("name", LINES)
def test_a_record_gives_the_same_row_by_either_way(name: str) -> None:
    plain, short, long = both_ways(orjson.dumps(LINES[name]))
    assert short.equals(long)
    assert len(plain) == (name in SHORT)


def test_rows_of_both_ways_stand_in_the_order_of_their_lines() -> None:
    odd = [
        b"{torn",
        b'{"messages": [{"role": "user", "content": "\\ud800"}, {"role": "assistant", "content": "a"}]}',
        b"",
    ]
    lines = [line for pair in zip(map(orjson.dumps, LINES.values()), odd * 20, strict=False) for line in pair]
    plain, short, long = both_ways(b"\n".join(lines))
    assert 0 < len(plain) < len(short)
    assert short.equals(long)


role = st.sampled_from(["system", "user", "assistant", "tool", "human", "gpt", "observation"])
turn = st.fixed_dictionaries({"role": role, "content": texts}, optional={"name": texts, "weight": st.integers(0, 1)})
spoken = st.fixed_dictionaries({"from": role, "value": texts}, optional={"loss": st.booleans(), "content": texts})
said = texts | st.sampled_from(['{"content": "a"}', "Human: q"]) | st.none() | st.integers(0, 1)
fields: list[dict[str, st.SearchStrategy[Any]]] = [
    {"messages": st.lists(turn, max_size=3)}, {"conversations": st.lists(spoken | turn, max_size=3)},
    *({name: said for name in names.split()} for names in (
        "instruction input output", "instruction context response", "prompt completion", "prompt response",
        "question answer", "query response", "instruction output",
    )),
]  # fmt: skip
keys = st.sampled_from(
    ["id", "source", "meta", "system", "answer", "label", "input", "tags", "images", "rejected", "flywheel", "history",
     "model", "topic", "response", "output", "completion", "text", "prompt", "", "functions"]
)  # fmt: skip
records = st.builds(
    lambda own, beside: {**beside, **own},
    st.one_of([st.fixed_dictionaries(one) for one in fields]),
    st.dictionaries(keys | texts, values, max_size=2),
)


@given(st.lists(records, max_size=4))
def test_any_records_give_the_same_rows_by_either_way(given: list[object]) -> None:
    _, short, long = both_ways(b"\n".join(map(orjson.dumps, given)))
    assert short.equals(long)


@pytest.mark.parametrize("record", [[1, 2], ["prompt", "completion"], "text", 7, None])
def test_what_is_no_record_is_left_to_the_long_way(record: object) -> None:
    assert PlainChats("s").take(record) is None
    parsed = parse_block(Block("jsonl", 1, orjson.dumps(record)), "f", "s", plain=PlainChats("s"))
    assert "expected an object" in parsed.quarantined[0].reason


def test_a_mapping_takes_the_long_way_and_a_format_its_own() -> None:
    block = Block("jsonl", 1, b"\n".join(orjson.dumps(LINES[name]) for name in ("plain", "alpaca")))
    plain = PlainChats("")
    assert len(parse_block(block, "f", "", None, column_mapping(roles={"user": "assistant"}), plain).rows) == 2
    assert not len(plain)
    for shape in ("messages", "alpaca", "dolly"):
        plain = PlainChats("")
        short, long = parse_block(block, "f", "", shape, None, plain), parse_block(block, "f", "", shape)
        assert len(plain) == (shape != "dolly")
        assert in_place(short, plain).equals(build(long.rows))
        assert short.quarantined == long.quarantined


@pytest.mark.parametrize(
    "value", ["said at length, in words", 7, True, ["a", "b"], {"a": None}, [USER, ANSWER], ANSWER]
)
def test_neutral_fields_say_nothing_of_the_turns(value: object) -> None:
    owns = [{"messages": [USER, ANSWER]}, {"conversations": [ASKED, SAID]}, SHORT["alpaca"], SHORT["dolly"]]
    owns += [SHORT[name] for name in ("prompt and completion", "question and answer")]
    lines = [orjson.dumps({**own, name: value}) for name in sorted(NEUTRAL) for own in owns]
    plain, short, long = both_ways(b"\n".join(lines))
    assert len(plain) == len(lines)
    assert short.equals(long)


def test_which_keys_are_plain() -> None:
    assert plain_way(frozenset({"messages", "id", "source"}))
    for key in ("tools", "system", "label", "tags", "images", "chosen", "flywheel", "cells"):
        assert plain_way(frozenset({"messages", key})) is None, key


def test_rows_are_counted_without_being_made(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(LINES[name]) for name in [*SHORT, "two answers", "no input"] * 3))
    size, first = look_into(Input(str(path)), 4)
    rows = [row for parsed in iter_parsed(Input(str(path))) for row in parsed.rows]
    assert first == rows[:4]
    assert size[:3] == (len(rows), sum(len(text_of(row["messages"])) for row in rows), 3)
    assert size == peek(Input(str(path))) == look_into(Input(str(path)), 10**6)[0]


def test_parts_are_there_in_order_when_the_writer_is_closed(tmp_path: Path) -> None:
    rows = both_ways(b"\n".join(orjson.dumps({"messages": [USER, {**ANSWER, "content": str(i)}]}) for i in range(50)))[
        1
    ]
    with PartWriter(tmp_path / "rows", part_rows=7) as writer:
        for start in range(0, 50, 10):
            writer.write(rows.slice(start, 10))
    assert writer.rows == 50
    assert read_rows(tmp_path / "rows").equals(rows)
    assert len(list((tmp_path / "rows").iterdir())) == 8


def test_a_part_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path / "rows", part_rows=1)
    (tmp_path / "rows").rmdir()
    rows = both_ways(orjson.dumps(LINES["plain"]))[1]

    def write_on() -> None:
        for _ in range(3):
            writer.write(rows)
        writer.close()

    with pytest.raises(FileNotFoundError, match="part-00000"):
        write_on()


def test_rows_that_wait_to_be_packed_are_bounded_and_parts_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [orjson.dumps({"messages": [USER, {**ANSWER, "content": "x" * i}]}) for i in range(300)]
    rows = both_ways(b"\n".join(lines))[1]
    monkeypatch.setattr("dataflywheel.rows.parts.GROUP_ROWS", 10)
    waiting: list[int] = []
    packed = PartWriter._packed

    def seen(self: PartWriter, size: int) -> None:
        waiting.append(self._waiting)
        packed(self, size)

    monkeypatch.setattr(PartWriter, "_packed", seen)
    found = []
    for bound in (1 << 30, 9000):
        monkeypatch.setattr("dataflywheel.rows.parts.WAITING_BYTES", bound)
        waiting.clear()
        with PartWriter(tmp_path / str(bound), part_rows=35) as writer:
            writer.write(rows)
        found.append([path.read_bytes() for path in sorted((tmp_path / str(bound)).iterdir())])
    assert found[0] == found[1]
    assert len(found[0]) == 9
    assert max(waiting) < 9000 + max(rows.slice(start, 10).nbytes for start in range(0, 300, 10))
