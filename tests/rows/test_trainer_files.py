"""The files of a conversion: what describes them to a trainer, and what is set aside with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.convert import convert
from tests.rows.test_trainers import SEEN, TOOLS, UNLEARNED, A, U, row_of


def test_descriptions_name_what_the_file_holds(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(r) + "\n" for r in (SEEN, {"messages": [U, A], "tools": TOOLS})), "utf-8")
    convert(str(source), str(tmp_path / "out.jsonl"), "llamafactory")
    entry = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))["out"]
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert entry["columns"]["images"] == "images"
    assert [record["images"] for record in written] == [["a.png", "b.png"], []]
    assert all(set(entry["columns"].values()) == set(record) for record in written)
    convert(str(source), str(tmp_path / "out.jsonl"), "axolotl", place=Path("elsewhere"))
    found = yaml.safe_load((tmp_path / "out.axolotl.yaml").read_text(encoding="utf-8"))
    [dataset] = found["datasets"]
    assert (dataset["path"], dataset["field_tools"], dataset["message_field_training"]) == (
        "elsewhere/out.jsonl", "tools", "train",
    )  # fmt: skip
    assert {"reasoning_content", "tool_calls", "tool_call_id", "name"} <= set(dataset["message_property_mappings"])
    assert found["processor_type"] == "AutoProcessor"


def test_one_row_that_cannot_be_held_does_not_stop_a_file(tmp_path: Path) -> None:
    records = [{"messages": [U, A]}, {"messages": [U, U, A, A]}, {"messages": [U, A, U]}]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in records) + "{broken\n", encoding="utf-8")
    result = convert(str(source), str(tmp_path / "out.jsonl"), "llamafactory")
    assert (result["records"], result["left_out"], result["quarantined"]) == (1, 2, 1)
    assert sum(result["reasons"].values()) == 2
    entries = [json.loads(line) for line in (tmp_path / "out.jsonl.quarantine.jsonl").read_text("utf-8").splitlines()]
    rows = {entry["id"]: entry for entry in entries if "id" in entry}
    assert {entry["line"] for entry in entries} == {2, 3, 4}
    refused = rows[row_of(records[2])["id"]]
    assert (refused["file"], refused["line"]) == (str(source), 3)
    assert refused["reason"] == "llamafactory cannot hold a row without an answer to learn"
    convert(str(source), str(tmp_path / "out.jsonl"), "messages")
    again = (tmp_path / "out.jsonl.quarantine.jsonl").read_text(encoding="utf-8")
    assert len(again.splitlines()) == 1


def test_a_shape_leaves_out_what_it_has_no_place_for(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    records = [{"messages": [U, A]}, {"messages": [U, A, U, A]}]
    source.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    for shape in ("prompt_completion", "self_instruct"):
        result = convert(str(source), str(tmp_path / "out.jsonl"), shape)
        assert (result["records"], result["left_out"]) == (1, 1)
        assert "write it as 'messages' instead" in result["examples"][0]["reason"]


def test_a_text_file_leaves_out_what_is_not_one_line(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    records = [{"text": "one line"}, {"text": "two\nlines"}, {"messages": [U, A]}]
    source.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    result = convert(str(source), str(tmp_path / "out.txt"), "text")
    assert (result["records"], result["left_out"]) == (1, 2)
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "one line\n"


def test_where_no_row_can_be_held_the_error_says_what_can(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps(UNLEARNED), encoding="utf-8")
    with pytest.raises(FlywheelError, match=r"must not be learned .* written as messages, axolotl, canonical$"):
        convert(str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "trl")
    assert not (tmp_path / "out.jsonl").exists()
    assert len((tmp_path / "out.jsonl.quarantine.jsonl").read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    ("good", "bad"), [(True, False), ("True", "False"), ("true", "false"), (1, 0), ("TRUE", "FALSE")]
)
def test_labels_of_judged_answers_reach_trainers_as_true_and_false(tmp_path: Path, good: object, bad: object) -> None:
    records = [{"prompt": "Say hello.", "completion": "Hello!", "label": label} for label in (good, bad)]
    for name in ("in.jsonl", "in.csv"):
        if name.endswith("csv"):
            text = "prompt,completion,label\n" + "".join(f"Say hello.,Hello!,{label}\n" for label in (good, bad))
        else:
            text = "".join(json.dumps(record) + "\n" for record in records)
        (tmp_path / name).write_text(text, encoding="utf-8")
        for trainer in ("trl", "llamafactory", "llamafactory_alpaca"):
            result = convert(str(tmp_path / name), str(tmp_path / "out.jsonl"), trainer)
            written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
            assert (list(result["files"]), [record["label"] for record in written]) == (["kto"], [True, False])
