"""Conversion: every trainer's files as the trainer reads them, and errors that say what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataflywheel.cli.convert import written
from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.rows.containers.write import write_records
from dataflywheel.rows.convert import convert
from dataflywheel.rows.formats import shape_named
from dataflywheel.rows.formats.draft import ReadError
from dataflywheel.rows.reading import read_file
from dataflywheel.rows.schema import ROW_SCHEMA

TURNS = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
CHAT = {
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"},
    ]
}
PAIR = {"prompt": "q", "chosen": "good", "rejected": "bad", "score": 3}
KTO = {"messages": TURNS, "label": False}
CALL = {
    "conversations": [
        {"from": "human", "value": "q"},
        {"from": "function_call", "value": '{"name": "f", "arguments": {"x": 1}}'},
        {"from": "observation", "value": "1"},
        {"from": "gpt", "value": "a"},
    ],
    "tools": '[{"name": "f"}]',
}
TEXT = {"text": "a document"}


def given(folder: Path, *records: dict[str, Any]) -> str:
    (folder / "in.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(folder / "in.jsonl")


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (CHAT, CHAT),
        (PAIR, {"prompt": [{"role": "user", "content": "q"}], "chosen": [{"role": "assistant", "content": "good"}],
                "rejected": [{"role": "assistant", "content": "bad"}]}),
        (KTO, {"prompt": TURNS[:1], "completion": TURNS[1:], "label": False}),
        (TEXT, TEXT),
    ],
)  # fmt: skip
def test_trl_gets_exactly_its_fields(tmp_path: Path, record: dict[str, Any], expected: dict[str, Any]) -> None:
    convert(given(tmp_path, record), str(tmp_path / "out.jsonl"), "trl")
    assert lines(tmp_path / "out.jsonl") == [expected]


def test_trl_itself_takes_its_files_for_conversations(tmp_path: Path, data: Path) -> None:
    datasets = pytest.importorskip("datasets")
    trl = pytest.importorskip("trl.data_utils")
    for name in ("alpaca_en_demo", "dpo_en_demo", "kto_en_demo", "glaive_toolcall_en_demo"):
        suffix = "jsonl" if name.startswith("glaive") else "parquet"
        target = str(tmp_path / f"{name}.{suffix}")
        result = convert(str(data / f"formats_demo/{name}.json.gz"), target, "trl")
        load = datasets.Dataset.from_json if suffix == "jsonl" else datasets.Dataset.from_parquet
        loaded = load(target, cache_dir=str(tmp_path / "cache"))
        assert len(loaded) == result["rows"]
        assert trl.is_conversational(loaded[0])


def test_calls_of_unlike_tools_are_not_squeezed_into_columns(tmp_path: Path, data: Path) -> None:
    source = str(data / "formats_demo/glaive_toolcall_en_demo.json.gz")
    with pytest.raises(FlywheelError, match=r"values of messages.* write \.jsonl instead"):
        convert(source, str(tmp_path / "out.parquet"), "trl")
    with pytest.raises(UsageError, match="which csv has not"):
        convert(source, str(tmp_path / "out.csv"), "trl")


def test_tool_calls_reach_trl_as_objects(tmp_path: Path) -> None:
    convert(given(tmp_path, CALL), str(tmp_path / "out.jsonl"), "trl")
    [record] = lines(tmp_path / "out.jsonl")
    assert record["messages"][1]["tool_calls"] == [
        {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
    ]
    assert record["tools"] == [{"name": "f"}]


def test_llamafactory_gets_an_entry_that_describes_its_columns(tmp_path: Path) -> None:
    (tmp_path / "dataset_info.json").write_text('{"other": {"file_name": "other.json"}}', encoding="utf-8")
    for name, record in (("chat", CHAT), ("pair", PAIR), ("kto", KTO), ("call", CALL), ("text", TEXT)):
        convert(given(tmp_path, record), str(tmp_path / f"{name}.jsonl"), "llamafactory")
    info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    assert set(info) == {"other", "chat", "pair", "kto", "call", "text"}
    for name, entry in info.items():
        if name == "other":
            continue
        [record] = lines(tmp_path / entry["file_name"])
        assert set(entry["columns"].values()) == set(record)
        tags = entry.get("tags", {})
        speakers = {tags[key] for key in tags if key not in ("role_tag", "content_tag")}
        assert all(turn[tags["role_tag"]] in speakers for turn in record.get("conversations", []))
    assert [name for name in info if info[name].get("ranking")] == ["pair"]
    assert info["kto"]["columns"]["kto_tag"] == "label"
    assert info["text"]["columns"] == {"prompt": "text"}
    assert lines(tmp_path / "chat.jsonl")[0]["system"] == "s"
    assert lines(tmp_path / "call.jsonl")[0]["conversations"] == CALL["conversations"]


def test_llamafactory_alpaca_has_its_columns_too(tmp_path: Path) -> None:
    for name, record in (("chat", CHAT), ("pair", PAIR), ("kto", KTO)):
        convert(given(tmp_path, record), str(tmp_path / f"{name}.json"), "llamafactory_alpaca")
    info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    for name, entry in info.items():
        [record] = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        assert set(entry["columns"].values()) == set(record)
        assert entry["formatting"] == "alpaca"
    assert info["pair"]["ranking"] is True


def test_llamafactory_refuses_turns_that_it_would_drop(tmp_path: Path) -> None:
    twice = {
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "assistant", "content": "c"},
        ]
    }
    with pytest.raises(FlywheelError, match=r"row [0-9a-f]{32} \(.*in.jsonl line 1\): llamafactory cannot hold"):
        convert(given(tmp_path, twice), str(tmp_path / "out.jsonl"), "llamafactory")
    assert not (tmp_path / "out.jsonl").exists()


def test_axolotl_gets_its_configuration(tmp_path: Path) -> None:
    for name, record in (("chat", CHAT), ("pair", PAIR)):
        convert(given(tmp_path, record), str(tmp_path / f"{name}.jsonl"), "axolotl")
        config = yaml.safe_load((tmp_path / f"{name}.axolotl.yaml").read_text(encoding="utf-8"))
        [dataset] = config["datasets"]
        [written] = lines(Path(dataset["path"]))
        assert {dataset[key] for key in dataset if key.startswith("field_")} == set(written)
        assert dataset["type"].startswith("chat_template")
    assert config["rl"] == "dpo"
    with pytest.raises(FlywheelError, match="axolotl cannot hold KTO rows"):
        convert(given(tmp_path, KTO), str(tmp_path / "out.jsonl"), "axolotl")


@pytest.mark.parametrize("trainer", ["trl", "llamafactory", "axolotl"])
def test_several_kinds_become_one_file_a_kind_each_described(tmp_path: Path, trainer: str) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("of an earlier conversion", encoding="utf-8")
    result = convert(given(tmp_path, CHAT, PAIR, CHAT), str(target), trainer)
    assert {kind: file["records"] for kind, file in result["files"].items()} == {"chat": 2, "preference": 1}
    assert not target.exists()
    assert len(lines(tmp_path / "out.chat.jsonl")) == 2
    assert len(lines(tmp_path / "out.preference.jsonl")) == 1
    if trainer == "llamafactory":
        info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
        assert {name: entry["file_name"] for name, entry in info.items()} == {
            "out.chat": "out.chat.jsonl", "out.preference": "out.preference.jsonl",
        }  # fmt: skip
        assert info["out.preference"]["ranking"] is True
    if trainer == "axolotl":
        assert {Path(path).name for path in result["beside"]} == {
            "out.chat.axolotl.yaml",
            "out.preference.axolotl.yaml",
        }


def test_a_shape_without_room_is_refused_by_row_with_one_that_has(tmp_path: Path) -> None:
    with pytest.raises(
        FlywheelError, match=r"row [0-9a-f]{32} .*: prompt_completion cannot hold .*; write it as 'messages'"
    ):
        convert(given(tmp_path, PAIR), str(tmp_path / "out.jsonl"), "prompt_completion")


def test_a_container_keeps_the_shape(tmp_path: Path) -> None:
    result = convert(given(tmp_path, PAIR, PAIR), str(tmp_path / "out.csv.gz"), "csv")
    assert (result["rows"], result["records"], result["container"]) == (2, 2, "csv")
    result = convert(str(tmp_path / "out.csv.gz"), str(tmp_path / "back.jsonl"), "jsonl")
    assert lines(tmp_path / "back.jsonl") == [PAIR, PAIR]


def test_lineage_is_kept_when_asked_for(tmp_path: Path) -> None:
    convert(given(tmp_path, PAIR), str(tmp_path / "rows.parquet"), "canonical", source="mine")
    convert(str(tmp_path / "rows.parquet"), str(tmp_path / "plain.jsonl"), "preference")
    convert(str(tmp_path / "rows.parquet"), str(tmp_path / "full.jsonl"), "preference", lineage=True)
    assert lines(tmp_path / "plain.jsonl") == [PAIR]
    assert lines(tmp_path / "full.jsonl") == [{**PAIR, "flywheel": {"source": "mine"}}]
    assert read_file(str(tmp_path / "full.jsonl"))[0]["source"].to_pylist() == ["mine"]


def test_bad_lines_are_written_beside(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n{broken\n', encoding="utf-8")
    result = convert(str(tmp_path / "in.jsonl"), str(tmp_path / "out.txt"), "text")
    assert result["quarantined"] == 1
    [entry] = lines(Path(result["beside"][0]))
    assert (entry["line"], entry["text"]) == (2, "{broken")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "a\n"


def test_wrong_requests_are_refused(tmp_path: Path) -> None:
    source = given(tmp_path, PAIR)
    with pytest.raises(UsageError, match="did you mean 'sharegpt'"):
        convert(source, str(tmp_path / "out.jsonl"), "sharegtp")
    with pytest.raises(UsageError, match="same file"):
        convert(source, source, "messages")
    with pytest.raises(UsageError, match="its name says jsonl, not parquet"):
        convert(source, str(tmp_path / "out.jsonl"), "parquet")
    with pytest.raises(FlywheelError, match=r"cannot tell the format from '\.xlsx'"):
        convert(source, str(tmp_path / "out.xlsx"), "messages")
    (tmp_path / "bad.jsonl").write_text("{broken\n", encoding="utf-8")
    with pytest.raises(FlywheelError, match="no row could be read: line 1: not JSON"):
        convert(str(tmp_path / "bad.jsonl"), str(tmp_path / "out.jsonl"), "messages")


def test_fields_that_a_trainer_has_no_place_for_are_told(tmp_path: Path) -> None:
    source = given(tmp_path, {**PAIR, "score": 3, "note": None}, {**CHAT, "score": 1, "split": "x"})
    found = convert(source, str(tmp_path / "out.jsonl"), "trl")
    assert found["not_carried"] == {"score": 2, "split": 1}
    assert written(found)[-1] == "not carried, since trl has no place for them: score (2 rows), split (1 row)"
    kept = convert(source, str(tmp_path / "kept.jsonl"), "messages")
    assert kept["not_carried"] == {}
    assert [line.get("score") for line in lines(tmp_path / "kept.jsonl")] == [3, 1]


def test_how_a_call_was_written_is_no_field_of_the_users(tmp_path: Path) -> None:
    """Arguments written as text are kept beside the row, to be written so again; every trainer's file has them."""
    call = {"id": "c", "type": "function", "function": {"name": "get", "arguments": '{"b": 1, "a": 2}'}}
    turns = [
        {"role": "user", "content": "Get it"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "3"},
        {"role": "assistant", "content": "It is 3."},
    ]
    source = given(tmp_path, {"messages": turns, "score": 1})
    found = convert(source, str(tmp_path / "out.jsonl"), "trl")
    assert found["not_carried"] == {"score": 1}
    mine = convert(given(tmp_path, {**CHAT, "flywheel": "mine"}), str(tmp_path / "own.jsonl"), "trl")
    assert mine["not_carried"] == {"flywheel": 1}


def test_a_table_has_as_many_lines_as_before(tmp_path: Path) -> None:
    line = shape_named("table").read({"a": "1", "b": "2"}, "made")[0]
    rows = [{**line, "copies": 3}, shape_named("table").read({"a": "3", "b": "4"}, "made")[0]]
    write_records(tmp_path / "rows.parquet", iter(rows), "parquet", ROW_SCHEMA)
    told = convert(str(tmp_path / "rows.parquet"), str(tmp_path / "table.csv"), "table")
    assert (tmp_path / "table.csv").read_text().splitlines() == ['"a","b"', *['"1","2"'] * 3, '"3","4"']
    assert (told["rows"], told["records"]) == (2, 4)


def test_a_table_with_a_column_of_our_name_is_refused_with_the_way_out() -> None:
    with pytest.raises(ReadError, match="give it another name"):
        shape_named("table").read({"a": "1", "flywheel": "x"}, "made")
