"""A metric of the user's own: a function in a file that the recipe names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar

from dataflywheel.contracts import Card, Mark, Metric
from dataflywheel.plugins.functions import FAILED
from dataflywheel.plugins.of_function import OfFunction
from dataflywheel.plugins.place import place

NOT_SCORED = "the function gave nothing"


class Python(OfFunction, Metric):
    """What a function of the user's gives for an answer and its row: a number, higher is better, or None.

    Written `metric: {python: ./metrics.py:score}`. The function takes the answer's text and the row as a dictionary in
    the row schema. The file is the user's own, named in their recipe, and runs as they do. Where it gives no number, or
    an error, the row is not scored, and counted.
    """

    card: ClassVar[Card] = Card(
        title="The user's own function",
        authors="",
        year=2026,
        paper="",
        category="evolution",
        subcategory="metrics",
        summary="Scores answers by a Python function of the user's.",
        needs=("target",),
        checked="functions that give numbers, nothing, other things and errors",
        pays="A score that your field already has as code, such as a checker of formats or a domain's own measure.",
        fails="Rows on which it fails are left out of the mean, which flatters where hard rows fail: look at how many "
        "were scored.",
    )
    share: ClassVar[bool] = False
    what: ClassVar[str] = "metric"
    given: ClassVar[tuple[str, ...]] = ("answer", "row")

    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        score = self.loaded()
        try:
            value = score(answer, deepcopy(dict(row)))
            number = None if value is None else float(value)
        except (Exception, SystemExit) as error:
            return Mark(None, f"{FAILED}: {type(error).__name__}{place(error)}")
        return Mark(number) if number is not None and math.isfinite(number) else Mark(None, NOT_SCORED)
