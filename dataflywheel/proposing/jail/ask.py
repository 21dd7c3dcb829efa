"""The process of the tests: no code of the program runs in it, and what its functions give are plain data."""

from __future__ import annotations

import ast
import builtins
import importlib
import sys
from typing import Any, NoReturn

from dataflywheel.proposing.jail import reasons
from dataflywheel.proposing.jail.data import NotDataError, decode, encode
from dataflywheel.proposing.jail.link import Link


class ProgramError(Exception):
    """The program raised an exception that Python does not know."""


class Asker:
    """The program as the tests see it."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.given: list[Any] = []

    def ask(self, do: str, **more: Any) -> Any:
        """What the program gives: data, or a `Remote`. Its exceptions are raised here."""
        said = self._said({"do": do, **more})
        return decode(said.get("value"), self._in)

    def call(self, ref: int, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        sent = [self._out(arg) for arg in args]
        said = self._said(
            {"do": "call", "ref": ref, "args": sent, "named": {k: self._out(v) for k, v in named.items()}}
        )
        value = decode(said.get("value"), self._in)
        for old, new in zip(args, said.get("args", ()), strict=False):
            _refresh(old, decode(new, self._in))
        return value

    def _said(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.link.send(asked)
        said = self.link.receive()
        while "back" in said:  # the program calls a function of the tests
            try:
                args = [decode(arg, self._in) for arg in said["args"]]
                self.link.send({"value": self._out(self.given[said["back"]](*args))})
            except EOFError:
                raise
            except Exception as error:
                self.link.send({"error": type(error).__name__})
            said = self.link.receive()
        if "error" in said:
            kind = getattr(builtins, str(said["error"]), None)
            known = isinstance(kind, type) and issubclass(kind, Exception)
            raise (kind if known else ProgramError)(str(said.get("said", "")))  # type: ignore[misc]
        return said

    def _out(self, value: Any) -> Any:
        return encode(value, self._hold)

    def _hold(self, value: object) -> dict[str, Any]:
        if isinstance(value, Remote):
            return {"t": "own", "v": object.__getattribute__(value, "_ref")}
        if not callable(value):
            raise NotDataError(f"{type(value).__name__} is no data")
        self.given.append(value)
        return {"t": "back", "v": len(self.given) - 1}

    def _in(self, given: dict[str, Any]) -> Any:
        return Remote(self, int(given["v"]))


def _refresh(old: Any, new: Any) -> None:
    """Make the tests' own list, dictionary or set what the program made of it."""
    if type(old) is not type(new):
        return
    if isinstance(old, list | bytearray):
        old[:] = new
    elif isinstance(old, dict | set):
        old.clear()
        old.update(new)


class Remote:
    """An object of the program: it can be called and looked into. What decides is data: it cannot be compared."""

    def __init__(self, asker: Asker, ref: int) -> None:
        object.__setattr__(self, "_asker", asker)
        object.__setattr__(self, "_ref", ref)

    def __call__(self, *args: Any, **named: Any) -> Any:
        return _asker(self).call(_ref(self), args, named)

    def __getattr__(self, name: str) -> Any:
        return _asker(self).ask("get", ref=_ref(self), name=name)

    def __iter__(self) -> Any:
        return iter(_asker(self).ask("list", ref=_ref(self), args=[]))

    def __getitem__(self, key: Any) -> Any:
        return _asker(self).ask("item", ref=_ref(self), args=[encode(key, _refuse)])

    def __len__(self) -> int:
        return int(_asker(self).ask("len", ref=_ref(self), args=[]))

    def __str__(self) -> str:
        return str(_asker(self).ask("str", ref=_ref(self), args=[]))

    def _no(self, *others: object) -> NoReturn:
        raise NotDataError(reasons.NOT_PLAIN)

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = __hash__ = _no


def _asker(remote: Remote) -> Asker:
    found: Asker = object.__getattribute__(remote, "_asker")
    return found


def _ref(remote: Remote) -> int:
    found: int = object.__getattribute__(remote, "_ref")
    return found


def _refuse(value: object) -> NoReturn:
    raise NotDataError(f"{type(value).__name__} is no data")


class _Counted(ast.NodeTransformer):
    """Puts a call before every assertion, so that it is known how many were made."""

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        return self._with(node)

    def visit_Expr(self, node: ast.Expr) -> ast.stmt | list[ast.stmt]:
        return self._with(node) if _asserts(node.value) else self.generic_visit(node)  # type: ignore[return-value]

    def visit_With(self, node: ast.With) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        return self._with(node) if any(_asserts(item.context_expr) for item in node.items) else node

    def _with(self, node: ast.stmt) -> list[ast.stmt]:
        call = ast.Expr(ast.Call(ast.Name("_count_", ast.Load()), [], []))
        return [ast.fix_missing_locations(ast.copy_location(call, node)), node]


def _asserts(node: ast.expr) -> bool:
    """`self.assertEqual(...)` and its like."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.attr.startswith("assert")
        and node.func.value.id == "self"
    )


def test(tests: str, link: Link) -> dict[str, Any]:
    """Run tests against the program at the other end: how many assertions were `checked`, or the `error` and whether it
    came from the `tests` or the `program`, or that the program `ended`."""
    part = "program"
    try:
        hello = link.receive()
        if "error" in hello:
            much = hello["error"] == "MUCH"
            return {"reason": reasons.MUCH} if much else {"part": part, "error": str(hello["error"])[:80]}
        part = "tests"
        tree = _Counted().visit(ast.parse(tests))
        checked: list[int] = []
        space = _names(tree, {str(name) for name in hello["names"]}, Asker(link))
        space |= {"__name__": "__main__", "_count_": lambda: checked.append(1)}
        exec(compile(tree, "tests", "exec"), space)
        return {"checked": len(checked)}
    except EOFError:
        return {"ended": True}
    except NotDataError:
        return {"reason": reasons.NOT_PLAIN}
    except MemoryError:
        return {"reason": reasons.MEMORY}
    except BaseException as error:
        return {"part": part, "error": type(error).__name__}


def _names(tree: ast.Module, defined: set[str], asker: Asker) -> dict[str, Any]:
    """What the tests use of the program. Python's own functions stay Python's where the tests use anything else of it;
    a module that is only looked into is the real one."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    looked = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    bare = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in looked}
    wanted = used & defined
    own = {name for name in wanted if not hasattr(builtins, name)}
    modules = {name for name in wanted & sys.stdlib_module_names if name not in bare}
    found: dict[str, Any] = {name: importlib.import_module(name) for name in modules}
    for name in sorted((own or (wanted if len(wanted) == 1 else set())) - modules):
        found[name] = asker.ask("name", name=name)
    return found
