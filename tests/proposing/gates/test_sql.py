"""The gate `sql`: right queries in other words, mutants that give other rows, and statements that do harm."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError, build
from dataflywheel.evolution.bridges.reward_of import reward_of
from dataflywheel.proposing.databases.copied import copied
from dataflywheel.proposing.databases.queries import (
    CHANGES,
    EMPTY,
    LARGE,
    MANY,
    NOT_RUN,
    STEPS,
    QueryLimits,
    run_both_ways,
    run_queries,
)
from dataflywheel.proposing.databases.queries import SEVERAL as STATEMENTS
from dataflywheel.proposing.gates import sql
from dataflywheel.proposing.gates.sql import SQL
from dataflywheel.proposing.kinds import Check, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from tests.proposing.gates.proposals import rewrite

SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, city TEXT, since INTEGER);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customer(id), item TEXT, price REAL);
INSERT INTO customer VALUES (1, 'Abel', 'Oslo', 2019), (2, 'Bruna', 'Rome', 2020), (3, 'Chidi', 'Oslo', 2021),
  (4, 'Dana', NULL, 2021);
INSERT INTO purchase VALUES (1, 1, 'lamp', 20.5), (2, 1, 'rug', 99), (3, 2, 'lamp', 20.5), (4, 3, 'vase', 7.25),
  (5, 3, 'rug', 101);
"""
GERMAN = ("amount", "duration", "age", "installment_rate")
GROUPS = ("purpose", "housing", "job")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shop") / "shop.db"
    with closing(sqlite3.connect(place)) as database, database:
        database.executescript(SHOP)
    return place


def new(answer: str, facts: dict[str, Any] | None = None, **extra: Any) -> Proposal:
    return Proposal((), prompt_answer_row("q", answer, extra=extra), facts=facts or {})


def checks(gate: SQL, *proposals: Proposal) -> list[Check]:
    return gate.check(proposals, Surroundings())


def reasons(gate: SQL, *proposals: Proposal) -> list[str]:
    return [check.reason for check in checks(gate, *proposals)]


def words_and_mutants() -> list[tuple[str, str, list[str]]]:
    """A reference, the same in other words, and mutants of it, of films and credit lines."""
    made = []
    for column in GERMAN:
        for group in GROUPS:
            made.append((
                f"SELECT {group}, avg({column}) FROM german GROUP BY {group}",
                f"SELECT g.{group}, sum(g.{column}) * 1.0 / count(g.{column}) AS mean FROM german AS g GROUP BY 1",
                [f"SELECT {group}, max({column}) FROM german GROUP BY {group}",
                 f"SELECT {group}, avg({column}) FROM german WHERE class = 1 GROUP BY {group}",
                 f"SELECT {group}, avg({column}) FROM german GROUP BY {group} LIMIT 2"],
            ))  # fmt: skip
            made.append((
                f"SELECT count(*) FROM german WHERE {column} > (SELECT avg({column}) FROM german) "
                f"AND {group} = (SELECT min({group}) FROM german)",
                f"WITH m AS (SELECT avg({column}) AS a, min({group}) AS b FROM german) "
                f"SELECT sum(CASE WHEN {column} > m.a THEN 1 ELSE 0 END) FROM german, m WHERE {group} = m.b",
                [f"SELECT count(*) FROM german WHERE {column} > (SELECT avg({column}) FROM german)",
                 f"SELECT count(*) FROM german WHERE {column} < (SELECT avg({column}) FROM german) "
                 f"AND {group} = (SELECT min({group}) FROM german)",
                 f"SELECT count(DISTINCT {group}) + 0.5 FROM german WHERE {column} > 0"],
            ))  # fmt: skip
    return made


