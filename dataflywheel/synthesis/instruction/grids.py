"""Grids of attributes: read from a recipe, cell by cell, and what came of each cell."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from dataflywheel.proposing.kinds import Proposal

MOST_CELLS, LONGEST = 100_000, 4000
"""Cells of a grid, and characters of a value, at most."""
SHOWN = 100
"""Characters of a value by which a cell is named."""
TOLD = 500
"""Cells that a step's record tells of one by one, at most."""
PASSES = 20
"""Bits of a question's number that tell its passes apart."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,40}")
EXPECTED = "expected a list of values, or the path of a file with one on each line or in each JSON record"

Cell = Mapping[str, str]


def grid_of(given: Any) -> dict[str, list[str]]:
    """What a recipe says under `grid`, as values by attribute.

    >>> grid_of({"topic": ["birds", "rain", "birds"], "level": [1, 2]})
    {'topic': ['birds', 'rain'], 'level': ['1', '2']}

    Raises:
        ValueError: it is no grid, a file cannot be read, or there are too many cells.
    """
    if not isinstance(given, Mapping) or not given:
        raise ValueError("expected values by attribute, such as `{topic: [birds, rain], difficulty: [easy, hard]}`")
    found = {}
    for name, values in given.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name: letters, digits, blanks, - and _ after a letter")
        found[name] = values_of(name, values)
    cells = math.prod(map(len, found.values()))
    if cells > MOST_CELLS:
        raise ValueError(f"{cells:,} cells are too many; {MOST_CELLS:,} at most")
    return found


def values_of(name: str, given: Any) -> list[str]:
    """The values of an attribute, each once.

    Raises:
        ValueError: there is none, or one is blank, too long, or no text.
    """
    values = _read(name, given) if isinstance(given, str | Path) else given
    if not isinstance(values, list | tuple) or not values:
        raise ValueError(f"{name}: {EXPECTED}, not {given!r}")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"{name}: {value!r} is no text; write it in quotes")
        if not str(value).strip() or len(str(value)) > LONGEST:
            raise ValueError(f"{name}: a value of 1 to {LONGEST:,} characters is expected, not {str(value)[:40]!r}")
    return list(dict.fromkeys(str(value).strip() for value in values))


def _read(name: str, path: str | Path) -> list[str]:
    """The values in a file: its lines, or of `.jsonl` what each record holds under the attribute's name, or as text."""
    place = Path(path)
    try:
        raw = gzip.decompress(place.read_bytes()) if place.suffix == ".gz" else place.read_bytes()
        lines = [line for line in raw.decode("utf-8-sig").splitlines() if line.strip()]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise ValueError(f"{name}: {place}: {why}; {EXPECTED}") from None
    if ".jsonl" not in place.suffixes:
        return lines
    found = []
    for number, line in enumerate(lines, 1):
        try:
            held = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{name}: {place}, line {number}: {error.msg}") from None
        value = held.get(name, held.get("text")) if isinstance(held, dict) else held
        if not isinstance(value, str):
            raise ValueError(f"{name}: {place}, line {number}: no text under {name!r} or 'text'")
        found.append(value)
    return found


_VALUES: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number"]}}]}
Grid = Annotated[
    dict[str, list[str]],
    BeforeValidator(grid_of),
    WithJsonSchema({"type": "object", "minProperties": 1, "additionalProperties": _VALUES}),
]
"""Values by attribute; a value may be the path of a file that holds them."""


def cells_of(grid: Mapping[str, Sequence[str]]) -> list[Cell]:
    """One for every choice of a value of each attribute."""
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def cell_name(cell: Cell) -> str:
    """A cell in one line; long values are cut, and told apart by a digest.

    >>> cell_name({"topic": "birds", "level": "1"})
    'topic: birds, level: 1'
    """
    return ", ".join(f"{name}: {_short(value)}" for name, value in cell.items())


def _short(value: str) -> str:
    if len(value) <= SHOWN:
        return value
    return f"{value[:SHOWN]}... {hashlib.blake2b(value.encode(), digest_size=4).hexdigest()}"


def number_of_pass(base: int, turn: int, each: int, number: int) -> int:
    """The number of a question to a cell, which tells the passes over the grid apart, and jobs by their `base`."""
    return (base << PASSES) + turn * each + number


def told_of_cells(cells: Sequence[Cell], each: int, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
    """For the record of a step: how often each cell was asked, the rows that came of it, and why the others did not."""
    asked: Counter[str] = Counter(str(proposal.facts.get("cell", "")) for proposal, _ in came)
    rows: Counter[str] = Counter(str(proposal.facts.get("cell", "")) for proposal, why in came if not why)
    lost: dict[str, Counter[str]] = {}
    for proposal, why in came:
        if why:
            lost.setdefault(str(proposal.facts.get("cell", "")), Counter())[why] += 1
    names = [cell_name(cell) for cell in cells]
    told = {
        name: {"asked": asked[name], "rows": rows[name], **({"lost": dict(lost[name])} if name in lost else {})}
        for name in names[:TOLD]
    }
    short = sum(rows[name] < each for name in names)
    whole = {"cells": len(names), "each": each, "asked": sum(asked.values()), "rows": sum(rows.values())}
    return {"grid": {**whole, "cells_short": short, "by_cell": told, "untold": max(0, len(names) - TOLD)}}
