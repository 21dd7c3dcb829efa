"""Chat templates come with models and are programs of a kind: here they end, and stay small, whatever they say.

The sandbox of the library keeps a template from files, modules and the insides of Python. What it may still do is to
loop for ever and to make giants. A loop is stopped from a second thread, which costs ordinary rendering nothing; what
would make a giant within one operation, where nothing can stop it, is refused beforehand.
"""

from __future__ import annotations

import ctypes
import re
import threading
import time
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from types import BuiltinMethodType
from typing import Any, NoReturn

SECONDS = 5.0
"""Of the processor, after which a rendering is stopped; the longest rows take one or two."""
MEMORY = 1 << 30
"""Bytes by which the process may grow while one rendering goes on."""
LOOK_EVERY = 0.05
LONGEST, BITS = 10_000_000, 100_000
"""Of what one multiplication makes, or what a number given to a function asks for; bits of a whole number."""
WIDTH = re.compile(r"\d{8}|[%.]\*|\{[^{}]*\{")
"""In a format: a width beyond `LONGEST`, or one that is given beside it."""
WIDE_FILTERS = (
    "batch", "center", "format", "indent", "join", "replace", "round", "slice", "tojson", "truncate", "wordwrap"
)  # fmt: skip


class TemplateTooMuchError(Exception):
    """A chat template does not end, or makes what no conversation holds."""


class _StopError(BaseException):
    """Raised within a template by the thread that watches it; nothing in a template catches it."""


class _Watched:
    """A rendering that goes on in a thread."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.stopped = ""


_LOCK = threading.Lock()
_now: dict[int, _Watched] = {}
"""Renderings by thread."""
_watching = False
_refused: dict[str, str] = {}
"""Templates that were stopped, with the reason: none of them is tried again, row by row."""


def bounded(template: str, work: Callable[[], str]) -> str:
    """What `work`, a rendering of the template, gives.

    Raises:
        TemplateTooMuchError: it took more than `SECONDS` of the processor or `MEMORY`, now or before.
    """
    if template in _refused:
        raise TemplateTooMuchError(_refused[template])
    one = _Watched()
    with _LOCK:
        _now[one.thread] = one
        if not _watching:
            _watch()
    try:
        try:
            return work()
        finally:
            with _LOCK:
                _now.pop(one.thread, None)
            _arrived()
    except _StopError:
        _refused[template] = f"the chat template was stopped, since it {one.stopped}"
        raise TemplateTooMuchError(_refused[template]) from None


def _arrived() -> None:
    """A call, at which a stop that was asked for arrives at the latest; a sleep of no time would take 60 microseconds,
    once a row."""


def _watch() -> None:
    global _watching
    _watching = True
    threading.Thread(target=_look, name="chat templates", daemon=True).start()


def _look() -> None:
    """Look at what is rendered now and then, and end when nothing was for a while."""
    global _watching
    begun: dict[_Watched, tuple[float, int]] = {}
    idle = 0
    while True:
        time.sleep(LOOK_EVERY)
        with _LOCK:
            begun = {one: begun.get(one) or (_seconds(one), _memory()) for one in _now.values()}
            for one, (seconds, memory) in begun.items():
                spent = _seconds(one) - seconds
                if spent > SECONDS:
                    _stop(one, f"did not end within {SECONDS:g} seconds")
                elif spent > 4 * LOOK_EVERY and _memory() - memory > MEMORY:
                    _stop(one, f"took more than {MEMORY >> 20:,} MB")
            idle = 0 if _now else idle + 1
            if idle > 100:
                _watching = False
                return


def _stop(one: _Watched, why: str) -> None:
    one.stopped = why
    del _now[one.thread]  # once
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(one.thread), ctypes.py_object(_StopError))


def _seconds(one: _Watched) -> float:
    """Of the processor that a thread has used, or by the clock where the system does not tell."""
    if hasattr(time, "pthread_getcpuclockid"):
        return time.clock_gettime(time.pthread_getcpuclockid(one.thread))
    return time.monotonic()


def _memory() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    except (OSError, ValueError):
        return 0


@lru_cache(maxsize=64)
def compiled(template: str) -> Any:
    """The template in the library's sandbox, with what makes giants refused."""
    return _environment().from_string(template)


@lru_cache(maxsize=1)
def _environment() -> Any:
    from transformers.utils.chat_template_utils import _compile_jinja_template

    base = _compile_jinja_template.__wrapped__("").environment
    base.__class__ = _kind(type(base))
    base.intercepted_binops = frozenset(["*", "**", "%"])
    for name in WIDE_FILTERS:
        base.filters[name] = _guarded(base.filters[name])
    return base


def _kind(sandbox: type[Any]) -> type[Any]:
    class Small(sandbox):  # type: ignore[misc]
        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if _giant(operator, left, right):
                _refuse(repr(operator))
            return super().call_binop(context, operator, left, right)

        def call(__self, __context: Any, __obj: Any, *args: Any, **named: Any) -> Any:  # noqa: N805 (the library's)
            if args and __obj.__class__ is BuiltinMethodType and isinstance(__obj.__self__, str):
                _small(__obj.__name__, __obj.__self__, *args)
            return super().call(__context, __obj, *args, **named)

        def wrap_str_format(self, value: Any) -> Any:
            found = super().wrap_str_format(value)
            if found is not None and WIDTH.search(value.__self__):
                _refuse("format")
            return found

    return Small


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__.removeprefix("do_")
    given = 1 if hasattr(function, "jinja_pass_arg") else 0
    """Before the value that is filtered, the library may hand its context."""

    @wraps(function)
    def small(*args: Any, **named: Any) -> Any:
        _small(name, *args[given:], *named.values())
        return function(*args, **named)

    return small


def _small(name: str, value: Any, *args: Any) -> None:
    """Refuse what a function would make a giant of `value` for.

    Raises:
        SecurityError: a number, a width, a separator or replacements that do.
    """
    if name == "format":
        wide = WIDTH.search(str(value)) is not None
    else:
        wide = any(one.__class__ is int and not -LONGEST < one < LONGEST for one in args)
    if wide:
        _refuse(name)
    text = value if isinstance(value, str) else next((one for one in args if isinstance(one, str)), "")
    if name == "join" and len(text) > 1000:
        _refuse(name)
    if name == "replace" and len(args) > 1 and isinstance(value, str) and isinstance(args[0], str):
        times = value.count(args[0]) if len(str(args[1])) > 1 else 0
        if times * len(str(args[1])) > 10 * LONGEST:
            _refuse(name)


def _refuse(what: str) -> NoReturn:
    from jinja2.exceptions import SecurityError

    raise SecurityError(f"the chat template makes more by {what} than a conversation can hold")


def _giant(operator: str, left: Any, right: Any) -> bool:
    """Whether an operation would make more than a conversation needs."""
    if operator == "%":
        return isinstance(left, str) and WIDTH.search(left) is not None
    whole = [one for one in (left, right) if isinstance(one, int)]
    if operator == "**":
        return len(whole) == 2 and abs(left).bit_length() * abs(right) > BITS
    if len(whole) == 2:
        return bool(left.bit_length() + right.bit_length() > BITS)
    sized = next((len(one) for one in (left, right) if hasattr(one, "__len__")), 0)
    return bool(whole) and sized * whole[0] > LONGEST
