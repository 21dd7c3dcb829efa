"""Whether the rows of a target hold what its metric scores by; told before anything is computed."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.recipe.inputs.sources import inputs
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Target
from dataflywheel.rows.reading import iter_parsed
from dataflywheel.store.plan import SeenTarget

MOST = 20_000
"""Rows of an entry that are looked at."""


def check_target_rows(recipe: Recipe) -> list[SeenTarget]:
    """Of each entry of the target: its metric, the rows looked at, and how many cannot be scored, by reason.

    Raises:
        UsageError: most rows of an entry lack what its metric needs.
    """
    return [_checked(number, entry) for number, entry in enumerate(recipe.target)]


def _checked(number: int, entry: Target) -> SeenTarget:
    metric = metric_of(entry.metric)
    (given,) = inputs([entry])
    rows = islice((row for parsed in iter_parsed(given) for row in parsed.rows), MOST)
    lacking: Counter[str] = Counter()
    looked = 0
    for row in rows:
        looked += 1
        lacking[metric.lacks(row)] += 1
    scored = lacking.pop("", 0)
    if looked and scored * 2 < looked:
        why = ", ".join(f"{count:,} have {reason}" for reason, count in lacking.most_common())
        raise UsageError(
            f"target[{number}]: {metric.name} cannot score {looked - scored:,} of {looked:,} rows: {why}; give rows "
            "that hold what it needs, or another `metric`"
        )
    return SeenTarget(metric=entry.metric, rows=looked, not_scored=looked - scored, because=dict(lacking))
