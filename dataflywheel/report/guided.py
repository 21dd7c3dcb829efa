"""Target rows that guided the choice of rows: they are no part of the score, and whoever reads it must know."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.report.drawing.numbers import finite, plural
from dataflywheel.report.reading import read_json


def guided(run: Path) -> str:
    """The sentence, for a run without rounds; "" where all rows are scored, or where rounds tell it by tier."""
    rounds = any(run.glob("round-*/turn.json"))
    guide = None if rounds else finite(read_json(run / "tiers" / "metrics.json", {}).get("steer"))
    if not guide:
        return ""
    are = "is" if guide == 1 else "are"
    return f"{plural(int(guide), 'row')} of the target guided the choice of rows, and {are} not scored."
