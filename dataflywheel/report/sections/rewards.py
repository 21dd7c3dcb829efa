"""Rewards: how they went while a model learned by them, and what could not be scored."""

from __future__ import annotations

from typing import Any

from dataflywheel.report.drawing.markup import esc, note, table
from dataflywheel.report.drawing.numbers import aligned, count, percent
from dataflywheel.report.rundir import Step

SHOWN = 10
"""Points of the curve in the table."""


def rewards_of(step: Step) -> str:
    """The reward curve of a step that learned by one, in numbers; nothing for any other step."""
    found = step.details
    if "rewards" not in found:
        return ""
    curve: list[list[Any]] = found["rewards"]
    unjudged, answers = int(found["unjudged"]), int(found["answers"])
    why = "; ".join(f"{reason}: {count(n)}" for reason, n in found["reasons"].items())
    head = f"<p>{esc(count(answers))} answers, scored by <code>{esc(str(found['reward']))}</code>. {esc(why)}</p>"
    if unjudged:
        share = percent(unjudged / answers)
        head += note(f"{count(unjudged)} answers ({share}) could not be scored; nothing was learned from them.")
    if not curve:
        return head
    points = [curve[place * (len(curve) - 1) // max(1, SHOWN - 1)] for place in range(SHOWN)]
    points = [point for place, point in enumerate(points) if point not in points[:place]]
    shown = aligned([point[1] for point in points])
    rows = [[esc(count(point[0])), esc(text)] for point, text in zip(points, shown, strict=True)]
    first, last = aligned([found["first"], found["last"]])
    head += f"<p>Mean reward <b>{esc(first)}</b> in the first tenth of the steps, <b>{esc(last)}</b> in the last.</p>"
    head += "".join(note(line) for line in _warnings(found))
    return head + table("Reward by step", ["step", "mean reward"], rows, numeric=(0, 1))


def _warnings(found: dict[str, Any]) -> list[str]:
    """What a reader should know before they believe the curve."""
    lines = ["A reward that rises shows that the model learns to please it; whether it got better, an evaluation says."]
    if level := found.get("level_groups"):
        lines.append(f"Of {percent(level)} of the prompts all answers scored the same: nothing was learned from those.")
    if cut := found.get("cut_answers"):
        lines.append(f"{percent(cut)} of the answers met the limit of tokens.")
    return lines
