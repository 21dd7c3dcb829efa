"""Bad input: each case is set aside with file, line and reason, or refused by name; the good rows go on."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.rows.ingest import Input, ingest
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.reading import read_file

GOOD = b'{"text": "good"}\n'
ALSO = b'{"text": "also good"}\n'


def outcome(path: Path, *texts: str) -> list[tuple[int, str, str]]:
    """Read a file, check the texts of its good rows, and return line, field and reason of what was set aside."""
    rows, quarantined = read_file(str(path))
    assert [m["content"] for messages in rows["messages"].to_pylist() for m in messages] == list(texts)
    assert all(entry.file == str(path) and len(entry.text) <= 200 for entry in quarantined)
    return [(entry.line, entry.field, entry.reason) for entry in quarantined]


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (b'{"text": "cut off', "", "not JSON"),
        (b'{"text": "lone \\ud800"}', "", "not JSON"),
        (b'{"text": "caf\xe9"}', "", "not UTF-8 at byte 13"),
        (b'{"text": "a\x00b"}', "", "a NUL byte at byte 11"),
        (b"[1, 2]", "", "expected an object, got a list"),
        (b"7", "", "expected an object, got a number"),
        (b'{"messages": "abc"}', "messages", "expected a list of turns"),
        (b'{"messages": [{"content": "a"}]}', "messages[0].role", "expected one of assistant, system, tool, user"),
        (b'{"text": ["a"]}', "text", "expected text, got a list"),
        (b'{"text": ""}', "", "no content"),
        (b'{"url": "a"}', "", "no known shape"),
        (b'{"message_tree_id": 1, "prompt": {"text": 1}}', "prompt", "expected a message"),
    ],
)
def test_a_bad_line_is_set_aside_and_the_others_go_on(tmp_path: Path, line: bytes, field: str, reason: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"\n" + line + b"\r\n" + ALSO)
    [(number, where, why)] = outcome(path, "good", "also good")
    assert (number, where) == (3, field)
    assert reason in why


def test_an_empty_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert outcome(tmp_path / "a.jsonl") == [(0, "", "the file is empty")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_byte_order_marks_are_understood(tmp_path: Path, encoding: str) -> None:
    text = ("\ufeff" if encoding == "utf-16-le" else "") + '{"text": "né"}\n{"text": "zwölf"}\n'
    (tmp_path / "a.jsonl").write_bytes(text.encode(encoding))
    assert outcome(tmp_path / "a.jsonl", "né", "zwölf") == []


def test_utf_16_without_a_mark_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"text": "a"}\n'.encode("utf-16-le"))
    assert all("NUL byte" in reason for _, _, reason in outcome(tmp_path / "a.jsonl"))


def test_a_text_file_of_mixed_encodings_loses_only_the_foreign_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("né\n".encode() + "né\n".encode("latin-1") + b"two\x00\nlast")
    found = outcome(tmp_path / "a.txt", "né", "last")
    assert [(line, reason[:12]) for line, _, reason in found] == [(2, "not UTF-8 at"), (3, "a NUL byte a")]


def test_a_line_of_50_mb_is_a_row_like_any_other(tmp_path: Path) -> None:
    long = "x" * 50_000_000
    (tmp_path / "a.jsonl").write_bytes(GOOD + json.dumps({"text": long}).encode() + b"\n" + ALSO)
    assert outcome(tmp_path / "a.jsonl", "good", long, "also good") == []
    (tmp_path / "b.jsonl").write_bytes(GOOD + b'{"text": "' + long.encode() + b"\n" + ALSO)
    [(line, _, reason)] = outcome(tmp_path / "b.jsonl", "good", "also good")
    assert (line, reason[:8]) == (2, "not JSON")


def test_files_that_are_not_what_their_name_says_are_read_as_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "gzip.jsonl").write_bytes(gzip.compress(GOOD + ALSO))
    assert outcome(tmp_path / "gzip.jsonl", "good", "also good") == []
    pq.write_table(pa.table({"text": ["good"]}), tmp_path / "parquet.csv")
    assert outcome(tmp_path / "parquet.csv", "good") == []
    (tmp_path / "array.jsonl").write_bytes(b"[" + GOOD + b"," + ALSO + b"]")
    assert outcome(tmp_path / "array.jsonl", "good", "also good") == []
    (tmp_path / "lines.json").write_bytes(GOOD + ALSO)
    assert outcome(tmp_path / "lines.json", "good", "also good") == []
    (tmp_path / "plain.jsonl.gz").write_bytes(GOOD)
    assert outcome(tmp_path / "plain.jsonl.gz", "good") == []


def test_a_binary_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(bytes(range(256)) * 4)
    assert outcome(tmp_path / "a.jsonl")
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * 4)
    assert "neither text nor a known data format" in outcome(tmp_path / "a.bin")[0][2]


@pytest.mark.parametrize(
    "packed", [gzip.compress(b"\n".join([GOOD.strip()] * 9), mtime=0)[:-9], b"\x1f\x8bnot gzip at all"]
)
def test_a_damaged_archive_is_set_aside(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    _, quarantined = read_file(str(tmp_path / "a.jsonl.gz"))
    assert any("damaged" in entry.reason or "cannot be opened" in entry.reason for entry in quarantined)


def test_a_damaged_parquet_file_is_set_aside(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["good"] * 1000}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[: len(content) // 2])
    [(line, _, reason)] = outcome(tmp_path / "a.parquet")
    assert (line, "damaged" in reason) == (1, True)


def test_of_an_array_only_what_is_broken_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(
        b'[\n{"text": "good"},\n{"text": "also good"},\n{"text": oops},\n{"text": "last"}]'
    )
    [(record, _, reason)] = outcome(tmp_path / "a.json", "good", "also good", "last")
    assert record == 3
    assert "line 4: not JSON" in reason


def test_lines_of_a_table_with_too_few_or_too_many_cells_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'text,n\ngood,1\nlone\nx,2,3\n"also good",2\n\xff,3\n')
    found = outcome(tmp_path / "a.csv", "good", "also good")
    assert [(line, reason[:16]) for line, _, reason in found] == [
        (3, "expected 2 cells"),
        (4, "expected 2 cells"),
        (6, "not UTF-8; save "),
    ]


def test_an_open_quote_in_a_table_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'text\ngood\n"never closed\nrest\n')
    [(line, _, reason)] = outcome(tmp_path / "a.csv", "good")
    assert (line, "not a line of a table" in reason) == (3, True)


def test_a_header_that_names_a_column_twice_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,text\na,b\n")
    assert "names a column twice" in outcome(tmp_path / "a.csv")[0][2]


def test_a_forced_format_that_does_not_fit_sets_every_record_aside(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    rows, [entry] = read_file(str(tmp_path / "a.jsonl"), format="alpaca")
    assert len(rows) == 0
    assert "not a record of the format alpaca" in entry.reason
    with pytest.raises(UsageError, match="did you mean 'alpaca'"):
        read_file(str(tmp_path / "a.jsonl"), format="alpacca")


def test_the_quarantine_lies_beside_the_rows(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD + b"{broken\n" + ALSO)
    (tmp_path / "b.jsonl").write_bytes(b'{"messages": 1}\n' + GOOD)
    result = ingest([Input(str(tmp_path / "*.jsonl"))], tmp_path / "rows")
    entries = [json.loads(line) for line in (tmp_path / "rows/quarantine.jsonl").read_bytes().splitlines()]
    assert [(Path(e["file"]).name, e["line"], e["field"], e["text"]) for e in entries] == [
        ("a.jsonl", 2, "", "{broken"),
        ("b.jsonl", 1, "messages", '{"messages": 1}'),
    ]
    assert (result.rows, result.merged, result.quarantined) == (2, 1, 2)
    assert [(f["rows"], f["quarantined"], f["format"]) for f in result.files] == [
        (2, 1, "jsonl/text"),
        (1, 1, "jsonl/text"),
    ]
    assert len(read_rows(tmp_path / "rows")) == 2


def test_a_missing_input_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FlywheelError, match="no such file"):
        ingest([Input(str(tmp_path / "none.jsonl"))], tmp_path / "rows")
    assert list((tmp_path / "rows").iterdir()) == []
