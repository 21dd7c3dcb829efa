"""Methods of plugins by their names among the parameters of a recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataflywheel.contracts.method import PYTHON, REGISTRY, STEPS
from dataflywheel.errors import UsageError
from dataflywheel.plugins.functions import code


def named_in(given: Any) -> list[str]:
    """Methods and kinds of steps of plugins that stand anywhere in these values, as a key or a text: by name, as a
    column of theirs (`mine.value`), or with parameters (`mine:{"least": 2}`); each once, in order."""
    found = (word.partition(".")[0].partition(":")[0] for word in _words(given))
    return list(dict.fromkeys(name for name in found if _kind(name) is not None))


def code_of(given: Any) -> list[str]:
    """Digests of the user's code that these values name: of plugins' methods, and of functions (`./checks.py:ok`)."""
    methods = [kind.source for name in named_in(given) if (kind := _kind(name)) is not None]
    return methods + [found for word in dict.fromkeys(_words(given)) if (found := _function(word))]


def _function(word: str) -> str:
    if ".py:" not in word:
        return ""
    try:
        return code(word.removeprefix(f"{PYTHON}:"), PYTHON)
    except UsageError:
        return ""  # a text that only looks like one


def _kind(name: str) -> type[Any] | None:
    kind = REGISTRY.get(name) or STEPS.get(name)
    return kind if kind is not None and kind.source else None


def _words(given: Any) -> Iterator[str]:
    if isinstance(given, Mapping):
        for key, value in given.items():
            yield str(key)
            yield from _words(value)
    elif isinstance(given, list | tuple):
        for value in given:
            yield from _words(value)
    elif isinstance(given, str):
        yield given
