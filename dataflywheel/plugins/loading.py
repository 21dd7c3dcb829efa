"""Files of the user's that define methods: each is run once, and what it defines is known by its name from then on."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from dataflywheel.contracts.method import REGISTRY, STEPS, Method
from dataflywheel.errors import UsageError
from dataflywheel.plugins.beside import FINDER, file_of, forget, open_folder
from dataflywheel.plugins.place import RAN
from dataflywheel.plugins.sources import content, files_of


@dataclass(frozen=True)
class Plugin:
    """One file, or one entry of an installed package, and what came of it."""

    place: str
    """As messages and cards name it: `my_methods.py`, or `package dialects 1.2 (dialects.methods)`."""
    path: Path | None
    """The file; None where no single one is known, as of a compiled module."""
    module: str
    digest: str = ""
    """Of the file's content and that of the modules beside it that it imports."""
    names: tuple[str, ...] = ()
    """Methods and kinds of steps that it defines."""
    broken: str = ""
    """Why it could not be loaded, of an installed package."""
    installed: bool = False


MOST = 300
"""Characters of an error that are shown."""
LOADED: dict[Path, Plugin] = {}
KNOWN: dict[str, Plugin] = {}
"""Every plugin whose methods are known, those of installed packages among them, by module."""
_LOCK = threading.RLock()


def load_file(path: str | Path, module: str = "") -> Plugin:
    """Run a file and enter what it defines; the same file is run again only where it, or a module beside it that it
    imports, has changed.

    `module` is the name of the module where another process has given it one.

    Raises:
        UsageError: no such file, an error in it, a name that is taken, or nothing defined; names file, line and cause.
    """
    file = _checked(path)
    with _LOCK:
        files = files_of(file)
        digest = content(files, file.parent)
        held = LOADED.get(file)
        if held is not None and held.digest == digest and all(name in REGISTRY or name in STEPS for name in held.names):
            return held
        if held is not None:
            unload(held)
        there = None if module else _imported(file)
        name = module or there or _module_name(file)
        with undone_where_it_fails(files):
            open_folder(file, f"plugin {path}")
            if there is None:
                _run(file, name, str(path))
            plugin = Plugin(str(path), file, name, digest, defined_in(files))
            if not plugin.names:
                raise UsageError(_nothing(name, str(path)))
            for twice in (one for one in plugin.names if one in REGISTRY and one in STEPS):
                raise UsageError(f"plugin {path}: {twice} names a method and a kind of step; rename one of them")
        mark(plugin)
        LOADED[file] = plugin
        return plugin


def unload(plugin: Plugin) -> None:
    """Forget what a file defines, and the modules that it consists of."""
    for known in registries():
        for name in plugin.names:
            if name in known and _source(known[name]) == plugin.digest:
                del known[name]
    if plugin.path is not None:
        forget(files_of(plugin.path))
        LOADED.pop(plugin.path, None)
    sys.modules.pop(plugin.module, None)
    KNOWN.pop(plugin.module, None)


def mark(plugin: Plugin) -> None:
    """What it defines is known by the plugin's content: a change in it makes other fingerprints."""
    KNOWN[plugin.module] = plugin
    for known in registries():
        for name in plugin.names:
            if name in known and not _source(known[name]):
                known[name].source = plugin.digest
                known[name].origin = plugin.place


def defined_in(files: list[Path]) -> tuple[str, ...]:
    """Names of the methods and kinds of steps whose classes stand in these files."""
    there = {*map(str, files)}
    return tuple(
        name
        for known in registries()
        for name, kind in known.items()
        if file_of(sys.modules.get(kind.__module__)) in there
    )


