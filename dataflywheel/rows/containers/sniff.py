"""What a file holds, told from its content; its name decides only what content leaves open."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.rows.containers.json_values import BETWEEN, is_json, loads
from dataflywheel.rows.containers.json_wrapped import wraps
from dataflywheel.rows.containers.opening import decompressed, open_bytes
from dataflywheel.rows.containers.refused import refused
from dataflywheel.rows.formats import ReadError, detect
from dataflywheel.rows.formats.lone_turns import is_conversation

CONTAINERS = ("jsonl", "json", "csv", "tsv", "parquet", "arrow", "text")
SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet",
    ".arrow": "arrow", ".txt": "text", ".jsonlines": "jsonl", ".jl": "jsonl", ".tab": "tsv", ".pq": "parquet",
    ".feather": "arrow",
}  # fmt: skip
PACKED = (".gz", ".zst", ".zstd", ".bz2", ".xz", ".lz4")
NO_ROWS = (".yaml", ".yml", ".toml", ".xml", ".ini", ".cfg", ".py", ".sh")
"""Suffixes of texts whose lines are no documents."""
HEAD = 1 << 16
FIRST_LINES = 50


class Unread(Exception):  # noqa: N818 - what the file is, not a fault of the program
    """The file is known and not read: the text says what it is and what to do."""


def named(path: Path) -> str | None:
    """The container that the name of a file promises, compression aside.

    >>> named(Path("a/pool.jsonl.gz")), named(Path("notes.md"))
    ('jsonl', None)
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return SUFFIXES.get(suffixes[-1]) if suffixes else None


def bare_stem(path: Path) -> str:
    """The name of a file without the suffixes of format and compression.

    >>> bare_stem(Path("data/pool.jsonl.gz"))
    'pool'
    """
    return Path(path.stem).stem if path.suffix.lower() in PACKED else path.stem


def container_of(path: Path) -> str | None:
    """One of `CONTAINERS`, or None for a file that is none of them (binary).

    Raises:
        Unread: it is of a kind that is known and not read.
    """
    with decompressed(path) as stream:
        magic = stream.peek(512)[:512]
    if magic.startswith(b"PAR1"):
        return "parquet"
    if magic.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    hint = named(path)
    words = refused(magic)
    if words and not (words.startswith("a web page") and hint in (None, "text")):
        raise Unread(f"this is {words}")
    with open_bytes(path) as text:
        head = text.read(HEAD)
    if hint == "text" and not holds_records(head):
        return "text"
    json = json_kind(head, hint)
    if json:
        return json
    if hint in ("csv", "tsv"):
        return hint
    if hint in ("json", "jsonl"):
        return "jsonl"
    if path.suffix.lower() in NO_ROWS:
        raise Unread(f"this is a file of {path.suffix.lower()}, which holds no rows; write them as .jsonl")
    return None if b"\0" in head else "text"


def json_kind(head: bytes, hint: str | None) -> str | None:
    """`jsonl` or `json` for a text that begins like JSON, else None.

    One record a line is told from any other layout by its first lines: where one of them is not whole by itself and
    the records of the text go over several lines, it is a document.
    """
    start = head.lstrip(BETWEEN)
    if hint in ("json", "jsonl") and start.startswith((b"//", b"/*", b"#")):
        return "json"
    if start[:1] not in (b"{", b"["):
        return None
    lines = [line for line in start.split(b"\n")[:FIRST_LINES] if line.strip()]
    whole = [is_json(line.strip(BETWEEN)) for line in (lines if len(head) < HEAD else lines[:-1])]
    if hint in ("csv", "tsv") and not any(whole):
        return None
    if start.startswith(b"["):
        # A conversation is a record, other lists hold records.
        several = len(whole) > 1 and all(whole) and is_conversation(loads(lines[0].strip(BETWEEN)))
        return "jsonl" if several and hint != "json" else "json"
    if whole and len(lines) == 1:
        return "json" if hint == "json" or (whole[0] and wraps(loads(lines[0].strip(BETWEEN)))) else "jsonl"
    if all(whole) and whole:
        return "jsonl"
    document = over_lines(lines) if whole else hint == "json"
    return "json" if document else "jsonl"


def holds_records(head: bytes) -> bool:
    """Whether a file named as text is records all the same: JSON in each of its first lines, of a known shape."""
    lines = [line.strip(BETWEEN) for line in head.split(b"\n")[:FIRST_LINES] if line.strip()]
    lines = lines[:-1] if len(head) == HEAD and len(lines) > 1 else lines
    if not lines or not all(line[:1] == b"{" and is_json(line) for line in lines):
        return False
    try:
        detect(loads(lines[0]))
    except ReadError:
        return False
    return True


def over_lines(lines: list[bytes]) -> bool:
    """Whether records go over several lines, rather than single lines being broken."""
    return lines[0].strip() in (b"{", b"[") or any(line.strip()[:1] in (b'"', b"}", b"]") for line in lines)
