"""Methods of installed packages, which name them under the entry point group `dataflywheel.methods`."""

from __future__ import annotations

import functools
import importlib.util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from dataflywheel.contracts.method import REGISTRY, STEPS
from dataflywheel.errors import UsageError
from dataflywheel.plugins.loading import Plugin, defined_in, mark, told, undone_where_it_fails
from dataflywheel.plugins.sources import content, files_of

GROUP = "dataflywheel.methods"


@functools.cache
def found() -> tuple[EntryPoint, ...]:
    """What installed packages offer, in an order that does not depend on that of their folders; looked for once."""
    named = sorted(entry_points(group=GROUP), key=lambda one: (one.dist.name if one.dist else "", one.name, one.value))
    return tuple(named)


@functools.cache
def load_packages() -> tuple[Plugin, ...]:
    """Import what installed packages offer, once. One that cannot be is broken, with the cause, and leaves nothing:
    whoever needs none of its methods is not stopped by it."""
    return tuple(_loaded(entry) for entry in found())


def _loaded(entry: EntryPoint) -> Plugin:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "of no name"
    place = f"package {package} ({entry.value})"
    files: list[Path] = []
    try:
        file = _file(entry.module)
        top = entry.module.partition(".")[0]
        folder = None if file is None else _root(file, entry.module)
        files = [] if file is None or folder is None else files_of(file, folder, top)
        with undone_where_it_fails(files):
            before = {*REGISTRY, *STEPS}
            entry.load()
            names = tuple(dict.fromkeys([*defined_in(files), *sorted({*REGISTRY, *STEPS} - before)]))
            if not names:
                raise UsageError("defines no method: expected a module or a class of a kind with a `card`")
    except (Exception, SystemExit) as error:
        return Plugin(place, None, entry.module, broken=told(error, files).removeprefix(": "), installed=True)
    version = entry.dist.version if entry.dist else ""
    digest = f"{version}-{content(files, folder)}" if files and folder else version
    plugin = Plugin(place, file, entry.module, digest, names, installed=True)
    mark(plugin)
    return plugin


def _file(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def _root(file: Path, module: str) -> Path:
    """The folder that the top-level package lies in."""
    levels = module.count(".") + (file.name == "__init__.py")
    return file.parents[levels]
