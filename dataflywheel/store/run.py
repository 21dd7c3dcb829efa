"""The run directory: where a recipe's execution lives on disk."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from dataflywheel.contracts import Cost
from dataflywheel.store.atomic import sweep
from dataflywheel.store.ledger import Ledger
from dataflywheel.store.seal import RECORD, DamagedError, read_sealed


class RunDirectory:
    """`runs/<name>/`: steps by round, models, the final data set, ledger, events, report."""

    def __init__(self, path: Path, ledger: Ledger | None = None, lent: Collection[Path] = ()) -> None:
        """`ledger` is that of the run which this one is a part of, `lent` are steps that it has from there, billed."""
        self.path, self.lent = path, lent
        self.damaged: dict[Path, list[str]] = {}
        path.mkdir(parents=True, exist_ok=True)
        for directory in (path, path / "models", *path.glob("round-*")):
            sweep(directory)
        self.ledger = ledger or Ledger(path / "ledger.json")

    def step(self, index: int, name: str, round: int = 1) -> Path:
        return self.path / f"round-{round}" / f"{index:02d}-{name}"

    def event(self, kind: str, **facts: Any) -> None:
        """Append one line to `events.jsonl`."""
        line = json.dumps({"time": round(time.time(), 3), "event": kind, **facts}, ensure_ascii=False)
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    def finished(self, step: Path, fingerprint: str) -> dict[str, Any] | None:
        """The metrics of a step that is there with this fingerprint, else None.

        What is damaged is not there; `made_anew` says so once.
        """
        if not (step / RECORD).exists():
            return None
        try:
            metrics = read_sealed(step)
        except DamagedError as damage:
            self.damaged[step] = damage.names
            self.event("damaged", step=step.relative_to(self.path).as_posix(), files=damage.names)
            return None
        return metrics if metrics.get("fingerprint") == fingerprint else None

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
        if step not in self.lent:
            self.ledger.enter(self.bill_name(step), cost)

    def bill_name(self, step: Path) -> str:
        """A step's name in the ledger: `round-1/02-select`, and in a part of a run that part's folder before it."""
        return step.relative_to(self.ledger.path.parent).as_posix()


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
