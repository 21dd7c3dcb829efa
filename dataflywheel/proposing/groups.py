"""Groups of rows by label, tag, source or a field, and how many rows each lacks beside the largest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dataflywheel.contracts import UsageError
from dataflywheel.proposing.labelled_texts import Place, place_of
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import fields_of

MOST = 1000
"""Groups that can be filled up; more are no groups."""


def group_of(row: Row, by: str) -> str:
    """The group of a row: its `label` (or a short answer that is one), first `tag`, `source`, or the value of a field
    or of a table's cell; "" where it has none."""
    if by == "label":
        place = place_of(row)
        return place.label if isinstance(place, Place) else row["label"] or ""
    if by == "tag":
        return row["tags"][0] if row["tags"] else ""
    if by == "source":
        return row["source"]
    value = fields_of(row).get(by, orjson.loads(row["cells"] or "{}").get(by))
    return value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()


def deficits(rows: Sequence[Row], by: str, wanted: int) -> tuple[dict[str, Any], dict[str, int]]:
    """What there is to tell of the groups (`filled`: the rows of each, and those wanted), and how many of `wanted` new
    rows each is to get: the smallest is filled up first, none beyond the largest.

    Raises:
        UsageError: the rows have fewer than two groups, or nearly each is one of its own.
    """
    counts = Counter(name for row in rows if (name := group_of(row, by)))
    if len(counts) < 2 or len(counts) > min(MOST, max(2, sum(counts.values()) // 2)):
        raise UsageError(
            f"fill: {by} has {len(counts):,} values in {len(rows):,} rows, and groups to fill up need two or more that "
            "several rows share; name `label`, `tag`, `source`, or a field of the rows"
        )
    quotas = filled_up(counts, wanted)
    return {"filled": {"by": by, "had": dict(sorted(counts.items())), "wanted": quotas}}, quotas


def filled_up(counts: Mapping[str, int], wanted: int) -> dict[str, int]:
    """So many new rows, each to the group that has fewest by then, until all have as many as the largest.

    >>> filled_up({"a": 9, "b": 2, "c": 5}, 5), filled_up({"a": 9, "b": 2, "c": 5}, 100)
    ({'b': 4, 'c': 1}, {'b': 7, 'c': 4})
    """
    most, names = max(counts.values(), default=0), sorted(counts)
    wanted = min(wanted, sum(most - counts[name] for name in names))
    level = max((n for n in range(most + 1) if sum(max(0, n - counts[one]) for one in names) <= wanted), default=0)
    found = {name: max(0, level - counts[name]) for name in names}
    rest = wanted - sum(found.values())
    for name in sorted(names, key=lambda one: (counts[one] + found[one], one))[:rest]:
        found[name] += 1
    return {name: n for name, n in found.items() if n}
