"""A scripted model that knows a table as well as it is told to, and tables with gaps."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from dataflywheel.models.endpoint.request import Request
from tests.enhancement.tables.support import places
from tests.models.endpoint.fake import FakeClient, parts_of

Answers = list[dict[str, str]]


@dataclass
class Knower:
    """Knows the clean table by its column `id`, and is right, wrong or silent at known rates, the same for one cell."""

    clean: Sequence[Mapping[str, Any]]
    accuracy: float = 1.0
    silent: float = 0.0
    wrong: Mapping[str, Sequence[str]] = field(default_factory=dict)
    spoil: Callable[[Answers], Answers] = lambda answers: answers
    told: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def client(self) -> FakeClient:
        return FakeClient(self.answer, json_schema=True)

    def answer(self, request: Request) -> str:
        parts, answers = parts_of(request), []
        column = json.loads(parts["column"])["column"]
        for name, text in parts.items():
            if name.startswith("row "):
                row = json.loads(text)
                value = self._value(row["id"], column)
                first = next(iter(row.values()))
                answers.append({"cell": name[4:], "of": str(first), "why": "so it is", "value": value})
        return orjson.dumps({"answers": self.spoil(answers)}).decode()

    def _value(self, id: str, column: str) -> str:
        draw = random.Random(f"{id} {column}")
        right = str(next(line[column] for line in self.clean if line["id"] == id))
        number = draw.random()
        said = "" if number < self.silent else right if draw.random() < self.accuracy else ""
        if not said and number >= self.silent:
            said = draw.choice([other for other in self.wrong.get(column, ["9.9"]) if other != right])
        self.told[id, column] = said
        return said


def table(rows: int, gaps: Mapping[str, int], seed: int = 1) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """A clean table of places, and the same with so many cells of these columns missing."""
    rng = np.random.default_rng(seed)
    clean = places(rows, rng)
    dirty = [dict(line) for line in clean]
    for column, several in gaps.items():
        for i in rng.permutation(rows)[:several].tolist():
            dirty[i][column] = ("", "?", "N/A")[i % 3]
    return clean, dirty
