"""Plugins in other processes: what is sent there is opened once the same plugins are loaded."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from dataflywheel.errors import FlywheelError
from dataflywheel.plugins.loading import LOADED, Plugin, load_file
from dataflywheel.plugins.packages import load_packages

T = TypeVar("T")


def loaded() -> tuple[Plugin, ...]:
    """What this process has loaded, in that order: for `restore` in another."""
    packages = load_packages() if load_packages.cache_info().currsize else ()
    return (*packages, *LOADED.values())


def restore(plugins: Sequence[Plugin]) -> None:
    """Load the same plugins in this process.

    Raises:
        FlywheelError: a file was changed since the other process loaded it.
    """
    if any(plugin.installed for plugin in plugins):
        load_packages()
    for plugin in plugins:
        if plugin.path is not None and not plugin.installed:
            here = load_file(plugin.path, plugin.module)
            if here.digest != plugin.digest:
                raise FlywheelError(
                    f"plugin {plugin.place}: it, or a file beside it that it imports, was changed while it was in use; "
                    "give the same command again: what was done with it is done anew"
                )


def done_there(plugins: Sequence[Plugin], call: bytes) -> Any:
    """What a function gives in this process for arguments of another, pickled as `(function, arguments)`."""
    restore(plugins)
    function, arguments = pickle.loads(call)
    return function(*arguments)


class Carried(Generic[T]):
    """A value that reaches another process behind the plugins that it may come from."""

    def __init__(self, value: T) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _opened, (loaded(), pickle.dumps(self.value))


def _opened(plugins: Sequence[Plugin], value: bytes) -> Carried[Any]:
    restore(plugins)
    return Carried(pickle.loads(value))
