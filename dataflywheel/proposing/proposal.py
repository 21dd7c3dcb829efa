"""Candidate rows, what gates make of them, and what stands around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dataflywheel.models.endpoint.request import Reply
from dataflywheel.rows.schema import Row

T = TypeVar("T")


@dataclass(frozen=True)
class Proposal:
    """A candidate row with what it was made from, or the failure to write one.

    A method that writes several candidates from one reply gives that reply to the first of them alone, so that bills
    add up.
    """

    parents: tuple[str, ...]
    """Ids of the rows or documents that it was made from."""
    row: Row | None = None
    """None where nothing readable was written; then `failure` says why."""
    failure: str = ""
    before: Row | None = None
    """The row that this one is to replace; None: it is a new row."""
    source: str = ""
    """The text that the answer must rest on, where there is one."""
    shown: tuple[str, ...] = ()
    """Texts that the writer saw (instructions, demonstrations) and that must not come back in its answer."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What gates check by, as plain JSON values: `span` [start, end] in `source`, `gold` (the right answer),
    `program` (code or an expression that computes it), `tests` (code that must pass). `score`: what a judge gave the
    row's answer. `drop`: where nothing comes of the proposal, the row that it was made from leaves the data set.
    `sought`: the `round` of attempts that it is from, the `answer` of the model that was to fail, and its `score`.
    `failed`, entered by the recipe: the `row` that the student got wrong, the `metric` and its `score` there.
    `cells`: each changed cell of a table's row, with `column`, `before`, `after`, `reason`, `confidence`, and the words
    that a model `said`. Of a proposal without a row: `surplus`, true where it was good and one more than wanted."""
    replies: tuple[Reply, ...] = ()
    """What was asked of models for it: its bill."""


@dataclass(frozen=True)
class Check:
    """What a gate makes of one proposal."""

    passed: bool
    reason: str = ""
    """Why not, in a few words of a closed list, so that reasons can be counted: `numbers changed`."""
    detail: str = ""
    """The same for this proposal: `42 became 24`. Never a value that must stay secret."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """Measured on the way: `cosine`."""
    decided: bool = True
    """False: nothing could be checked, or what there was to check by is at fault, so the answer is not known to be
    wrong. Such a proposal is turned away, and as a reward it has none."""
    replies: tuple[Reply, ...] = ()
    """What was asked of models for it: its bill."""


PASSED = Check(True)


@dataclass
class Surroundings:
    """What stands around proposals: the rows that there are, the target, and the rows accepted so far."""

    pool: Path | None = None
    """Directory of rows."""
    target: Path | None = None
    accepted: list[Row] = field(default_factory=list)
    """Grows at its end alone while a step runs."""
    _held: dict[str, Any] = field(default_factory=dict)

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gives, made at the first call with this key: an index of the pool, for instance."""
        if key not in self._held:
            self._held[key] = make()
        made: T = self._held[key]
        return made
