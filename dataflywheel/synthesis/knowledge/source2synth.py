"""Source2Synth on tables: questions with queries, whose answers are what the database gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer, without
from dataflywheel.proposing.databases.copied import Copied, DatabaseFiles, contents, copied
from dataflywheel.proposing.databases.queries import QueryLimits, run_both_ways, run_queries
from dataflywheel.proposing.databases.results import orders, same_rows
from dataflywheel.proposing.databases.said import is_query, sql_of
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import fields_of
from dataflywheel.synthesis.knowledge.table_questions import KINDS, Draft, bare, drafts, names_tables, row_of

INSTRUCTIONS = (
    "The material is the tables of a database, some lines of one of them, and a kind of question. Think of something "
    "about the named columns that is worth knowing and say it as `fact`. Then write a question of this kind that asks "
    "for it, as somebody would ask who knows the subject and has never seen the tables: in the language of their "
    "values, complete, with every value it needs, so that it has one right answer, and without the names of tables or "
    "columns where they are no plain words. Then write one SQLite query that reads exactly the answer from these "
    "tables. For the question 'Which city had the most rain in 2012?' it is `SELECT city FROM weather WHERE year = "
    "2012 ORDER BY rain DESC LIMIT 1`."
)
ASK = "Write the `fact`, then the `question`, then the `query`."
ANSWER = (
    "The material is the tables of a database and a question. Say in `plan` which tables, columns and values the "
    "question speaks of and what it asks for. Then write one SQLite query that reads exactly the answer."
)
ASK_ANSWER = "Write the `plan`, and then the `query` that answers the question."
NO_QUERY = "no query"
NOTHING = "the database gives nothing"
MUCH = "the answer has too many rows"
BY_CHANCE = "the result hangs on an order that the query does not say"
NAMES = "the question names a table or column"
TWICE = "the same question or query twice"
OTHER = "no attempt comes to the same answer"


class Written(Form):
    """What is worth knowing, the question for it, and the query that answers it."""

    fact: str
    question: str = Field(min_length=1)
    query: str = Field(min_length=1)


class Attempt(Form):
    """An answer to a question, by a query."""

    plan: str
    query: str = Field(min_length=1)


class Source2Synth(Instructed, AskingProposer):
    """Each visit draws a table and some of its columns, and has a model write a question with its query. The query runs
    on a copy of the database; what it gives is the answer, and no model has a say in it. Queries that fail, that give
    nothing, too much, or rows by chance (`LIMIT` without an order) are dropped.

    Then a model that sees the tables and the question, and not the first query, answers it by a query of its own, up to
    `attempts` times. The row is kept where one of them gives the same rows. `helper` may be another model, such as the
    student that was trained on half of the rows, as the paper has it; here the writer answers unless one is named.

    The paper has no code beside it; which columns are drawn, the kinds of questions and the words are ours. Its other
    half, questions over two documents, is `source2synth_documents`.
    """

    card: ClassVar[Card] = Card(
        title="Source2Synth: Synthetic Data Generation and Curation Grounded in Real Data Sources",
        authors="Lupidi et al.",
        year=2024,
        paper="2409.08239",
        category="synthesis",
        subcategory="knowledge",
        summary="Questions on tables with SQL that is executed, kept where answering again comes to the same rows.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted teacher of planted error rate on films and credit lines: the answer of every row is what "
        "another connection to the same tables gives, and wrong queries are removed as often as the helper is right",
        pays="Tables of one's own about which a model shall answer, by queries or by heart.",
        fails="A query may run and not be what the question asks: only answering again stands between, and two models "
        "that misread alike agree.",
        evidence="Here, of 300 scripted questions a third of whose queries was wrong, none of these stayed where the "
        "helper was right. What training on it is worth was not measured here.",
    )
    name: ClassVar[str] = "source2synth"
    answered_in: ClassVar[type[Form] | None] = Written
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "nothing"
    revisits: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = ("format_and_length", "prompt_leak")
    # Not `novelty`: prompts that show the same tables are alike.

    database: DatabaseFiles
    """A SQLite file, or files that are tables (csv, jsonl, parquet): each is named after its file."""
    shape: Literal["call", "query", "result"] = "call"
    """What a row is: a question, a call of the tool `sql`, what it gave, and that as the answer (`call`); the tables
    with the question, and the query (`query`); the question and the result alone, to be known by heart (`result`)."""
    columns: int = Field(default=3, ge=1, le=20)
    """Columns that a question is written about, at most; half the time a table that their rows name is drawn too."""
    kinds: tuple[str, ...] = Field(default=KINDS, min_length=1)
    """Kinds of questions, in words; one is drawn for each."""
    attempts: int = Field(default=3, ge=0, le=16)
    """How often the question is answered again, at most, until one answer agrees; 0 keeps what runs."""
    helper: ModelSpec | None = None
    """The model that answers again."""
    most_rows: int = Field(default=20, ge=1, le=1000)
    """Rows that an answer has, at most."""
    longest: int = Field(default=8000, ge=500)
    """Characters of the tables that are shown; of a larger database, the drawn ones alone."""
    limits: QueryLimits = Field(default_factory=QueryLimits)
    """What one query may use."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""
    answering: Instructions = ANSWER
    """What the helper is told to do."""

    def ready(self) -> None:
        copied(self.database)

    def leans_on(self) -> str:
        return contents(self.database)

    def calls_a_seed(self) -> float:
        """At most: answering again ends with the first answer that agrees."""
        return 1.0 + self.attempts

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        database = copied(self.database)
        made = drafts(database, len(demand.seeds), self.columns, self.kinds, self.longest, demand.rng)
        self._write(client, made, demand.turns)
        _only_once(made, [row for row in demand.accepted if row["made_by"] == self.name])
        self._run(database, [one for one in made if not one.why])
        helper = client_for(self.helper) if self.helper is not None else client
        for attempt in range(self.attempts):
            self._answer(helper, database, [one for one in made if not one.why and not one.agreed], attempt)
        for one in made:
            if self.attempts and not one.why and not one.agreed:
                one.why = OTHER
        return [self._proposal(one, seed) for one, seed in zip(made, demand.seeds, strict=True)]

    def _write(self, client: Asks, made: Sequence[Draft], turns: Sequence[int]) -> None:
        asked = [
            question(self.instructions, one.material, ASK, self.sampling, turn)
            for one, turn in zip(made, turns, strict=True)
        ]
        for one, answer in zip(made, ask_for(client, asked, Written), strict=True):
            one.replies += answer.replies
            if answer.value is None:
                one.why = failure(answer)
                continue
            one.prompt, one.query = answer.value.question.strip(), _query(answer.value.query)
            named = names_tables(one.prompt, one.tables)
            one.why = f"{NAMES}: {named}" if named else "" if one.query else NO_QUERY
            one.why = one.why if one.prompt else "malformed: an empty question"

    def _run(self, database: Copied, made: Sequence[Draft]) -> None:
        both = run_both_ways(database, [one.query for one in made], self.limits)
        for one, (result, turned) in zip(made, both, strict=True):
            one.result, one.ordered = result, orders(one.query)
            if result.reason:
                one.why = f"{result.reason}: {result.detail}" if result.detail else result.reason
            elif all(cell is None for row in result.rows for cell in row):
                one.why = NOTHING
            elif len(result.rows) > self.most_rows:
                one.why = f"{MUCH}: {len(result.rows)}"
            elif turned.reason or not same_rows(result.rows, turned.rows, one.ordered):
                one.why = BY_CHANCE

    def _answer(self, client: Asks, database: Copied, made: Sequence[Draft], attempt: int) -> None:
        sampling = Sampling(temperature=self.temperature if attempt else 0.0, max_tokens=self.max_tokens)
        asked = [
            question(self.answering, {"tables": one.shown, "question": one.prompt}, ASK_ANSWER, sampling, attempt)
            for one in made
        ]
        answers = ask_for(client, asked, Attempt)
        queries = [_query(answer.value.query) if answer.value else "" for answer in answers]
        results = run_queries(database, queries, self.limits)
        for one, answer, result in zip(made, answers, results, strict=True):
            one.replies += answer.replies
            one.why = passing(answer.replies)
            one.tries += 1
            one.agreed = not result.reason and same_rows(one.result.rows, result.rows, one.ordered)

    def _proposal(self, one: Draft, seed: Row) -> Proposal:
        facts: dict[str, Any] = {"kind": one.kind, "columns": one.columns, "tries": one.tries}
        if one.why:
            return replace(without(one.why, replies=one.replies), facts=facts)
        rows = [[cell.hex() if isinstance(cell, bytes) else cell for cell in row] for row in one.result.rows]
        facts |= {"query": one.query, "result": rows}
        row = row_of(one, self.shape, self.name, seed["round"])
        shown = (str(self.instructions), str(self.answering))
        return Proposal((), row, shown=shown, facts=facts, replies=tuple(one.replies))

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """Rows by kind of question, and by how many answers it took."""
        kinds = Counter(str(p.facts.get("kind")) for p, why in came if not why)
        tries = Counter(f"{p.facts.get('tries')}" for p, why in came if not why)
        return {"rows_by_kind": dict(sorted(kinds.items())), "rows_by_tries": dict(sorted(tries.items()))}


def _only_once(made: Sequence[Draft], accepted: Sequence[Row]) -> None:
    """A question that was asked before, or whose query was, is not asked again."""
    known = {bare(str(fields_of(row).get("query"))) for row in accepted}
    known |= {bare(turn["content"]) for row in accepted for turn in row["messages"] if turn["role"] == "user"}
    for one in made:
        if not one.why and {bare(one.query), bare(one.prompt)} & known:
            one.why = TWICE
        elif not one.why:
            known |= {bare(one.query), bare(one.prompt)}


def _query(text: str) -> str:
    """The one query of what a model wrote, or ""."""
    found = sql_of(text)
    return found[0] if len(found) == 1 and is_query(found[0]) else ""
