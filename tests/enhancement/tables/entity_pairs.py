"""The labelled pairs of two tables, and these tables as rows of two sources."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataflywheel.rows.formats.table import Table
from dataflywheel.rows.schema import Row

PARTS = ("train", "valid", "test")
_COLUMN = re.compile(r"(?:^|\s)COL ")
Record = dict[str, str]


@dataclass(frozen=True)
class Entities:
    """Two tables with a key each, and pairs of keys with their labels by split."""

    first: list[Record]
    second: list[Record]
    pairs: dict[str, list[tuple[str, str, bool]]]

    @property
    def rows(self) -> tuple[Row, ...]:
        held = (("first", self.first), ("second", self.second))
        return tuple(row for source, table in held for one in table for row in Table().read(one, source))

    def real(self, *parts: str) -> set[tuple[str, str]]:
        return {(a, b) for part in parts or PARTS for a, b, same in self.pairs[part] if same}

    def f1(self, found: Collection[tuple[str, str]], part: str = "test") -> float:
        """F1 on the labelled pairs of a split."""
        said = np.array([(a, b) in found for a, b, _ in self.pairs[part]])
        truth = np.array([same for *_, same in self.pairs[part]])
        return float(2 * (said & truth).sum() / max(1, said.sum() + truth.sum()))

    def write(self, path: Path, parts: Sequence[str]) -> None:
        with path.open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["first", "second", "match"])
            out.writerows((a, b, int(same)) for part in parts for a, b, same in self.pairs[part])


def entities(folder: Path, name: str, without: Collection[str] = ()) -> Entities:
    """A data set of `entity_match`, its columns `without` left out."""
    tables: tuple[dict[str, str], dict[str, str]] = ({}, {})
    records: tuple[list[Record], list[Record]] = ([], [])
    pairs: dict[str, list[tuple[str, str, bool]]] = {}
    for part in PARTS:
        with (folder / "entity_match" / f"{name}_{part}.tsv").open(newline="") as file:
            for line in csv.DictReader(file, delimiter="\t"):
                keys = []
                for side, field in enumerate(("left", "right")):
                    if line[field] not in tables[side]:
                        key = tables[side][line[field]] = f"{'ab'[side]}{len(tables[side])}"
                        held = {k: v for k, v in _record(line[field]).items() if k not in without}
                        records[side].append({"key": key, **held})
                    keys.append(tables[side][line[field]])
                pairs.setdefault(part, []).append((keys[0], keys[1], line["label"] == "1"))
    return Entities(*records, pairs)


def _record(text: str) -> Record:
    parts = [part.partition(" VAL") for part in _COLUMN.split(text) if part.strip()]
    return {name.strip(): value.strip() for name, _, value in parts}
