"""Whether the rows that rounds brought drift away from those of the first round, test by test."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.report.drawing.markup import details, esc, note, table
from dataflywheel.report.drawing.numbers import count
from dataflywheel.store.round_record import DriftRecord, RoundRecord

LEVEL = 0.05
NAMES = {
    "text.tokens_prompt": "length of prompts",
    "text.tokens_answer": "length of answers",
    "row.tags": "first tag",
    "row.source": "source",
}
HEAD = ("round", "what", "test", "distance", "p", "p, all tests of the round", "rows then", "rows now", "drifted")


def drift(found: Sequence[RoundRecord]) -> str:
    """A table of all tests, one line said before it; nothing where no round was tested."""
    tested = [one for one in found if one.drift]
    if not tested:
        return ""
    rows = [_line(one.round, test) for one in tested for test in one.drift]
    moved = [f"round {one.round}: {', '.join(names)}" for one in tested if (names := _moved(one))]
    said = "; ".join(moved) or "none that chance does not explain"
    why = (
        "New rows of each round against those of the first, by random splits of both together: p is how often such a "
        "split is as far apart. Drift is no fault by itself: a wheel that seeks weak skills brings other rows on "
        "purpose."
    )
    tests = table("Drift of a round's new rows", HEAD, rows, numeric=range(3, 8), css="stack")
    return details(f"Drift of new rows from those of the first round: {said}", note(why) + tests)


def _moved(one: RoundRecord) -> list[str]:
    return [NAMES.get(test.column, test.column) for test in one.drift if test.adjusted <= LEVEL]


def _line(round: int, test: DriftRecord) -> list[str]:
    values = [f"{test.statistic:.3g}", f"{test.p:.3f}", f"{test.adjusted:.3f}", count(test.before), count(test.after)]
    cells = [str(round), NAMES.get(test.column, test.column), test.test, *values]
    return [esc(cell) for cell in [*cells, "yes" if test.adjusted <= LEVEL else "no"]]
