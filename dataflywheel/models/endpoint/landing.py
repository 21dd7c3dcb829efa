"""Replies on their way from the event loop of the clients to the thread that waits for them."""

from __future__ import annotations

import asyncio
import queue

from dataflywheel.models.endpoint.request import Reply


class Landing:
    """The requests of one `stream` on their way; replies come out of `landed`, those of one turn together."""

    def __init__(self) -> None:
        self.landed: queue.SimpleQueue[list[tuple[int, Reply | Exception]]] = queue.SimpleQueue()
        self.stopped = False
        self._ready: list[tuple[int, Reply | Exception]] = []

    def land(self, index: int, reply: Reply | Exception) -> None:
        if not self._ready:
            asyncio.get_running_loop().call_soon(self._push)
        self._ready.append((index, reply))

    def _push(self) -> None:
        ready, self._ready = self._ready, []
        self.landed.put(ready)
