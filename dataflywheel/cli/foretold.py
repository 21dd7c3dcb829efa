"""What a command is about to do and to cost, said before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataflywheel.store.plan import Plan

NOTICED = 5.0
"""Seconds from which work is announced."""


def foretold(plan: Plan) -> list[str]:
    """A line for each model that is trained first, and one for all of it; none where it takes a moment and asks nobody.

    >>> from dataflywheel.contracts import Cost
    >>> from dataflywheel.store.plan import Plan
    >>> foretold(Plan(total=Cost(seconds=200.0, calls=1200, usd=0.5)))
    ['Planned: about 3 min 20 s, 1,200 calls, $0.50; what is there from before is not done or paid again.']
    >>> foretold(Plan(total=Cost(seconds=2.0)))
    []
    """
    from dataflywheel.report.drawing.numbers import money, plural, seconds

    lines = [
        f"First, once: {helper.what}, about {seconds(round(helper.cost.seconds))}."
        for helper in plan.helpers
        if not helper.there and helper.cost.seconds >= NOTICED
    ]
    lines += [f"Not priced, since its class has no `cost`: {place}." for place in plan.unpriced]
    total = plan.total
    if total.seconds < NOTICED and not total.calls and not total.usd:
        return lines
    told = [f"about {seconds(max(1, round(total.seconds)))}"]
    told += [plural(total.calls, "call")] if total.calls else []
    told += [money(total.usd)] if total.usd else []
    return [*lines, f"Planned: {', '.join(told)}; what is there from before is not done or paid again."]
