"""The process of the program that is tested: it runs it, and calls what the tests call. It knows no test."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from dataflywheel.proposing.jail.data import decode, encode
from dataflywheel.proposing.jail.link import Link

MAX_HELD = 100_000


class Server:
    """Objects of the program that are no data stay here; the tests know them by number."""

    def __init__(self, link: Link, space: dict[str, Any]) -> None:
        self.link, self.space = link, space
        self.held: list[Any] = []

    def serve(self) -> None:
        """Answer until the other side ends."""
        while True:
            asked = self.link.receive()
            try:
                said = self._answer(asked)
            except EOFError:
                raise
            except BaseException as error:
                said = {"error": type(error).__name__, "said": _said(error)}
            self.link.send(said)

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        do = asked["do"]
        if do == "name":
            return {"value": self._out(self.space[asked["name"]])}
        target = self.held[asked["ref"]]
        if do == "get":
            return {"value": self._out(getattr(target, asked["name"]))}
        args = [decode(arg, self._in) for arg in asked["args"]]
        if do == "item":
            return {"value": self._out(target[args[0]])}
        if do == "list":
            return {"value": self._out(list(_up_to(target)))}
        if do == "len":
            return {"value": self._out(len(target))}
        if do == "str":
            return {"value": self._out(str(target))}
        named = {name: decode(value, self._in) for name, value in asked["named"].items()}
        value = target(*args, **named)
        changed = any(isinstance(arg, list | dict | set | bytearray) for arg in args)
        return {"value": self._out(value), "args": [self._out(arg) for arg in args] if changed else []}

    def _out(self, value: Any) -> Any:
        return encode(value, self._hold)

    def _hold(self, value: object) -> dict[str, Any]:
        if len(self.held) >= MAX_HELD:
            raise MemoryError
        self.held.append(value)
        return {"t": "ref", "v": len(self.held) - 1, "module": type(value).__name__ == "module"}

    def _in(self, given: dict[str, Any]) -> Any:
        return self.held[given["v"]] if given["t"] == "own" else self._back(given["v"])

    def _back(self, number: int) -> Callable[..., Any]:
        """A function of the tests that was given to the program."""

        def call(*args: Any) -> Any:
            self.link.send({"back": number, "args": [self._out(arg) for arg in args]})
            said = self.link.receive()
            if "error" in said:
                raise RuntimeError(said["error"])
            return decode(said["value"], self._in)

        return call


def _up_to(items: Any) -> list[Any]:
    found = []
    for item in items:
        found.append(item)
        if len(found) > MAX_HELD:
            raise MemoryError
    return found


def _said(error: BaseException) -> str:
    try:
        return str(error)[:200]
    except BaseException:
        return ""


def run_and_serve(program: str, link: Link) -> None:
    """Run a program and tell the names that it defined, or the error that ended it; then serve.

    It is imported, as it were: what it does as a script, such as asking for input, is nothing that a test calls.
    """
    space: dict[str, Any] = {"__name__": "program"}
    try:
        exec(compile(program, "program", "exec"), space)
    except BaseException as error:
        much = isinstance(error, OSError) and error.errno == 27  # the limit on a file's size
        link.send({"error": "MUCH" if much else type(error).__name__})
        os._exit(0)
    link.send({"names": [name for name in list(space) if type(name) is str and not name.startswith("__")]})
    Server(link, space).serve()
