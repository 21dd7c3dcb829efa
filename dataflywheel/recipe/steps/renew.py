"""The step `renew`: evaluation rows get variants, so that what was learned by heart does not help."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import pyarrow as pa

from dataflywheel import catalog
from dataflywheel.contracts import Cost, Decisions, PoolStatistics, UsageError
from dataflywheel.evolution.renewal.variant import Renews
from dataflywheel.proposing.fulfil import Fulfilment, Terms, fulfil
from dataflywheel.proposing.kinds import Gate, Proposer, Surroundings
from dataflywheel.proposing.ledger import Fate, funnel, write_ledger
from dataflywheel.recipe.asking import submit_batches
from dataflywheel.recipe.bill import asked_cost, failed_at_endpoint
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.looked import statistics
from dataflywheel.recipe.inputs.renewed import Renewed, admit
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.pair_writers import written_by
from dataflywheel.recipe.steps.rows_out import write_decided
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given
from dataflywheel.recipe.steps.told import most_often, tried_again
from dataflywheel.recipe.steps.writing import SHARED, Propose, Writing, Written
from dataflywheel.rows.builder import build
from dataflywheel.rows.parts import PartWriter, iter_batches, read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.record import StepRecord

VARIANTS = "variants"
AGAINST = "against"


class Renew(Propose):
    """Writes a variant of every evaluation row; one that is verified is scored beside its row, and apart from it."""

    version: ClassVar[int] = 1

    def gate_specs(self, target: bool) -> list[tuple[str, dict[str, Any]]]:
        """Without the check against the target, which variants are of."""
        return [spec for spec in super().gate_specs(target) if spec[0] not in SHARED]


@dataclass(frozen=True)
class Renewing(Writing, keyword="renew"):
    """One way to renew all evaluation rows. A variant is of the slice and the tier of its row.

    The rows of the target stay what is scored, what guides and what chooses. Variants are scored apart from them, and
    what is trained on is kept away from both.
    """

    Work = Renew
    changes_rows: ClassVar[bool] = False
    every_round: ClassVar[bool] = False
    writes: ClassVar[bool] = False
    rewrites: ClassVar[bool] = True

    work: Renew

    def check_place(self, recipe: Recipe) -> None:
        kind = self.work.proposer()
        if not issubclass(kind, Renews):
            known = ", ".join(name for name in catalog.names(Proposer) if issubclass(catalog.get(name), Renews))
            raise UsageError(
                f"{self.title}: {kind.name} may change what is right; evaluation rows are renewed by {known}"
            )

    @property
    def kind(self) -> type[Renews]:
        kind = self.work.proposer()
        assert issubclass(kind, Renews), "checked by `check_place`"
        return kind

    def rows_asked(self, rows: int) -> int:
        return rows

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        return super().cost(recipe, statistics(recipe.target), speed)

    def write(self, given: Given, proposer: Proposer, gates: list[Gate], table: list[Row]) -> Written:
        context = given.context
        assert context.against is not None
        there = read_rows(context.against, ["id"])["id"].to_pylist()  # variants of other steps among them
        done = fulfil(
            proposer, gates, table, Terms(wave=self.work.wave), Surroundings(context.target),
            context.recipe.seed + self.index, known=frozenset(there), settle=submit_batches,
            watch=partial(self.watch, context),
        )  # fmt: skip
        return Written(done, {}, [p.row for p in done.accepted if p.row is not None], {})

    def do(self, given: Given) -> StepRecord:
        began = time.perf_counter()
        context = given.context
        assert context.target is not None
        proposer = context.proposer(*self.work.named)
        gates = [context.gate(name, parameters) for name, parameters in self.work.gate_specs(True)]
        table: list[Row] = read_rows(context.target).to_pylist()
        done, _, new, _ = self.write(given, proposer, gates, table)
        with atomic_directory(given.output) as aside:
            with PartWriter(aside / VARIANTS) as writer:
                writer.write(build(new))
            with PartWriter(aside / AGAINST) as writer:
                for batch in iter_batches(context.against or context.target):
                    writer.write(pa.Table.from_batches([batch]))
                writer.write(build(new))
            write_ledger(aside / "proposals.parquet", done.entries)
            cost = Cost(seconds=round(time.perf_counter() - began, 3)) + asked_cost(context, given.output)
            details = {
                "by": proposer.name,
                "gates": [gate.name for gate in gates],
                "funnel": funnel(done.entries),
                "writer": written_by(context, proposer, self.work.named[1]),
                **failed_at_endpoint(context),
            }
            decisions = _decisions(table, done, new, "verified variant" if self.kind.verifies else "variant")
            return write_decided(aside, self.record(given, len(new), cost, details), decisions)

    def context_after(self, given: Given, record: StepRecord) -> Context:
        """The variants are where evaluations and guards look for them."""
        renewed = Renewed(self.kind.called(self.work.named[1]), self.place, given.output / VARIANTS)
        return admit(given.context, renewed, given.output / AGAINST)

    def after(self, given: Given, record: StepRecord) -> State:
        return given.state

    def note(self, record: StepRecord) -> str:
        counted = f"{record.rows_out or 0:,} {'verified ' if self.kind.verifies else ''}variants"
        often = most_often(record.details["funnel"])
        said = f"{counted} of {record.rows_in - (record.rows_out or 0):,} evaluation rows"
        return f"{said}{f'; lost most often: {often}' if often else ''}{tried_again(record)}"


def _decisions(table: list[Row], done: Fulfilment, new: list[Row], what: str) -> Decisions:
    """What became of the variant of every evaluation row, and the variants."""
    decisions = Decisions()
    variant = {row["parents"][0]: row["id"] for row in new}
    why = {e.proposal.parents[0]: e for e in done.entries if e.fate is not Fate.ACCEPTED}
    for row in table:
        entry = why.get(row["id"])
        if row["id"] in variant:
            decisions.add(row["id"], "kept", f"with a {what}", variant[row["id"]])
        elif entry is not None:
            where = f"{entry.gate}, " if entry.gate else ""
            detail = entry.proposal.failure.partition(": ")[2]
            decisions.add(
                row["id"], "kept", f"without a variant, {where}{entry.reason}{f': {detail}' if detail else ''}"
            )
    for row in new:
        decisions.add(row["id"], "added", f"variant by {row['made_by']}", row["parents"][0])
    return decisions
