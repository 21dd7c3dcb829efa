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


class Fresh(SourceFileLoader):
    """Runs what stands in the file now: byte code that was kept of an earlier text is not looked at, and none is left
    in the user's folder."""

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


class Beside(MetaPathFinder):
    """Asked last: a module of Python's or of an installed package is never hidden by a user's."""

    def __init__(self) -> None:
        self.places: dict[str, Path] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        place = self.places.get(fullname) if path is None else None
        if place is None or not place.is_file():
            return None
        folders = [str(place.parent)] if place.name == "__init__.py" else None
        loader = Fresh(fullname, str(place))
        return importlib.util.spec_from_file_location(
            fullname, place, loader=loader, submodule_search_locations=folders
        )


FINDER = Beside()


def open_folder(path: Path, shown: str) -> None:
    """From now on the modules beside `path` that it imports are found.

    Raises:
        UsageError: another module of the same name would be found in place of one of them.
    """
    if FINDER not in sys.meta_path:
        sys.meta_path.append(FINDER)
    for name, place in beside(path).items():
        other = _origin(name)
        if place.is_file() and other is not None and other != place:
            raise UsageError(
                f"plugin {shown}: it imports {name}, which lies beside it ({place}), and Python has another {name} "
                f"({other}); rename the file"
            )
        FINDER.places[name] = place


def forget(files: Sequence[Path]) -> None:
    """Modules of these files are run anew when they are imported next."""
    for name, module in list(sys.modules.items()):
        if (file := file_of(module)) and Path(file) in files:
            del sys.modules[name]
    for name, place in list(FINDER.places.items()):
        if place in files:
            del FINDER.places[name]


def file_of(module: ModuleType | None) -> str:
    """Where a module's text is, "" where that is not known; asks no lazy module to load."""
    return str(getattr(module, "__dict__", {}).get("__file__") or "")


def _origin(name: str) -> Path | str | None:
    """The file that `import name` would run now; where it is none of a file, what it is; None where there is none."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return Path(file) if (file := file_of(loaded)) else "built in"
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    return Path(spec.origin) if spec.origin and spec.has_location else spec.origin
