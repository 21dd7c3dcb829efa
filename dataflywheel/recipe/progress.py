"""What a run tells while it works: a line a step for `events.jsonl`, and finer news for whoever watches."""

from __future__ import annotations

from typing import Protocol


class Watcher(Protocol):
    """Receives the news of a run; the command line draws a table from it."""

    def planned(self, steps: list[str]) -> None:
        """The names of the steps to come, in order."""

    def started(self, step: str) -> None:
        """A step begins."""

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        """Within a step: rows measured, training steps made, trials finished."""

    def finished(self, step: str, note: str, reused: bool) -> None:
        """A step ends; `reused` when its result was there already."""


class Silent:
    """Watches without a word."""

    def planned(self, steps: list[str]) -> None:
        return None

    def started(self, step: str) -> None:
        return None

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        return None

    def finished(self, step: str, note: str, reused: bool) -> None:
        return None
