"""Lines of JSON over a pair of pipes."""

from __future__ import annotations

import json
import os
from typing import Any

MAX_BYTES = 16 << 20
"""Of one message."""


class Link:
    """Sends and receives messages; a link that ended, or that says what is none, raises `EOFError`."""

    def __init__(self, inbox: int, outbox: int) -> None:
        self.inbox, self.outbox, self.held = inbox, outbox, b""
        self._read, self._write, self._loads, self._dumps = os.read, os.write, json.loads, json.dumps

    def send(self, message: dict[str, Any]) -> None:
        rest = self._dumps(message).encode() + b"\n"
        if len(rest) > MAX_BYTES:
            raise EOFError("a message is too large")
        try:
            while rest:
                rest = rest[self._write(self.outbox, rest) :]
        except OSError as error:
            raise EOFError("the other side ended") from error

    def receive(self) -> dict[str, Any]:
        parts = [self.held]
        size = len(self.held)
        while b"\n" not in parts[-1]:
            part = self._read(self.inbox, 65_536)
            size += len(part)
            if not part or size > MAX_BYTES:
                raise EOFError("the other side ended")
            parts.append(part)
        line, _, self.held = b"".join(parts).partition(b"\n")
        try:
            message = self._loads(line)
        except (ValueError, RecursionError) as error:
            raise EOFError("no message") from error
        if not isinstance(message, dict):
            raise EOFError("no message")
        return message
