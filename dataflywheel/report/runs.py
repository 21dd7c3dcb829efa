"""The runs of a folder, each in a line: what state it is in, what it gave and what it took."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.report.drawing.numbers import finite
from dataflywheel.report.rundir import Run, load_run
from dataflywheel.store.cleaning import size
from dataflywheel.store.lock import is_held

AT_WORK, FINISHED, UNFINISHED, DAMAGED = "at work", "finished", "unfinished", "damaged"


@dataclass(frozen=True)
class RunLine:
    """One run. `state` is `finished`, `at work`, `unfinished`, `damaged`, or `stopped` with the reason in `why`."""

    name: str
    path: Path
    state: str
    why: str = ""
    rows_in: int = 0
    rows_out: int = 0
    metric: str = ""
    score: float | None = None
    seconds: float = 0.0
    usd: float = 0.0
    bytes: int = 0
    changed: str = ""
    """When its last event was, as ISO 8601 in local time."""

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path)}


def runs(folder: str | Path = "runs") -> list[RunLine]:
    """The runs in a folder, the one that changed last first.

    Raises:
        UsageError: there is no such folder.
    """
    place = Path(folder)
    if not place.is_dir():
        raise UsageError(f"{place}: no folder with runs; name it, or begin with flywheel init")
    found = [_line(path) for path in sorted(place.iterdir()) if (path / "recipe.yaml").is_file()]
    return sorted(found, key=lambda one: (one.changed, one.name), reverse=True)


def _line(path: Path) -> RunLine:
    try:
        run = load_run(path)
        state, why = _state(run)
        evaluated = [step.details for step in run.steps if step.name == "evaluate"]
        last: dict[str, Any] = evaluated[-1] if evaluated else {}
        return RunLine(
            name=run.name,
            path=path,
            state=state,
            why=why,
            rows_in=run.pool.rows_out if run.pool else 0,
            rows_out=run.final.rows_out if run.final else 0,
            metric=str(last.get("metric") or ""),
            score=finite((last.get("overall") or {}).get("value")),
            seconds=float(run.total.get("seconds", 0.0)),
            usd=float(run.total.get("usd", 0.0)),
            bytes=size(path),
            changed=_changed(run),
        )
    except (FlywheelError, OSError, ValueError, KeyError, TypeError) as error:
        return RunLine(path.name, path, DAMAGED, str(error).splitlines()[0] if str(error) else "", bytes=size(path))


def _state(run: Run) -> tuple[str, str]:
    if is_held(run.directory):
        return AT_WORK, ""
    ends = [event for event in run.events if event.get("event") in ("finished", "stopped")]
    if not ends or run.events[-1] is not ends[-1]:
        return UNFINISHED, ""
    why = str(ends[-1].get("stopped") or ends[-1].get("reason") or "")
    return ("stopped", why) if why else (FINISHED, "")


def _changed(run: Run) -> str:
    moment = (run.directory / "events.jsonl").stat().st_mtime if (run.directory / "events.jsonl").is_file() else 0.0
    return datetime.fromtimestamp(moment).isoformat(timespec="seconds") if moment else ""
