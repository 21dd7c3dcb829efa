"""Which rows were kept and which were not, each with its reason: what choosing and checking give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dataflywheel.contracts import Decisions
from dataflywheel.inline.given import Given
from dataflywheel.inline.line import Line
from dataflywheel.inline.page import page, preview
from dataflywheel.store.decisions import counts

if TYPE_CHECKING:
    from datasets import Dataset
    from pandas import DataFrame

SHOWN = 3
"""Reasons that are told in a line, the most frequent."""


@dataclass(frozen=True)
class Decided:
    """What was decided of one row, and why. Several rows of one record share its `index`."""

    index: int
    """The place of its record in what was given, from 0."""
    kept: bool
    reason: str
    score: float | None = None
    """What the method gave it; None where it gave none."""
    id: str = ""
    """Of its content; "" where it could not be read."""


@dataclass(frozen=True)
class Dropped(Decided):
    """A row that was not kept."""

    row: Any = None
    """As it was given."""


@dataclass(frozen=True)
class Outcome:
    """Kept and dropped rows in the order in which they were given.

    >>> print(Outcome("refusal", Given(("rows.jsonl",)), (Decided(0, True, "passed"), Decided(1, False, "refusal"))))
    1 of 2 rows kept by refusal
    dropped: refusal (1)
    """

    method: str
    given: Given = field(repr=False)
    decisions: tuple[Decided, ...]
    """One for every row that was read or could not be."""
    note: str = ""
    """What is not known of the result."""
    lines: tuple[Line, ...] = field(default=(), repr=False)
    """Where the rows stand, one for each decision."""

    def __len__(self) -> int:
        """How many records were kept."""
        return len(self.index)

    @cached_property
    def index(self) -> list[int]:
        """Places of the kept records in what was given, from 0, rising."""
        return sorted({one.index for one in self.decisions if one.kept})

    @cached_property
    def kept(self) -> list[Any]:
        """The kept records as they were given. One of which several rows were read is kept where one of these is."""
        first = {line.index: line for line in reversed(self.lines)}
        return self.given.records([first[at] for at in self.index])

    @cached_property
    def dropped(self) -> list[Dropped]:
        """Rows that were not kept, unreadable ones and further copies of a row among them."""
        found = [(one, line) for one, line in zip(self.decisions, self.lines, strict=True) if not one.kept]
        rows = self.given.records([line for _, line in found])
        return [Dropped(**vars(one), row=row) for (one, _), row in zip(found, rows, strict=True)]

    @property
    def reasons(self) -> Counter[str]:
        """Dropped rows by kind of reason."""
        return Counter(reasons_of(one for one in self.decisions if not one.kept))

    @property
    def scores(self) -> dict[int, float]:
        """What the method gave each row that it could score, by place."""
        return {one.index: one.score for one in self.decisions if one.score is not None}

    def to_pandas(self) -> DataFrame:
        """The kept rows with their columns as they were given; a DataFrame keeps its labels, others have the place of
        each row as its label."""
        if self.given.held is not None:
            return self.given.held.frame(self.index)
        from pandas import DataFrame

        return DataFrame(self.kept, index=self.index)

    def to_dataset(self) -> Dataset:
        """The kept rows as a `datasets.Dataset`."""
        if self.given.held is not None:
            return self.given.held.dataset(self.index)
        from datasets import Dataset

        return Dataset.from_list(self.kept)

    def __repr__(self) -> str:
        return "\n".join(filter(None, (self._result(), self._why())))

    def _repr_html_(self) -> str:
        shown = [(str(at), preview(row)) for at, row in zip(self.index[:SHOWN], self._first(), strict=True)]
        told = [(reason, f"{number:,}") for reason, number in self.reasons.most_common()]
        return page(self._result(), self.note, [("dropped", "rows", told), ("kept", "row", shown)])

    def _first(self) -> Sequence[Any]:
        first = {line.index: line for line in reversed(self.lines)}
        return self.given.records([first[at] for at in self.index[:SHOWN]])

    def _result(self) -> str:
        return f"{len(self):,} of {len({one.index for one in self.decisions}):,} rows kept by {self.method}"

    def _why(self) -> str:
        found = self.reasons.most_common()
        more = f", {len(found) - SHOWN} other reasons" if len(found) > SHOWN else ""
        told = ", ".join(f"{reason} ({number:,})" for reason, number in found[:SHOWN])
        return "; ".join(filter(None, (f"dropped: {told}{more}" if told else "", self.note)))


def reasons_of(decisions: Iterable[Decided]) -> Mapping[str, int]:
    """Rows by kind of reason: what stands before its details, numbers that differ between rows left out."""
    held = Decisions()
    for one in decisions:
        held.add(one.id, "", one.reason)
    return {kind.removeprefix(": "): number for kind, number in counts(held).items()}


def decided(lines: Sequence[Line], by_id: Mapping[str, Decided], otherwise: str = "") -> tuple[Decided, ...]:
    """A decision for each line, from those by the id of a row; `otherwise` is why rows that are not among these were
    dropped. Of identical rows the first stands for all."""
    first: dict[str, int] = {}
    found = []
    for line in lines:
        if line.unread:
            found.append(Decided(line.index, False, line.unread))
        elif line.id in first:
            found.append(
                Decided(line.index, False, f"identical row: that at {first[line.id]} stands for it", id=line.id)
            )
        else:
            first[line.id] = line.index
            one = by_id.get(line.id, Decided(line.index, False, otherwise))
            found.append(Decided(line.index, one.kept, one.reason, one.score, line.id))
    return tuple(found)