def told(error: BaseException, files: list[Path]) -> str:
    """`, line 3: NameError: ...`: the last line of these files that an error went through, and the error."""
    there = {*map(str, files)}
    lines = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__) if f.filename in there]
    if isinstance(error, SyntaxError) and error.filename in there:
        lines.append((error.filename, error.lineno))
    at = ""
    if lines:
        file, line = lines[-1]
        at = f", line {line}" if file == str(files[0]) else f", in {Path(file).name}, line {line}"
    if isinstance(error, UsageError):
        return f"{at}: {error}"
    said = str(error.msg if isinstance(error, SyntaxError) else error)
    if isinstance(error, ValidationError):
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return f"{at}: {type(error).__name__}: {' '.join(said.split())[:MOST] or 'no more is said'}{_way_out(error)}"


def _way_out(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"; install it, or put {error.name.partition('.')[0]}.py beside the file"
    if isinstance(error, ImportError) and "relative import" in str(error):
        return "; a module beside the file is imported by its own name, without a dot"
    return ""


@contextlib.contextmanager
def undone_where_it_fails(files: list[Path]) -> Iterator[None]:
    """A plugin that fails half-way leaves nothing."""
    before: list[tuple[dict[Any, Any], dict[Any, Any]]] = [
        (known, dict(known)) for known in (*registries(), FINDER.places)
    ]
    try:
        yield
    except BaseException:
        for known, held in before:
            known.clear()
            known.update(held)
        forget(files)
        raise


def registries() -> tuple[dict[str, Any], ...]:
    return REGISTRY, STEPS


def _checked(path: str | Path) -> Path:
    file = Path(path).expanduser()
    if file.is_dir():
        raise UsageError(f"plugin {path}: is a folder; name the Python file in it")
    if not file.is_file():
        raise UsageError(f"plugin {path}: is not there (looked from {Path.cwd()})")
    if file.suffix != ".py":
        raise UsageError(f"plugin {path}: is no Python file; its name must end with .py")
    return file.resolve()


def _imported(file: Path) -> str | None:
    """The name under which a script has imported the file already; the script itself does not count."""
    for name, module in list(sys.modules.items()):
        if name != "__main__" and file_of(module) == str(file):
            return name
    return None


def _module_name(file: Path) -> str:
    """A name of its own for every file, so that no plugin hides a module or another plugin."""
    stem = re.sub(r"\W", "_", file.stem)
    return f"flywheel_plugin_{stem}_{hashlib.blake2b(str(file).encode(), digest_size=4).hexdigest()}"


def _run(file: Path, name: str, shown: str) -> None:
    module = ModuleType(name)
    module.__file__ = str(file)
    RAN.add(str(file))
    sys.modules[name] = module  # dataclasses, pydantic and pickle look for it there
    try:
        with contextlib.redirect_stdout(sys.stderr):  # results alone stand there
            tree = ast.parse(file.read_bytes(), str(file))
            _no_class_twice(tree)
            exec(compile(tree, str(file), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        raise UsageError(f"plugin {shown}{told(error, files_of(file))}") from error


def _no_class_twice(tree: ast.Module) -> None:
    """Raises UsageError: Python would forget the first of two classes of one name, and nobody would hear of it."""
    first: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and (line := first.setdefault(node.name, node.lineno)) != node.lineno:
            raise UsageError(f"class {node.name} stands in lines {line} and {node.lineno}; rename one of them")


def _nothing(name: str, shown: str) -> str:
    """What to say of a file that defines no method."""
    here = [one for one in vars(sys.modules[name]).values() if isinstance(one, type) and one.__module__ == name]
    without = [one.__name__ for one in here if issubclass(one, Method)]
    if without:
        tree = ast.parse(Path(file_of(sys.modules[name])).read_bytes())
        lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == without[0]]
        at = f", line {lines[0]}" if lines else ""
        return f"plugin {shown}{at}: {without[0]} has no `card`, so that it is known by no name; give it one"
    return (
        f"plugin {shown}: defines no method: expected a class of a kind such as Signal, Selector or Gate with a "
        "`card`, or a kind of Step with a `keyword`; a plain function is named where it is used, as `python: FILE:NAME`"
    )


def _source(kind: type) -> str:
    return str(kind.__dict__.get("source", ""))
