"""Where in a user's code an error came from."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from dataflywheel.plugins.beside import READ

RAN: set[str] = set()
"""Files of users' that were run; the modules beside them are in `READ`."""


def place(error: BaseException) -> str:
    """` (checks.py, line 7)`: the last line of a user's file that the error went through; "" where there is none."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    inside = [(Path(file).name, line) for file, line in frames if file in RAN or file in READ]
    return f" ({inside[-1][0]}, line {inside[-1][1]})" if inside else ""


def named(method: Any, verb: str) -> str:
    """`mine (checks.py, line 7)`: a user's method with the line of what it does under that verb; one that is shipped by
    its name alone."""
    name: str = method.name or type(method).__name__
    code = getattr(getattr(method, verb, None), "__code__", None)
    if code is None or not (code.co_filename in RAN or code.co_filename in READ):
        return name
    return f"{name} ({Path(code.co_filename).name}, line {code.co_firstlineno})"
