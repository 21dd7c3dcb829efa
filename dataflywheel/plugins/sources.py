"""What code of a user's is made of: a file, and the modules beside it that it imports."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

LOADERS = ("import_module", "__import__")


def files_of(path: Path, folder: Path | None = None, package: str = "") -> list[Path]:
    """A Python file, and behind it, by name, the files below `folder` (its own, where none is given) that it imports
    and that these import: anywhere in them, also within functions. With `package`, only modules of that package.

    What is imported under a name that is only known when the code runs is not found.
    """
    folder = folder or path.parent
    found, left = {path}, [path]
    while left:
        for file in _imported(left.pop(), folder, package):
            if file not in found:
                found.add(file)
                left.append(file)
    return [path, *sorted(found - {path})]


def content(files: list[Path], folder: Path) -> str:
    """16 hex digits over the contents of the files, and the names of all but the first."""
    digest = hashlib.blake2b(files[0].read_bytes(), digest_size=8)
    for file in files[1:]:
        digest.update(f"\x1f{file.relative_to(folder)}\x1f".encode() + file.read_bytes())
    return digest.hexdigest()


def beside(path: Path) -> dict[str, Path]:
    """The top-level modules and folders beside a file that it imports, itself or through others of them, by name."""
    folder = path.parent
    found: dict[str, Path] = {}
    for file in files_of(path)[1:]:
        first = file.relative_to(folder).parts[0]
        found[first.removesuffix(".py")] = folder / first
    return found


def _imported(path: Path, folder: Path, package: str) -> Iterator[Path]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, OSError):
        return  # whoever runs it says what is wrong
    for node in ast.walk(tree):
        for level, name in _names(node):
            start = path.parents[level - 1] if level else folder
            absolute_elsewhere = not level and package and name.partition(".")[0] != package
            if not absolute_elsewhere and start.is_relative_to(folder):
                yield from _modules(start, name)


def _names(node: ast.AST) -> Iterator[tuple[int, str]]:
    """(level, dotted name) of what a node imports; level 1 is the package of the file, 2 the one above."""
    match node:
        case ast.Import():
            yield from ((0, alias.name) for alias in node.names)
        case ast.ImportFrom():
            base = node.module or ""
            yield node.level, base
            yield from ((node.level, f"{base}.{alias.name}".lstrip(".")) for alias in node.names)
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]):
            if called in LOADERS:
                yield 0, name


def _modules(start: Path, name: str) -> Iterator[Path]:
    """The files that run where a module is imported: of the packages on the way, and its own."""
    at = start
    for part in filter(None, name.split(".")):
        package, module = at / part / "__init__.py", at / f"{part}.py"
        if package.is_file():
            yield package
        elif module.is_file():
            yield module
            return
        elif not (at / part).is_dir():
            return
        at = at / part
