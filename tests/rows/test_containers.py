"""Containers: detected by content, and lossless for rows of any kind."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers.cells import from_cells, to_cells
from dataflywheel.rows.containers.find import find_files, hub_name
from dataflywheel.rows.containers.sniff import container_of
from dataflywheel.rows.containers.write import write_records
from dataflywheel.rows.formats import shape_named
from dataflywheel.rows.reading import read_file
from dataflywheel.rows.schema import Row, table
from tests.rows.strategies import any_rows, chats, extras

CHAT = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'


@pytest.mark.parametrize("shape", ["messages", "canonical"])
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".csv.gz", ".jsonl.zst", ""])
@settings(max_examples=40)
@given(data=st.data())
def test_rows_come_back_from_every_container(shape: str, suffix: str, data: st.DataObject) -> None:
    kinds = any_rows() if shape == "canonical" else chats(turns=2, system=True)
    rows: list[Row] = data.draw(st.lists(kinds, min_size=1, max_size=4))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"out{suffix}"
        write_records(target, (record for _, record in shape_named(shape).write_all(rows)))
        back, quarantined = read_file(str(target))
    for row in rows:
        row["source"] = row["source"] or ("data-00000-of-00001" if not suffix else "out")
    assert quarantined == []
    assert back.to_pylist() == table(rows).to_pylist()


@given(record=extras, more=st.sets(st.text(max_size=3), max_size=2))
def test_a_record_comes_back_from_its_cells(record: dict[str, object], more: set[str]) -> None:
    columns = [key for key in [*record, *(more - record.keys())] if key != "flywheel"]
    record.pop("flywheel", None)
    assert from_cells(to_cells(record, columns)) == record


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", CHAT + b"\n" + CHAT, "jsonl"),
        ("a.jsonl", b"[" + CHAT + b"]", "json"),
        ("a.json", CHAT + b"\n" + CHAT, "jsonl"),
        ("a.json", CHAT, "json"),
        ("a.json", b'{\n "text": "a"\n}', "json"),
        ("a.csv", b"text,n\na,1\n", "csv"),
        ("a.csv", CHAT + b"\n", "jsonl"),
        ("a.tsv", b"text\tn\na\t1\n", "tsv"),
        ("a.txt", b"[not json]\n", "text"),
        ("a.txt", CHAT + b"\n" + CHAT, "jsonl"),
        ("a.txt", b'{"x": 1}\n', "text"),
        ("a.txt", CHAT + b"\nOne line of text.\n", "text"),
        ("a", b"one\ntwo\n", "text"),
        ("a", CHAT, "jsonl"),
        ("a.jsonl", b'{"broken"\n' + CHAT, "jsonl"),
        ("a.jsonl", gzip.compress(CHAT, mtime=0), "jsonl"),
        ("a.dat", b"\x00\x01\x02\x7fELF", None),
    ],
)
def test_a_file_is_what_its_content_says(tmp_path: Path, name: str, content: bytes, expected: str | None) -> None:
    (tmp_path / name).write_bytes(content)
    assert container_of(tmp_path / name) == expected


def test_a_table_of_semicolons_or_tabs_named_csv_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('question;answer\n"a;b";c\n', encoding="utf-8")
    rows, _ = read_file(str(tmp_path / "a.csv"))
    assert [m["content"] for m in rows["messages"].to_pylist()[0]] == ["a;b", "c"]


def test_a_saved_data_set_of_the_library_is_read_and_ours_is_opened_by_it(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    records = [{"prompt": f"p{i}", "completion": f"c{i}", "n": i} for i in range(5)]
    datasets.DatasetDict(train=datasets.Dataset.from_list(records)).save_to_disk(tmp_path / "theirs")
    rows, quarantined = read_file(str(tmp_path / "theirs"), "x")
    assert quarantined == []
    assert rows["extra"].to_pylist() == [f'{{"n":{i}}}' for i in range(5)]
    write_records(tmp_path / "ours", records)
    assert datasets.load_from_disk(str(tmp_path / "ours")).to_list() == records


def test_nested_columns_keep_their_types(tmp_path: Path) -> None:
    write_records(tmp_path / "a.parquet", [{"messages": [{"role": "user", "content": "a"}], "n": 1, "ok": True}])
    schema = pa.parquet.read_schema(tmp_path / "a.parquet")
    assert schema.field("n").type == pa.int64()
    assert schema.field("messages").type.value_type.field("role").type == pa.string()
    assert schema.names == ["messages", "n", "ok"]


def test_folders_and_patterns_mean_their_data_files(tmp_path: Path) -> None:
    for name in (
        "b.jsonl",
        "a.csv",
        "sub/c.json.gz",
        "README.md",
        ".hidden.jsonl",
        "quarantine.jsonl",
        "dataset_info.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(CHAT)
    assert [file.relative_to(tmp_path).as_posix() for file in find_files(str(tmp_path))] == [
        "a.csv",
        "b.jsonl",
        "sub/c.json.gz",
    ]
    assert [file.name for file in find_files(str(tmp_path / "*.jsonl"))] == ["b.jsonl", "quarantine.jsonl"]


def test_a_missing_file_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(CHAT)
    with pytest.raises(FlywheelError, match=r"trian\.jsonl: no such file.*did you mean .*train\.jsonl"):
        find_files(str(tmp_path / "trian.jsonl"))


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing", encoding="utf-8")
    with pytest.raises(FlywheelError, match="holds no data"):
        find_files(str(tmp_path))


def test_hub_names_are_told_from_paths(tmp_path: Path) -> None:
    assert hub_name("tatsu-lab/alpaca") == ("tatsu-lab/alpaca", None)
    assert hub_name("hf:HuggingFaceH4/ultrachat_200k#train_sft") == ("HuggingFaceH4/ultrachat_200k", "train_sft")
    assert hub_name("data/train.jsonl") is None
    assert hub_name(str(tmp_path)) is None


def test_a_text_file_holds_one_line_documents_only(tmp_path: Path) -> None:
    write_records(tmp_path / "a.txt", [{"text": "one"}, {"text": "two"}])
    assert (tmp_path / "a.txt").read_text() == "one\ntwo\n"
    with pytest.raises(FlywheelError, match=r"record 1: .* write \.jsonl instead"):
        write_records(tmp_path / "b.txt", [{"text": "one\ntwo"}])
    assert not (tmp_path / "b.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_equal_records_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "a.parquet", "a.csv"):
        for folder in ("x", "y"):
            write_records(tmp_path / folder / name, [{"text": "one"}, {"text": "two", "n": 1}])
        assert (tmp_path / "x" / name).read_bytes() == (tmp_path / "y" / name).read_bytes()
