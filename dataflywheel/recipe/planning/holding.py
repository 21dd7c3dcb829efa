"""How many of a pool's rows the recipe's format cannot hold, known before anything is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.convert import unheld
from dataflywheel.rows.schema import Row
from dataflywheel.store.plan import Holding


def holding(recipe: Recipe, first: Sequence[Sequence[Row]]) -> Holding:
    """The recipe's format, how many rows were looked at (the `first` of each input), and how many of them it cannot
    hold, by reason. Rows that are built in fit every format."""
    looked = [rows for entry, rows in zip(recipe.pool, first, strict=True) if not entry.builtin]
    reasons = sum((unheld(rows, recipe.format) for rows in looked), Counter[str]())
    found = dict(reasons.most_common())
    return Holding(
        format=recipe.format, looked_at=sum(map(len, looked)), cannot_hold=sum(found.values()), reasons=found
    )
