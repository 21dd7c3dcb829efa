"""Where in a user's code an error came from."""

from __future__ import annotations

import traceback
from pathlib import Path

from dataflywheel.plugins.beside import READ

RAN: set[str] = set()
"""Files of users' that were run; the modules beside them are in `READ`."""


def place(error: BaseException) -> str:
    """` (checks.py, line 7)`: the last line of a user's file that the error went through; "" where there is none."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    inside = [(Path(file).name, line) for file, line in frames if file in RAN or file in READ]
    return f" ({inside[-1][0]}, line {inside[-1][1]})" if inside else ""
