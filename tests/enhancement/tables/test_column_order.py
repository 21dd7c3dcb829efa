"""The order of columns on planted dependencies, and what it is worth to a small model that writes cell by cell."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import permutations

import numpy as np
import orjson
import pytest

from dataflywheel.enhancement.tables.cllm import COPY, Cllm
from dataflywheel.enhancement.tables.column_order import determinants_first, determined
from dataflywheel.enhancement.tables.columns import columns_of
from dataflywheel.models.endpoint.request import Request
from dataflywheel.proposing.kinds import Demand
from tests.enhancement.tables.support import places, seeds
from tests.enhancement.tables.test_cllm import MODEL
from tests.models.endpoint.fake import FakeClient, parts_of

Lines = list[dict[str, str]]


def test_determinants_come_before_dependents_whatever_the_order_was() -> None:
    lines = places(200, np.random.default_rng(3))
    for names in permutations(["id", "zip", "city", "state", "amount"]):
        table = columns_of([{name: line[name] for name in names} for line in lines])
        found = determinants_first(table, names)
        assert sorted(found) == sorted(names)
        assert found.index("zip") < found.index("city") < found.index("state")
    table = columns_of(lines)
    pairs = determined(table, list(table))
    assert pairs == {("zip", "city"), ("zip", "state"), ("city", "state")}


def test_what_determines_nothing_moves_nothing() -> None:
    rng = np.random.default_rng(0)
    lines = [
        {"b": str(rng.integers(4)), "a": str(rng.integers(4)), "mostly": "x" if i % 50 else "y"} for i in range(200)
    ]
    lines = [{**line, "same as b": f"b{line['b']}"} for line in lines]
    table = columns_of(lines)
    assert determined(table, list(table)) == set()
    assert determinants_first(table, list(table)) == ["b", "a", "mostly", "same as b"]
    few = columns_of(places(5, rng))
    assert determinants_first(few, list(few)) == list(few)
    wide = columns_of([{f"c{i}": str(k % 3) for i in range(150)} for k in range(20)])
    assert determinants_first(wide, list(wide)) == list(wide)
    assert determinants_first({}, []) == []


def test_errors_in_a_table_do_not_hide_its_dependencies() -> None:
    lines = places(300, np.random.default_rng(1))
    for i in range(0, 300, 60):
        lines[i] = {**lines[i], "city": "Xville"}
    names = ["state", "city", "zip"]
    assert determinants_first(columns_of(lines), names) == ["zip", "city", "state"]


def test_cllm_shows_and_reads_rows_in_that_order_and_gives_them_back_in_the_tables() -> None:
    lines = [
        {name: line[name] for name in ("state", "amount", "city", "zip")}
        | {"class": "yes" if int(line["zip"]) % 2 else "no"}
        for line in places(80, np.random.default_rng(2))
    ]
    rows = seeds(lines)
    for given, order in (({}, "amount zip city state class"), ({"order": "table"}, "state amount city zip class")):

        def answer(request: Request, order: str = order) -> str:
            told = [orjson.loads(line)["column"] for line in parts_of(request)["columns"].splitlines()]
            assert told == order.split()
            line = {"zip": "20000", "amount": "12.5", "city": "Alderville west", "state": "ohio", "class": "no"}
            return orjson.dumps({"rows": [[line[name] for name in told]]}).decode()

        demand = Demand(tuple(rows[:20]), (0,) * 20, (), np.random.default_rng(0), every=tuple(rows))
        client = FakeClient(answer, json_schema=True)
        made = Cllm(model=MODEL, ambiguous=True, shown=20, **given).propose_with(client, demand)
        assert len(client.requests) == 1
        kept = [orjson.loads(one.row["cells"] or "") for one in made if one.row]
        assert all(list(line) == ["state", "amount", "city", "zip", "class"] for line in kept)
        assert kept or made[0].failure.startswith(COPY)


class RowModel:
    """Writes lines cell by cell: each is drawn by how often it followed the cells before it, up to `context` of them,
    mixed with what followed fewer of them (Witten and Bell)."""

    def __init__(self, lines: Lines, order: list[str], context: int, rng: np.random.Generator) -> None:
        self.order, self.context, self.rng = order, context, rng
        self.seen: dict[tuple[int, tuple[str, ...]], Counter[str]] = defaultdict(Counter)
        for line in lines:
            values = tuple(line[name] for name in order)
            for k, value in enumerate(values):
                for length in range(min(k, context) + 1):
                    self.seen[k, values[k - length : k]][value] += 1

    def chances(self, k: int, before: tuple[str, ...]) -> dict[str, float]:
        seen = self.seen.get((k, before), Counter())
        total = seen.total()
        if not before:
            return {value: count / total for value, count in seen.items()}
        less, own = self.chances(k, before[1:]), total / max(1, total + len(seen))
        return {value: own * seen[value] / max(1, total) + (1 - own) * chance for value, chance in less.items()}

    def line(self) -> dict[str, str]:
        values: tuple[str, ...] = ()
        for k in range(len(self.order)):
            chances = self.chances(k, values[max(0, k - self.context) :])
            values += (str(self.rng.choice(list(chances), p=list(chances.values()))),)
        return dict(zip(self.order, values, strict=True))


def violations(written: Lines, of: Lines) -> float:
    """Share of the planted dependencies that lines break: of every zip code its town and state, of every town its
    state."""
    known = {
        (a, b): {line[a]: line[b] for line in of} for a, b in (("zip", "city"), ("zip", "state"), ("city", "state"))
    }
    return float(np.mean([line[b] != said.get(line[a]) for (a, b), said in known.items() for line in written]))


@pytest.mark.parametrize("context", [2, 4])
def test_a_small_row_model_breaks_fewer_dependencies_in_this_order_than_in_random_ones(context: int) -> None:
    aware, chance = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        lines = [{name: line[name] for name in ("zip", "city", "state")} for line in places(240, rng)]
        lines = [{**line, "size": str(rng.integers(4)), "kind": f"k{rng.integers(3)}"} for line in lines]
        names = [str(name) for name in rng.permutation(list(lines[0]))]
        table = columns_of([{name: line[name] for name in names} for line in lines])
        ordered = determinants_first(table, names)
        others = [[str(name) for name in rng.permutation(names)] for _ in range(4)]
        broken = []
        for order in (ordered, *others):
            model = RowModel(lines, order, context, rng)
            broken.append(violations([model.line() for _ in range(300)], lines))
        aware.append(broken[0])
        chance.append(float(np.mean(broken[1:])))
    print(f"context {context}: {np.round(aware, 3).tolist()} aware, {np.round(chance, 3).tolist()} random")
    assert all(one < other for one, other in zip(aware, chance, strict=True))
    assert np.mean(aware) < 0.5 * np.mean(chance)
