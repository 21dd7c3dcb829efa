"""Whoever reads a score reads how many target rows are no part of it."""

from __future__ import annotations

import json
from pathlib import Path

from dataflywheel.report.guided import guided


def test_it_says_how_many_guided_where_the_target_was_divided(tmp_path: Path) -> None:
    assert guided(tmp_path) == ""
    (tmp_path / "tiers").mkdir()
    (tmp_path / "tiers" / "metrics.json").write_text(json.dumps({"steer": 24, "select": 36}))
    assert guided(tmp_path) == "24 rows of the target guided the choice of rows, and are not scored."
    (tmp_path / "tiers" / "metrics.json").write_text(json.dumps({"steer": 1}))
    assert guided(tmp_path).startswith("1 row of the target guided the choice of rows, and is not")


def test_rounds_tell_it_by_tier(tmp_path: Path) -> None:
    for place, held in (("tiers/metrics.json", {"steer": 24}), ("round-1/turn.json", {"round": 1})):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text(json.dumps(held))
    assert guided(tmp_path) == ""
