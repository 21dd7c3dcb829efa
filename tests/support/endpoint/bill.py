"""What a vendor would charge: one line a request, in memory and in an append-only file."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Line:
    """One request. `billed`: a vendor would charge it. `delivered`: the whole reply went to an open connection."""

    key: str
    attempt: int
    path: str
    status: int
    fault: str
    billed: bool
    delivered: bool
    tokens_in: int
    tokens_out: int
    sample: str = ""
    """The client's own name for the request, from the header Idempotency-Key or a batch's custom_id."""
    at: float = 0.0
    """Seconds since the server's start, when the request was settled; not written to the file."""
    begins: str = ""
    """The first words of what was asked."""

    def written(self) -> bytes:
        line = asdict(self)
        del line["at"]
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


@dataclass
class Bill:
    """All requests so far, in the order in which they were settled."""

    lines: list[Line] = field(default_factory=list)
    peak_in_flight: int = 0
    in_flight: int = 0
    """Requests that are being worked on, and are not on the bill yet."""

    @classmethod
    def parse(cls, raw: bytes) -> Bill:
        found: dict[str, Any] = orjson.loads(raw)
        return cls([Line(**line) for line in found["lines"]], found["peak_in_flight"], found["in_flight"])

    @property
    def charged(self) -> list[Line]:
        return [line for line in self.lines if line.billed]

    @property
    def tokens_in(self) -> int:
        return sum(line.tokens_in for line in self.charged)

    @property
    def tokens_out(self) -> int:
        return sum(line.tokens_out for line in self.charged)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(line.status for line in self.lines)

    @property
    def keys(self) -> Counter[str]:
        """How often each key was charged."""
        return Counter(line.key for line in self.charged)

    @property
    def paid_twice(self) -> dict[str, int]:
        """Keys that were charged more than once, and how often."""
        return {key: count for key, count in self.keys.items() if count > 1}

    def usd(self, input_price: float, output_price: float) -> float:
        """Dollars at prices per million tokens."""
        return (self.tokens_in * input_price + self.tokens_out * output_price) / 1e6


class Book:
    """The server's side of the bill."""

    def __init__(self, path: Path | None) -> None:
        self.bill = Bill()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if path else None

    def add(self, line: Line) -> None:
        self.bill.lines.append(line)
        if self._file is not None:
            os.write(self._file, line.written())

    def clear(self) -> None:
        self.bill = Bill()

    def dump(self, in_flight: int) -> bytes:
        self.bill.in_flight = in_flight
        return orjson.dumps(self.bill, option=orjson.OPT_SERIALIZE_DATACLASS)