def test_right_queries_in_other_words_pass_and_wrong_ones_never(data: Path) -> None:
    """Which mutants give other rows is found out by SQLite alone, on a table that the test fills itself."""
    place = data / "tabular" / "german.csv"
    with place.open(newline="") as file:
        names, *lines = list(csv.reader(file))
    own = sqlite3.connect(":memory:")
    numeric = [all(line[i].isdigit() for line in lines) for i in range(len(names))]
    own.execute(f"CREATE TABLE german ({', '.join(names)})")
    cells = [[int(v) if n else v for v, n in zip(line, numeric, strict=True)] for line in lines]
    own.executemany(f"INSERT INTO german VALUES ({', '.join('?' * len(names))})", cells)

    def rows(query: str) -> Counter[tuple[Any, ...]]:
        return Counter(tuple(round(v, 6) if isinstance(v, float) else v for v in row) for row in own.execute(query))

    made = words_and_mutants()
    right = [new(f"```sql\n{words};\n```", query=reference) for reference, words, _ in made]
    wrong = [new(mutant, query=ref) for ref, _, mutants in made for mutant in mutants if rows(mutant) != rows(ref)]
    assert (len(right), len(wrong)) == (24, 72)
    gate = SQL(database=[place])
    assert reasons(gate, *right) == [""] * len(right)
    assert {r for r in reasons(gate, *wrong)} <= {sql.OTHER_ROWS, sql.OTHER_COLUMNS}
    assert not any(check.passed for check in checks(gate, *wrong))


def test_a_result_is_compared_as_rows(shop: Path) -> None:
    gate = SQL(database=shop)
    by_name = "SELECT name FROM customer WHERE city = 'Oslo' ORDER BY name"
    given = [
        (new("SELECT name FROM customer WHERE city = 'Oslo'", query=by_name), ""),
        (new("SELECT name FROM customer WHERE city = 'Oslo' ORDER BY name DESC", query=by_name), sql.OTHER_ORDER),
        (new(by_name, query="SELECT name FROM customer WHERE city = 'Oslo' ORDER BY id DESC"), sql.OTHER_ORDER),
        (new(by_name + " ", query="SELECT name FROM (SELECT * FROM customer ORDER BY id DESC) WHERE city='Oslo'"), ""),
        (new("SELECT city FROM customer", query="SELECT DISTINCT city FROM customer"), sql.OTHER_ROWS),
        (new("SELECT NULL", query="SELECT city FROM customer WHERE id = 4"), ""),
        (new("SELECT ''", query="SELECT city FROM customer WHERE id = 4"), sql.OTHER_ROWS),
        (new("SELECT name, id FROM customer", query="SELECT name FROM customer"), sql.OTHER_COLUMNS),
        (new("SELECT 0.1 + 0.2", query="SELECT 0.3"), ""),
        (new("SELECT 10000001", query="SELECT 10000002"), sql.OTHER_ROWS),
        (new("SELECT count(*) FROM purchase", result=5), ""),
        (new("SELECT count(*) FROM purchase", result="[[5]]"), ""),
        (new("SELECT count(*) FROM purchase", result=4), sql.OTHER_ROWS),
        (new("SELECT name, since FROM customer WHERE id < 3", result=[["Abel", 2019], ["Bruna", "2020"]]), ""),
        (new("SELECT name, since FROM customer WHERE id < 3", result=[{"n": "Abel", "s": 2019}]), sql.OTHER_ROWS),
        (new("SELECT name FROM customer ORDER BY id", result=["Abel", "Bruna", "Chidi", "Dana"]), ""),
        (new("SELECT name FROM customer ORDER BY id DESC", result=["Abel", "Bruna", "Chidi", "Dana"]), sql.OTHER_ORDER),
        (new("SELECT name, since FROM customer WHERE id = 1", result=["Abel", 2019]), ""),
        (new("SELECT 5", query="SELECT 5", result=6), sql.DISAGREE),
        (new("SELECT 5", query="SELECT x FROM nowhere"), sql.BAD_REFERENCE),
        (new("SELECT name FROM customer WHERE id = 9", result=[]), ""),
    ]  # fmt: skip
    assert reasons(gate, *(one for one, _ in given)) == [why for _, why in given]


