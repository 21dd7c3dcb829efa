"""What was written, changed and turned away: what rewriting and generating give."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.inline.line import Line, lines_of
from dataflywheel.inline.page import page, preview
from dataflywheel.proposing.ledger import Fate
from dataflywheel.recipe.result import Result
from dataflywheel.rows.formats import holding, shape_named
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.store.run import RunDirectory

if TYPE_CHECKING:
    from datasets import Dataset
    from pandas import DataFrame

SHOWN = 3


@dataclass(frozen=True)
class Change:
    """A row that was rewritten, before and after."""

    before: Record
    after: Record


@dataclass(frozen=True)
class Refused:
    """A proposal that is in no data set: the `gate` that turned it away ("" where no row came of it), why, and what it
    was written from. `row` is None where nothing readable was written."""

    reason: str
    gate: str
    detail: str
    source: tuple[Record, ...]
    row: Record | None


@dataclass(frozen=True)
class Written:
    """Rows that a method wrote or rewrote, and the run behind them, with the data set in `path / "dataset"`.

    Rows are dicts: chats as `messages`, preference pairs as `chosen` and `rejected`.
    """

    method: str
    run: Result = field(repr=False)
    step: str

    @property
    def path(self) -> Path:
        return self.run.path

    @property
    def stopped(self) -> str:
        """Why it ended early, "" where it did not."""
        return self.run.stopped

    @property
    def rows_in(self) -> int:
        return self.run.rows_in

    @property
    def rows_out(self) -> int:
        return self.run.rows_out

    def as_dict(self) -> dict[str, Any]:
        return self.run.as_dict()

    def __len__(self) -> int:
        """How many rows were written or rewritten."""
        return len(self._of(Fate.ACCEPTED))

    @property
    def rows(self) -> list[Record]:
        """All rows of the data set: those that were there, as they are now, and the written ones."""
        return self.run.rows

    @cached_property
    def added(self) -> list[Record]:
        """Written rows that stand beside those that were there."""
        return [_record(one["row"]) for one in self._of(Fate.ACCEPTED) if not one["before"]]

    @cached_property
    def changed(self) -> list[Change]:
        """Rewritten rows, which stand in place of those that were there."""
        found = [(one["before"], _record(one["row"])) for one in self._of(Fate.ACCEPTED) if one["before"]]
        there = self._rows({before for before, _ in found})
        return [Change(there[before], after) for before, after in found]

    @cached_property
    def refused(self) -> list[Refused]:
        """Proposals that gates turned away, and attempts that gave no row."""
        lost = [one for fate in (Fate.REJECTED, Fate.FAILED) for one in self._of(fate)]
        there = self._rows({id for one in lost for id in one["parents"]})
        return [
            Refused(
                one["reason"],
                one["gate"],
                one["detail"],
                tuple(there[id] for id in one["parents"] if id in there),
                _record(one["row"]) if one["row"] else None,
            )
            for one in lost
        ]

    @property
    def reasons(self) -> Counter[str]:
        """Proposals that came to nothing, by reason."""
        every = self._ledger.to_pylist()
        return Counter(one["reason"] for one in every if one["fate"] != Fate.ACCEPTED and one["reason"])

    @cached_property
    def unread(self) -> list[Line]:
        """Records of what was given that hold no row, each with its place and the reason."""
        pool = RunDirectory(self.path).step(0, "pool")
        return [line for line in lines_of(pool, _in_order) if line.unread]

    def to_pandas(self) -> DataFrame:
        """The data set's rows."""
        return self.run.to_pandas()

    def to_dataset(self) -> Dataset:
        """The data set's rows as a `datasets.Dataset`."""
        return self.run.to_dataset()

    @cached_property
    def _ledger(self) -> pa.Table:
        file = RunDirectory(self.path).step(1, self.step) / "proposals.parquet"
        return pq.read_table(file) if file.is_file() else pa.table({"fate": pa.array([], pa.string())})

    def _of(self, fate: Fate) -> list[dict[str, Any]]:
        return [one for one in self._ledger.to_pylist() if one["fate"] == fate]

    def _rows(self, ids: set[str]) -> dict[str, Record]:
        """Rows of the pool with these ids."""
        every: list[Row] = read_rows(RunDirectory(self.path).step(0, "pool") / "rows").to_pylist()
        return {row["id"]: _plain(row) for row in every if row["id"] in ids}

    def __repr__(self) -> str:
        return "\n".join(filter(None, (self._told(), self._why())))

    def _repr_html_(self) -> str:
        tables = [
            ("came to nothing", "proposals", [(why, f"{number:,}") for why, number in self.reasons.most_common()]),
            ("no row", "record", [(line.unread, f"{line.index:,}") for line in self.unread[:SHOWN]]),
            ("before", "after", [(preview(one.before), preview(one.after)) for one in self.changed[:SHOWN]]),
            ("written", "row", [(str(at), preview(row)) for at, row in enumerate(self.added[:SHOWN])]),
        ]
        return page(self._told(), f"stopped: {self.stopped}" if self.stopped else "", tables)

    def _told(self) -> str:
        verb = {"enhance": "rewritten", "mend": "mended"}.get(self.step, "written")
        told = f"{len(self):,} rows {verb} by {self.method}"
        return f"{told}; {self.rows_out:,} rows in all" if not self.stopped else told

    def _why(self) -> str:
        lost = ", ".join(f"{why} ({number:,})" for why, number in self.reasons.most_common(SHOWN))
        bad = Counter(line.unread for line in self.unread).most_common(SHOWN)
        none = ", ".join(f"{why} ({number:,})" for why, number in bad)
        told = {"stopped": self.stopped, "came to nothing": lost, f"{len(self.unread):,} records hold no row": none}
        return "; ".join(f"{what}: {text}" for what, text in told.items() if text)


def _in_order(_: int, order: int) -> int:
    return order


def _record(row: str) -> Record:
    return _plain(orjson.loads(row))


def _plain(row: Row) -> Record:
    """The row in the plainest shape that holds it."""
    return shape_named(holding(row)).write(row, lineage=False)
