"""What a step did, as it is kept beside its rows: written here for every kind of step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflywheel.contracts import Cost
from dataflywheel.store.atomic import finite
from dataflywheel.store.seal import write_sealed


@dataclass(frozen=True)
class StepRecord:
    """`counts` are decisions by action and reason; `details` what only this kind of step has to tell."""

    step: str
    fingerprint: str
    params: Mapping[str, Any]
    rows_in: int
    rows_out: int
    cost: Cost
    counts: Mapping[str, int]
    details: Mapping[str, Any]

    def write(self, directory: Path) -> dict[str, Any]:
        """Seal the step's directory, whose other files are all there; gives the record as it is read again."""
        record: dict[str, Any] = {**vars(self), "cost": self.cost.as_dict()}
        write_sealed(directory, record)
        found: dict[str, Any] = finite(record)
        return found
