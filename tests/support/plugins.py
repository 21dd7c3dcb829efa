"""Plugins that a test loads are forgotten behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import REGISTRY, STEPS
from dataflywheel.plugins.beside import FINDER
from dataflywheel.plugins.loading import LOADED
from dataflywheel.plugins.packages import found, load_packages


def forget_packages() -> None:
    """What is installed is looked for anew."""
    found.cache_clear()
    load_packages.cache_clear()


@contextmanager
def forgotten(folder: Path) -> Iterator[None]:
    """What is loaded from files below the folder in here is not known afterwards."""
    catalog.load_all()
    registries: tuple[dict[Any, Any], ...] = (REGISTRY, STEPS, LOADED, FINDER.places)
    held = [(known, dict(known)) for known in registries]
    modules = set(sys.modules)
    try:
        yield
    finally:
        for known, before in held:
            known.clear()
            known.update(before)
        for name in set(sys.modules) - modules:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
        forget_packages()
