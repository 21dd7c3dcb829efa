"""How much may be kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from dataflywheel.errors import UsageError


@dataclass(frozen=True)
class Budget:
    """How much may be kept: exactly one of rows, percent of the rows offered, or tokens of the answer and prompt."""

    amount: float
    unit: Literal["rows", "percent", "tokens"]

    @classmethod
    def parse(cls, text: str | int | float) -> Budget:
        """`1000`, `"10%"` or `"50000 tokens"`.

        >>> Budget.parse("5%"), Budget.parse(300).unit
        (Budget(amount=5.0, unit='percent'), 'rows')
        """
        match = re.fullmatch(r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?)\s*(%|rows?|tokens?|percent)?\s*", str(text))
        if not match:
            raise UsageError(f"budget {text!r} is not understood; write 1000, '10%' or '50000 tokens'")
        amount = float(match[1].replace(",", "").replace("_", ""))
        units: dict[str, Literal["rows", "percent", "tokens"]] = {"%": "percent", "p": "percent", "t": "tokens"}
        unit = units.get((match[2] or "rows")[0], "rows")
        if amount <= 0 or (unit == "percent" and amount > 100) or (unit == "rows" and amount != int(amount)):
            raise UsageError(f"budget {text!r} must be positive, whole for rows, and at most 100 for percent")
        return cls(amount, unit)

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.unit == "percent" else f"{self.amount:g} {self.unit}"

    def rows(self, available: int) -> int:
        """Rows to ask a selector for; all of them for a token budget, which is filled from the ranking afterwards."""
        if self.unit == "tokens":
            return available
        wanted = int(self.amount) if self.unit == "rows" else int(self.amount * available / 100 + 0.5)
        return min(wanted, available)
