"""Cells that rules and statistics leave open, asked of a model, and filled as far as it is right where one can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar, Literal, Self

import numpy as np
import orjson
from pydantic import Field, model_validator

from dataflywheel.contracts import Card, Cost, PoolStatistics
from dataflywheel.enhancement.tables.asked_cells import Batch, CellAnswers, Wanted, aligned, batch_of, row_shown
from dataflywheel.enhancement.tables.columns import Change, Column, columns_of, text_of
from dataflywheel.enhancement.tables.contradicted import suspected
from dataflywheel.enhancement.tables.fitting import Fitting
from dataflywheel.enhancement.tables.mended import Left, cells, proposals, require_columns
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer

INSTRUCTIONS = (
    "You complete tables. The material is a column, whole rows of its table, and rows whose cell of this column is "
    "missing, each under its code. Give for each of these the value that belongs there, written as the column writes "
    "its values and in their language. Take it from the row, from the other rows, or from what you surely know; where "
    "none of these tells it, leave the value empty: a gap is better than a guess."
)
ASK = (
    "Answer for every row, in the order shown: as `cell` its code, as `of` the first value of the row, copied (its "
    "first 40 characters are enough), then `why` in a few words, and the `value`."
)
ASKED, AGREED = "a model was asked", "contradicts other columns, and a model that did not see it agrees with them"
UNKNOWN = "the model does not know"
UNPROVED = "the model is right too seldom in this column"
DISAGREES = "suspected, and the model does not say what other columns do"
QUESTION_TOKENS, ANSWER_TOKENS = 250, 70
"""Of one question beside its rows, and of the answer for one cell: for the estimate."""


@dataclass
class _Heard:
    """What came of all questions."""

    given: dict[Wanted, tuple[object, str]] = field(default_factory=dict)
    """The value and the model's reason, where it is of the column's kind."""
    left: Left = field(default_factory=Left)
    right: dict[str, list[bool]] = field(default_factory=dict)
    """By column, whether the model was right in each cell whose value is known, where it gave one."""

    def trust(self, column: str) -> float:
        """The share of cells in which the model proved right; one right and one wrong are added, so that few prove
        little."""
        tried = self.right.get(column, [])
        return (sum(tried) + 1) / (len(tried) + 2)


class AskTable(Instructed, Proposer):
    """Asks a model for cells that are missing, several of one column in a question, with whole rows as examples.

    In every column it is also asked for cells whose value is known, which it does not see: the share of these in which
    it is right is the confidence, and nothing is filled in a column where that is less than `least`. A value that is
    not of the column's kind is refused: no number where numbers stand, or none of the values of a column that has few.
    Each answer carries the code of its cell and a copy of the row's first value; one that does not fit is for no cell.
    Batches with a reason before each value are the paper's; trials, codes and copies are ours.
    """

    card: ClassVar[Card] = Card(
        title="Large Language Models as Data Preprocessors",
        authors="Zhang et al.",
        year=2023,
        paper="2308.16361",
        category="enhancement",
        subcategory="tables",
        summary="A model fills missing cells in batches, as far as it proves right in cells that are known.",
        needs=("endpoint",),
        cost="$",
        checked="a scripted model of known accuracy; shuffled, shortened and extended replies; cells that give orders",
        pays="Cells that follow from the rest of the row or from what the world knows, where no column foretells them.",
        fails="Values that are each row's own, such as telephone numbers: there the model proves wrong, and the cells "
        "stay empty, but the trials are paid. Also cells that are empty for good reason.",
        evidence="Here, of 259 emptied cells of restaurants: 8 % filled without it, with a script right in 0.9 of all "
        "cells 99 %, of these 89 % right; with one right in 0.5 it fills none (benchmarks/tables.md).",
    )
    version: ClassVar[int] = 2
    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    mends: ClassVar[bool] = True
    whole: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True

    model: ModelSpec
    """The model that is asked."""
    columns: list[str] = []
    """Columns that are asked about; all with missing cells where none are named."""
    ask: list[Literal["missing", "suspected"]] = Field(default=["missing"], min_length=1)
    """Which cells: those that are `missing`; or `suspected` ones, which other columns contradict and `repair_table` may
    not change. What these hold is not shown, and they change where the model says what those columns do."""
    batch: int = Field(default=10, ge=1, le=50)
    """Cells in one question."""
    shown: int = Field(default=3, ge=0, le=20)
    """Whole rows of the table that are shown with it."""
    trials: int = Field(default=20, ge=0, le=200)
    """Known cells of each column that are asked for to see how often the model is right."""
    least: float = Field(default=0.7, ge=0, le=1)
    """Columns stay as they are in which the model is right less often."""
    max_tokens: int = Field(default=2048, ge=16)
    """Tokens of one reply, at most."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    @model_validator(mode="after")
    def _can_be_proved(self) -> Self:
        if (self.trials + 1) / (self.trials + 2) < self.least:
            raise ValueError(
                f"{self.trials} known cells a column cannot show that a model is right in {self.least:.0%} of all; "
                "raise `trials` or lower `least`"
            )
        return self

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""
        tables = [row for row in demand.seeds if cells(row)]
        table = columns_of([cells(row) or {} for row in tables])
        require_columns(self.name, self.columns, table)
        examples = self._examples(table, len(tables), demand.rng)
        batches = list(self._batches(table, len(tables), set(examples), demand.rng))
        whole = "\n".join(orjson.dumps(row_shown(table, row)).decode() for row in examples)
        fits = {name: Fitting(column) for name, column in table.items()}
        answers = ask_for(client, [self._question(batch, fits, whole) for batch in batches], CellAnswers)
        heard, bills = _Heard(), dict[str, tuple[Reply, ...]]()
        for batch, answer in zip(batches, answers, strict=True):
            _hear(batch, answer, table, fits, heard)
            first = tables[batch.cells[0].row]["id"]
            bills[first] = (*bills.get(first, ()), *answer.replies)
        changes = self._changes(table, fits, heard)
        left = {tables[row]["id"]: why for row, why in heard.left.why.items()}
        return proposals(demand.seeds, tables, changes, self.name, left, bills)

    def _examples(self, table: Mapping[str, Column], rows: int, rng: np.random.Generator) -> list[int]:
        """Rows without gaps, or with the fewest, drawn at random; never more than a fifth of the table."""
        gaps = np.sum([column.missing for column in table.values()], axis=0) if table else np.zeros(0)
        order = rng.permutation(rows)
        return [int(row) for row in order[np.argsort(gaps[order], kind="stable")][: min(self.shown, rows // 5)]]

    def _batches(
        self, table: Mapping[str, Column], rows: int, examples: set[int], rng: np.random.Generator
    ) -> Iterator[Batch]:
        """Questions column by column: cells that are wanted and, in no order, known ones beside them."""
        for name in self.columns or table:
            column = table.get(name)
            if column is None or not len(column.firsts):
                continue
            told = suspected(table, name) if "suspected" in self.ask else {}
            alone = np.all([c.missing for c in table.values() if c.name != name] or [np.ones(rows, bool)], axis=0)
            gaps = column.missing & ~alone if "missing" in self.ask else np.zeros(rows, bool)
            wanted = [Wanted(int(row), name) for row in gaps.nonzero()[0]]
            wanted += [Wanted(row, name, agreeing=text) for row, text in told.items()]
            if not wanted:
                continue
            known = [int(r) for r in (~column.missing & ~alone).nonzero()[0] if r not in examples and r not in told]
            drawn = rng.permutation(known)[: self.trials]
            wanted += [Wanted(int(row), name, trial=True) for row in drawn]
            mixed = [wanted[i] for i in rng.permutation(len(wanted))]
            yield from (batch_of(table, mixed[i : i + self.batch]) for i in range(0, len(mixed), self.batch))

    def _question(self, batch: Batch, fits: Mapping[str, Fitting], whole: str) -> Request:
        material = {"column": fits[batch.cells[0].column].told()}
        material |= {"whole rows": whole} if whole else {}
        return question(self.instructions, material | batch.parts, ASK, Sampling(max_tokens=self.max_tokens))

    def _changes(self, table: Mapping[str, Column], fits: Mapping[str, Fitting], heard: _Heard) -> list[Change]:
        found = []
        for cell, (value, said) in heard.given.items():
            trust = heard.trust(cell.column)
            if trust < self.least:
                tried = heard.right.get(cell.column, [])
                heard.left.add(cell.row, f"{UNPROVED}: {cell.column}, {sum(tried)} of {len(tried)} known cells")
            elif cell.agreeing is not None and not fits[cell.column].same(text_of(value), cell.agreeing):
                heard.left.add(cell.row, DISAGREES)
            else:
                reason = ASKED if cell.agreeing is None else AGREED
                before = table[cell.column].values[cell.row]
                found.append(Change(cell.row, cell.column, before, value, reason, trust, said))
        return found

    def unpriced(self) -> str:
        """What the estimate leaves out since it is known only when it runs."""
        return "suspected cells are found when it runs, and are not in its price" if "suspected" in self.ask else ""

    def estimate(self, pool: PoolStatistics) -> Cost:
        """By the missing cells of the pool, before any other step fills some: the most that it will ask for."""
        there = pool.gaps if "missing" in self.ask else ()
        asked = {name: gaps for name, gaps in there if not self.columns or name in self.columns}
        several = [gaps + min(self.trials, max(0, pool.rows - gaps)) for gaps in asked.values()]
        calls, row = sum(ceil(one / self.batch) for one in several), pool.tokens / max(1, pool.rows)
        read = round(calls * (QUESTION_TOKENS + self.shown * row) + sum(several) * row)
        written = sum(several) * ANSWER_TOKENS
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return self.with_examples(Cost(calls=calls, tokens=read + written, usd=usd))


def _hear(
    batch: Batch, answer: Answer[CellAnswers], table: Mapping[str, Column], fits: Mapping[str, Fitting], heard: _Heard
) -> None:
    """Take in one reply: each of its cells has a value of its column's kind, or a reason why it has none."""
    if answer.value is None:
        for cell in batch.cells:
            heard.left.add(cell.row, failure(answer), cell.trial)
        return
    found = aligned(batch, answer.value.answers)
    for i, cell in enumerate(batch.cells):
        if i not in found.answers:
            heard.left.add(cell.row, found.why[i], cell.trial)
            continue
        said = found.answers[i]
        value, why = fits[cell.column].read(said.value)
        if cell.trial:
            if value is not None:
                right = fits[cell.column].same(text_of(value), table[cell.column].texts[cell.row])
                heard.right.setdefault(cell.column, []).append(right)
        elif value is None:
            heard.left.add(cell.row, f"{why}: {said.value[:40]}" if why else UNKNOWN)
        else:
            heard.given[cell] = (value, said.why.strip())
