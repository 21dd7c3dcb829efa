"""Plain chats by the short way: the same rows, identities, lines and set-aside records as by the long one."""

from __future__ import annotations

from pathlib import Path

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
from dataflywheel.rows.plain import NEUTRAL, PlainChats, plain_keys
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.spill import in_place
from dataflywheel.rows.text import text_of
from tests.rows.strategies import texts, values

USER, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
LINES = {
    "plain": {"messages": [USER, ANSWER]},
    "system and several turns": {"messages": [{"role": "system", "content": "s"}, USER, ANSWER, USER, ANSWER]},
    "two spellings of one letter": {"messages": [USER, {"role": "assistant", "content": "cafe\u0301 \u00e9"}]},
    "other fields": {"messages": [USER, ANSWER], "uuid": 1, "id": "7", "meta": {"y": [None], "b": 2.5}},
    "a field nobody knows": {"messages": [USER, ANSWER], "z": 1},
    "a worse answer beside": {"messages": [USER, ANSWER], "rejected_response": "another"},
    "no answer": {"messages": [USER]},
    "answer beside": {"messages": [USER], "completion": "a", "kind": "x"},
    "an empty answer": {"messages": [USER, {"role": "assistant", "content": ""}]},
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
    "another shape": {"instruction": "i", "output": "o"},
}
SHORT = (*list(LINES)[:4], "an empty answer")


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


turn = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "human"]), "content": texts | st.none()},
    optional={"name": texts, "weight": st.integers(0, 1)},
)
keys = st.sampled_from(
    ["id", "source", "meta", "system", "answer", "label", "input", "tags", "images", "rejected", "flywheel", "history"]
)
records = st.builds(
    lambda turns, beside: {**beside, "messages": turns},
    st.lists(turn, max_size=3),
    st.dictionaries(keys | texts, values, max_size=2),
)


@given(st.lists(records, max_size=4))
def test_any_chats_give_the_same_rows_by_either_way(given: list[object]) -> None:
    _, short, long = both_ways(b"\n".join(map(orjson.dumps, given)))
    assert short.equals(long)


def test_a_mapping_and_another_shape_take_the_long_way() -> None:
    block = Block("jsonl", 1, orjson.dumps(LINES["plain"]))
    plain = PlainChats("")
    assert len(parse_block(block, "f", "", None, column_mapping(roles={"user": "assistant"}), plain).rows) == 1
    parse_block(block, "f", "", "alpaca", None, plain)
    assert not len(plain)


@pytest.mark.parametrize(
    "value", ["said at length, in words", 7, True, ["a", "b"], {"a": None}, [USER, ANSWER], ANSWER]
)
def test_neutral_fields_say_nothing_of_the_turns(value: object) -> None:
    lines = [orjson.dumps({"messages": [USER, ANSWER], name: value}) for name in sorted(NEUTRAL)]
    plain, short, long = both_ways(b"\n".join(lines))
    assert len(plain) == len(lines)
    assert short.equals(long)


def test_which_keys_are_plain() -> None:
    assert plain_keys(frozenset({"messages", "id", "source"}))
    for key in ("tools", "system", "label", "tags", "images", "chosen", "flywheel", "cells"):
        assert not plain_keys(frozenset({"messages", key})), key


def test_rows_are_counted_without_being_made(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(LINES[name]) for name in [*SHORT, "two answers", "another shape"] * 3))
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
