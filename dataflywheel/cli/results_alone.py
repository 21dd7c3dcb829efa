"""What a command writes to stdout is its result and nothing else."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def results_alone() -> Iterator[None]:
    """Within, what others print goes to stderr: a function of the user's, a library, a process that is started."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # it is closed
        kept = -1
    try:
        if kept >= 0:
            with contextlib.suppress(OSError):
                os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if kept >= 0:
            os.dup2(kept, 1)
            os.close(kept)
