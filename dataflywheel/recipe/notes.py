"""What the live table says of a finished step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def note(metrics: Mapping[str, Any]) -> str:
    """Of a step's metrics, what its line in the live table says."""
    details = metrics["details"]
    again = details.get("again", 0)
    told = f"; the endpoint failed at {again:,}, which the same command tries again" if again else ""
    if metrics["step"] == "prefer":
        return f"{details['pairs']:,} pairs in {details['steps']:,} steps"
    if metrics["step"] in ("train", "distill"):
        left_out = details.get("not_trained", 0)
        told = f"; {left_out:,} of {metrics['rows_in']:,} rows not trained" if left_out else ""
        return f"{details['tokens']:,} tokens in {details['steps']:,} steps{told}"
    if metrics["step"] == "evaluate":
        value, low, high = (_number(details["overall"][name]) for name in ("value", "low", "high"))
        return f"{details['metric']} {value} ({low} to {high}){told}"
    came, went = metrics["rows_in"], metrics["rows_out"]
    return f"{went:,} rows, from {came:,}{told}" if went > came else f"{went:,} of {came:,} rows{told}"


def _number(value: float | None) -> str:
    """Three decimals; JSON keeps what could not be measured as null."""
    return "not measured" if value is None or math.isnan(value) else f"{value:.3f}"
