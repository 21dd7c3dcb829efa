"""Cells that a model is asked for: several of one column in a question, each under a code of its own, read one by one.

A reply that lost count gives the value of one row to another, and nothing in the value shows it. So each answer says
which cell it is for, by a code that nobody can count on from, and copies the first value of that cell's row; an answer
whose code or copy does not fit, that comes twice or in another order, is taken for no cell.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from pydantic import Field

from dataflywheel.enhancement.tables.columns import Column, Value
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.structured import Form

LEFT_OUT = "no answer for it in the reply"
TWICE = "answered twice"
ORDER = "answered in another order"
OTHER_ROW = "the answer speaks of another row"
COPIED = 24
"""Characters of a long value that a copy must have, at least."""


class CellAnswer(Form):
    """What a model says of one cell."""

    cell: str
    """The cell's code."""
    of: str
    """The first value of its row."""
    why: str = words(160)
    value: str


class CellAnswers(Form):
    """What one reply holds."""

    answers: list[CellAnswer] = Field(min_length=1)


@dataclass(frozen=True)
class Wanted:
    """A cell that is asked for."""

    row: int
    column: str
    trial: bool = False
    """Its value is known: it is asked for to see how often the model is right."""
    agreeing: Value = None
    """What it must be to be taken, as the text by which cells are compared; None: anything of its kind."""


@dataclass(frozen=True)
class Batch:
    """One question: cells of one column, with the codes and the rows that stand for them."""

    cells: tuple[Wanted, ...]
    codes: tuple[str, ...]
    shown: tuple[str, ...]
    """Each row as JSON, without the column that is asked for and without gaps; its telling value first."""
    first: tuple[str, ...]
    """That value."""

    @property
    def parts(self) -> dict[str, str]:
        """The rows as material of a question, each under its code."""
        return {f"row {code}": text for code, text in zip(self.codes, self.shown, strict=True)}


def batch_of(table: Mapping[str, Column], cells: Sequence[Wanted]) -> Batch:
    """The question about cells of one column."""
    lead = telling_column(table, cells)
    shown, first = [], []
    for cell in cells:
        held = row_shown(table, cell.row, without=cell.column, lead=lead)
        value = next(iter(held.values()))
        shown.append(orjson.dumps(held).decode())
        first.append(value if isinstance(value, str) else orjson.dumps(value).decode())
    return Batch(tuple(cells), tuple(_codes(shown)), tuple(shown), tuple(first))


def telling_column(table: Mapping[str, Column], cells: Sequence[Wanted]) -> str:
    """The column that tells these rows apart best: with a value in most of them, most of these different, and short."""
    others = [column for column in table.values() if column.name != cells[0].column]
    rows = [cell.row for cell in cells]

    def worth(column: Column) -> tuple[int, float]:
        texts = [column.texts[row] for row in rows if not column.missing[row]]
        return len(set(texts)), -sum(map(len, texts)) / max(1, len(texts))

    return max(others, key=worth).name


def row_shown(table: Mapping[str, Column], row: int, without: str = "", lead: str = "") -> dict[str, Value]:
    """The values of a row by column, its gaps left out; that of `lead` first."""
    held = {n: c.values[row] for n, c in table.items() if n != without and not c.missing[row]}
    return {lead: held[lead], **held} if lead in held else held


def _codes(shown: Sequence[str]) -> list[str]:
    """A short code for each row: equal for equal questions, and in no order."""
    found: list[str] = []
    for place, text in enumerate(shown):
        digest, size = hashlib.blake2b(f"{place}:{text}".encode(), digest_size=16).hexdigest(), 4
        while digest[:size] in found:
            size += 1
        found.append(digest[:size])
    return found


@dataclass
class Aligned:
    """Of one reply, the answer of each cell by its place in the batch, and why a cell has none."""

    answers: dict[int, CellAnswer] = field(default_factory=dict)
    why: dict[int, str] = field(default_factory=dict)


def aligned(batch: Batch, answers: Sequence[CellAnswer]) -> Aligned:
    """Which answer is for which cell; each cell is decided by itself."""
    place = {code: i for i, code in enumerate(batch.codes)}
    times = Counter(place.get(answer.cell.strip(), -1) for answer in answers)
    found = Aligned({}, {i: TWICE for i, several in times.items() if i >= 0 and several > 1})
    once = [(i, one) for one in answers if times[i := place.get(one.cell.strip(), -1)] == 1 and i >= 0]
    for k, (i, answer) in enumerate(once):
        if any(before > i for before, _ in once[:k]) or any(behind < i for behind, _ in once[k + 1 :]):
            found.why[i] = ORDER
        elif not _copied(answer.of, batch.first[i]):
            found.why[i] = OTHER_ROW
        else:
            found.answers[i] = answer
    for i in range(len(batch.cells)):
        if i not in found.answers:
            found.why.setdefault(i, LEFT_OUT)
    return found


def _copied(copy: str, of: str) -> bool:
    said, there = (" ".join(text.split()).casefold() for text in (copy, of))
    return said == there or (len(said) >= COPIED and there.startswith(said.rstrip(" .…")))
