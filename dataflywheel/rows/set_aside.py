"""What a conversion sets aside: lines that could not be read, and rows that the asked format cannot hold."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import orjson

from dataflywheel.rows.quarantine import Quarantined, beginning
from dataflywheel.rows.schema import Row

SHOWN = 20


@dataclass(frozen=True)
class LeftOut(Quarantined):
    """A row that a format cannot hold, with where it was read."""

    id: str


@dataclass(frozen=True)
class Origin:
    """A row with the file and the line or record that it was read from."""

    row: Row
    file: str
    line: int


class SetAside:
    """Entries of `<output>.quarantine.jsonl`, written as they come; the file is there where there are any."""

    def __init__(self, output: Path) -> None:
        self.path = output.with_name(f"{output.name}.quarantine.jsonl")
        self.unread = self.left_out = 0
        self.reasons: Counter[str] = Counter()
        self.first: tuple[Row, str] | None = None
        """The first row that was left out, and its reason as a sentence."""
        self.examples: list[dict[str, Any]] = []
        self._file: BinaryIO | None = None

    def unreadable(self, entries: list[Quarantined]) -> None:
        self.unread += len(entries)
        for entry in entries:
            self._write(entry)

    def refused(self, origin: Origin, format: str, why: object) -> None:
        """A row that `format` cannot hold; `why` is what it has no place for."""
        if self.first is None:
            place = f"{origin.file} line {origin.line}"
            self.first = origin.row, f"row {origin.row['id']} ({place}): {format} cannot hold {why}"
        self.left_out += 1
        self.reasons[reason_of(why)] += 1
        shown = beginning(orjson.dumps(origin.row["messages"]))
        self._write(LeftOut(origin.file, origin.line, "", f"{format} cannot hold {why}", shown, origin.row["id"]))

    def _write(self, entry: Quarantined) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb")
        self._file.write(entry.as_json())
        if len(self.examples) < SHOWN:
            self.examples.append(vars(entry).copy())

    def __enter__(self) -> SetAside:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def reason_of(why: object) -> str:
    """The kind of a refusal: what stands before its details.

    >>> reason_of("turns that do not alternate (user, user)")
    'turns that do not alternate'
    """
    return re.split(r" \(|: |; ", str(why), maxsplit=1)[0]
