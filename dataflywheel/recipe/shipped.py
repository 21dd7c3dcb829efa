"""Recipes that come with the package, whole and ready to run: those that bring their pool."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable

from dataflywheel.contracts import UsageError, nearest

ELSEWHERE = "FLYWHEEL_DATA"
"""In a recipe whose data lie beside the repository."""
_BESIDE = re.compile(r"recipes/([\w.-]+\.(?:jsonl|csv))")


def names() -> list[str]:
    """In order: `cleaning`, `flywheel`, `spin`, ..."""
    every = [found for found in _folder().iterdir() if found.name.endswith(".yaml")]
    return sorted(one.name.removesuffix(".yaml") for one in every if ELSEWHERE not in one.read_text(encoding="utf-8"))


def shipped(name: str) -> str:
    """The text of a recipe.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in names():
        known = ", ".join(names())
        raise UsageError(f"no recipe {name!r} comes with the package{nearest(name, names())}; there are {known}")
    return (_folder() / f"{name}.yaml").read_text(encoding="utf-8")


def data_of(name: str) -> dict[str, bytes]:
    """The data files that a recipe brings, by the name under which it has them: `recipes/letters.jsonl`."""
    found = sorted(set(_BESIDE.findall(shipped(name))))
    return {f"recipes/{one}": (_folder() / one).read_bytes() for one in found}


def _folder() -> Traversable:
    return files("dataflywheel") / "recipes"
