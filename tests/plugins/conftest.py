"""Plugins that a test loads are forgotten behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflywheel import catalog
from dataflywheel.contracts import REGISTRY, STEPS
from dataflywheel.plugins.beside import FINDER
from dataflywheel.plugins.loading import LOADED
from dataflywheel.plugins.packages import load_packages


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    catalog._load_all()
    held = [(known, dict(known)) for known in (REGISTRY, STEPS, LOADED, FINDER.places)]
    modules = set(sys.modules)
    yield
    for known, before in held:
        known.clear()  # type: ignore[attr-defined]
        known.update(before)  # type: ignore[attr-defined]
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    load_packages.cache_clear()
