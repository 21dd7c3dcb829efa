"""Whose code failed: an error from a user's method is one message with file and line, and no traceback."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataflywheel.contracts.method import REGISTRY, STEPS
from dataflywheel.errors import FlywheelError
from dataflywheel.plugins.loading import KNOWN, told
from dataflywheel.plugins.named import named_in
from dataflywheel.plugins.sources import files_of


@contextlib.contextmanager
def blamed(what: str, given: Any = None) -> Iterator[None]:
    """`given` are the values of a recipe that name what takes part.

    Raises:
        FlywheelError: a plugin's code failed while `what` was done, with its file and line; or what one of the methods
            that `given` names gave could not be used, with the method and where that was seen.
    """
    try:
        yield
    except FlywheelError:
        raise
    except (Exception, SystemExit) as error:
        for plugin in KNOWN.values():
            files = files_of(plugin.path) if plugin.path is not None else []
            if (said := told(error, files)).startswith(","):
                raise FlywheelError(f"{what}: plugin {plugin.place}{said}") from error
        if not isinstance(error, OSError | MemoryError) and (taking_part := _of_plugins(given)):
            raise FlywheelError(f"{what}{told(error, [])}{_seen(error)}; this followed from {taking_part}") from error
        raise


def _of_plugins(given: Any) -> str:
    """`mine of plugin mine.py`, each method of a plugin that these values name."""
    kinds = [(name, REGISTRY.get(name) or STEPS[name]) for name in named_in(given)]
    return ", ".join(f"{name} of plugin {kind.origin}" for name, kind in kinds)


def _seen(error: BaseException) -> str:
    """` (trainer.py, line 7)`: the line that the error came from."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
