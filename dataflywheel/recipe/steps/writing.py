"""What the steps `enhance` and `generate` share: a method writes, gates judge, and what was accepted joins the rows."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel import catalog
from dataflywheel.contracts import Cost, Decisions, Method, Named, PoolStatistics, UsageError, build, method_specs
from dataflywheel.proposing.fulfil import Fulfilment
from dataflywheel.proposing.kinds import Gate, Proposer
from dataflywheel.proposing.ledger import Fate, funnel, unread_reply, write_ledger
from dataflywheel.recipe.asking import check_asking
from dataflywheel.recipe.bill import asked_cost, failed_at_endpoint
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.needs import asks
from dataflywheel.recipe.origins import model_named
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.beside_writers import leaning, lost_beside, not_priced, place_of, reading_seconds
from dataflywheel.recipe.steps.pair_writers import written_by
from dataflywheel.recipe.steps.read_by_writers import check_reading, columns_read, evaluation_digest, leave_columns
from dataflywheel.recipe.steps.rows_out import write_decided, write_written
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.recipe.steps.told import proposals_told, tried_again, without_value
from dataflywheel.recipe.steps.writers_price import asking_cost, local_seconds, placeholder, written_here
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.record import StepRecord

SHARED: tuple[str, ...] = ("contamination",)
"""Gates that new rows pass without being named, where there is a target."""


class Propose(BaseModel):
    """What both steps share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Named
    """The method that writes: `revision`, or `{self_refine: {rounds: 2}}`."""
    gates: list[Named] | None = None
    """What every proposal passes, in order; the method's own where none are named. One may stand twice with other
    parameters, and each is counted by itself. New rows are always checked against the target."""
    wave: int = Field(default=64, ge=1)
    """Rows that are written from at a time; gates see what was accepted before."""

    @property
    def named(self) -> tuple[str, dict[str, Any]]:
        """Name and parameters of the method that writes."""
        return method_specs(self.by)[0]

    def proposer(self) -> type[Proposer]:
        """The class of the method that writes.

        Raises:
            UsageError: there is none of that name.
        """
        return catalog.get(self.named[0], Proposer)

    @property
    def makes_pairs(self) -> bool:
        """Whether rows come of it that hold a worse answer beside the good one."""
        return self.proposer().makes_pairs or bool(self.named[1].get("pairs"))

    def gate_specs(self, target: bool) -> list[tuple[str, dict[str, Any]]]:
        """Name and parameters of every gate, in order; one may stand twice with other parameters."""
        own = [(name, given) for name, given in self.proposer().own_gates() if target or name not in SHARED]
        wanted = own if self.gates is None else method_specs(self.gates)
        wanted = [spec for place, spec in enumerate(wanted) if spec not in wanted[:place]]
        wanted += [(name, {}) for name in (SHARED if target else ()) if name not in dict(wanted)]
        for name, _ in wanted:
            catalog.get(name, Gate)
        return wanted

    def methods(self, target: bool) -> list[type[Method]]:
        """The method that writes and its gates."""
        return [self.proposer(), *(catalog.get(name, Gate) for name, _ in self.gate_specs(target))]


