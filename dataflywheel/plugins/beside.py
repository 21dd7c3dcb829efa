"""Modules that lie beside a user's file are found where that file imports them, whatever the working directory is."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from dataflywheel.errors import UsageError
from dataflywheel.plugins.sources import beside

READ: dict[str, bytes] = {}
"""The text of every such file that was run, by path."""


class Fresh(SourceFileLoader):
    """Runs what stands in the file now: byte code that was kept of an earlier text is not looked at, and none is left
    in the user's folder."""

    def get_code(self, fullname: str) -> CodeType:
        READ[self.path] = self.get_data(self.path)
        code: CodeType = self.source_to_code(READ[self.path], self.path)
        return code


class Beside(MetaPathFinder):
    """Finds modules under the names that were looked at before: no other module has one of these."""

    def __init__(self) -> None:
        self.places: dict[str, Path] = {}
        """File or folder by top-level name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top, *rest = fullname.split(".")
        if top not in self.places:
            return None
        place = self.places[top].joinpath(*rest)
        package, module = place / "__init__.py", place if place.suffix == ".py" else place.with_name(f"{place.name}.py")
        file = package if package.is_file() else module
        if not file.is_file():
            spec = ModuleSpec(fullname, None, is_package=True) if place.is_dir() else None
            if spec is not None:
                spec.submodule_search_locations = [str(place)]
            return spec
        folders = [str(place)] if file is package else None
        loader = Fresh(fullname, str(file))
        return importlib.util.spec_from_file_location(fullname, file, loader=loader, submodule_search_locations=folders)


FINDER = Beside()


def open_folder(path: Path, shown: str) -> None:
    """From now on the modules beside `path` that it imports are found, as they stand there now.

    Raises:
        UsageError: another module of the same name would be found in place of one of them.
    """
    if FINDER not in sys.meta_path:
        sys.meta_path.insert(0, FINDER)
    for name, place in beside(path).items():
        if FINDER.places.get(name) == place:
            continue
        other = _origin(name)
        if other is not None and not other.is_relative_to(place):
            raise UsageError(
                f"{shown}: it imports {name}, which lies beside it ({place}), and Python has another {name} ({other}); "
                "rename yours"
            )
        FINDER.places[name] = place


def forget(files: Sequence[Path]) -> None:
    """Modules of these files are run anew when they are imported next."""
    there = {*map(str, files)}
    for name, module in list(sys.modules.items()):
        if file_of(module) in there:
            del sys.modules[name]
    for path in there:
        READ.pop(path, None)


def forget_changed(files: Sequence[Path]) -> None:
    """`forget`, where one of the files was run with another text than it has now."""
    if any(str(file) in READ and READ[str(file)] != file.read_bytes() for file in files):
        forget(files)


def file_of(module: ModuleType | None) -> str:
    """Where a module's text is, "" where that is not known; asks no lazy module to load."""
    return str(getattr(module, "__dict__", {}).get("__file__") or "")


def _origin(name: str) -> Path | None:
    """The file that `import name` would run now; where it is none of a file, what it is; None where there is none."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return Path(file_of(loaded) or next(iter(getattr(loaded, "__path__", ())), "built in"))
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    return Path(spec.origin or next(iter(spec.submodule_search_locations or ()), "built in"))
