"""Tables as rows, and what a mender makes of them."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.rows.formats import shape_named
from dataflywheel.rows.schema import Row

TOWNS = ("Alder", "Birch", "Cedar", "Dover", "Elmton", "Forest")
Line = Mapping[str, Any]


def read(path: Path) -> list[dict[str, str]]:
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
    return list(csv.DictReader(io.StringIO(text)))


def seeds(lines: Sequence[Line]) -> list[Row]:
    return [row for line in lines for row in shape_named("table").read(dict(line), "made")]


def propose(method: Proposer, rows: Sequence[Row]) -> list[Proposal]:
    return method.propose(Demand(tuple(rows), (0,) * len(rows), (), np.random.default_rng(0)))


def mend(method: Proposer, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The lines after it."""
    made = propose(method, seeds(lines))
    assert len(made) == len(lines)
    return [orjson.loads(p.row["cells"] or "") if p.row else dict(line) for p, line in zip(made, lines, strict=True)]


def scores(dirty: Sequence[Line], after: Sequence[Line], clean: Sequence[Line]) -> tuple[float, float]:
    """Precision and recall of changed cells: right where the cell is as in the clean table."""
    every = [(d[k], a[k], c[k]) for d, a, c in zip(dirty, after, clean, strict=True) for k in d]
    changed = sum(d != a for d, a, _ in every)
    right = sum(d != a == c for d, a, c in every)
    return right / max(1, changed), right / sum(d != c for d, _, c in every)


def places(number: int, rng: np.random.Generator) -> list[dict[str, str]]:
    """A clean table in which a zip code says the city and the state, and a city the state."""
    of = rng.integers(0, 30, number)
    return [
        {
            "id": f"r{i}",
            "zip": f"{20000 + 7 * int(z)}",
            "city": f"{TOWNS[z % 6]}ville {'north' if z % 2 else 'west'}",
            "state": ["ohio", "texas", "maine"][z % 6 % 3],
            "amount": f"{rng.integers(10, 900) / 10:g}",
        }
        for i, z in enumerate(of)
    ]
