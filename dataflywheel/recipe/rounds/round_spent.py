"""What each step of a round added to the training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from dataflywheel.rows.parts import read_rows


def spent(
    tokens: Mapping[str, int], new: Path, written: Sequence[Path], made: Mapping[str, Set[str]], chosen: str
) -> dict[str, float]:
    """Thousands of tokens by step: a row counts for the step that made it, even where a later one rewrote it.

    Args:
        tokens: of every row that is trained on, by id: what accumulation left out does not count.
        new: the round's rows.
        written: rows as the steps that write left them, in which the parents of a rewritten row are found.
        made: ids that each generating step added, by its place.
        chosen: the place of the step that all other rows count for; "" where none chooses.
    """
    parents: dict[str, list[str]] = {}
    for rows in written:
        table = read_rows(rows, ["id", "parents"])
        parents.update(zip(table["id"].to_pylist(), table["parents"].to_pylist(), strict=True))
    maker = {id: place for place, ids in made.items() for id in ids}
    found = dict.fromkeys([*made, *([chosen] if chosen else [])], 0)
    for id in read_rows(new, ["id"])["id"].to_pylist():
        place = _maker(id, maker, parents) or chosen
        if place and id in tokens:
            found[place] += tokens[id]
    return {place: count / 1000 for place, count in found.items()}


def _maker(id: str, maker: Mapping[str, str], parents: Mapping[str, Sequence[str] | None]) -> str:
    """The step that made the row or else its nearest forebear; "" where all of them are the pool's."""
    line, seen = [id], set[str]()
    for one in line:
        if one in maker:
            return maker[one]
        seen.add(one)
        line += [parent for parent in parents.get(one) or () if parent not in seen]
    return ""
