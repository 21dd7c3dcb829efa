"""Rows of two tables that are the same thing: real tables with known matches, and tables without any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.enhancement.tables import match_tables as method
from dataflywheel.enhancement.tables.columns import columns_of
from dataflywheel.enhancement.tables.match_tables import MatchTables
from dataflywheel.enhancement.tables.matching import best_matches, by_gap, by_labels
from dataflywheel.enhancement.tables.pair_scores import Pairing
from dataflywheel.enhancement.tables.same_columns import same_columns
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.formats.table import Table
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from tests.enhancement.tables.entity_pairs import entities


def rows(**tables: Sequence[dict[str, Any]]) -> tuple[Row, ...]:
    return tuple(row for source, lines in tables.items() for one in lines for row in Table().read(one, source))


def propose(seeds: Sequence[Row], **more: Any) -> tuple[list[Proposal], dict[str, Any]]:
    by = MatchTables(**more)
    made = by.propose(Demand(tuple(seeds), (0,) * len(seeds), (), np.random.default_rng(0)))
    assert len(made) == len(seeds)
    return made, by.told().get("matching", {})


def pairs(made: Sequence[Proposal], key: str = "key") -> set[tuple[str, str]]:
    held = [orjson.loads(p.row["cells"] or "") for p in made if p.row]
    return {(one[key], one["match"]) for one in held}


@pytest.mark.parametrize(
    ("name", "without", "least", "labelled_least"),
    [
        ("beer", (), 0.86, 0.86),
        ("fodors_zagats", (), 0.99, 0.99),
        ("fodors_zagats", ("class",), 0.97, 0.97),  # `class` numbers the restaurants: a match by itself
    ],
)
def test_real_tables(
    name: str, without: tuple[str, ...], least: float, labelled_least: float, data: Path, tmp_path: Path
) -> None:
    held = entities(data, name, without)
    made, told = propose(held.rows, key="key")
    assert held.f1(pairs(made)) >= least
    assert told["pairs"] < 0.05 * len(held.first) * len(held.second)
    assert told["matches"] == len(pairs(made))
    file = tmp_path / "labelled.csv"
    held.write(file, ("train", "valid"))
    made, told = propose(held.rows, key="key", labelled=str(file))
    assert held.f1(pairs(made)) >= labelled_least
    real = held.real("train", "valid")
    assert told["blocking"]["matches"] == len(real)
    assert told["blocking"]["found"] >= 0.97 * len(real)


def test_tables_in_which_nothing_matches_show_no_gap(data: Path) -> None:
    held = entities(data, "fodors_zagats", ("class",))
    matched = {b for _, b in held.real()}
    others = [one for one in held.second if one["key"] not in matched]
    made, told = propose(rows(first=held.first, second=others), key="key")
    assert told["threshold"] is None
    assert "no gap" in told["by"]
    assert {p.failure for p in made} == {method.NO_MATCH, "nothing to mend"}


def things(several: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    ends = ("tan", "mir", "zel", "go")
    words = np.array([f"{a}{b}" for a in ("alba", "bor", "cru", "dela", "ezra", "fon") for b in ends])
    names = [" ".join(rng.choice(words, 3, replace=False)) for _ in range(several)]
    return [{"sku": f"k{i}", "product name": names[i], "price": float(rng.integers(1, 900))} for i in range(several)]


def test_columns_of_other_names_go_together_and_a_match_is_told_with_what_is_taken() -> None:
    rng = np.random.default_rng(1)
    one = things(80, rng)
    other = [
        {"number": f"n{i}", "ProductName": line["product name"].upper(), "price": line["price"], "maker": f"m{i % 7}"}
        for i, line in enumerate(one[:50])
    ]
    table = columns_of(one), columns_of(other)
    assert same_columns(*table) == [("product name", "ProductName"), ("price", "price")]
    made, told = propose(rows(a=one, b=other), take=["maker"])
    assert pairs(made, "sku") == {(f"k{i}", f"n{i}") for i in range(50)}
    assert told["columns"] == [["product name", "ProductName"], ["price", "price"]]
    first = made[0].facts["cells"]
    assert [(c["column"], c["before"], c["after"], c["reason"]) for c in first] == [
        ("match", None, "n0", method.ALIKE), ("maker", None, "m0", method.TAKEN),
    ]  # fmt: skip
    assert first[0]["confidence"] == pytest.approx(1.0)
    assert made[60].failure == method.NO_MATCH
    again, _ = propose([p.row or seed for p, seed in zip(made, rows(a=one, b=other), strict=True)], take=["maker"])
    assert [p.row for p in again] == [None] * len(again)


def test_blocking_finds_what_all_pairs_would() -> None:
    rng = np.random.default_rng(2)
    one, other = (columns_of(things(60, rng)) for _ in range(2))
    pairing = Pairing(one, other, same_columns(one, other))
    every = [(i, j) for i in range(60) for j in range(60)]
    score = dict(zip(every, pairing.scores(every), strict=True))
    found = set(pairing.candidates(20))
    for i in range(60):
        best = max(range(60), key=lambda j: score[i, j])
        assert (i, best) in found
    assert all(0 <= value <= 1 for value in score.values())
    assert pairing.candidates(3) == pairing.candidates(3)


def test_thresholds_part_where_they_should() -> None:
    scores = np.array([0.1, 0.15, 0.2, 0.12, 0.8, 0.85, 0.9])
    assert 0.2 < by_gap(scores).score < 0.8
    assert by_gap(np.random.default_rng(3).normal(0.3, 0.05, 400)).score == np.inf
    assert by_gap(np.array([0.5])).score == np.inf
    assert by_labels(np.array([0.1, 0.4, 0.3, 0.9]), [False, False, True, True]).score in (
        0.25,
        pytest.approx(0.2),
        0.35,
        0.65,
    )
    assert 0.4 < by_labels(np.array([0.1, 0.4, 0.8, 0.9]), [False, False, True, True]).score < 0.8
    assert best_matches([((0, 0), 0.9), ((0, 1), 0.8), ((1, 0), 0.95), ((2, 1), 0.8)]) == {1: (0, 0.95), 0: (1, 0.8)}
    assert best_matches([((0, 0), 0.9), ((1, 0), 0.95)], once=False) == {1: (0, 0.95), 0: (0, 0.9)}


def test_what_cannot_be_matched_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    chat = prompt_answer_row("Why?", "So.")
    made, _ = propose([chat, *rows(a=things(5, rng))])
    assert {p.failure for p in made} == {f"{method.NOT_TWO}: a", "not mended, no cells: it comes from no table"}
    made, _ = propose(rows(a=[{"x": "red"}], b=[{"number": 4}]))
    assert {p.failure for p in made} == {method.NO_COLUMNS}
    made, _ = propose(rows(a=things(5, rng), b=things(5, rng), c=things(5, rng)), tables=["a", "b"], least=0.99)
    assert {p.failure for p in made[:5]} == {method.NO_MATCH}
    assert propose([])[0] == []
    file = tmp_path / "pairs.csv"
    for text, said in (
        ("first,second,match\nk0,k0,maybe\n", "1 or 0"),
        ("first,second,match\nk0,k99,1\n", "names no row of the second table"),
        ("left,right,label\n1,2,3\n", "columns first, second, match"),
        ("first,second,match\nk0,k0,1\n", "pairs that match and pairs that do not"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=said):
            propose(rows(a=things(9, rng), b=things(9, rng)), labelled=str(file))


def test_odd_cells_do_no_harm() -> None:
    one = [{"k": f"k{i}", "name": f"thing {i} {chr(0x4E00 + i)}", "n": i} for i in range(30)]
    other = [{**line, "k": f"m{i}"} for i, line in enumerate(one)]
    one[3] = {"k": "k3", "name": None, "n": None}
    one[4] = {"k": "k4", "name": "x" * 20_000, "n": "\u0000"}
    made, _ = propose(rows(a=one, b=other), key="k")
    assert pairs(made, "k") == {(f"k{i}", f"m{i}") for i in range(30) if i not in (3, 4)}


def test_a_column_of_the_tables_own_is_not_written_over() -> None:
    names = [f"Café Nº{i} {'abcdef'[i] * 4}" for i in range(6)]
    mine = [
        {"name": name, "match": "lost 2:1" if i < 2 else names[5] if i == 2 else ""} for i, name in enumerate(names)
    ]
    seeds = rows(mine=mine, other=[{"name": name} for name in names])
    made, _ = propose(seeds)
    assert [p.failure.partition(";")[0] for p in made[:2]] == [method.HELD] * 2
    assert pairs(made, "name") == {(name, name) for name in names[2:]}
    made, _ = propose(seeds, into="same")
    assert [orjson.loads(p.row["cells"] or "")["match"] for p in made if p.row] == [line["match"] for line in mine]
