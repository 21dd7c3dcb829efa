"""An early end: Ctrl-C, a scheduler's SIGTERM, a closed terminal, a budget. Said in one line, and resumable."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

import typer

GOES_ON = "what was finished is kept, and the same command goes on from there"
UNFINISHED = 3
"""Exit status of a command that a budget ended, or that waits for the answers of a batch."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WAKE = signal.SIGURG
"""Sent to the main thread alone: where another thread got the signal, it would sleep on in whatever it waits for."""
GRACE = 10.0
"""Seconds in which answers that are under way are taken in, and workers ended."""

_ending = threading.Lock()
"""Held by the thread that says why the command ends; two that heard the same signal would both say it."""


class Stopped(KeyboardInterrupt):
    """Raised where the work is, as Ctrl-C is; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def listen() -> None:
    """From now on a signal ends the command with a word. Signals that are ignored, as SIGHUP is under `nohup`, stay
    ignored."""
    heard, hears = os.pipe()
    for end in (heard, hears):
        os.set_blocking(end, end == heard)
    signal.set_wakeup_fd(hears, warn_on_full_buffer=False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end_here)
    signal.signal(WAKE, lambda number, frame: None)
    threading.Thread(target=_watch, args=(heard,), name="signals", daemon=True).start()


def unwind() -> None:
    """From now on the first signal raises `Stopped` in the main thread, so that what is under way is taken in; a second
    one ends the command, and so does the time where a library goes on working."""
    for number in SIGNALS:
        if signal.getsignal(number) is _end_here:
            signal.signal(number, _raise)


def stopped(error: KeyboardInterrupt) -> NoReturn:
    """Say what stopped the command, and end as the shell expects it."""
    number = error.number if isinstance(error, Stopped) else signal.SIGINT
    _end(number)


def leave(status: int, message: str) -> NoReturn:
    """Say the message on stderr and end at once.

    Threads of the engine may be in the middle of a batch; an orderly end of the interpreter would crash on them.
    """
    if not _ending.acquire(blocking=False):
        time.sleep(1)  # another thread says it, or a signal came while this one did
        os._exit(status)
    for stream, text in ((sys.stderr, f"flywheel: {message}\n"), (sys.stdout, "")):
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            pass  # the terminal is gone
    os._exit(status)


def unfinished(why: str) -> None:
    """Where there is a reason why the command did not come to its end, say it last, on stderr, and exit with 3.

    Raises:
        typer.Exit: so that no script takes what is there for the result.
    """
    if why:
        typer.echo(f"flywheel: not finished: {why}", err=True)
        raise typer.Exit(UNFINISHED)


def _end_here(number: int, frame: FrameType | None) -> None:
    _end(number)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)


def _watch(heard: int) -> None:
    """In a thread of its own, for the main one hears nothing while a library works."""
    first = _next(heard)
    threading.Timer(GRACE, _end, (first,)).start()
    signal.pthread_kill(threading.main_thread().ident or 0, WAKE)
    _end(_next(heard))


def _next(heard: int) -> int:
    while (number := os.read(heard, 1)[0]) not in SIGNALS:
        pass
    return number


def _end(number: int) -> NoReturn:
    by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
    leave(128 + number, f"stopped{by}; {GOES_ON}")
