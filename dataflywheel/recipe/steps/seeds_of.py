"""What a step that writes new rows writes from: its slices, what was written before, and whether any row will do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from dataflywheel.contracts import UsageError, build
from dataflywheel.proposing.groups import deficits, group_of
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.proposing.seeds import first_tag
from dataflywheel.recipe.steps.writers_price import placeholder
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import Row


def check_seeds(title: str, kind: type[Proposer], given: Mapping[str, Any], first: Sequence[Sequence[Row]]) -> None:
    """Raises UsageError: of the first rows of every input, none is one that this method could write from."""
    if kind.unfit is Proposer.unfit:
        return
    method = build(kind, {**placeholder(kind), **given})
    why = [method.unfit(row) for row in chain.from_iterable(first)]
    if why and all(why):
        raise UsageError(f"{title}: {kind.name} can write from none of the first {len(why):,} rows: {why[0]}")


def check_groups(title: str, by: str, first: Sequence[Sequence[Row]]) -> None:
    """Raises UsageError: of the first rows of every input, none is of a group that could be filled up."""
    rows = [*chain.from_iterable(first)]
    if by and rows and not any(group_of(row, by) for row in rows):
        raise UsageError(
            f"{title}: `fill: {by}`, and none of the first {len(rows):,} rows has such a thing; name `label`, `tag`, "
            "`source`, or a field of the rows"
        )


def made_before(earlier: Path | None) -> list[Row]:
    """Rows that were written in rounds before: new ones must differ from them."""
    if earlier is None:
        return []
    rows: list[Row] = read_rows(earlier).to_pylist()
    return [row for row in rows if row["made_by"]]


def slice_in(slices: Mapping[str, str], row: Row) -> str:
    return slices.get(row["id"], "")


def even(wanted: int, names: list[str]) -> dict[str, int]:
    """So many rows over the names, the first of them one more where they do not divide.

    >>> even(5, ["a", "b"])
    {'a': 3, 'b': 2}
    """
    whole, rest = divmod(wanted, max(1, len(names)))
    return {name: whole + (i < rest) for i, name in enumerate(names)}


def shared_out(
    rows: Sequence[Row],
    wanted: int,
    place: Callable[[Row], str] | None,
    quotas: dict[str, int],
    per: str | None,
    fill: str,
) -> tuple[Callable[[Row], str] | None, dict[str, int], dict[str, Any]]:
    """Which share a seed's rows count for, the new rows wanted of each, and what there is to tell of that: by what
    groups lack where they are filled up, else as given, or equally. Without shares the two are empty."""
    if fill:
        told, lacking = deficits(rows, fill, wanted)
        return partial(group_of, by=fill), lacking, told
    if place is not None:
        return place, quotas or even(wanted, sorted({place(row) for row in rows} - {""})), {}
    if per == "tag":
        return None, even(wanted, sorted({first_tag(row) for row in rows} - {""})), {}
    return None, quotas, {}
