"""What a run left on disk, read for the report: nothing is computed here, and what is absent stays absent."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from dataflywheel.contracts import AnyArray, UsageError
from dataflywheel.report.reading import read_json, read_lines, read_typed
from dataflywheel.report.why_written import final_rows
from dataflywheel.rows.parts import count_rows, iter_batches
from dataflywheel.store.decisions import DECISION_SCHEMA, read_decisions
from dataflywheel.store.plan import FILE, Plan, PlannedPlugin
from dataflywheel.store.record import StepRecord
from dataflywheel.store.round_record import RoundRecord
from dataflywheel.store.scoreboard import Scoreboard

ROW_COLUMNS = ["id", "messages", "rejected", "source", "copies"]
STEP_DIRECTORY = re.compile(r"(\d+)-(.+)")


@dataclass(frozen=True)
class Step:
    """One finished step: its directory, its record, and the rest on demand."""

    round: int
    index: int
    name: str
    directory: Path
    record: StepRecord

    @property
    def key(self) -> str:
        return f"round-{self.round}/{self.directory.name}"

    @property
    def params(self) -> dict[str, Any]:
        return self.record.params

    @property
    def details(self) -> dict[str, Any]:
        return self.record.details

    @property
    def counts(self) -> dict[str, int]:
        return self.record.counts

    @property
    def cost(self) -> dict[str, float]:
        return self.record.cost.as_dict()

    @property
    def rows_in(self) -> int:
        return self.record.rows_in

    @cached_property
    def rows_out(self) -> int:
        stated = self.record.rows_out
        return count_rows(self.directory / "rows") if stated is None else stated

    @cached_property
    def decisions(self) -> pa.Table:
        """Columns id, action, reason, other, score; no rows where the step decided nothing."""
        path = self.directory / "decisions.parquet"
        return read_decisions(path) if path.is_file() else DECISION_SCHEMA.empty_table()

    @cached_property
    def signals(self) -> pa.Table | None:
        """Scalar signals of the rows that entered the step, with their ids; None where none were kept."""
        path = self.directory / "columns.parquet"
        return pq.read_table(path) if path.is_file() else None

    @cached_property
    def dropped_ids(self) -> pa.Array:
        table = self.decisions
        return table.filter(pc.equal(table["action"], "dropped"))["id"].combine_chunks()

    def dropped_mask(self, ids: pa.ChunkedArray) -> AnyArray:
        """Boolean (n,) over `ids`: dropped by this step."""
        return np.asarray(pc.is_in(ids, value_set=self.dropped_ids))


@dataclass(frozen=True)
class Run:
    """A run directory. `steps` are those that finished, in order; `plan_steps` those that were planned."""

    directory: Path
    steps: list[Step]
    plan: Plan
    ledger: dict[str, Any]
    compare: Scoreboard | None
    recipe: str
    events: list[dict[str, Any]] = field(repr=False)
    rounds: Sequence[RoundRecord] = ()
    """What each round of a wheel wrote of itself, in order; none for a run of one round."""

    @property
    def name(self) -> str:
        return self.plan.name or self.directory.name

    @cached_property
    def recipe_values(self) -> dict[str, Any]:
        """The recipe as it was written; empty where it cannot be read."""
        try:
            found = yaml.safe_load(self.recipe)
        except yaml.YAMLError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def stopped(self) -> str:
        """Which budget ended the run, or what it waits for; "" where it came to its end, or did not come so far."""
        ended = [event for event in self.events if event.get("event") == "finished"]
        return str(ended[-1].get("stopped") or "") if ended else ""

    @property
    def total(self) -> dict[str, float]:
        return self.ledger.get("total") or {}

    @cached_property
    def plugged(self) -> dict[str, PlannedPlugin]:
        """The plugin of each of its methods that took part, by the method's name. As the plan noted them: no code is
        run to read a report."""
        return self.plan.plugged()

    def named(self, name: str) -> list[Step]:
        return [step for step in self.steps if step.name == name]

    @property
    def pool(self) -> Step | None:
        pools = self.named("pool")
        return pools[0] if pools else None

    @property
    def row_steps(self) -> list[Step]:
        """The steps that hand rows on: all but training and evaluation."""
        return [step for step in self.steps if (step.directory / "rows").is_dir()]

    @property
    def final(self) -> Step | None:
        """The step whose rows the run ended with: of a wheel what the last round that was kept was trained on."""
        rows = final_rows(self.directory)
        found = [step for step in self.row_steps if rows is not None and step.directory == rows.parent]
        return found[0] if found else self.row_steps[-1] if self.row_steps else None

    @property
    def taken_back(self) -> list[int]:
        """Rounds of a wheel whose rows are not in the final set."""
        return [one.round for one in self.rounds if not one.kept]

    @property
    def model(self) -> Path | None:
        """The model that the run ended with: of a wheel that of the last round that was kept."""
        if self.rounds and (student := self.directory / "models" / "student").is_dir():
            return student
        steps = [step for step in self.steps if step.round not in self.taken_back and step.details.get("model")]
        return self.directory / steps[-1].details["model"] if steps else None

    @property
    def missing(self) -> list[str]:
        """Keys of planned steps that did not finish, in order; the pool is never among the planned."""
        done = {(step.round, step.index, step.name) for step in self.steps}
        planned = self.plan.steps
        return [f"round-{s.round}/{s.place}" for s in planned if (s.round, s.index, s.step) not in done]

    def rows(self, ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Rows by id from the first place in the run that holds them: a step's output, or the target."""
        found: dict[str, dict[str, Any]] = {}
        held = [step.directory / name for step in self.steps for name in ("rows", "variants")]
        for rows in [*held, self.directory / "target" / "rows"]:
            wanted = set(ids) - found.keys()
            if not wanted:
                break
            values = pa.array(sorted(wanted), pa.string())
            for batch in iter_batches(rows, ROW_COLUMNS, batch_size=50_000):
                hits = batch.filter(pc.is_in(batch.column("id"), value_set=values))
                found.update((row["id"], row) for row in hits.to_pylist())
        return found


def load_run(directory: Path) -> Run:
    """Read a run directory; a run that stopped half-way is read as far as it came.

    Raises:
        UsageError: the directory holds no run.
    """
    directory = Path(directory)
    steps = []
    for metrics in directory.glob("round-*/*/metrics.json"):
        found = STEP_DIRECTORY.fullmatch(metrics.parent.name)
        round_ = metrics.parent.parent.name.removeprefix("round-")
        if found and round_.isdigit():
            steps.append(Step(int(round_), int(found[1]), found[2], metrics.parent, read_typed(metrics, StepRecord)))
    recipe = directory / "recipe.yaml"
    if not steps and not recipe.is_file():
        raise UsageError(
            f"{directory}: no run is here (expected recipe.yaml and round-1/); give a directory under runs/"
        )
    return Run(
        directory=directory,
        steps=sorted(steps, key=lambda step: (step.round, step.index)),
        plan=read_typed(directory / FILE, Plan),
        ledger=read_json(directory / "ledger.json", {}),
        compare=read_typed(compare, Scoreboard) if (compare := directory / "compare.json").is_file() else None,
        recipe=recipe.read_text(encoding="utf-8", errors="replace") if recipe.is_file() else "",
        events=read_lines(directory / "events.jsonl"),
        rounds=sorted(
            (read_typed(path, RoundRecord) for path in directory.glob("round-*/turn.json")), key=lambda one: one.round
        ),
    )
