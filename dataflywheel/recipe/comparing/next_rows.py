"""What as many rows again would be worth and cost: a learning curve through parts of the rows that were trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dataflywheel.contracts import Cost
from dataflywheel.evolution.feedback.learning_curve import FEWEST_SEEDS, SHARES, LearningCurve, nested_subsets
from dataflywheel.evolution.iteration.trial import Trial
from dataflywheel.recipe.comparing.arms import Arm
from dataflywheel.recipe.comparing.scoreboard import mean_interval
from dataflywheel.store.ledger import Ledger
from dataflywheel.store.scoreboard import Ahead, Better, Curve, CurvePoint

DRAWN = 24
"""Points of the fitted curve that are kept for drawing."""


def curve_arms(own: Arm, seeds: Sequence[int]) -> list[Arm]:
    """Nested parts of the rows, drawn anew for every seed; none where there are too few rows to divide."""
    sizes = [int(len(own.ids[0]) * share) for share in SHARES]
    if len({0, *sizes, len(own.ids[0])}) < len(sizes) + 2:
        return []
    parts = [nested_subsets(own.ids[0], sizes, seed) for seed in seeds]
    return [
        Arm(
            f"{share:.0%} of the rows",
            f"{share:.0%} of the rows",
            "curve",
            own.rows,
            tuple(tuple(part[place]) for part in parts),
            Cost(),
            shares=(share,) * len(seeds),
        )
        for place, share in enumerate(SHARES)
    ]


def next_rows(
    ledger: Ledger,
    own: Arm,
    parts: Sequence[Arm],
    trials: Mapping[str, Mapping[int, Trial]],
    metric: str,
    better: Better,
) -> Curve:
    """The points, the curve, and the worth and price of the next doubling; or in `failure` why nothing can be said.

    A row's price is what the run's steps cost in all, comparison and left-out steps apart, over the rows it trains on.
    """
    arms = [*parts, own]
    seeds = sorted(set.intersection(*(set(trials.get(arm.name, {})) for arm in arms)))
    rows = len(own.ids[0])
    spent = sum((bill for name, bill in ledger.steps.items() if name.startswith("round-")), Cost())
    price = {"usd": spent.usd / rows, "seconds": spent.seconds / rows}
    if not parts:
        return Curve(a_row=price, failure=f"{rows} rows are too few to learn from a quarter and a half of them")
    if len(seeds) < FEWEST_SEEDS:
        why = f"a learning curve needs {FEWEST_SEEDS} seeds, and the hours were used up after {len(seeds)}"
        return Curve(a_row=price, failure=why)
    sizes = [len(arm.ids[0]) for arm in arms]
    scores = [[trials[arm.name][s].metric for arm in arms] for s in seeds]
    points = [
        CurvePoint(rows=size, **dict(mean_interval(column)), scores=list(column))
        for size, column in zip(sizes, zip(*scores, strict=True), strict=True)
    ]
    if not all(math.isfinite(score) for line in scores for score in line):
        return Curve(points=points, a_row=price, failure="with a part of the rows no target row could be scored")
    return _priced(sizes, scores, price, metric, better).model_copy(update={"points": points})


def _priced(
    sizes: Sequence[int], scores: Sequence[Sequence[float]], price: dict[str, float], metric: str, better: Better
) -> Curve:
    turn = 1 if better == "lower" else -1  # the curve is one of losses
    curve = LearningCurve.of(sizes, [[turn * score for score in line] for line in scores])
    rows = sizes[-1]
    found = curve.next_rows(rows, price["usd"])
    steps = [sizes[0] * (2 * rows / sizes[0]) ** (i / (DRAWN - 1)) for i in range(DRAWN)]
    ahead = Ahead(
        rows=rows,
        gain=found.gain,
        low=found.low,
        high=found.high,
        value=turn * curve.at(2 * rows),
        usd=found.cost,
        seconds=rows * price["seconds"],
    )
    fitted = [(round(size, 1), turn * curve.at(size)) for size in steps]
    return Curve(fitted=fitted, next=ahead, a_row=price, said=_sentence(ahead, metric, len(scores)))


def _sentence(ahead: Ahead, metric: str, seeds: int) -> str:
    usd = ahead.usd
    money = f"${usd:.2f}" if usd >= 0.1 or not usd else f"${usd:.2g}"
    worth = "help" if ahead.low > 0 else "harm" if ahead.high < 0 else "perhaps not help"
    return (
        f"{ahead.rows:,} rows more would {worth}: {metric.replace('_', ' ')} better by {ahead.gain:+.3g} "
        f"({ahead.low:+.3g} to {ahead.high:+.3g}, 90 %, {seeds} seeds); at what a row cost in this run, training "
        f"included, they come to {money} and {ahead.seconds:,.0f} s of computing"
    )
