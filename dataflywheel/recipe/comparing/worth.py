"""What each step of a recipe was worth: the model without it against the model with it, by seed, beside its cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from dataflywheel.contracts import Cost
from dataflywheel.evolution.iteration.trial import Trial
from dataflywheel.recipe.comparing.arms import Arm
from dataflywheel.recipe.comparing.leave_out import LeftOut
from dataflywheel.recipe.comparing.scoreboard import mean_interval
from dataflywheel.recipe.planning.leaving import title
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import RunDirectory, step_directories
from dataflywheel.store.scoreboard import Better, MeanInterval, StepWorth

Worth = Literal["it helped", "it harmed", "no difference shown", "the rows are the same without it", "needed",
                "not measured"]  # fmt: skip
BySeed = Mapping[int, Trial]


def without_arms(without: Sequence[LeftOut], seeds: int) -> list[Arm]:
    """What each shortened recipe trains on, for every seed; none where it has no rows."""
    return [
        Arm(title(left.step), title(left.step), "without", left.rows, (left.ids,) * seeds, Cost())
        for left in without
        if left.ids
    ]


def step_worths(
    run: RunDirectory, without: Sequence[LeftOut], own: Arm, trials: Mapping[str, BySeed], better: Better
) -> list[StepWorth]:
    """A line for each step that was left out, in the order of the recipe. `trials` are by arm, then by seed's place."""
    return [
        StepWorth(
            step=left.step.place,
            by=left.step.method(),
            rows=len(left.ids),
            rows_with=len(own.ids[0]),
            cost=charged(run, left.step.place),
            **_worth(left, own, trials, better),
        )
        for left in without
    ]


def _worth(left: LeftOut, own: Arm, trials: Mapping[str, BySeed], better: Better) -> dict[str, Any]:
    if left.needed:
        return {"verdict": "needed", "failure": f"the recipe cannot run without it: {left.needed}"}
    if left.stopped:
        return {"verdict": "not measured", "failure": left.stopped}
    ours, theirs = trials[own.name], trials.get(title(left.step), {})
    seeds = sorted(ours.keys() & theirs.keys())
    if len(seeds) < 2:
        return {"verdict": "not measured", "failure": "the hours were used up before two seeds were trained"}
    scores = [theirs[s].metric for s in seeds]
    if not all(map(math.isfinite, scores)):
        return {"verdict": "not measured", "failure": "no target row could be scored without it"}
    found = worth_of([ours[s].metric for s in seeds], scores, better)
    same = set(left.ids) == set(own.ids[0])
    tokens = sum(theirs[s].facts["tokens"] for s in seeds) / max(1, sum(ours[s].facts["tokens"] for s in seeds))
    verdict = "the rows are the same without it" if same else said(found)
    return {"scores": scores, "worth": found, "token_ratio": round(tokens, 4), "verdict": verdict, "failure": ""}


def worth_of(with_it: Sequence[float], without: Sequence[float], better: Better) -> MeanInterval:
    """Mean and 95 % Student interval over seeds of what the step did for the metric; above 0 it helped.

    >>> worth_of([1.0, 1.0], [1.5, 1.5], "lower")
    MeanInterval(mean=0.5, low=0.5, high=0.5)
    """
    sign = 1 if better == "lower" else -1
    return mean_interval([sign * (b - a) for a, b in zip(with_it, without, strict=True)])


def said(worth: MeanInterval) -> Worth:
    """In words; an interval that touches zero shows no difference."""
    if worth.low > 0:
        return "it helped"
    return "it harmed" if worth.high < 0 else "no difference shown"


def charged(run: RunDirectory, place: str) -> Cost:
    """What a step cost in all rounds: its bills, where its measurements count whenever they were made."""
    total = Cost()
    for folder in step_directories(run.path):
        if folder.name == place:
            details = StepRecord.read(folder).details
            measured = details.get("measuring_seconds", 0.0) + details.get("ranking_seconds", 0.0)
            bill = run.ledger.steps.get(run.bill_name(folder), Cost())
            total += replace(bill, seconds=round(max(bill.seconds, measured), 3))
    return total