def test_the_query_is_found_in_the_answer_and_what_is_right_in_the_row(shop: Path) -> None:
    gate = SQL(database=shop)
    assert reasons(
        gate,
        new("I would count the customers."),
        new("First\n```sql\nSELECT 1\n```\nor\n```sql\nSELECT 2\n```"),
        new("```sql\nSELECT 1\n```\nAgain:\n```sql\nSELECT  1;\n```"),
        new("```python\nprint('SELECT 1')\n```"),
        new("<think>```sql\nSELECT 2\n```</think>SQL: SELECT 1", result=1),
        new("SELECT 1", {"query": "SELECT 2"}, query="SELECT 1"),
        new("", query="SELECT 1"),
        new("-- how many\nWITH t AS (SELECT 1 AS a) SELECT a FROM t", result=1),
        new("SELECT 1;" * 30_000),
        rewrite(("q", "SELECT 1"), ("q", "SELECT 2 - 1")),
        rewrite(("q", "SELECT 1"), ("q", "SELECT 2")),
        Proposal((), {**prompt_answer_row("q", "SELECT 3"), "label": "SELECT 1 + 2"}),
        Proposal((), {**prompt_answer_row("q", "SELECT 3"), "label": "4"}),
    ) == ["no SQL in the answer", sql.SEVERAL, "", sql.NO_SQL, "", sql.OTHER_ROWS, sql.NO_SQL, "", sql.LONG, "",
          sql.OTHER_ROWS, "", sql.OTHER_ROWS]  # fmt: skip
    strict = SQL(database=shop, stated=True)
    (nothing,) = checks(strict, new("SELECT 1"))
    assert (nothing.passed, nothing.decided, nothing.reason) == (False, False, sql.UNSTATED)


def test_statements_that_do_more_than_read_change_nothing(shop: Path, tmp_path: Path) -> None:
    before = hashlib.sha256(shop.read_bytes()).hexdigest()
    harm = {
        "DROP TABLE customer": sql.NO_READING,
        "SELECT 1; DELETE FROM customer": STATEMENTS,
        "WITH t AS (SELECT 1) DELETE FROM customer": CHANGES,
        "WITH t AS (SELECT 1) INSERT INTO customer SELECT 9, 'x', 'y', 1 FROM t": CHANGES,
        f"ATTACH '{tmp_path}/other.db' AS other": sql.NO_READING,
        "SELECT load_extension('/tmp/x.so')": CHANGES,
        "PRAGMA writable_schema = 1": sql.NO_READING,
        "SELECT * FROM pragma_database_list": CHANGES,
        "EXPLAIN SELECT 1": sql.NO_READING,
        "SELECT random()": CHANGES,
        "SELECT name FROM nobody": NOT_RUN,
        "SELECT FROM": NOT_RUN,
        "SELECT a.id FROM purchase a, purchase b, purchase c, purchase d, purchase e, purchase f": MANY,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n": STEPS,
        "SELECT printf('%900000d', 1) || printf('%900000d', 1)": NOT_RUN,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 400) "
        "SELECT printf('%100000d', i) FROM n": LARGE,
    }
    gate = SQL(database=shop, limits=QueryLimits(steps=2_000_000))
    assert dict(zip(harm, reasons(gate, *map(new, harm)), strict=True)) == harm
    assert hashlib.sha256(shop.read_bytes()).hexdigest() == before
    assert [path.name for path in shop.parent.iterdir()] == ["shop.db"]
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_ends_the_process_takes_no_other_with_it(shop: Path) -> None:
    hungry = (
        "WITH RECURSIVE n(i, x) AS (SELECT 1, printf('%900000d', 1) UNION ALL SELECT i + 1, printf('%900000d', i) FROM "
        "n LIMIT 300) SELECT length(group_concat(x)) FROM (SELECT x FROM n ORDER BY x DESC)"
    )
    found = run_queries(copied([shop]), ["SELECT 1", hungry, "SELECT 2"], QueryLimits(memory_mb=128))
    assert [one.rows for one in found] == [((1,),), (), ((2,),)]
    assert found[1].reason


def test_odd_queries_do_not_break(shop: Path) -> None:
    odd = ["", "--", "SELECT '\ud800'", "SELECT char(0)", "SELECT X'00ff'", "SELECT 9e999, -9e999", "(" * 5000, "\x00"]
    found = run_queries(copied([shop]), odd)
    assert [one.reason for one in found] == [EMPTY, EMPTY, NOT_RUN, "", "", "", NOT_RUN, found[7].reason]
    assert found[4].rows == ((b"\x00\xff",),)
    assert found[5].rows == ((float("inf"), float("-inf")),)


