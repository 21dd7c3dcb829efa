"""Instructions at which the student was to fail: what each round of attempts found, and what it cost."""

from __future__ import annotations

from typing import Any

from dataflywheel.report.drawing.markup import esc, note, table
from dataflywheel.report.drawing.numbers import count, money, number, percent, short
from dataflywheel.report.rundir import Step

HEAD = ("round", "attempts", "copies", "with a verdict", "failed", "failure rate", "rows", "distinct word pairs",
        "tokens", "paid", "then learned from")  # fmt: skip


def sought(step: Step) -> str:
    """A table of a step's rounds of attempts; nothing for a step without any."""
    found: dict[str, Any] = step.details.get("sought") or {}
    if not found:
        return ""
    rows = [_round(place, one) for place, one in enumerate(found["rounds"], 1)]
    caption = f"Attempts to make the student fail: round {step.round}, {step.name}"
    return table(caption, HEAD, rows, numeric=range(10), css="stack") + note(_lead(found))


def _round(place: int, one: dict[str, Any]) -> list[str]:
    learned = one.get("learned")
    after = f"{count(learned['pairs'])} pairs in {count(learned['steps'])} steps" if learned else "nothing"
    numbers = [count(one["attempts"]), _share(one["copies"]), count(one["judged"]), count(one["failed"])]
    numbers += [_share(one["failure_rate"]), count(one["rows"]), number(one["distinct_2"])]
    return [esc(text) for text in (str(place), *numbers, short(one["tokens"]), money(one["usd"]), after)]


def _share(value: float | None) -> str:
    return "none" if value is None else percent(value)


def _lead(found: dict[str, Any]) -> str:
    rounds = found["rounds"]
    unheard = sum(one["written"] - one["judged"] for one in rounds) - sum(_copies(one) for one in rounds)
    said = (
        "Round 1 is the proposer before it learned from any failure. A failure rate is the share of the instructions "
        f"that have a verdict; {count(unheard)} that were no copies have none and count neither way."
    )
    if not any("learned" in one for one in rounds) and len(rounds) > 1:
        said += " In no round some failed and others did not, so there was nothing to learn from."
    return said


def _copies(one: dict[str, Any]) -> int:
    """Instructions of a round that were copies."""
    share, written = float(one["copies"] or 0.0), int(one["written"])
    return round(share * written)
