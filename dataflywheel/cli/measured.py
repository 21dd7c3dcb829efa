"""What a comparison measured beside its arms, in a few lines."""

from __future__ import annotations

from typing import Any


def beside(board: dict[str, Any] | None) -> list[str]:
    """A line for each step that was left out, and one for the learning curve; none where neither was asked for."""
    lines = [_worth(line) for line in (board or {}).get("steps", [])]
    curve = (board or {}).get("curve")
    return lines + ([f"Next rows: {curve['failure'] or curve['said']}."] if curve else [])


def _worth(line: dict[str, Any]) -> str:
    found, cost = line["worth"], line["cost"]
    price = f"the step took {cost['seconds']:,.1f} s and ${cost['usd']:.2f}"
    if not found:
        return f"Worth of {line['step']}: {line['verdict']}, {line['failure']}; {price}."
    ratio = line["token_ratio"]
    training = "" if abs(ratio - 1) <= 0.1 else f", without it {ratio:.2f} times the training tokens"
    return (
        f"Worth of {line['step']}: {line['verdict']}, {found['mean']:+.4f} ({found['low']:+.4f} to "
        f"{found['high']:+.4f}){training}; {price}."
    )
