"""Methods on tables with a script in place of the model, which says the truth as often as it is told to."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

sys.path.append(str(Path(__file__).resolve().parents[1]))

from dataflywheel.enhancement.tables.ask_matches import AskMatches
from dataflywheel.enhancement.tables.ask_table import AskTable
from dataflywheel.enhancement.tables.columns import columns_of, text_of
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.rows.schema import Row
from tests.enhancement.tables.entity_pairs import Entities
from tests.enhancement.tables.support import seeds
from tests.models.endpoint.fake import FakeClient, parts_of

MODEL = ModelSpec(endpoint="http://localhost:1/v1", model="scripted")
Line = Mapping[str, Any]


def whole(rows: Sequence[Row]) -> Demand:
    return Demand(tuple(rows), (0,) * len(rows), (), np.random.default_rng(0))


def mended(method: Proposer, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The lines after a method that asks nobody."""
    return applied(method.propose(whole(seeds(lines))), lines)


def applied(made: Sequence[Proposal], lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [orjson.loads(p.row["cells"] or "") if p.row else dict(line) for p, line in zip(made, lines, strict=True)]


def asked(lines: Sequence[Line], clean: Sequence[Line], accuracy: float, **more: Any) -> list[dict[str, Any]]:
    """The lines after `ask_table` with a script that knows the clean ones."""
    held = columns_of(lines)
    known: dict[tuple[str, frozenset[str]], int] = {}
    for i in range(len(lines)):
        for column in held:
            shown = frozenset(f"{n} {c.texts[i]}" for n, c in held.items() if n != column and not c.missing[i])
            known.setdefault((column, shown), i)
    values = {n: [text_of(c.value(code)) for code in range(len(c.firsts))] for n, c in held.items()}

    def one(code: str, column: str, row: Line) -> dict[str, str]:
        i = known[column, frozenset(f"{n} {text_of(value)}" for n, value in row.items())]
        draw = random.Random(f"{i} {column}")
        right, wrong = clean[i][column], draw.choice(values[column])
        said = right if draw.random() < accuracy else wrong
        return {"cell": code, "of": text_of(next(iter(row.values()))), "why": "known", "value": said}

    def answer(request: Request) -> str:
        parts = parts_of(request)
        column = orjson.loads(parts["column"])["column"]
        rows = {name[4:]: orjson.loads(text) for name, text in parts.items() if name.startswith("row ")}
        return orjson.dumps({"answers": [one(code, column, row) for code, row in rows.items()]}).decode()

    made = AskTable(model=MODEL, **more).propose_with(FakeClient(answer, json_schema=True), whole(seeds(lines)))
    return applied(made, lines)


def matched(held: Entities, by: AskMatches, accuracy: float) -> list[Proposal]:
    """What `ask_matches` makes of two tables with a script that knows which pairs match."""
    real = held.real()

    def answer(request: Request) -> str:
        parts = parts_of(request)
        pair = orjson.loads(parts["first"])["key"], orjson.loads(parts["second"])["key"]
        right = random.Random(f"{pair}").random() < accuracy
        return orjson.dumps({"why": "compared", "same": (pair in real) == right}).decode()

    return by.propose_with(FakeClient(answer, json_schema=True), whole(held.rows))
