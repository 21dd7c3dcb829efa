"""The run directory: where a recipe's execution lives on disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from dataflywheel.contracts import Cost, FlywheelError
from dataflywheel.store.atomic import make_folder, set_aside, sweep
from dataflywheel.store.ledger import Ledger
from dataflywheel.store.record import StepRecord
from dataflywheel.store.seal import DamagedError, read_sealed
from dataflywheel.store.stopwatch import Stopwatch

DATASET = "dataset"
"""The final rows of a run, there only when all of its steps are done."""
PARTIAL = "dataset.partial"
"""The rows that there are of a run which a budget ended."""
QUARANTINE = "quarantine"
"""Rows that a step holds apart, each with its reason."""
HELD_APART = "held apart: "
"""What the reason of a decision begins with where the row is kept there."""
EARLIER = "dataset.earlier"
"""The data set of an earlier recipe of that name, put there by a run that a budget ended."""

P = ParamSpec("P")
T = TypeVar("T")


class RunDirectory:
    """`runs/<name>/`: steps by round, models, the final data set, ledger, events, report."""

    def __init__(self, path: Path, ledger: Ledger | None = None, lent: Collection[Path] = ()) -> None:
        """`ledger` is that of the run which this one is a part of, `lent` are steps that it has from there, billed."""
        self.path, self.lent = path, lent
        self.damaged: dict[Path, list[str]] = {}
        make_folder(path)
        for directory in (path, path / "models", *path.glob("round-*")):
            sweep(directory)
        self.ledger = ledger or Ledger(path / "ledger.json")

    def step(self, index: int, name: str, round: int = 1) -> Path:
        return self.path / f"round-{round}" / f"{index:02d}-{name}"

    def event(self, kind: str, **facts: Any) -> None:
        """Append one line to `events.jsonl`; one that a killed process tore stays a line of its own."""
        line = json.dumps({"time": round(time.time(), 3), "event": kind, **facts}, ensure_ascii=False)
        path = self.path / "events.jsonl"
        if path.is_dir():
            set_aside(path, "a folder, where a file belongs", "written anew")
        with path.open("ab+") as log:
            torn = log.tell() and (log.seek(-1, os.SEEK_END), log.read(1))[1] != b"\n"
            log.write((b"\n" if torn else b"") + line.encode("utf-8", "replace") + b"\n")

    def finished(self, step: Path, fingerprint: str, tell: bool = False) -> dict[str, Any] | None:
        """The metrics of a step that is there with this fingerprint, else None.

        What is damaged is not there; `made_anew` says so once, or a warning does: to `tell` of what has no line.
        """
        if not step.exists():
            return None
        try:
            metrics = read_sealed(step)
        except DamagedError as damage:
            self.damaged[step] = damage.names
            self.event("damaged", step=step.relative_to(self.path).as_posix(), files=damage.names)
            if tell:
                warnings.warn(f"{step}{self.made_anew(step)}", stacklevel=2)
            return None
        return metrics if metrics.get("fingerprint") == fingerprint else None

    def record(self, step: Path, fingerprint: str, tell: bool = False) -> StepRecord | None:
        """The same, as what it is."""
        found = self.finished(step, fingerprint, tell)
        return None if found is None else StepRecord.model_validate(found)

    def made_anew(self, step: Path) -> str:
        """What to say of a step that was done again because its files were damaged; "" of any other."""
        names = self.damaged.pop(step, [])
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return f"; made anew, since {shown} was not as it had been written" if names else ""

    def forget_steps(self, known: Collection[Path]) -> None:
        """Remove finished steps that are not among the `known`: what an earlier recipe of that name left."""
        for step in step_directories(self.path):
            if step not in known:
                shutil.rmtree(step)

    def bill(self, step: Path, cost: Cost) -> None:
        self.ledger.unbilled.discard(step)
        if step not in self.lent:
            self.ledger.enter(self.bill_name(step), cost)

    def stopwatch(self, step: Path, work: str) -> Stopwatch:
        """Of a step whose result has the fingerprint `work`."""
        return Stopwatch(self.ledger, self.bill_name(step), work)

    def bill_name(self, step: Path) -> str:
        """A step's name in the ledger: `round-1/02-select`, and in a part of a run that part's folder before it."""
        return step.relative_to(self.ledger.path.parent).as_posix()


def names_damage(read: Callable[P, T]) -> Callable[P, T]:
    """For what reads a `run`, its first argument: where that fails and files of the run are not as they were written,
    the error says which, and the way out."""

    @wraps(read)
    def reading(*args: P.args, **named: P.kwargs) -> T:
        try:
            return read(*args, **named)
        except FlywheelError:
            raise
        except Exception as error:
            run = Path(str(args[0] if args else named["run"]))
            wrong = [f"{step.relative_to(run)}: {names}" for step, names in _damaged_steps(run)]
            if not wrong:
                raise
            raise FlywheelError(
                f"{run}: {'; '.join(wrong[:3])} not as written; run the same recipe again, which makes them anew"
            ) from error

    return reading


def _damaged_steps(run: Path) -> Iterator[tuple[Path, str]]:
    for step in [*step_directories(run), run / "target"]:
        try:
            if step.exists():
                read_sealed(step)
        except DamagedError as damage:
            yield step, str(damage)


def step_directories(run: Path) -> list[Path]:
    """Finished steps in order of execution: round 10 comes after round 9."""
    found = (path.parent for path in run.glob("round-*/*/metrics.json"))
    return sorted(found, key=lambda step: (natural(step.parent.name), natural(step.name)))


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A name as a key to sort by, its numbers by their size.

    >>> sorted(["round-10", "round-9", "round-1"], key=natural)
    ['round-1', 'round-9', 'round-10']
    """
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"[0-9]+|[^0-9]+", name))
