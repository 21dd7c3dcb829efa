"""What was spent, by step."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

from dataflywheel.contracts import Cost
from dataflywheel.store.atomic import write_json


class Ledger:
    """Bills by step, kept on disk after every entry: `{"total": {...}, "steps": {"round-1/02-select": {...}}}`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: dict[str, Cost] = {}
        self.maybe = Cost()
        """Of all that was spent, the part of which nobody knows whether it was paid: requests that were cut off."""
        self.unbilled: set[Path] = set()
        """Steps of the run and its parts that began and have no bill yet: the one at hand, and those that failed."""
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            self.steps = read_bills(text)
            self.maybe = maybe_paid(text)
            if not _whole(text):
                warnings.warn(f"{path}: not as it was written; bills are entered anew from the steps", stacklevel=2)
        self.earlier = self.total()
        """What was spent by attempts before this one."""

    def enter(self, step: str, cost: Cost) -> None:
        """Set the bill of a step, replacing an earlier bill of the same step."""
        self.steps[step] = cost
        self._write()

    def doubt(self, maybe: Cost) -> None:
        """Say how much of the total may have been paid, and may not."""
        if maybe != self.maybe:
            self.maybe = maybe
            self._write()

    def _write(self) -> None:
        doubt = {"maybe_paid": self.maybe.as_dict()} if self.maybe.calls else {}
        bills = {name: bill.as_dict() for name, bill in sorted(self.steps.items())}
        write_json(self.path, {"total": self.total().as_dict(), **doubt, "steps": bills})

    def total(self) -> Cost:
        return sum(self.steps.values(), Cost())


def maybe_paid(text: str) -> Cost:
    """What a ledger says may have been paid; nothing where it does not say, or is torn."""
    try:
        return Cost(**json.loads(text).get("maybe_paid", {})) + Cost()
    except (ValueError, TypeError, AttributeError):
        return Cost()


def _whole(text: str) -> bool:
    try:
        held = json.loads(text)
    except ValueError:
        return False
    return (
        isinstance(held, dict) and isinstance(held.get("steps"), dict) and len(held["steps"]) == len(read_bills(text))
    )


def read_bills(text: str) -> dict[str, Cost]:
    """The bills of a ledger; of a torn one those before its tear."""
    bills: dict[str, Cost] = {}
    _, found, rest = text.partition('"steps":')
    decoder = json.JSONDecoder()
    at = rest.find('"') if found else -1
    while at >= 0:
        try:
            name, end = decoder.raw_decode(rest, at)
            bill, end = decoder.raw_decode(rest, rest.index("{", end))
            bills[name] = Cost(**bill) + Cost()  # an error where one of them is no number
        except (ValueError, TypeError):
            break
        comma = rest.find(",", end)
        at = rest.find('"', end) if comma >= 0 and not rest[end:comma].strip() else -1
    return bills
