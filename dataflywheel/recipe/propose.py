"""The steps `enhance` and `generate`: which method writes, which gates its proposals pass, how much is wanted."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel import catalog
from dataflywheel.contracts import Budget, Method, Named
from dataflywheel.proposing.kinds import Gate, Proposer

SHARED: tuple[str, ...] = ("contamination",)
"""Gates that new rows pass without being named, where there is a target."""


class Propose(BaseModel):
    """What both steps share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Named
    """The method that writes: `revision`, or `{self_refine: {rounds: 2}}`."""
    gates: list[Named] | None = None
    """What every proposal passes, in order; the method's own where none are named. New rows are always checked against
    the target."""
    wave: int = Field(default=64, ge=1)
    """Rows that are written from at a time; gates see what was accepted before."""

    def proposer(self) -> type[Proposer]:
        """The class of the method that writes.

        Raises:
            UsageError: there is none of that name.
        """
        kind = catalog.get(next(iter(self.by)), Proposer)
        assert issubclass(kind, Proposer)
        return kind

    @property
    def makes_pairs(self) -> bool:
        """Whether rows come of it that hold a worse answer beside the good one."""
        return self.proposer().makes_pairs or bool(next(iter(self.by.values())).get("pairs"))

    def gate_specs(self, target: bool) -> dict[str, dict[str, Any]]:
        """Parameters of every gate, by name, in order."""
        own = {name: given for name, given in self.proposer().own_gates().items() if target or name not in SHARED}
        named = [own] if self.gates is None else self.gates
        wanted = {name: parameters for spec in named for name, parameters in spec.items()}
        for name in SHARED if target else ():
            wanted.setdefault(name, {})
        for name in wanted:
            catalog.get(name, Gate)
        return wanted

    def methods(self, target: bool) -> list[type[Method]]:
        """The method that writes and its gates."""
        return [self.proposer(), *(catalog.get(name, Gate) for name in self.gate_specs(target))]


class Enhance(Propose):
    """Rewrites rows: a proposal that passes every gate replaces its row, every other row stays as it is."""

    version: ClassVar[int] = 1

    where: dict[str, tuple[float | None, float | None]] = {}
    """Only rows whose measured values lie within these bounds are rewritten: `{text.tokens_answer: [null, 20]}`."""

    def needs(self) -> tuple[str, ...]:
        return tuple(self.where)


class Generate(Propose):
    """Adds new rows that pass every gate."""

    version: ClassVar[int] = 1

    rows: str | int
    """Rows wanted: `200`, or `20%` of the rows that are there. In a recipe with rounds: in all of them together."""
    source: Literal["rows", "pool", "target"] = "rows"
    """What is written from: the rows that came so far (in a wheel, all cleaned rows), the whole pool as it was read, or
    the steering tier of a wheel's target, whose skills may be absent from the pool. A method that writes from failures
    gets of these the rows alone that the model trained last got wrong: of the target those with 0 in the last
    evaluation, or under a loss the worse half of each slice; of rows and pool those with a wrong final answer where the
    target is scored by `final_answer`, else the worse half by bits per byte."""
    per: Literal["tag", "slice"] | None = None
    """Share the rows out equally among the first tags of what is written from, or among the target's slices."""
    visits: int | None = Field(default=None, ge=1)
    """How often one row is written from, at most. Not given: once, or as often as rows are missing where a method's
    seeds are mere examples (`self_instruct`) or nothing (`magpie`)."""
    least_yield: float = Field(default=0.02, ge=0, le=1)
    """Stop when a smaller share of recent proposals is accepted, and say so."""

    @property
    def from_failures(self) -> bool:
        """Whether it writes from what the student got wrong."""
        return self.proposer().from_failures

    def needs(self) -> tuple[str, ...]:
        return ()

    def most_visits(self) -> int | None:
        """How often one row is written from, at most; None: without end."""
        return self.visits if self.visits is not None else None if self.proposer().revisits else 1

    def budget(self) -> Budget:
        return Budget.parse(self.rows)

    def wanted(self, there: int) -> int:
        """New rows wanted where so many rows are there; one document may give more than one."""
        budget = self.budget()
        return int(budget.amount) if budget.unit == "rows" else budget.rows(there)
