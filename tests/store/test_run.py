"""The run directory: steps in the order in which they were done."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.store.run import step_directories


def test_round_ten_comes_after_round_nine_and_step_hundred_after_ninety_nine(tmp_path: Path) -> None:
    for name in (
        "round-10/01-offer",
        "round-9/02-select",
        "round-1/100-select",
        "round-1/99-filter",
        "round-1/00-pool",
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "metrics.json").write_text("{}", encoding="utf-8")
    found = [f"{step.parent.name}/{step.name}" for step in step_directories(tmp_path)]
    assert found == [
        "round-1/00-pool",
        "round-1/99-filter",
        "round-1/100-select",
        "round-9/02-select",
        "round-10/01-offer",
    ]
