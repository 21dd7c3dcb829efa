"""Writes of many requests in one transaction of the answer store."""

from __future__ import annotations

import asyncio

from dataflywheel.contracts import FlywheelError
from dataflywheel.store.answer_ledger import Reserve, Verdict
from dataflywheel.store.answers import AnswerStore, Ended


class GroupCommit:
    """Collects what one turn of the event loop wants written, and commits it at the next.

    In the loop's own thread: a transaction takes a tenth of a millisecond, handing it to another thread takes longer.
    """

    def __init__(self, answers: AnswerStore) -> None:
        self._answers = answers
        self._waiting: list[tuple[Reserve | Ended, asyncio.Future[Verdict | None]]] = []

    def write(self, write: Reserve | Ended) -> asyncio.Future[Verdict | None]:
        """Done when it is committed; holds the verdict on a reservation."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Verdict | None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._commit)
        self._waiting.append((write, future))
        return future

    def _commit(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            verdicts = self._answers.commit([write for write, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(
                error, FlywheelError
            ):  # one of them cannot be written: not all are lost
                for one in batch:
                    self._waiting = [one]
                    self._commit()
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), verdict in zip(batch, verdicts, strict=True):
            if not future.done():
                future.set_result(verdict)
