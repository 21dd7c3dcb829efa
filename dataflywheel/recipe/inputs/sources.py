"""The pool and target entries of a recipe as ingestion takes them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from dataflywheel.recipe.sections import Source
from dataflywheel.rows.ingest import Input


def inputs(sources: Iterable[Source]) -> list[Input]:
    """The recipe's pool or target entries as ingestion takes them."""
    from dataflywheel.rows.installed_docs import installed_docs
    from dataflywheel.rows.python_docs import python_docs

    built_in = {"python_docs": python_docs, "installed_docs": installed_docs}
    return [
        Input(None, source=entry.source or entry.builtin, records=partial(built_in[entry.builtin], entry.split))
        if entry.builtin
        else Input(find(entry.path or ""), source=entry.source, format=entry.format, mapping=entry.mapping())
        for entry in sources
    ]


def find(path: str) -> str:
    """A path as given, from the working directory or the user's home."""
    return str(Path(path).expanduser()) if path.startswith("~") else path
