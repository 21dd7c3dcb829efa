"""Strange files in one table: how many rows each gives, how many entries are set aside, and in which words."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import socket
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers.json_exact import TwiceError, exact, slowly
from dataflywheel.rows.convert import convert
from dataflywheel.rows.reading import read_file

RECORDS = [{"prompt": f"Ask {i}", "completion": f"Say {i}"} for i in range(20)]
LINES = b"".join(orjson.dumps(record) + b"\n" for record in RECORDS)
TEXT = LINES.decode()
CSV = "prompt,completion\r\n" + "".join(f"Ask {i},Say {i}\r\n" for i in range(20))
TABLE = pa.table({name: [record[name] for record in RECORDS] for name in ("prompt", "completion")})


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


def parquet(table: pa.Table) -> bytes:
    held = io.BytesIO()
    pq.write_table(table, held)
    return held.getvalue()


def arrow(new: Any) -> bytes:
    held = io.BytesIO()
    with new(held, TABLE.schema) as out:
        out.write_table(TABLE)
    return held.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as out:
        out.writestr(name, content)
    return held.getvalue()


def one(fields: str) -> bytes:
    return LINES + ('{"prompt": "a", ' + fields + "}\n").encode()


SAID = '"completion": "c"'
CHAT = '"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]'
DEPTH = 200_000

# Name of the file, its content, rows, entries set aside, words of the first.
FILES: list[tuple[str, bytes, int, int, str]] = [
    ("a.jsonl", LINES, 20, 0, ""),
    ("cut.jsonl.gz", gzip.compress(LINES, mtime=0)[:-12], 19, 1, "it ends in the middle; what stands before was read"),
    ("trailing.jsonl.gz", gzip.compress(LINES) + b"rest", 20, 1, "bytes after the end"),
    ("two.jsonl.gz", gzip.compress(LINES[:200]) + gzip.compress(LINES[200:]), 20, 0, ""),
    ("nothing.jsonl.gz", gzip.compress(b""), 0, 0, ""),
    ("a.jsonl.zst", zstd(LINES), 20, 0, ""),
    ("a.jsonl.bz2", bz2.compress(LINES), 20, 0, ""),
    ("a.jsonl.xz", lzma.compress(LINES), 20, 0, ""),
    ("a.zip", zipped("a.jsonl", LINES), 0, 1, "zip archive or an Excel workbook; unpack it"),
    ("zip.jsonl", zipped("a.jsonl", LINES), 0, 1, "zip archive"),
    ("a.xlsx", zipped("xl/workbook.xml", b"<w/>"), 0, 1, "save it as .csv"),
    ("bom.jsonl", b"\xef\xbb\xbf" + LINES, 20, 0, ""),
    ("utf16.jsonl", TEXT.encode("utf-16"), 20, 0, ""),
    ("big-endian.jsonl", b"\xfe\xff" + TEXT.encode("utf-16-be"), 20, 0, ""),
    ("utf32.jsonl", TEXT.encode("utf-32"), 20, 0, ""),
    ("no-mark.jsonl", TEXT.encode("utf-16-le"), 0, 21, "a NUL byte at byte 1; expected UTF-8"),
    ("latin1.jsonl", LINES + '{"prompt": "é", "completion": "né"}\n'.encode("latin-1"), 20, 1, "WINDOWS-1252"),
    ("cp1252.csv", (CSV + "it\u2019s,so\r\n").encode("cp1252"), 20, 1, "not UTF-8; save the file as UTF-8"),
    ("shift-jis.jsonl", '{"prompt": "日本", "completion": "語"}\n'.encode("shift-jis"), 0, 1, "not UTF-8 at byte 12"),
    ("nul.jsonl", LINES + b'{"prompt": "a\0b", "completion": "c"}\n', 20, 1, "a NUL byte at byte 13"),
    ("nul-written.jsonl", one('"completion": "c\\u0000"'), 21, 0, ""),
    ("nul-tail.jsonl", LINES + bytes(4096), 20, 1, "a NUL byte"),
    ("cr.jsonl", LINES.replace(b"\n", b"\r"), 20, 0, ""),
    ("cr.csv", CSV.replace("\r\n", "\r").encode(), 20, 0, ""),
    ("crlf.jsonl", LINES.replace(b"\n", b"\r\n"), 20, 0, ""),
    ("separators.jsonl", one('"completion": "c\u2028\u2029\x85d"'), 21, 0, ""),
    ("no-end.jsonl", LINES[:-1], 20, 0, ""),
    ("cut.jsonl", LINES[:-9], 19, 1, "not JSON: unexpected end of data"),
    ("depth.jsonl", one(f'"completion": {"[" * DEPTH}{"]" * DEPTH}'), 20, 1, "depth limit exceeded"),
    ("depth.json", b"[" * DEPTH + b"]" * DEPTH, 0, 1, "depth limit exceeded"),
    ("depth-beside.jsonl", one(f'{SAID}, "x": {"[" * 900}{"]" * 900}'), 20, 1, "cannot be stored"),
    ("twice-the-same.jsonl", one(f"{SAID}, {SAID}"), 21, 0, ""),
    ("twice.jsonl", one(f'{SAID}, "completion": "d"'), 20, 1, 'the name "completion" stands twice, with different'),
    ("twice-escaped.jsonl", one('"completion": "c\\u003ad", "completion": "d"'), 20, 1, 'the name "completion" stands'),
    ("twice-beside.jsonl", one(f'{SAID}, "score" :1, "score" :2'), 20, 1, 'the name "score" stands twice'),
    ("twice-true.jsonl", one(f'{SAID}, "x": 1, "x": true'), 20, 1, 'the name "x" stands twice'),
    ("twice-deep.jsonl", one(f'{SAID}, "x": [{{"a": 1, "a": 2}}]'), 20, 1, 'the name "a" stands twice'),
    ("twice-in-a-turn.jsonl", CHAT.replace('"a"}', '"a", "content": "b"}').join("{}").encode(), 0, 1, "stands twice"),
    ("twice.json", f'[{{"prompt": "a", {SAID}, "completion": "d"}}, {{"prompt": "a", {SAID}}}]'.encode(), 1, 1,
     "line 1: the name"),
    ("twice-long.json", b'[\n {\n  "text": "a",\n  "text": "b"\n },\n {\n  "text": "c"\n }\n]', 1, 1, "line 2"),
    ("colons.jsonl", one('"completion": "{\\"a\\": 1, \\"a\\": 2} \\u003a"'), 21, 0, ""),
    ("nan.jsonl", one(f'{SAID}, "score": NaN, "low": -Infinity'), 21, 0, ""),
    ("digits.jsonl", one(f'{SAID}, "n": 123456789012345678901234567890'), 21, 0, ""),
    ("digits.json", f'[{{"prompt": "a", {SAID}, "n": -12345678901234567890123}}]'.encode(), 1, 0, ""),
    ("many-digits.jsonl", one(f'{SAID}, "n": {"9" * 5000}, "f": 1e400'), 21, 0, ""),
    ("surrogate.jsonl", one('"completion": "\\ud800"'), 20, 1, "no low surrogate"),
    ("surrogates.jsonl", one('"completion": "\\ud83d\\ude00"'), 21, 0, ""),
    ("surrogate-bytes.jsonl", LINES + b'{"prompt": "\xed\xa0\x80", "completion": "c"}', 20, 1, "not UTF-8 at byte 12"),
    ("empty.jsonl", b"", 0, 1, "the file is empty"),
    ("empty.parquet", b"", 0, 1, "the file is empty"),
    ("blank.jsonl", b"\n\n \n", 0, 0, ""),
    ("header.csv", b"prompt,completion\n", 0, 0, ""),
    ("brackets.json", b"[]", 0, 0, ""),
    ("braces.json", b"{}", 0, 1, "no known shape has the keys none"),
    ("null.jsonl", b"null\n" * 3, 0, 3, "expected an object, got null"),
    ("cut.parquet", parquet(TABLE)[:-30], 0, 1, "the parquet file is damaged"),
    ("no-rows.parquet", parquet(TABLE.slice(0, 0)), 0, 0, ""),
    ("magic.parquet", b"PAR1PAR1", 0, 1, "the parquet file is damaged"),
    ("parquet.csv", parquet(TABLE), 20, 0, ""),
    ("a.arrow", arrow(pa.ipc.new_file), 20, 0, ""),
    ("stream.arrow", arrow(pa.ipc.new_stream), 20, 0, ""),
    ("cut.arrow", arrow(pa.ipc.new_stream)[:-60], 0, 1, "the arrow file is damaged"),
    ("quote.csv", (CSV + '"never closed,x\r\n' + CSV[19:]).encode(), 20, 1, "lines 22 to 42 may belong to it"),
    ("a.tsv", CSV.replace(",", "\t").encode(), 20, 0, ""),
    ("semicolons.csv", CSV.replace(",", ";").encode(), 20, 0, ""),
    ("pipes.csv", CSV.replace(",", "|").encode(), 20, 0, ""),
    ("said.csv", b"sep=;\r\n" + CSV.replace(",", ";").encode(), 20, 0, ""),
    ("utf16.csv", CSV.encode("utf-16"), 20, 0, ""),
    ("lines.json", LINES, 20, 0, ""),
    ("document.jsonl", json.dumps(RECORDS, indent=1).encode(), 20, 0, ""),
    ("prose.jsonl", b"just text\nmore text\n", 0, 2, "not JSON"),
    ("lines.txt", LINES, 20, 0, ""),
    ("no-suffix", LINES, 20, 0, ""),
    ("a.db", b"SQLite format 3\0" + bytes(100), 0, 1, "SQLite database; save it as .csv"),
    ("a.pkl", pickle.dumps(RECORDS), 0, 1, "a Python pickle, which is never opened"),
    ("page.jsonl", b"<html><body>404</body></html>", 0, 1, "a web page"),
    ("paper.jsonl", b"%PDF-1.4\n", 0, 1, "a PDF"),
    ("pointer.parquet", b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 5\n", 0, 1, "git lfs pull"),
    ("a.yaml", b"- prompt: a\n  completion: b\n", 0, 1, "holds no rows; write them as .jsonl"),
    ("comment.jsonl", b"// hi\n" + LINES, 20, 1, "it has comments"),
    ("comma.json", f'[{{"prompt": "a", {SAID}}},]'.encode(), 1, 0, ""),
    ("python.jsonl", b"{'prompt': 'a', 'completion': None}\n", 0, 1, "a Python literal; write it with json.dumps"),
    ("side-by-side.jsonl", b'{"text": "a"}{"text": "b"}\n', 2, 0, ""),
    ("marks.jsonl", b"\x1e" + LINES.replace(b"\n", b"\n\x1e"), 20, 0, ""),
    ("chat-twice.jsonl", f"{{{CHAT}, {CHAT.replace('messages', 'conversations')}}}".encode(), 1, 0, ""),
    ("two-chats.jsonl", f"{{{CHAT}, {CHAT.replace('messages', 'conversations').replace('b', 'c')}}}".encode(), 0, 1,
     "another conversation than conversations; say which is meant"),
    ("chat-and-none.jsonl", f'{{{CHAT}, "conversations": null}}'.encode(), 1, 0, ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "rows", "aside", "words"), FILES, ids=[file[0] for file in FILES])
def test_every_strange_file_has_its_outcome(
    tmp_path: Path, name: str, content: bytes, rows: int, aside: int, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    found, quarantined = read_file(str(tmp_path / name))
    assert (len(found), len(quarantined)) == (rows, aside), [entry.reason for entry in quarantined]
    assert not words or words in quarantined[0].reason
    assert all(len(entry.text) <= 200 and entry.file == str(tmp_path / name) for entry in quarantined)


def test_no_digit_of_a_number_is_lost(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(
        one(f'{SAID}, "n": 123456789012345678901234567890, "f": 1e400, "low": -Infinity, "u": 18446744073709551615')
    )
    extra = orjson.loads(read_file(str(tmp_path / "a.jsonl"))[0]["extra"][-1].as_py())
    assert extra == {"n": "123456789012345678901234567890", "f": "1e400", "low": "-Infinity", "u": 2**64 - 1}


def test_what_is_no_file_is_refused_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s.jsonl"))
    os.symlink(tmp_path / "nowhere", tmp_path / "broken.jsonl")
    os.symlink(tmp_path / "loop.jsonl", tmp_path / "loop.jsonl")
    (tmp_path / "none").mkdir()
    for path, words in {
        tmp_path / "pipe.jsonl": "not a regular file; write what it gives to a file",
        tmp_path / "s.jsonl": "not a regular file",
        Path("/dev/zero"): "not a regular file",
        tmp_path / "broken.jsonl": "a link to .*nowhere, which is not there; mend the link",
        tmp_path / "loop.jsonl": "a link that leads to itself",
        tmp_path / "none": "the folder holds no data; expected files such as",
        tmp_path / "brokn.jsonl": "no such file or folder; did you mean .*broken.jsonl",
    }.items():
        with pytest.raises(FlywheelError, match=f"{path}: {words}"):
            read_file(str(path))
        with pytest.raises(FlywheelError, match=f"{path}: {words}"):
            convert(str(path), tmp_path / "out.jsonl", "messages")


def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_bytes(LINES)
    (tmp_path / "in" / "a.jsonl").chmod(0)
    assert len(read_file(str(tmp_path / "in"))[0]) in (0, 20)  # root may
    (tmp_path / "in").chmod(0)
    tmp_path.chmod(0o755)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)
        for path in (tmp_path / "in", tmp_path / "in" / "a.jsonl"):
            with pytest.raises(FlywheelError, match="may not be read; check who may read and enter it"):
                read_file(str(path))
    finally:
        if root:
            os.seteuid(0)
        (tmp_path / "in").chmod(0o755)


def test_folders_in_folders_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "a.jsonl").write_bytes(LINES)
    os.symlink(tmp_path, tmp_path / "x" / "up")
    assert len(read_file(str(tmp_path))[0]) == 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab:\"'+e", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(JSON, st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]), st.booleans())
def test_what_json_can_say_is_read_as_it_stands(value: Any, separators: tuple[str, str], ascii: bool) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=ascii).encode()
    assert exact(text, orjson.loads(text)) == slowly(text) == value


@given(st.dictionaries(st.text('ab:\\"', max_size=3), st.integers(), min_size=1, max_size=4), st.data())
def test_a_name_that_stands_twice_is_always_seen(held: dict[str, int], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(held)))
    pairs = [*held.items(), (name, held[name] + 1)]
    text = "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in data.draw(st.permutations(pairs))) + "}"
    with pytest.raises(TwiceError):
        exact(text.encode(), orjson.loads(text))
