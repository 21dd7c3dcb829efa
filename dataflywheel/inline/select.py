"""A selection from rows of any kind, in one line of Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflywheel.inline.given import given
from dataflywheel.inline.line import lines_of
from dataflywheel.inline.outcome import Decided, Outcome, decided
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.select import select as run_select
from dataflywheel.report.pages import write_pages
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import RunDirectory

UNPROVED = "whether that beats random choice was not measured (a recipe with `compare:` measures it)"


@dataclass(frozen=True, repr=False, kw_only=True)
class Selected(Outcome):
    """A selection, and the run behind it, with the data set in `path / "dataset"`."""

    run: Result

    @property
    def path(self) -> Path:
        return self.run.path

    @property
    def rows_in(self) -> int:
        return self.run.rows_in

    @property
    def rows_out(self) -> int:
        return self.run.rows_out

    @property
    def stopped(self) -> str:
        """Why nothing was chosen, "" where it was."""
        return self.run.stopped

    def as_dict(self) -> dict[str, Any]:
        return self.run.as_dict()


def select(
    pool: object,
    by: str | dict[str, Any] = "random",
    keep: str | int = "10%",
    *,
    target: object = None,
    name: str | None = None,
    columns: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
    home: str | Path = ".flywheel",
    **options: Any,
) -> Selected:
    """Select rows by a method, under a budget: `fw.select(rows, by="k_center", keep=100).kept`.

    Args:
        pool: a list of dicts in any shape that files may have, a `datasets.Dataset`, a DataFrame, a table of Arrow, or
            paths of files. Rows that Python holds are written to `home`, by their content.
        by: the method, or `{method: parameters}`; several are combined by ranks.
        keep: the budget: 100, "10%" or "50000 tokens".
        target: evaluation rows that targeted methods compare with, in any of these forms.
        options: `then`, `per`, `models`, `budget`, `seed`, `format`, `runs`, `watcher`, as in
            `dataflywheel.recipe.select.select`.

    Raises:
        UsageError: no such method, an unreadable budget, rows in no form that is known, or a method that needs what is
            not there.
    """
    rows = given(pool, Path(home), columns, roles)
    against = None if target is None else given(target, Path(home)).entries
    run = run_select(
        rows.entries,
        by,
        keep,
        target=against,
        name=name,
        called=rows.name,
        home=Path(home),
        finish=write_pages,
        **options,
    )
    held = RunDirectory(run.path)
    lines = lines_of(held.step(0, "pool"), rows.position)
    step = held.step(1, "select")
    chosen = not run.stopped and step.is_dir()
    decisions = decided(lines, _decisions(step) if chosen else {}, f"not decided: {run.stopped}")
    method = StepRecord.read(step).details["by"] if chosen else str(by)
    return Selected(method, rows, decisions, _note(run, method), tuple(lines), run=run)


def _decisions(step: Path) -> dict[str, Decided]:
    """What a step decided, by row."""
    held = read_decisions(step / "decisions.parquet")
    columns = (held[name].to_pylist() for name in ("id", "action", "reason", "score"))
    return {
        id: Decided(-1, action != "dropped", reason, score, id)
        for id, action, reason, score in zip(*columns, strict=True)
    }


def _note(run: Result, method: str) -> str:
    """What the result does not say."""
    if run.stopped:
        return f"nothing was chosen: {run.stopped}"
    cannot = [f"{number:,} kept rows are not in the data set: {why}" for why, number in run.left_out.items()]
    return "; ".join([*cannot, "rows at random" if method == "random" else UNPROVED])
