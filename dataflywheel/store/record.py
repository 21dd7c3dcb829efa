"""What a step did, as it is kept beside its result: written and read by this class alone."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import Cost
from dataflywheel.store.atomic import finite
from dataflywheel.store.seal import RECORD, write_sealed


class StepRecord(BaseModel):
    """`metrics.json` of a step. What an earlier version did not write has its default; other fields are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    step: str = ""
    """The step's name in the recipe."""
    fingerprint: str = ""
    """Of all that the result depends on."""
    params: dict[str, Any] = {}
    rows_in: int = 0
    rows_out: int | None = None
    cost: Cost = Field(default_factory=Cost)
    counts: dict[str, int] = {}
    """Decisions by action and reason."""
    details: dict[str, Any] = {}
    """What only this kind of step has to tell."""

    @property
    def again(self) -> int:
        """Questions that an endpoint failed at: another try may change the result."""
        return int(self.details.get("again", 0))

    def after(self, began: float) -> Self:
        """The record of what began at this `time.perf_counter` and is done now."""
        return self.model_copy(update={"cost": Cost(seconds=round(time.perf_counter() - began, 3))})

    def write(self, directory: Path) -> Self:
        """Seal the step's directory, whose other files are all there; gives the record as it is read again."""
        held: dict[str, Any] = finite({**dict(self), "cost": self.cost.as_dict()})
        write_sealed(directory, held)
        return self.model_validate(held)

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The record in a step's directory, as it stands there: whether it is whole is not looked at.

        Raises:
            ValueError: it is no JSON object, or a field of it is of another type.
        """
        return cls.model_validate(json.loads((directory / RECORD).read_text(encoding="utf-8")))
