"""Nothing that a row holds is lost between a user's file and a trainer's: it is kept, or the row is refused by name."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.convert import convert
from dataflywheel.rows.formats.tool_calls import spaced
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import MediaType, Medium, Message, Row, message
from dataflywheel.rows.trainers import TRAINERS
from dataflywheel.rows.trainers.kind import with_thoughts
from tests.rows.fidelity import PLACE, page, read, table
from tests.rows.strategies import calls, specs


def test_the_table_is_as_it_stands_and_nothing_is_lost() -> None:
    lines = table()
    lost = [line for line in lines if any(cell.startswith("lost") for cell in line)]
    assert not lost
    assert page(lines) == PLACE.read_text(encoding="utf-8"), "run `python -m tests.rows.fidelity`"


words = st.text("abc \n\"'{}é", max_size=8)
ids = st.sampled_from([None, "c1"])
MARKS: dict[MediaType, str] = {"image": "<image>", "video": "<video>", "audio": "<audio>"}


@st.composite
def turns(draw: st.DrawFn, role: str) -> Message:
    """A turn with all that its role may hold."""
    if role == "assistant":
        made = draw(st.none() | st.none() | calls)
        content = draw(words) if made is None else draw(st.sampled_from(["", "", "I look."]))
        thoughts = draw(st.none() | st.just("Hm.\nSo be it."))
        return message(role, content, made, reasoning=thoughts, learn=draw(st.sampled_from([None, None, False])))
    if role == "tool":
        return message(role, draw(words), tool_call_id=draw(ids), name=draw(st.sampled_from([None, "f"])))
    return message(role, draw(words), name=draw(st.sampled_from([None, None, None, "ann"])))


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Chats, comparisons, judged answers and documents, most of them as trainers want them."""
    usual = [["user", "assistant"], ["user", "assistant"] * 2, ["user", "assistant", "tool", "assistant"]]
    order = draw(
        st.sampled_from(usual) | st.lists(st.sampled_from(["user", "assistant", "tool"]), min_size=1, max_size=4)
    )
    roles = [*draw(st.sampled_from([[], ["system"]])), *order]
    messages = [draw(turns(role)) for role in roles]
    messages[-1]["content"] = messages[-1]["content"] or "yes"
    media: list[Medium] = []
    for type in draw(st.lists(st.sampled_from(sorted(MARKS)), max_size=2)):
        media.append({"type": type, "ref": f"{type}{len(media)}.bin"})
    if draw(st.booleans()):  # the marks of all of them in one turn
        draw(st.sampled_from(messages))["content"] += "".join(MARKS[one["type"]] for one in media)
    label = draw(st.sampled_from([None, None, "true", "false", "sport"]))
    rejected = [draw(turns("assistant"))] if draw(st.booleans()) and label is None else None
    cells = draw(st.sampled_from([None, None, '{"a":1}']))
    tools = draw(st.none() | specs)
    row = make_row(messages, rejected=rejected, tools=tools, label=label, media=media, cells=cells)
    row["copies"] = draw(st.integers(1, 2))
    return row


def spelled(turn: Message) -> tuple[Any, ...]:
    """A turn as it is said, thoughts and calls within, as some trainers are given them; without places of media, which
    some need where there are none."""
    made = [
        {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
        | ({"id": call["id"]} if "id" in call else {})
        for call in orjson.loads(turn["tool_calls"] or "[]")
    ]
    called = spaced(made[0] if len(made) == 1 else made) if made else ""
    text = with_thoughts(turn, turn["content"] + called)
    for mark in MARKS.values():
        text = text.replace(mark, "")
    return turn["role"], text, turn["name"], turn["tool_call_id"], turn["learn"]


def content(row: Row) -> tuple[Any, ...]:
    """All that a row holds, whatever its spelling."""
    heard = [spelled(turn) for turn in row["messages"] if turn["role"] != "system" or turn["content"]]
    worse = None if row["rejected"] is None else list(map(spelled, row["rejected"]))
    copies = max(row["copies"], orjson.loads(row["extra"]).get("copies") or 1)
    tools = orjson.loads(row["tools"]) if row["tools"] else None
    return heard, worse, tools, row["label"], sorted(map(str, row["media"] or ())), row["cells"], copies


@pytest.mark.parametrize("trainer", TRAINERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=st.lists(rows(), min_size=1, max_size=4))
def test_every_row_comes_back_from_a_trainers_file_or_is_refused_by_name(trainer: str, made: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "rows.jsonl"
        source.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in made))
        known, why = read(str(source))
        assert (len(known), why) == (len(made), "")
        try:
            result = convert(str(source), str(folder / "out.jsonl"), trainer)
        except FlywheelError as error:
            named = f"row {made[0]['id']}" in str(error)
            result = None
        if result is None:
            assert named
            return
        listed = folder / "out.jsonl.quarantine.jsonl"
        refused = [json.loads(line) for line in listed.read_bytes().splitlines()] if listed.exists() else []
        assert all(entry["reason"].startswith(f"{trainer} cannot hold ") for entry in refused)
        assert len(refused) + result["records"] == len(made)
        left = {entry["line"] for entry in refused}
        expected = [content(row) for line, row in enumerate(known, start=1) if line not in left]
        found = [row for file in result["files"].values() for row in read(file["path"])[0]]
        assert sorted(map(str, map(content, found))) == sorted(map(str, expected))
