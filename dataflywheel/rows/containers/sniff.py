"""What a file holds, told from its content; its name decides only what content leaves open."""

from __future__ import annotations

from pathlib import Path

import orjson

from dataflywheel.rows.containers.opening import decompressed, open_bytes

CONTAINERS = ("jsonl", "json", "csv", "tsv", "parquet", "arrow", "text")
SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet",
    ".arrow": "arrow", ".txt": "text",
}  # fmt: skip
PACKED = (".gz", ".zst", ".zstd")
HEAD = 1 << 16


def named(path: Path) -> str | None:
    """The container that the name of a file promises, compression aside.

    >>> named(Path("a/pool.jsonl.gz")), named(Path("notes.md"))
    ('jsonl', None)
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return SUFFIXES.get(suffixes[-1]) if suffixes else None


def container_of(path: Path) -> str | None:
    """One of `CONTAINERS`, or None for a file that is none of them (binary)."""
    with decompressed(path) as stream:
        magic = stream.peek(8)[:8]
    if magic.startswith(b"PAR1"):
        return "parquet"
    if magic.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    with open_bytes(path) as text:
        head = text.read(HEAD)
    hint = named(path)
    if hint == "text":
        return "text"
    json = json_kind(head, hint)
    if json:
        return json
    if hint in ("csv", "tsv"):
        return hint
    if hint in ("json", "jsonl"):
        return "jsonl"
    return None if b"\0" in head else "text"


def json_kind(head: bytes, hint: str | None) -> str | None:
    """`jsonl` or `json` for a text that begins like JSON, else None.

    One object a line is told from one object over many lines by whether any of the first lines is whole by itself.
    """
    start = head.lstrip()
    if start[:1] not in (b"{", b"["):
        return None
    lines = [line for line in start.split(b"\n")[:50] if line.strip()]
    whole = [is_json(line) for line in (lines if len(head) < HEAD else lines[:-1])]
    if hint in ("csv", "tsv") and not any(whole):
        return None
    if start.startswith(b"["):
        return "json"
    if whole and len(lines) == 1 and hint == "json":
        return "json"
    if any(whole) or (not whole and hint != "json"):
        return "jsonl"
    return "json" if hint != "jsonl" or lines[0].strip() == b"{" else "jsonl"


def is_json(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict | list)
    except orjson.JSONDecodeError:
        return False
