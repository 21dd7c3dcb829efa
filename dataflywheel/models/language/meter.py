"""How much the local models of this process read, for bills of work that does not know it itself, as an evaluation."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Read:
    """Rows that a model read, once for each time, and the tokens of them; of answers that it wrote, those of question
    and answer."""

    passes: int = 0
    tokens: int = 0


_open: list[Read] = []
_lock = threading.Lock()


def count(passes: int, tokens: int) -> None:
    """Enter what was read into all counts that are open."""
    with _lock:
        for read in _open:
            read.passes += passes
            read.tokens += tokens


@contextmanager
def counted() -> Iterator[Read]:
    """What is read within the block, in any thread; grows while it is open."""
    read = Read()
    with _lock:
        _open.append(read)
    try:
        yield read
    finally:
        with _lock:
            _open[:] = [one for one in _open if one is not read]
