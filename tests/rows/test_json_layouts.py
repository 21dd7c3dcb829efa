"""JSON however it is laid out: the records are the same, and only what is broken is set aside."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.rows.containers import json_values
from dataflywheel.rows.containers.block import Bad, Left
from dataflywheel.rows.containers.json_document import document_blocks
from dataflywheel.rows.containers.json_values import Values
from dataflywheel.rows.reading import Input as In
from dataflywheel.rows.reading import iter_parsed, read_file

PAIRS = [{"prompt": f'q{i} {{[\\"', "completion": f'a{i} "]}}'} for i in range(3)]
CHAT = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}


def dump(value: Any, **options: Any) -> str:
    return json.dumps(value, **options)


def of(text: str | bytes, part: str | None = None) -> list[Any]:
    data = text if isinstance(text, bytes) else text.encode()
    return [value for block in document_blocks(io.BytesIO(data), "x", part) for _, value in block.payload]


def read(path: Path, text: str | bytes) -> tuple[list[str], list[str]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    rows, quarantined = read_file(str(path))
    return [turns[0]["content"] for turns in rows["messages"].to_pylist()], [entry.reason for entry in quarantined]


COLUMNS = {key: [pair[key] for pair in PAIRS] for key in PAIRS[0]}
LAYOUTS = {
    "in a row": "".join(map(dump, PAIRS)),
    "in a row with blanks": " ".join(map(dump, PAIRS)),
    "over lines": "\n".join(dump(pair, indent=2) for pair in PAIRS),
    "over lines without end": "".join(dump(pair, indent=4) for pair in PAIRS),
    "array": dump(PAIRS),
    "array over lines": dump(PAIRS, indent=1),
    "array of lines": "[\n" + ",\n".join(map(dump, PAIRS)) + "\n]\n",
    "two arrays": dump(PAIRS[:1]) + "\n" + dump(PAIRS[1:]),
    "text sequence": "".join(f"\x1e{dump(pair)}\n" for pair in PAIRS),
    "commas": ",\n".join(map(dump, PAIRS)) + ",\n",
    "carriage returns": "\r\n".join(map(dump, PAIRS)),
    "mark": "\ufeff" + dump(PAIRS),
    "under a key": dump({"data": PAIRS}),
    "under any key": dump({"version": 1, "questions": PAIRS}, indent=2),
    "under two keys": dump({"result": {"items": PAIRS}}),
    "viewer": dump({"features": [{"name": "prompt"}], "rows": [{"row_idx": 0, "row": pair} for pair in PAIRS]}),
    "viewer, in short": dump({"rows": [{"row": pair} for pair in PAIRS]}),
    "by split": dump({"train": PAIRS, "test": [PAIRS[0]]}),
    "by split under a key": dump({"data": {"training": PAIRS, "dev": [PAIRS[0]]}}),
    "lists by column": dump(COLUMNS),
    "objects by column": dump({key: {str(i): v for i, v in enumerate(held)} for key, held in COLUMNS.items()}),
    "texts by column": dump({"text": [pair["prompt"] for pair in PAIRS]}),
    "pandas split": dump({"columns": list(COLUMNS), "index": [0, 1, 2], "data": [list(p.values()) for p in PAIRS]}),
    "pandas index": dump({str(i): pair for i, pair in enumerate(PAIRS)}),
    "pandas table": dump({"schema": {"fields": [{"name": "prompt"}]}, "data": PAIRS}),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_every_layout_holds_the_same_records(tmp_path: Path, name: str, suffix: str) -> None:
    texts, reasons = read(tmp_path / f"a.{suffix}", LAYOUTS[name])
    assert (texts, reasons) == ([pair["prompt"] for pair in PAIRS], [])


def test_what_stands_beside_the_records_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(dump({"train": PAIRS, "test": PAIRS[:1], "license": "mit"}))
    [parsed] = iter_parsed(In(str(path)))
    assert [what.rpartition("#")[2] for what, _ in parsed.unread] == ["test", "license"]
    assert f"name it as {path}#test" in parsed.unread[0][1]
    assert len(read_file(f"{path}#test")[0]) == 1
    with pytest.raises(FlywheelError, match=r"no part 'tset'; did you mean 'test'"):
        read_file(f"{path}#tset")
    (tmp_path / "a.csv").write_text("text\na\n")
    with pytest.raises(UsageError, match="has no parts"):
        read_file(f"{tmp_path / 'a.csv'}#test")


def test_a_record_is_never_taken_apart() -> None:
    preference = {"prompt": CHAT["messages"], "chosen": CHAT["messages"], "rejected": CHAT["messages"]}
    tagged = {**CHAT, "tags": ["a", "b"], "tools": [{"name": "f"}, {"name": "g"}]}
    tasks = {"instruction": "Add.", "instances": [{"input": "1, 2", "output": "3"}]}
    assert of(dump(tasks, indent=1)) == [tasks]
    listed = {"data": ["Hello?", "Hello."]}
    for record in (
        CHAT,
        preference,
        tagged,
        listed,
        {**listed, "id": "7"},
        PAIRS[0],
        {"text": "a", "notes": [{"b": 1}]},
    ):
        assert of(dump(record, indent=1)) == [record]
    assert of(dump({"dialog": [{"role": "user", "content": "a"}]})) == [{"dialog": [{"role": "user", "content": "a"}]}]


def test_rows_and_columns_of_names_that_nobody_knows() -> None:
    rows = [{"frage": "q", "antwort": "a"}, {"frage": "r", "antwort": "b"}]
    assert of(dump({str(i): row for i, row in enumerate(rows)})) == rows
    assert of(dump({key: {str(i): row[key] for i, row in enumerate(rows)} for key in rows[0]})) == rows


def test_what_cannot_be_told_is_not_guessed() -> None:
    several, splits = of(dump({"a": PAIRS, "b": PAIRS})), of(dump({"dev": PAIRS, "test": PAIRS}))
    assert "several lists of records: a, b; name one of them, such as x#a" in several[0].reason
    assert "none to train on" in splits[0].reason
    assert of(dump({"a": PAIRS, "b": PAIRS}), "b") == PAIRS
    assert of(dump({"validation": PAIRS, "test": PAIRS[:1]}), "dev") == PAIRS
    cut = {"rows": [{"row_idx": 0, "row": PAIRS[0], "truncated_cells": ["prompt"]}]}
    assert "cut these cells short: prompt" in of(dump(cut))[0].reason
    ragged = of(dump({"columns": ["prompt", "completion"], "data": [["a", "b"], ["c"]]}))
    assert ragged[0] == {"prompt": "a", "completion": "b"}
    assert "expected 2 values" in ragged[1].reason


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ('{"text": "a",}', "a comma stands before a closing bracket"),
        ('{"text": "a" /* note */}', "comments"),
        ('{"text": "a"\n// note\n}', "comments"),
        ("{'text': 'a', 'ok': True}", "a Python literal"),
        ('{text: "a"}', "a name without quotes"),
        ('{"text": "a\nb"}', "a line break inside a text"),
        ('{"text": oops}', "not JSON"),
        ('{"text": "a"', "not JSON"),
    ],
)
def test_a_broken_record_is_set_aside_alone_and_in_clear_words(tmp_path: Path, broken: str, words: str) -> None:
    document = '[\n{"text": "good"},\n' + broken + ',\n{"text": "last"}\n]'
    texts, reasons = read(tmp_path / "a.json", document)
    assert (texts, len(reasons)) == (["good", "last"], 1)
    assert words in reasons[0]
    if "\n" not in broken:
        texts, [reason] = read(tmp_path / "a.jsonl", '{"text": "good"}\n' + broken + '\n{"text": "last"}\n')
        assert (texts, words in reason) == (["good", "last"], True)


def test_an_array_that_was_cut_between_records_is_told() -> None:
    *records, told = of('[{"text": "a"},\n{"text": "b"},\n')
    assert records == [{"text": "a"}, {"text": "b"}]
    assert "the array does not close" in told.reason
    assert of("[]") == of("[ ]\n") == []


def test_pieces_of_a_torn_record_are_no_rows(tmp_path: Path) -> None:
    torn = '", "content": [{"type": "text", "text": "never"}]}'
    lines = '{"text": "good"}\n' + torn + '\n{"text": "also"}{"text": "cut\n{"text": "last"}\n'
    texts, reasons = read(tmp_path / "a.jsonl", lines)
    assert (texts, len(reasons)) == (["good", "also", "last"], 2)
    early = (
        '[\n {"text": "good"},\n {"a": {"b": 1}}},\n  "x": [{"text": "never"}, {"text": "no"}]},\n {"text": "last"}\n]'
    )
    assert read(tmp_path / "a.json", early)[0] == ["good", "last"]


def test_numbers_that_json_has_not() -> None:
    [record] = of('[{"text": "NaN", "score": NaN, "high": Infinity, "low": -Infinity}\n]')
    assert record == {"text": "NaN", "score": None, "high": "Infinity", "low": "-Infinity"}


@settings(max_examples=40, deadline=None)
@given(
    records=st.lists(st.dictionaries(st.text(max_size=4), st.recursive(
        st.none() | st.integers(-5, 5) | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6), max_size=3), min_size=1, max_size=5),
    indent=st.sampled_from([None, 1]),
    between=st.sampled_from(["", "\n", ",", " \r\n", "\x1e"]),
    step=st.integers(1, 40),
)  # fmt: skip
def test_values_are_found_wherever_a_chunk_ends(records: list[Any], indent: int, between: str, step: int) -> None:
    text = between.join(dump(record, indent=indent, ensure_ascii=False) for record in records).encode()
    before, json_values.STEP = json_values.STEP, step
    try:
        values = Values(io.BytesIO(text))
        assert [json.loads(found.text) for found in values] == records
        assert values.cut == b""
        whole = Values(io.BytesIO(b"[" + b",".join(dump(record).encode() for record in records) + b"]"))
        assert [json.loads(found.text) for found in whole if found.in_array] == records
    finally:
        json_values.STEP = before


def test_odd_text_of_a_megabyte_takes_no_time() -> None:
    for text in (b"{" * 10**6, b'"' * 10**5, b'{"a":' * 10**5, b"\\" * 10**6, b'{"' + b" ,}" * 10**5, b"{\n" * 10**3):
        assert all(isinstance(value, Bad | Left) for value in of(text))
