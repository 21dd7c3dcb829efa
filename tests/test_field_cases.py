"""Situations that people reported of other tools, with small inputs: each comes out as it should."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.templates.chat import Chat, ChatFormat
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.rows.convert import convert
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.schema import Row
from tests.models.template_rows import with_template


@pytest.fixture(scope="module")
def cases() -> Path:
    """The folder of cases; these tests are skipped where it is absent."""
    folder = Path(os.environ.get("FLYWHEEL_CASES", Path(__file__).resolve().parents[2] / "shared" / "cases"))
    if not folder.is_dir():
        pytest.skip("cases not found: set FLYWHEEL_CASES to the folder that holds reasoning-content, image-rows, ...")
    return folder


def written(path: Path, to: str, out: Path) -> list[dict[str, Any]]:
    """What `convert` writes, the records of all kinds in order of their files."""
    convert(str(path), str(out / "made.jsonl"), to)
    files = sorted(file for file in out.glob("made*.jsonl") if "quarantine" not in file.name)
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def read(path: Path) -> list[Row]:
    return [row for parsed in iter_parsed(Input(str(path))) for row in parsed.rows]


SKY = "Air scatters blue light most."


def turn(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def test_thoughts_reach_the_trainers(cases: Path, tmp_path: Path) -> None:
    path = cases / "reasoning-content" / "rows.jsonl"
    assert len({row["id"] for row in read(path)}) == 3
    thoughts = [record["messages"][1]["reasoning_content"] for record in written(path, "trl", tmp_path)]
    assert thoughts == [
        "4 and 4 and 4 make 12.",
        "A dozen is 12, and three fours are a dozen.",
        "No number from 2 to 6 divides it.",
    ]
    said = written(path, "llamafactory", tmp_path)[0]["conversations"][1]["value"]
    assert said == "<think>\n4 and 4 and 4 make 12.\n</think>\n\n12"


TEACHER, QUESTION = turn("system", "You are a teacher."), turn("user", "Why is the sky blue?")
FRENCH, HELLO = turn("system", "Answer in French."), turn("user", "Hello?")
PAIR = {"chosen": [turn("assistant", SKY)], "rejected": [turn("assistant", "It just is.")]}


@pytest.mark.parametrize(
    ("case", "file", "expected"),
    [
        ("system-beside-pairs", "header.csv", {"messages": [QUESTION, turn("assistant", SKY)]}),
        ("system-beside-pairs", "listprompt.jsonl", {"messages": [QUESTION, turn("assistant", SKY)]}),
        ("system-beside-pairs", "input.jsonl", {"prompt": [TEACHER, QUESTION], **PAIR}),
        ("system-beside-pairs", "orca.jsonl", {"prompt": [TEACHER, QUESTION], **PAIR}),
        ("system-beside-pairs", "system_pc.jsonl", {"messages": [FRENCH, HELLO, turn("assistant", "Bonjour.")]}),
        (
            "system-beside-pairs",
            "system_pref.jsonl",
            {
                "prompt": [FRENCH, HELLO],
                "chosen": [turn("assistant", "Bonjour.")],
                "rejected": [turn("assistant", "Hi.")],
            },
        ),
        ("binary-text-parquet", "binary.parquet", {"messages": [QUESTION, turn("assistant", SKY)]}),
        ("keys-without-mapping", "distilabel.jsonl", {"messages": [QUESTION, turn("assistant", SKY)]}),
        ("keys-without-mapping", "wildchat.jsonl", {"messages": [QUESTION, turn("assistant", SKY)]}),
        ("keys-without-mapping", "openorca.jsonl", {"messages": [TEACHER, QUESTION, turn("assistant", SKY)]}),
        ("keys-without-mapping", "capitals.csv", {"messages": [turn("user", "Why?"), turn("assistant", "Because.")]}),
        ("keys-without-mapping", "roles.jsonl", {"messages": [turn("user", "Hi."), turn("assistant", "Hello!")]}),
    ],
)
def test_nothing_of_a_record_is_left_over(
    cases: Path, tmp_path: Path, case: str, file: str, expected: dict[str, Any]
) -> None:
    assert written(cases / case / file, "trl", tmp_path) == [expected]


@pytest.mark.parametrize("file", ["bool.jsonl", "int.jsonl", "text.jsonl", "pandas.csv"])
def test_labels_in_any_spelling_are_labels(cases: Path, tmp_path: Path, file: str) -> None:
    records = written(cases / "kto-label-spellings" / file, "trl", tmp_path)
    assert [record["label"] for record in records] == [True, False]


def test_null_is_absent(cases: Path, tmp_path: Path) -> None:
    assert len(written(cases / "null-columns" / "union.jsonl", "trl", tmp_path)) == 3
    assert [row["messages"][0]["content"] for row in read(cases / "null-columns" / "text.jsonl")] == ["A document."]


@pytest.mark.parametrize("file", ["rows.jsonl", "train.jsonl"])
def test_marks_of_turns_reach_the_trainers_that_know_them(cases: Path, tmp_path: Path, file: str) -> None:
    path = cases / "weight-per-turn" / file
    [record] = written(path, "axolotl", tmp_path)
    assert [one.get("train") for one in record["messages"]] == [None, False, None, None]
    with pytest.raises(FlywheelError, match="a turn that must not be learned"):
        convert(str(path), str(tmp_path / "out.jsonl"), "trl")
    chat = ChatFormat(with_template("qwen2_5"))
    [one] = chat.examples([Chat(read(path)[0]["messages"])], 999)
    assert [chat.tokenizer.decode(one.ids[span.start : span.end]) for span in one.spans] == ["No: seven.<|im_end|>"]


def test_functions_are_tools(cases: Path, tmp_path: Path) -> None:
    [record] = written(cases / "functions-column" / "rows.jsonl", "trl", tmp_path)
    assert (record["tools"][0]["type"], record["tools"][0]["function"]["name"]) == ("function", "weather")
    assert record["messages"][1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": {"city": "Oslo"}}


def test_rows_that_differ_in_their_images_are_other_rows(cases: Path, tmp_path: Path) -> None:
    path = cases / "image-rows" / "rows.jsonl"
    assert len({row["id"] for row in read(path)}) == 6
    images = [record["images"] for record in written(path, "llamafactory", tmp_path)]
    assert images == [[f"car{i}.png"] for i in range(5)] + [["x.png"]]


def test_no_row_is_made_of_the_tail_of_another(cases: Path, tmp_path: Path) -> None:
    records = written(cases / "csv-backslash-quotes" / "export.csv", "trl", tmp_path)
    assert [record["messages"][1]["content"] for record in records] == ["He left.", "printf", "Ok."]


def test_odd_columns_cost_no_row(cases: Path) -> None:
    folder = cases / "parquet-odd-columns"
    for file in ("far_date.parquet", "duration.parquet"):
        assert [row["messages"][1]["content"] for row in read(folder / file)] == ["Because."]
    parsed = list(iter_parsed(Input(str(folder / "twice.parquet"))))
    assert not [row for one in parsed for row in one.rows]
    assert "names a column twice" in "".join(bad.reason for one in parsed for bad in one.quarantined)


def test_splits_are_not_mixed(cases: Path, tmp_path: Path) -> None:
    repo = cases / "train-and-test-in-one-folder" / "repo"
    told = convert(str(repo), str(tmp_path / "out.jsonl"), "trl")
    assert told["rows"] == 2
    assert any("test-00000" in str(one) for one in told["unread"])
    assert convert(f"{repo}#test", str(tmp_path / "test.jsonl"), "trl")["rows"] == 2
    assert (tmp_path / "out.jsonl").read_bytes() != (tmp_path / "test.jsonl").read_bytes()


@pytest.mark.parametrize("language", ["en", "th", "zh"])
def test_a_greeting_is_no_leak_in_any_script(cases: Path, tmp_path: Path, language: str) -> None:
    folder = cases / "words-across-scripts"
    target = json.loads((folder / f"{language}.target.jsonl").read_text(encoding="utf-8").splitlines()[0])
    pool = (folder / f"{language}.pool.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "pool.jsonl").write_text("\n".join([*pool, json.dumps(target)]), encoding="utf-8")
    recipe = recipe_from(
        {
            "name": language,
            "pool": [{"path": str(tmp_path / "pool.jsonl")}],
            "target": [{"path": str(folder / f"{language}.target.jsonl")}],
            "steps": [{"decontaminate": {"semantic": None}}],
        }
    )
    result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "home")
    assert (result.rows_in, result.rows_out) == (len(pool) + 1, len(pool))  # the copied item alone goes


def test_a_row_that_the_format_cannot_hold_ends_no_run(cases: Path, tmp_path: Path) -> None:
    pool = [{"path": str(cases / "two-user-turns" / "rows.jsonl")}]
    recipe = {"name": "r", "pool": pool, "steps": [{"deduplicate": {"near": 0.8}}], "format": "llamafactory"}
    result = run(recipe_from(recipe), runs=tmp_path / "runs", home=tmp_path / "home")
    assert result.rows_out == 1
    assert list(result.left_out.values()) == [1]


@pytest.mark.parametrize(
    ("case", "file", "template"),
    [
        ("think-blocks-qwen3", "mixed.jsonl", "qwen3"),
        ("think-blocks-qwen3", "think.jsonl", "qwen3"),
        ("think-blocks-r1", "think.jsonl", "deepseek_r1_distill"),
    ],
)
def test_blocks_of_thoughts_are_learned(cases: Path, case: str, file: str, template: str) -> None:
    rows, chat = read(cases / case / file), ChatFormat(with_template(template))
    found = chat.examples([Chat(row["messages"]) for row in rows], 4096)
    assert [one.row for one in found] == list(range(len(rows)))
    for one in found:
        for span in one.spans:
            said = chat.tokenizer.decode(one.ids[span.start : span.end])
            assert rows[one.row]["messages"][span.turn]["content"].strip() in said or one.changed


def test_tools_stand_in_the_prompt(cases: Path) -> None:
    chat = ChatFormat(with_template("qwen2_5"))
    rows = read(cases / "tools-in-template" / "with_tools.jsonl")
    found = chat.examples([Chat(row["messages"], row["tools"]) for row in rows], 4096)
    for row, one in zip(rows, found, strict=True):
        whole = chat.tokenizer.apply_chat_template(
            [{**t, "tool_calls": json.loads(t["tool_calls"] or "null")} for t in row["messages"]],
            tools=json.loads(row["tools"] or "null"),
            tokenize=False,
        )
        assert chat.tokenizer.decode(one.ids) == whole.rstrip("\n")
