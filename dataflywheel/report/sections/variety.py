"""What written rows add to their seeds: new words, distance, and how alike they are among themselves."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.evolution.iteration.coverage import MOST, Coverage, coverage
from dataflywheel.report.drawing.markup import esc, note, table
from dataflywheel.report.drawing.numbers import number, percent
from dataflywheel.report.rundir import Run, Step
from dataflywheel.rows.text import text_of

HEAD = ("step", "new runs of 4 words", "distance to the nearest seed", "among the seeds", "shared runs of 4 words",
        "among the seeds")  # fmt: skip


def variety(run: Run, steps: Sequence[Step]) -> str:
    """A table of the steps that wrote enough rows from enough seeds; nothing where none did."""
    rows = [(step, found) for step in steps if (found := _measured(run, step)) is not None]
    if not rows:
        return ""
    lines = [_line(step, found) for step, found in rows]
    caption = "What the accepted rows add to the rows they were made from"
    return table(caption, HEAD, lines, numeric=range(1, 6), css="stack") + note(
        "By words of the first 1,000 rows. No new runs and no distance are copies; much more shared among the new rows "
        "than among the seeds is a writer that says one thing in many rows."
    )


def _measured(run: Run, step: Step) -> Coverage | None:
    path = step.directory / "proposals.parquet"
    if step.details.get("hides_before") or not path.is_file():
        return None
    ledger = pq.ParquetFile(path).read(columns=["fate", "row", "parents"])
    chosen = ledger.filter(pc.equal(ledger["fate"], "accepted")).slice(0, MOST).to_pylist()
    seeds = run.rows({id for one in chosen for id in one["parents"] or []})
    written = [text_of(orjson.loads(one["row"])["messages"]) for one in chosen if one["row"]]
    return coverage(written, [text_of(seed["messages"]) for seed in seeds.values()])


def _line(step: Step, found: Coverage) -> list[str]:
    numbers = [
        percent(found.new), number(found.distance), number(found.seeds_distance), percent(found.shared),
        percent(found.seeds_shared),
    ]  # fmt: skip
    return [esc(text) for text in (f"round {step.round}, {step.name} by {step.details.get('by')}", *numbers)]
