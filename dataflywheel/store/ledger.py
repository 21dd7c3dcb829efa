"""What was spent, by step."""

from __future__ import annotations

import json
from pathlib import Path

from dataflywheel.contracts import Cost
from dataflywheel.store.atomic import write_json


class Ledger:
    """Bills by step, kept on disk after every entry: `{"total": {...}, "steps": {"round-1/02-select": {...}}}`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: dict[str, Cost] = {}
        if path.exists():
            held = json.loads(path.read_text(encoding="utf-8"))
            self.steps = {name: Cost(**bill) for name, bill in held["steps"].items()}

    def enter(self, step: str, cost: Cost) -> None:
        """Set the bill of a step, replacing an earlier bill of the same step."""
        self.steps[step] = cost
        write_json(
            self.path,
            {
                "total": self.total().as_dict(),
                "steps": {name: bill.as_dict() for name, bill in sorted(self.steps.items())},
            },
        )

    def total(self) -> Cost:
        return sum(self.steps.values(), Cost())
