"""Columns and roles under any names: read as they are mapped, refused with the nearest, proposed where nothing fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.rows.fingerprint import fingerprint
from dataflywheel.rows.formats import ReadError
from dataflywheel.rows.mapping import column_mapping
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.schema import Row
from tests.rows.test_public_sets import shown

TURNS = [{"who": "customer", "said": "q"}, {"who": "agent", "said": "a", "why": "t", "w": 0}]


def read(record: dict[str, Any], columns: dict[str, Any], roles: dict[str, str] | None = None) -> Row:
    mapping = column_mapping(columns, roles)
    assert mapping is not None
    renamed, shape = mapping.read(record)
    [row] = shape.read(renamed)
    return row


MAPPED: list[tuple[dict[str, Any], dict[str, Any], dict[str, str], str]] = [
    ({"q": "q", "a": "a"}, {"prompt": "q", "answer": "a"}, {}, "u:q a:a"),
    ({"data": {"question": "q", "n": 1}, "a": "a"}, {"prompt": "data.question", "answer": "a"}, {}, "u:q a:a"),
    ({"c": "c", "q": "q", "a": "a"}, {"prompt": ["c", "q"], "answer": "a"}, {}, "u:c\n\nq a:a"),
    ({"q": "q", "a": "a", "b": "b", "s": "s"}, {"prompt": "q", "answer": "a", "rejected": "b", "system": "s"}, {},
     "s:s u:q a:a ! a:b"),
    ({"q": "q", "a": "a", "t": "t", "l": "Yes", "g": "good"}, {"prompt": "q", "answer": "a", "reasoning": "t",
                                                              "label": "l"}, {}, "u:q a:[t]a = Yes"),
    ({"log": TURNS}, {"messages": "log", "role": "who", "content": "said", "reasoning": "why"},
     {"customer": "user", "agent": "assistant"}, "u:q a:[t]a"),
    ({"conversations": [{"from": "customer", "value": "q"}]}, {}, {"customer": "user"}, "u:q"),
    ({"req": json.dumps({"messages": [{"role": "user", "content": "q"}]}), "res": {"choices": [{"text": "a"}]}},
     {"messages": "req.messages", "answer": "res.choices[0].text"}, {}, "u:q a:a"),
    ({"body": "a document"}, {"text": "body"}, {}, "a:a document"),
    ({"chat": "[{'role': 'user', 'content': 'q'}]"}, {"messages": "chat"}, {}, "u:q"),
    ({"q": "q", "response": "a"}, {"prompt": "q"}, {}, "u:q a:a"),
    ({"question": "q", "gold": "a", "response": "b"}, {"answer": "gold"}, {}, "u:q a:a"),
    ({"q": "q", "a": "a", "prompt": "x", "input": "another text of many words here"},
     {"prompt": "q", "answer": "a"}, {}, "u:q a:a"),
    ({"q": "q", "a": "a"}, {"prompt": "q", "answer": "a", "system": "s?"}, {}, "u:q a:a"),
    ({"question": "q", "answers": {"text": ["a"]}, "context": "c"},
     {"prompt": ["context", "question"], "answer": "answers.text"}, {}, "u:c\n\nq a:a"),
    ({"q": "q", "good": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
      "bad": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]},
     {"answer": "good", "rejected": "bad"}, {}, "u:q a:a ! a:b"),
    ({"goal": "q", "chosen": "a", "rejected": "b"}, {"prompt": "goal"}, {}, "u:q a:a ! a:b"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "columns", "roles", "row"), MAPPED)
def test_mapped_columns_are_read(
    record: dict[str, Any], columns: dict[str, Any], roles: dict[str, str], row: str
) -> None:
    assert shown(read(record, columns, roles)) == row


def test_weight_source_tags_images_and_what_is_not_mapped_are_kept() -> None:
    record = {"q": "<image>q", "a": "a", "w": 0, "from": "x", "skill": "sum", "pics": ["p.png"], "prompt": "other"}
    columns = {"prompt": "q", "answer": "a", "weight": "w", "source": "from", "tags": "skill", "images": "pics"}
    row = read(record, columns)
    assert [turn["learn"] for turn in row["messages"]] == [None, False]
    assert (row["source"], row["tags"], row["media"]) == ("x", ["sum"], [{"type": "image", "ref": "p.png"}])
    assert json.loads(row["extra"])["unmapped"] == {"prompt": "other"}
    assert read({"log": TURNS}, {"messages": "log", "role": "who", "content": "said", "weight": "w"},
                {"customer": "user", "agent": "assistant"})["messages"][1]["learn"] is False  # fmt: skip


def test_a_mapped_column_that_is_missing_is_refused_with_the_nearest() -> None:
    with pytest.raises(ReadError, match="questoin: no such column for prompt; the nearest are question"):
        read({"question": "q", "a": "a"}, {"prompt": "questoin", "answer": "a"})


@pytest.mark.parametrize(
    ("columns", "roles", "reason"),
    [
        ({"promt": "q"}, {}, "did you mean 'prompt'"),
        ({"chosen": "q"}, {}, "the good answer is called 'answer'"),
        ({"rejected": "q"}, {}, "name the better one too"),
        ({"text": "q", "answer": "a"}, {}, "neither prompt nor answer"),
        ({"answer": ["a", "b"]}, {}, "answer is one column"),
        ({}, {"customer": "usr"}, "did you mean 'user'"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(columns: dict[str, Any], roles: dict[str, str], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        column_mapping(columns, roles)


PROPOSED: list[tuple[dict[str, Any], str]] = [
    ({"q": "Why?", "a": "Because."}, "columns: {prompt: q, answer: a}"),
    ({"id": "a b c", "goal": "Write it", "target": "Here it is"}, "columns: {prompt: goal, answer: target}"),
    ({"url": "x", "article": "Long " * 9, "highlights": "one"}, "columns: {prompt: article, answer: highlights}"),
    ({"data": {"frage": "Was?", "antwort": "Das."}}, "columns: {prompt: data.frage, answer: data.antwort}"),
    ({"body": "One document"}, "columns: {text: body}"),
    ({"inhalt": "One document"}, "columns: {text: inhalt}"),
    ({"log": [{"who": "customer", "said": "Hi there"}, {"who": "agent", "said": "Hello"}]},
     "columns: {messages: log, role: who, content: said}; roles: {customer: user, agent: assistant}"),
    ({"eins": "Why is the sky blue?", "zwei": "Air scatters it."}, "columns: {prompt: eins, answer: zwei}"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "proposal"), PROPOSED)
def test_a_refused_file_is_told_with_a_mapping_that_reads_it(
    tmp_path: Path, record: dict[str, Any], proposal: str
) -> None:
    (tmp_path / "pool.jsonl").write_text(json.dumps(record) + "\n")
    pool, out = str(tmp_path / "pool.jsonl"), str(tmp_path / "out.jsonl")
    for verb in (["profile", pool], ["convert", pool, out, "--to", "trl"]):
        told = CliRunner().invoke(app, verb)
        assert f"try {proposal}" in str(told.exception)
    named = proposal.removeprefix("columns: ").split("; roles: ")
    parts = [part.strip("{}").split(", ") for part in (*named, "{a: user}")[:2]]
    columns, roles = (dict(pair.split(": ") for pair in part) for part in parts)
    assert read(record, columns, roles)["messages"]


def test_recipe_and_command_line_take_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("q,a\nWhy?,Because.\n")
    out = tmp_path / "out.jsonl"
    bare = {"name": "bare", "pool": {"path": str(tmp_path / "pool.csv")}, "steps": [{"deduplicate": {}}]}
    with pytest.raises(FlywheelError, match="line 2: no known shape has the keys q, a; try columns"):
        run(recipe_from(bare, "test"), runs=tmp_path / "runs", home=tmp_path / "home")
    options = ["--to", "messages", "--columns", "prompt=q,answer=a"]
    assert CliRunner().invoke(app, ["convert", str(tmp_path / "pool.csv"), str(out), *options]).exit_code == 0
    assert json.loads(out.read_text()) == {
        "messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
    }
    pool = {"path": str(tmp_path / "pool.csv"), "columns": {"prompt": "q", "answer": "a"}, "roles": {}}
    recipe = recipe_from({"name": "r", "pool": pool, "steps": [{"select": {"keep": 1}}]}, "test")
    given = Input(pool["path"], mapping=recipe.pool[0].mapping())  # type: ignore[arg-type]
    assert [shown(row) for parsed in iter_parsed(given) for row in parsed.rows] == ["u:Why? a:Because."]
    other = Input(pool["path"], mapping=column_mapping({"prompt": "a", "answer": "q"}))  # type: ignore[arg-type]
    assert len({fingerprint([given]), fingerprint([other]), fingerprint([Input(str(pool["path"]))])}) == 3
    with pytest.raises(UsageError, match="did you mean 'prompt'"):
        recipe_from({"name": "r", "pool": {**pool, "columns": {"promt": "q"}}, "steps": [{"select": {}}]}, "test")


def test_rows_made_in_memory_are_an_input_like_any_other() -> None:
    rows = [read({"q": "q", "a": "a"}, {"prompt": "q", "answer": "a"})]
    assert [row for parsed in iter_parsed(Input(None, records=lambda: iter(rows))) for row in parsed.rows] == rows
