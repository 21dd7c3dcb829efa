"""The time that a step takes over all attempts at it, kept on disk while it is under way."""

from __future__ import annotations

import json
import threading
import time
from types import TracebackType
from typing import Self

from dataflywheel.store.atomic import remove, write_json
from dataflywheel.store.ledger import Ledger

FILE = ".under-way.json"
EVERY = 2.0
"""Seconds between two notes on disk: the most that a killed process loses."""


class Stopwatch:
    """Counts from entering its block on, from what earlier attempts at the same work had taken: waiting included, and
    without what others were billed for meanwhile, such as a model that is trained first.

    A thread notes the time beside the ledger, where the next attempt finds it if this one is killed. The note goes with
    `forget`, once the bill is entered.
    """

    def __init__(self, ledger: Ledger, name: str, work: str) -> None:
        """`name` in the ledger, and a fingerprint of the `work`: other work under that name begins at 0."""
        self._ledger, self._name, self._work = ledger, name, work
        self._path = ledger.path.parent / FILE
        self._earlier, self._began, self._others = 0.0, 0.0, 0.0
        self._taken: float | None = None
        self._over = threading.Event()
        self._noting = threading.Thread(target=self._note_on, daemon=True, name=f"stopwatch of {name}")

    @property
    def seconds(self) -> float:
        """Of all attempts so far."""
        if self._taken is not None:
            return self._taken
        return max(self._earlier, self._earlier + time.monotonic() - self._began - self._billed() + self._others)

    def __enter__(self) -> Self:
        self._earlier = self.noted()
        self._began, self._others = time.monotonic(), self._billed()
        self._noting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._taken = self.seconds
        self._over.set()
        self._noting.join()
        self._note()

    def noted(self) -> float:
        """Of earlier attempts at this work, as far as they were noted."""
        work, seconds = self._notes().get(self._name, ("", 0.0))
        return seconds if work == self._work else 0.0

    def forget(self) -> None:
        """Nothing is under way any more."""
        notes = self._notes()
        notes.pop(self._name, None)
        write_json(self._path, notes) if notes else remove(self._path)

    def _billed(self) -> float:
        return sum(bill.seconds for name, bill in list(self._ledger.steps.items()) if name != self._name)

    def _notes(self) -> dict[str, tuple[str, float]]:
        """By name in the ledger, the work and its seconds; what is not as it was written counts as nothing."""
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): (str(work), float(seconds)) for name, (work, seconds) in held.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _note(self) -> None:
        write_json(self._path, {**self._notes(), self._name: (self._work, round(self.seconds, 3))})

    def _note_on(self) -> None:
        while not self._over.wait(EVERY):
            try:
                self._note()
            except OSError:  # a full disk is told of by what the step itself writes
                return
