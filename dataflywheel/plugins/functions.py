"""Plain functions of the user's, named by file and name (`./checks.py:ok`): they score, judge or filter rows."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from dataflywheel.errors import UsageError
from dataflywheel.plugins.beside import forget_changed, open_folder
from dataflywheel.plugins.loading import told
from dataflywheel.plugins.place import RAN, place
from dataflywheel.plugins.sources import content, files_of

WANTED = "True, False or a reason (a text) is wanted"
MOST = 200
"""Characters of a reason that are kept."""
FAILED = "the function failed"
Function = Callable[..., Any]


def split(function: str, what: str) -> tuple[Path, str]:
    """The file and the name of a function written `file.py:name`; `what` is who asks, for messages.

    Raises:
        UsageError: it is not so written, or the file is not there.
    """
    file, colon, name = function.rpartition(":")
    path = Path(file).expanduser()
    if not colon or not name.isidentifier() or not file.endswith(".py"):
        raise UsageError(f"{what}: python: {function!r} names no function; write a file and a name: ./metrics.py:score")
    if not path.is_file():
        raise UsageError(f"{what}: python: {file} is not there (looked from {Path.cwd()})")
    return path, name


def code(function: str, what: str) -> str:
    """16 hex digits over the function's file and the modules beside it that this imports.

    Raises:
        UsageError: as `split`.
    """
    path = split(function, what)[0].resolve()
    return content(files_of(path), path.parent)


def load(function: str, what: str, given: Sequence[str] = ()) -> Function:
    """The function itself. Its file is run once, and again when it has changed. `given` names what it will be called
    with, for a check that it can be.

    Raises:
        UsageError: the file cannot be run, or holds no such function, or one that cannot be called so.
    """
    path, name = split(function, what)
    found = getattr(_module(path.resolve(), code(function, what), what), name, None)
    if not callable(found):
        raise UsageError(f"{what}: python: {path} holds no function {name!r}")
    if kind := _kind(found):
        raise UsageError(f"{what}: python: {name} in {path} is {kind}; write a plain function")
    if wrong := _misfit(found, given):
        raise UsageError(f"{what}: python: {name} in {path}{_line(found)} {wrong}")
    made: Function = found
    return made


def _kind(found: Function) -> str:
    """What it is, where calling it gives no answer; "" for a plain function."""
    called = found if inspect.isroutine(found) else type(found).__call__
    if isinstance(found, type):
        return "a class"
    if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
        return "async"
    return "a generator (it has a `yield`)" if inspect.isgeneratorfunction(called) else ""


def _misfit(function: Function, given: Sequence[str]) -> str:
    """Why it cannot be called with so many arguments; "" where it can, where nobody knows, and where it is called as
    TRL calls its own."""
    try:
        called = inspect.signature(function)
    except (TypeError, ValueError):  # of some that are written in C
        return ""
    if not given or "completions" in called.parameters:
        return ""
    more = {"before": None} if "before" in called.parameters and "before" not in given else {}
    try:
        called.bind(*given, **more)
    except TypeError as error:
        return f"cannot be called with ({', '.join(given)}): {error}"
    return ""


def _line(function: Function) -> str:
    code = getattr(function, "__code__", None)
    return f", line {code.co_firstlineno}," if code is not None else ""


@functools.lru_cache(maxsize=64)
def _module(path: Path, held: str, what: str) -> ModuleType:
    """The file's module, run once for equal contents of it and of what lies beside it."""
    files = files_of(path)
    forget_changed(files)
    open_folder(path, f"{what}: python: {path}")
    module = ModuleType(f"user_function_{path.stem}_{held}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    RAN.add(str(path))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # results alone stand there
            exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise UsageError(f"{what}: python: {path} cannot be run{told(error, files)}") from error
    return module


def takes(function: Function, name: str) -> bool:
    """Whether it has a parameter of that name."""
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # of some that are written in C
        return False


def reason_of(said: object, otherwise: str) -> str:
    """What a function that keeps or turns away has said: "" where it keeps; else the reason, `otherwise` where it gave
    none. It says True or False, a reason, or both: `(False, "too short")`.

    >>> reason_of(True, "no"), reason_of(False, "no"), reason_of("too short", "no"), reason_of((False, "late"), "no")
    ('', 'no', 'too short', 'late')

    Raises:
        TypeError: anything else, None and the empty text among it: whoever forgot to answer has not kept the row.
    """
    verdict, reason = said if isinstance(said, tuple) and len(said) == 2 else (said, "")
    if isinstance(verdict, str) and verdict.strip() and not isinstance(said, tuple):
        return " ".join(verdict.split())[:MOST]
    if isinstance(verdict, bool | np.bool_) and isinstance(reason, str | None):
        return "" if verdict else " ".join((reason or "").split())[:MOST] or otherwise
    shown = repr(said)
    raise TypeError(f"it gave {shown if len(shown) <= 40 else type(said).__name__}, and {WANTED}")


def verdict(function: Function, named: str, *given: object, **more: object) -> tuple[str, str]:
    """What a function has against the row that it is given, "" where nothing; and how it failed, "" where it did not.
    `named` is how the recipe names it."""
    try:
        return reason_of(function(*given, **more), f"turned away by {Path(named).name}"), ""
    except (Exception, SystemExit) as error:
        return "", failure(error)


def failure(error: BaseException) -> str:
    """`ValueError: too long (checks.py, line 7)`, in one line; without a place where it came from outside of a user's
    code."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())}"[:MOST].removesuffix(": ")
    return said + place(error)
