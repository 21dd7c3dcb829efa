"""What a run tells while it works: a line a step for `events.jsonl`, and finer news for whoever watches."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dataflywheel.models.endpoint.progress import Progress
    from dataflywheel.store.plan import Plan


class Watcher(Protocol):
    """Receives the news of a run; the command line draws a table from it."""

    def foretold(self, plan: Plan) -> None:
        """What is about to be done, and what it costs, before any of it."""

    def planned(self, steps: list[str]) -> None:
        """The names of the steps to come, in order."""

    def started(self, step: str) -> None:
        """A step begins."""

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        """Within a step: rows measured, training steps made, trials finished."""

    def asking(self, progress: Progress) -> None:
        """Within a step that asks a model: how the requests are going, about twice a second."""

    def finished(self, step: str, note: str, reused: bool) -> None:
        """A step ends; `reused` when its result was there already."""


class Silent:
    """Watches without a word, but for a model that is away: who waits must know for what."""

    trouble = ""

    def foretold(self, plan: Plan) -> None:
        return None

    def planned(self, steps: list[str]) -> None:
        return None

    def started(self, step: str) -> None:
        return None

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        return None

    def asking(self, progress: Progress) -> None:
        if progress.trouble and not self.trouble:
            warnings.warn(progress.trouble, stacklevel=2)
        self.trouble = progress.trouble

    def finished(self, step: str, note: str, reused: bool) -> None:
        return None