def test_a_result_that_hangs_on_an_order_nobody_stated_is_seen(shop: Path) -> None:
    query = "SELECT name FROM customer LIMIT 1"
    ((one, other),) = run_both_ways(copied([shop]), [query])
    assert (one.rows, other.rows) == ((("Abel",),), (("Dana",),))


def test_tables_in_files_become_one_database(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name,born,post code\n1,Ada,1815,00123\n2,Kurt,,94103\n3,,1906,10001\n")
    lines = [{"person": 1, "said": "notes", "sure": 0.5}, {"person": 2, "said": "7", "list": [1, 2]}]
    with gzip.open(tmp_path / "2 sayings.jsonl.gz", "wt") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines))
    both = copied([tmp_path / "people.csv", tmp_path / "2 sayings.jsonl.gz"])
    assert [(t.name, t.rows, dict(t.columns)) for t in both.tables] == [
        ("people", 3, {"id": "INTEGER", "name": "TEXT", "born": "INTEGER", "post code": "TEXT"}),
        ("2_sayings", 2, {"person": "INTEGER", "said": "TEXT", "sure": "REAL", "list": "TEXT"}),
    ]
    joined = 'SELECT name, born, "post code", sure FROM people JOIN "2_sayings" ON id = person ORDER BY id'
    assert run_queries(both, [joined])[0].rows == (("Ada", 1815, "00123", 0.5), ("Kurt", None, "94103", None))
    assert '"born" INTEGER, such as 1815, 1906' in both.schema


def test_what_was_written_last_to_a_database_is_read(tmp_path: Path) -> None:
    place = tmp_path / "live.db"
    open_ = sqlite3.connect(place, isolation_level=None)
    open_.execute("PRAGMA journal_mode = WAL")
    open_.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    assert run_queries(copied([place]), ["SELECT a FROM t"])[0].rows == ((1,),)
    first = SQL(database=place).leans_on()
    open_.execute("INSERT INTO t VALUES (2)")
    assert run_queries(copied([place]), ["SELECT count(*) FROM t"])[0].rows == ((2,),)
    assert SQL(database=place).leans_on() != first
    open_.close()


def test_views_and_full_text_tables_are_read(tmp_path: Path) -> None:
    place = tmp_path / "notes.db"
    with closing(sqlite3.connect(place)) as own, own:
        own.executescript(
            "CREATE VIRTUAL TABLE note USING fts5(said); INSERT INTO note VALUES ('a brown fox'), ('a dog');"
            "CREATE TABLE t (said TEXT); INSERT INTO t VALUES ('a brown fox'), ('a dog');"
            "CREATE VIEW short AS SELECT said FROM t WHERE length(said) < 8"
        )
    both = ["SELECT said FROM note WHERE note MATCH 'fox'", "SELECT said FROM short", "DELETE FROM note"]
    found = run_queries(copied([place]), both)
    assert [(one.rows, one.reason) for one in found] == [((("a brown fox",),), ""), ((("a dog",),), ""), ((), CHANGES)]


def test_files_that_are_no_database_are_refused(tmp_path: Path, shop: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.csv").write_text("x\n1\n")
    (tmp_path / "bad.db").write_bytes(b"SQLite format 3\x00" + b"nothing" * 100)
    for files, said in (
        ([tmp_path / "none.db"], "is no file that is there"),
        ([shop, tmp_path / "a.csv"], "give one database alone"),
        ([tmp_path / "a.csv", tmp_path / "b" / "a.csv"], "two files are named 'a'"),
        ([tmp_path / "bad.db"], "cannot be read"),
    ):
        with pytest.raises(UsageError, match=said):
            build(SQL, {"database": files}).ready()
    with pytest.raises(UsageError, match="database"):
        build(SQL, {"database": []})


def test_the_gate_is_a_reward_and_its_files_are_part_of_it(shop: Path) -> None:
    reward = reward_of({"sql": {"database": str(shop)}})
    row = prompt_answer_row("How many customers?", "SELECT count(*) FROM customer")
    assert reward.score(["SELECT 4", "SELECT 5", "none"], [row] * 3) == [1.0, 0.0, 0.0]
    assert reward.contents() == SQL(database=shop).leans_on() != ""
