"""The documentation of the Python standard library on this machine, as question-answer rows.

A pool that is really messy and always at hand: what `help()` shows for every public module, class, function and
method. Methods that a class inherits carry the same text as in the base class (copies), and many docstrings are one
line of boilerplate. Modules are imported by name from the standard library and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import inspect
import io
import pkgutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any, Literal

import orjson

from dataflywheel.errors import FlywheelError
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row

# Importing these opens a window or a browser, prints, or exists only for the interpreter's own tests; tkinter is an
# optional part of Python that would be more than half of the pool where it is installed.
NOT_IMPORTED = {
    "antigravity",
    "this",
    "idlelib",
    "lib2to3",
    "test",
    "turtledemo",
    "ensurepip",
    "venv",
    "turtle",
    "tkinter",
    "posix",
    "nt",
}
HELD_OUT = 5  # one module in five is for evaluation


def held_out(module: str) -> bool:
    """Whether a top-level module belongs to the evaluation questions; decided by its name alone."""
    return hashlib.blake2b(module.encode(), digest_size=4).digest()[0] % HELD_OUT == 0


def _modules() -> Iterator[ModuleType]:
    for name in sorted(sys.stdlib_module_names):
        if name.startswith("_") or name in NOT_IMPORTED:
            continue
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            warnings.simplefilter("ignore")
            module = importlib.import_module(name)
            yield module
            for inner in pkgutil.iter_modules(getattr(module, "__path__", []), name + "."):
                if not any(part.startswith("_") or part in NOT_IMPORTED | {"tests"} for part in inner.name.split(".")):
                    with contextlib.suppress(Exception):
                        yield importlib.import_module(inner.name)


def _members(module: ModuleType, inherited: bool) -> Iterator[tuple[str, str, Any]]:
    """(kind, qualified name, object) of the module, its public functions and classes, and their public methods."""
    yield "module", module.__name__, module
    for name, thing in sorted(vars(module).items()):
        if name.startswith("_") or inspect.ismodule(thing):
            continue
        if getattr(thing, "__module__", None) != module.__name__ and not inspect.isbuiltin(thing):
            continue
        if inspect.isclass(thing):
            yield "class", f"{module.__name__}.{name}", thing
            for inner in sorted(n for n in (dir(thing) if inherited else vars(thing)) if not n.startswith("_")):
                method = inspect.getattr_static(thing, inner, None)
                method = getattr(method, "__func__", method)
                if inspect.isroutine(method) or isinstance(method, property):
                    yield "method", f"{module.__name__}.{name}.{inner}", method
        elif callable(thing):
            yield "function", f"{module.__name__}.{name}", thing


QUESTIONS = {
    "module": "What is the Python module `{name}` for?",
    "class": "What is the Python class `{name}`?",
    "function": "What does the Python function `{name}` do?",
    "method": "What does the Python method `{name}` do?",
}


Split = Literal["pool", "held_out"]


def python_docs(split: Split = "pool") -> Iterator[Row]:
    """Rows in a stable order; `tags` holds the top-level module, which is the slice in evaluation.

    The pool has inherited methods and all other copies; the held-out split asks for each text once.
    """
    for kind, name, text in _texts(split):
        question, tag = QUESTIONS[kind].format(name=name), name.partition(".")[0]
        yield prompt_answer_row(question, text, source="python_docs", tags=[tag], extra={"kind": kind})


@lru_cache
def _texts(split: Split) -> list[tuple[str, str, str]]:
    """(kind, qualified name, text), read in a fresh interpreter: packages loaded here may have replaced functions of
    the standard library (torch does), and the pool must not depend on what else a process has done."""
    code = f"from dataflywheel.rows.python_docs import print_texts; print_texts({split!r})"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.returncode:
        raise FlywheelError(f"the standard library's documentation could not be read with {sys.executable}")
    return [(kind, name, text) for kind, name, text in orjson.loads(done.stdout)]


def print_texts(split: Split) -> None:
    """What `_texts` reads, as JSON on stdout."""
    sys.stdout.buffer.write(orjson.dumps(list(_make(split))))


def _make(split: Split) -> Iterator[tuple[str, str, str]]:
    seen: set[str] = set()
    for module in _modules():
        if held_out(module.__name__.partition(".")[0]) != (split == "held_out"):
            continue
        for kind, name, thing in _members(module, inherited=split == "pool"):
            text = (inspect.getdoc(thing) or "").strip()
            if text and (split == "pool" or text not in seen):
                seen.add(text)
                yield kind, name, text
