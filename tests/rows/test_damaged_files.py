"""Files that are cut, torn or no files: every whole record before the damage is a row, and one entry says the rest."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import tarfile
import time
import tracemalloc
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers import lines
from dataflywheel.rows.reading import read_file

RECORDS = [{"text": f"row {i} {i * 7919 % 10007}"} for i in range(3000)]
LINES = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
DOCUMENT = json.dumps(RECORDS, indent=1).encode()
TABLE = b"text,n\n" + b"".join(f'"{record["text"]}\nand more",1\n'.encode() for record in RECORDS)


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


PACK = {"gz": gzip.compress, "zst": zstd, "bz2": bz2.compress, "xz": lzma.compress}


def read(path: Path) -> tuple[list[str], list[str]]:
    rows, quarantined = read_file(str(path))
    return [turns[0]["content"] for turns in rows["messages"].to_pylist()], [entry.reason for entry in quarantined]


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize(("suffix", "content"), [("jsonl", LINES), ("json", DOCUMENT), ("csv", TABLE)])
def test_rows_before_a_cut_are_kept_and_one_entry_tells(
    tmp_path: Path, packing: str, suffix: str, content: bytes
) -> None:
    path = tmp_path / f"a.{suffix}.{packing}"
    path.write_bytes(PACK[packing](content))
    assert read(path)[1] == []
    whole = read(path)[0]
    assert len(whole) == len(RECORDS)
    packed = path.read_bytes()
    path.write_bytes(packed[: len(packed) * 9 // 10])
    texts, [reason] = read(path)
    assert texts == whole[: len(texts)]
    # bzip2 and zstd give nothing of a block that is not whole.
    assert len(texts) > (2400 if packing in ("gz", "xz") else -1)
    assert "damaged or ends early" in reason


@pytest.mark.parametrize("packing", PACK)
def test_bytes_after_the_end_cost_no_row(tmp_path: Path, packing: str) -> None:
    path = tmp_path / f"a.csv.{packing}"
    path.write_bytes(PACK[packing](b"text\none\ntwo") + b"these bytes belong to nothing")
    texts, [reason] = read(path)
    assert texts == ["one", "two"]
    assert "damaged" in reason
    path.write_bytes(PACK[packing](b"text\none\n") + PACK[packing](b"two\n"))
    assert read(path) == (["one", "two"], [])


def test_a_torn_byte_of_gzip_keeps_what_stands_before(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LINES))
    packed[len(packed) // 2] ^= 0xFF
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    texts, reasons = read(tmp_path / "a.jsonl.gz")
    assert len(texts) > 1000
    assert any("damaged" in reason for reason in reasons)


def test_a_damaged_group_of_rows_costs_no_other(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [r["text"] for r in RECORDS]}), tmp_path / "a.parquet", row_group_size=1000)
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    middle = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(1).column(0)
    at = middle.dictionary_page_offset or middle.data_page_offset
    content[at : at + 200] = os.urandom(200)
    (tmp_path / "a.parquet").write_bytes(content)
    texts, [reason] = read(tmp_path / "a.parquet")
    assert len(texts) == 2000
    assert "damaged" in reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_wide_text_that_is_cut_keeps_its_lines(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"text": "né"}\n{"text": "zwölf"}\n{"text'.encode(encoding)[:-1])
    texts, [reason] = read(tmp_path / "a.jsonl")
    assert (texts, "damaged" in reason) == (["né", "zwölf"], True)


def archive(path: Path) -> None:
    inner = path.with_name("inner.jsonl")
    inner.write_bytes(LINES)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as out:
            out.write(inner, "inner.jsonl")
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as out:
            out.add(inner, "inner.jsonl")


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_archives_are_refused_by_name(tmp_path: Path, name: str) -> None:
    archive(tmp_path / name)
    texts, [reason] = read(tmp_path / name)
    assert texts == []
    assert "archive" in reason
    assert "unpack it" in reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
        (b"\x80\x04\x95abc", "pickle"),
        (b"%PDF-1.7", "PDF"),
        (gzip.compress(gzip.compress(LINES)), "packed twice; unpack it once"),
    ],
)
def test_what_is_known_and_not_read_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    assert words in read(tmp_path / "a.parquet")[1][0]


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    for path in (tmp_path / "pipe.jsonl", Path("/dev/zero")):
        with pytest.raises(FlywheelError, match="not a regular file"):
            read_file(str(path))


def test_a_line_without_end_is_set_aside_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1 << 20)
    good = b'{"text": "good"}\n'
    long = b'{"text": "' + b"x" * (40 << 20) + b'"}\n'
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(good + long + good, 1))
    tracemalloc.start()
    texts, [reason] = read(tmp_path / "a.jsonl.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (texts, "a line of more than" in reason) == (["good", "good"], True)
    assert peak < 30 << 20


def test_blank_lines_without_end_take_no_time(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "a"}\n' + b"\n" * (40 << 20) + b'\n{"text": "b"}\n{"text": 1}\n')
    begin = time.process_time()
    rows, [entry] = read_file(str(tmp_path / "a.jsonl"))
    assert (len(rows), entry.line) == (2, (40 << 20) + 4)
    assert time.process_time() - begin < 8
