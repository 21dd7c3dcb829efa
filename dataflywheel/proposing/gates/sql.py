"""SQL: a query that runs on the user's database and gives the rows that it should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.databases.copied import DatabaseFiles, contents, copied
from dataflywheel.proposing.databases.queries import UNDECIDED, QueryLimits, Result, run_queries
from dataflywheel.proposing.databases.results import TOLERANCE, fits, orders, same_rows
from dataflywheel.proposing.databases.said import MAX_ANSWER, Stated, is_query, sql_of, stated
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import answer_said

NO_SQL = "no SQL in the answer"
SEVERAL = "several queries in the answer"
LONG = "the answer is too long"
NO_READING = "the query does more than read"
OTHER_COLUMNS = "the result has another number of columns"
OTHER_ROWS = "the result has other rows"
OTHER_ORDER = "the result has its rows in another order"
BAD_REFERENCE = "the reference query does not run"
DISAGREE = "reference query and stated result disagree"
UNSTATED = "nothing says what the result should be"


class SQL(Gate):
    """Runs the query of an answer on a copy of the database, and compares what it gives.

    The query is the answer itself, or stands in a fenced block; an answer with several different ones does not pass.
    Where a row states what is right, the query must give it: a reference query (a field such as `query` or `gold_sql`,
    the label, or the SQL of the answer that is replaced), a result (a field such as `result`, or a label that is no
    query), or both. Otherwise it passes where it runs, or never with `stated`.

    Results are equal where they have the same rows, each as often, whatever their columns are called. The order counts
    where the reference orders (without one, where the answer does); rows that tie there must come in its order too.
    Numbers are equal within `tolerance`, whole ones exactly, and NULL equals NULL. Two queries that differ only for
    other contents of the database cannot be told apart.

    The user's files are read and never opened as a database. The copy is queried in a process of the jail, which can do
    nothing but read it, within `limits`.
    """

    card: ClassVar[Card] = Card(
        title="Spider: A Large-Scale Human-Labeled Dataset for Complex and Cross-Domain Semantic Parsing and "
        "Text-to-SQL Task",
        authors="Yu et al.",
        year=2018,
        paper="1809.08887",
        category="proposing",
        subcategory="gates",
        summary="Passes SQL that runs on a copy of the database and gives the rows of the reference.",
        checked="queries on films and on credit lines with their wrong mutants; statements that write, attach, load, "
        "loop, or take all memory",
        pays="Questions over tables of one's own, where an answer can be run.",
        fails="A wrong query that gives the right rows on this database passes: give data on which they differ.",
        evidence="Here, of 24 right queries in other words all pass, and of 72 mutants that give other rows none.",
    )
    name: ClassVar[str] = "sql"

    database: DatabaseFiles
    """A SQLite file, or files that are tables (csv, jsonl, parquet): each is named after its file."""
    stated: bool = False
    """Turn answers away to which nothing says what the result should be."""
    tolerance: float = Field(default=TOLERANCE, ge=0, le=0.1)
    """Relative difference of numbers that are equal."""
    limits: QueryLimits = Field(default_factory=QueryLimits)
    """What one query may use."""

    def ready(self) -> None:
        copied(self.database)

    def leans_on(self) -> str:
        return contents(self.database)

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        read = [_query(proposal) for proposal in proposals]
        known = [_stated(proposal) for proposal in proposals]
        queries = [one for one in read if isinstance(one, str)] + [one.query for one in known if one.query]
        each = list(dict.fromkeys(queries))
        results = dict(zip(each, run_queries(copied(self.database), each, self.limits), strict=True)) if each else {}
        return [
            one if isinstance(one, Check) else self._compared(one, right, results)
            for one, right in zip(read, known, strict=True)
        ]

    def _compared(self, query: str, right: Stated, results: Mapping[str, Result]) -> Check:
        given = results[query]
        if given.reason:
            return Check(False, given.reason, given.detail, decided=given.reason not in UNDECIDED)
        if not right.anything:
            return Check(False, UNSTATED, decided=False) if self.stated else PASSED
        facts = {"rows": float(len(given.rows))}
        ordered = orders(right.query or query)
        if right.query:
            wanted = results[right.query]
            if wanted.reason:
                return Check(False, BAD_REFERENCE, wanted.detail or wanted.reason, decided=False)
            if right.has_result and not fits(right.result, wanted, False, self.tolerance):
                return Check(False, DISAGREE, decided=False)
            if len(given.columns) != len(wanted.columns):
                return Check(False, OTHER_COLUMNS, f"{len(given.columns)} for {len(wanted.columns)}", facts)
            same = [same_rows(given.rows, wanted.rows, one, self.tolerance) for one in (False, ordered)]
        else:
            same = [fits(right.result, given, one, self.tolerance) for one in (False, ordered)]
        if all(same):
            return Check(True, facts=facts)
        return Check(False, OTHER_ORDER if same[0] else OTHER_ROWS, facts=facts)


def _query(proposal: Proposal) -> str | Check:
    """The one query of an answer, or why there is none."""
    assert proposal.row is not None
    answer = answer_said(proposal.row["messages"])
    if len(answer) > MAX_ANSWER:
        return Check(False, LONG, f"{len(answer):,} characters")
    found = sql_of(answer)
    if len(found) != 1:
        return Check(False, SEVERAL, f"{len(found)}") if found else Check(False, NO_SQL)
    return found[0] if is_query(found[0]) else Check(False, NO_READING, found[0].split(None, 1)[0][:20])


def _stated(proposal: Proposal) -> Stated:
    assert proposal.row is not None
    before = answer_said(proposal.before["messages"]) if proposal.before is not None else ""
    return stated(proposal.facts, proposal.row, before)
