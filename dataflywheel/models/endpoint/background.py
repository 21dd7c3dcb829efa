"""The event loop of all endpoint clients: one thread in the background of a process."""

from __future__ import annotations

import asyncio
import os
import threading

_LOCK = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop of this process, started at the first call; a forked process starts its own."""
    with _LOCK:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="endpoint clients", daemon=True).start()
        return loop