class Written(NamedTuple):
    """What the engine brought, rows by the id that they take the place of, rows that are new, and facts to keep."""

    done: Fulfilment
    changed: Mapping[str, Row]
    new: list[Row]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Writing(Step):
    """A step whose rows are written."""

    writes: ClassVar[bool] = True
    rewrites: ClassVar[bool]
    """Whether its methods change rows, or write new ones."""
    mends: ClassVar[bool] = False
    """Whether what they change are cells of tables."""

    work: Propose

    def method(self) -> str:
        return self.work.named[0]

    def needs(self) -> tuple[str, ...]:
        return columns_read(self.work.by)

    def evidence(self, context: Context, state: State) -> list[str]:
        return [*evaluation_digest(self.work.proposer(), state), *leaning(self.made_with(context.recipe))]

    def proposes(self, target: bool) -> list[type[Method]]:
        return [*self.work.methods(target)]

    def check(self, recipe: Recipe, comparison: bool) -> None:
        """A writer in its place, with gates that exist, and a model that can do what is asked.

        Raises:
            UsageError: one of these is not so.
        """
        kind = self.work.proposer()
        if (kind.rewrites, kind.mends) != (self.rewrites, self.mends):
            raise UsageError(f"{self.title}: {kind.name} {place_of(kind)}")
        self.check_place(recipe)
        check_reading(self.title, kind, recipe)
        for method, parameters in self.made_with(recipe):
            if asks(method):
                check_asking(recipe, method, parameters)
            build(method, {**placeholder(method), **parameters}).ready()

    def check_pool(self, pool: PoolStatistics) -> None:
        """Raises UsageError: fewer rows reach it than its method needs to write anything."""
        kind = self.work.proposer()
        if pool.rows < kind.fewest_seeds and getattr(self.work, "source", "rows") == "rows":
            raise UsageError(
                f"{self.title}: {kind.name} needs {kind.fewest_seeds} rows or more to write from, and at most "
                f"{pool.rows} reach it"
            )

    def check_place(self, recipe: Recipe) -> None:
        """Raises UsageError: what it would write from is not there."""
        return None

    def made_with(self, recipe: Recipe) -> Sequence[tuple[type[Method], Mapping[str, Any]]]:
        return [(self.work.proposer(), self.work.named[1]), *self._gates(recipe)]

    def unread(self, recipe: Recipe) -> list[str]:
        """What gates will not look at for want of an extra package, a line a gate; a field that the data set's format
        does not hold; whether the price is one at most, or leaves out a part that is not known yet."""
        found = lost_beside(self.title, self.work.proposer(), self.work.named[1], recipe.format)
        found += written_here(recipe, self.title, *self.work.named)
        found += not_priced(self.title, self.work.proposer(), self.work.named[1])
        for kind, parameters in self._gates(recipe):
            gate = None if asks(kind) else build(kind, {**placeholder(kind), **parameters})
            said = gate.unread() if isinstance(gate, Gate) else ""
            found += [f"{self.title}: {kind.name}: {said}"] if said else []
        return found

    def _gates(self, recipe: Recipe) -> list[tuple[type[Method], dict[str, Any]]]:
        return [(catalog.get(name, Gate), given) for name, given in self.work.gate_specs(bool(recipe.target))]

    @abstractmethod
    def rows_asked(self, rows: int) -> int:
        """How many rows it asks for where so many are there."""

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        """What the method and its gates ask for, where every proposal is accepted: the least that it will be."""
        rows = self.rows_asked(pool.rows)
        chars, tokens = (round(n * rows / max(1, pool.rows)) for n in (pool.chars, pool.tokens))
        part = PoolStatistics(rows, chars, tokens, gaps=pool.gaps)
        methods = self.made_with(recipe)
        asked = sum((asking_cost(recipe, kind, given, part, speed) for kind, given in methods if asks(kind)), Cost())
        local = local_seconds(recipe, *methods[0], pool, speed) + reading_seconds(methods, part)
        return asked + Cost(seconds=local)

    @abstractmethod
    def write(self, given: Given, proposer: Proposer, gates: list[Gate], table: list[Row]) -> Written:
        """Let the method write and the gates judge; `table` holds the rows that came."""

    def do(self, given: Given) -> StepRecord:
        began = time.perf_counter()
        context, rows = given.context, given.state.rows
        proposer = context.proposer(*self.work.named)
        named = self.work.gate_specs(context.target is not None)
        gates = [context.gate(name, parameters) for name, parameters in named]
        table: list[Row] = read_rows(rows).to_pylist()
        done, changed, new, facts = self.write(given, proposer, gates, table)
        with atomic_directory(given.output) as aside:
            decisions = _decisions(table, done, changed, new)
            kept = write_written(rows, aside / "rows", changed, new, decisions)
            leave_columns(aside, context, rows, columns_read(self.work.by), self.title)
            write_ledger(aside / "proposals.parquet", done.entries)
            beside = asked_cost(context, given.output) + proposer.trained()
            cost = Cost(seconds=round(time.perf_counter() - began, 3)) + beside
            details = {
                "by": proposer.name,
                "by_model": model_named(proposer),
                "hides_before": proposer.hides_before,
                "gates": [gate.name for gate in gates],
                "funnel": funnel(done.entries),
                "shortfall": done.shortfall,
                **unread_reply(done.entries),
                "missing": done.missing,
                "wanted": dict(self.amounts),
                "added": [row["id"] for row in new],
                "writer": written_by(context, proposer, self.work.named[1]),
                **facts,
                **proposer.told(),
                **proposer.told_of([(entry.proposal, entry.reason) for entry in done.entries]),
                **({"read": [*columns_read(self.work.by)]} if columns_read(self.work.by) else {}),
                **failed_at_endpoint(context),
            }
            return write_decided(aside, self.record(given, kept, cost, details), decisions)

    def note(self, record: StepRecord) -> str:
        if "funnel" not in record.details:
            return super().note(record)
        return proposals_told(record, self.work.proposer().rewrites) + tried_again(record) + without_value(record)

    def watch(self, context: Context, accepted: int, wanted: int) -> None:
        context.watcher.advanced(self.title, "accepted", accepted, wanted)


def _decisions(table: list[Row], done: Fulfilment, changed: Mapping[str, Row], new: list[Row]) -> Decisions:
    """One decision for every row that came in, and one for every row that was added."""
    decisions = Decisions()
    told = {e.proposal.parents[0]: e for e in done.entries if e.proposal.parents and e.fate is not Fate.ACCEPTED}
    dropped = {id for id, entry in told.items() if entry.proposal.facts.get("drop")}
    for row in table:
        entry = told.get(row["id"]) if not new else None
        if row["id"] in changed:
            decisions.add(row["id"], "changed", "rewritten", changed[row["id"]]["id"])
        elif row["id"] in dropped and entry is not None:
            turned_away = f"its rewrite was turned away: {entry.gate}, " if entry.gate else ""
            decisions.add(row["id"], "dropped", f"{turned_away}{entry.reason}")
        elif entry is not None:
            where = f"{entry.gate}, " if entry.gate else ""
            decisions.add(row["id"], "kept", f"as it was: {where}{entry.reason}")
        else:
            decisions.add(row["id"], "kept", "as it was")
    for row in new:
        decisions.add(row["id"], "added", f"written by {row['made_by']}", row["parents"][0] if row["parents"] else None)
    return decisions
