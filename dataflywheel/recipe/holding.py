"""How many of a pool's rows the recipe's format cannot hold, known before anything is done."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

from dataflywheel.recipe.context import inputs
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.convert import unheld
from dataflywheel.rows.reading import iter_parsed

LOOKED_AT = 5000


def holding(recipe: Recipe) -> dict[str, Any]:
    """The recipe's format, how many rows of each input were looked at (the first 5,000), and how many of them it
    cannot hold, by reason. Rows that are built in fit every format.

    Raises:
        FlywheelError: an input names nothing, or a folder without data.
    """
    rows, reasons = 0, Counter[str]()
    for given in inputs(recipe.pool):
        if given.records is not None:
            continue
        first = list(islice((row for parsed in iter_parsed(given) for row in parsed.rows), LOOKED_AT))
        rows += len(first)
        reasons += unheld(first, recipe.format)
    found = dict(reasons.most_common())
    return {"format": recipe.format, "looked_at": rows, "cannot_hold": sum(found.values()), "reasons": found}
