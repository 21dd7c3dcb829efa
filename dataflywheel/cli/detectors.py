"""`flywheel profile LABELLED --detector NAME`: the acceptance table of detectors of toxicity."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from dataflywheel.enhancement.toxicity.acceptance import Acceptance, Area, Share
    from dataflywheel.report.profile.detectors import DetectorTable

DANGEROUS = "prompts that sound dangerous"


def show_detectors(
    pool: Sequence[str],
    given: Sequence[str],
    cross: Sequence[str],
    data: Path | None,
    limit: int,
    usd: float | None,
    calls: int | None,
    as_json: bool,
) -> None:
    """Try the detectors and print what came out.

    Raises:
        UsageError: several pools, a detector that is no YAML or no signal with a score.
    """
    from dataflywheel.cli.live import asking_shown
    from dataflywheel.errors import UsageError
    from dataflywheel.report.profile.detectors import detectors

    if len(pool) != 1:
        raise UsageError("profile --detector takes one file of labelled rows; name others by --cross")
    with asking_shown() as watch:
        found = detectors(
            pool[0], [_named(one) for one in given], data=data, cross=cross, limit=limit, usd=usd, calls=calls,
            watch=watch,
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False))
    else:
        _show(found)


def _named(text: str) -> Any:
    """A detector as recipes name methods."""
    import yaml

    from dataflywheel.errors import UsageError
    from dataflywheel.rows.plain_yaml import read_yaml

    try:
        found = read_yaml(text)[1]
    except yaml.YAMLError:
        found = None
    if isinstance(found, str) or (isinstance(found, dict) and len(found) == 1):
        return found
    raise UsageError(f"--detector takes a signal's name, or one with parameters as {{NAME: {{...}}}}, not {text!r}")


def _show(found: DetectorTable) -> None:
    from rich.console import Console
    from rich.text import Text

    from dataflywheel.cli.tables import number_table
    from dataflywheel.report.drawing.markup import visible

    console = Console(highlight=False)
    told = f"{found.held_out:,} held-out texts of {found.pool}; thresholds by {found.apart:,} others"
    console.print(Text(visible(told)))
    for title, lines in _sections(found.detectors):
        table = number_table(title, *(visible(one.name) for one in found.detectors))
        for name, cells in lines:
            table.add_row(Text(visible(name)), *(Text(cell) for cell in cells))
        console.print()
        console.print(table)
    for one in found.detectors:
        for reason, count in one.reasons.items():
            console.print(Text(visible(f"\n{one.name}: no score for {count:,}: {reason}")))
    for name in found.missing:
        console.print(Text(visible(f"not tried: {name}")))


def _sections(found: Sequence[Acceptance]) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Tables as a title and lines of a name and a cell for each detector; those with lines alone."""

    def lines(cells: Callable[[Acceptance], Mapping[str, str]]) -> list[tuple[str, list[str]]]:
        every = [cells(one) for one in found]
        names = dict.fromkeys(name for of in every for name in of)
        return [(name, [of.get(name, "") for of in every]) for name in names]

    tables = {
        "own kind": lines(_own),
        "area on other sets": lines(lambda one: {name: _area(of) for name, of in one.cross.items()}),
        "called toxic and not": lines(lambda one: _shares({**one.functionalities, DANGEROUS: one.safe})),
        "the same sentences, by group": lines(lambda one: _shares(one.terms)),
        "neutral lines, by group": lines(lambda one: _shares(one.groups)),
        "and": lines(_more),
    }
    return [(title, of) for title, of in tables.items() if of]


def _own(one: Acceptance) -> dict[str, str]:
    shares = {"harmless texts called toxic": one.false_positives, "toxic texts found": one.found}
    return {"area under the curve": _area(one.own), **_shares(shares)}


def _more(one: Acceptance) -> dict[str, str]:
    marked = {} if one.span_f1 is None else {"F1 of marked characters": f"{one.span_f1:.3f}"}
    calls = {"requests": f"{one.calls:,}"} if one.calls else {}
    return {**marked, **{f"texts: {name}": f"{n:,}" for name, n in sorted(one.statuses.items()) if n}, **calls}


def _shares(given: Mapping[str, Share | None]) -> dict[str, str]:
    return {name: _share(of) for name, of in given.items() if of is not None}


def _area(found: Area | None) -> str:
    return "" if found is None else f"{found.value:.3f} ({found.low:.2f} to {found.high:.2f})"


def _share(found: Share) -> str:
    return "" if math.isnan(found.value) else f"{found.value:.1%} of {found.judged:,}"
