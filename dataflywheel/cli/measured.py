"""What a comparison measured beside its arms, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataflywheel.store.scoreboard import Scoreboard, StepWorth


def beside(board: Scoreboard | None) -> list[str]:
    """A line for each step that was left out, and one for the learning curve; none where neither was asked for."""
    if board is None:
        return []
    lines = [_worth(line) for line in board.steps or []]
    return lines + ([f"Next rows: {board.curve.failure or board.curve.said}."] if board.curve else [])


def _worth(line: StepWorth) -> str:
    price = f"the step took {line.cost.seconds:,.1f} s and ${line.cost.usd:.2f}"
    from dataflywheel.store.scoreboard import ALIKE

    if line.worth is None or line.token_ratio is None:
        return f"Worth of {line.step}: {line.verdict}, {line.failure}; {price}."
    ratio, found = line.token_ratio, line.worth
    training = "" if abs(ratio - 1) <= ALIKE else f", without it {ratio:.2f} times the training tokens"
    return (
        f"Worth of {line.step}: {line.verdict}, {found.mean:+.4f} ({found.low:+.4f} to "
        f"{found.high:+.4f}){training}; {price}."
    )
