"""Files that are known and not read: what they are, and the way out."""

from __future__ import annotations

UNPACK = "unpack it and name the folder"
TABLE = "save it as .csv (UTF-8) or .jsonl"
TWICE = "a file packed twice; unpack it once"
KNOWN: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b\x08", TWICE),
    (b"\x28\xb5\x2f\xfd", TWICE),
    (b"\xfd7zXZ", TWICE),
    (b"PK\x03\x04", f"a zip archive or an Excel workbook; {UNPACK}, or {TABLE}"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7z archive; {UNPACK}"),
    (b"Rar!", f"a rar archive; {UNPACK}"),
    (b"\xd0\xcf\x11\xe0", f"an old Excel or Word file; {TABLE}"),
    (b"%PDF", "a PDF; take its text out and write .txt or .jsonl"),
    (b"SQLite format 3", f"a SQLite database; {TABLE}"),
    (b"ORC", "an ORC file; write it as .parquet"),
    (b"Obj\x01", "an Avro file; write it as .parquet"),
    (b"FEA1", "a Feather file of version 1; write it as .parquet"),
    (b"\x93NUMPY", "a NumPy array; write it as .jsonl"),
    (b"\x89HDF", "an HDF5 file; write it as .parquet"),
    (b"\x80\x04", "a Python pickle, which is never opened, since it can run code; write it as .jsonl"),
    (b"\x80\x05", "a Python pickle, which is never opened, since it can run code; write it as .jsonl"),
    (b"version https://git-lfs", "a pointer of Git LFS and not the data; run `git lfs pull` in the repository"),
    (b"<!DOCTYPE html", "a web page; download the file itself"),
    (b"<!doctype html", "a web page; download the file itself"),
    (b"<html", "a web page; download the file itself"),
    (b"\x1f\x9d", "a file packed by compress; unpack it with `uncompress`"),
)
TAR = 257


def refused(head: bytes) -> str | None:
    """What a file is whose content begins so, and what to do; None for what may be read."""
    start = head.lstrip(b" \t\r\n") if head[:1] in b" \t\r\n<" else head
    if head[TAR : TAR + 5] == b"ustar":
        return f"a tar archive; {UNPACK}"
    return next((words for magic, words in KNOWN if start.startswith(magic)), None)
