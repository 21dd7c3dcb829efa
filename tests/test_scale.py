"""What a row costs does not grow with the rows: a run at one size and at ten times that."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import scale

GROWTH = 1.5
LEAST = 0.3
"""Seconds below which a step is not judged: a collection of garbage or a thread's start weighs as much."""


def grown(small: dict[str, tuple[float, float]], large: dict[str, tuple[float, float]], times: int) -> dict[str, float]:
    """By how much the seconds a row grew, for the steps where that is more than by half."""
    growth = {
        step: large[step][0] / times / max(small[step][0], LEAST / times) for step in small if large[step][0] > LEAST
    }
    return {step: round(factor, 2) for step, factor in growth.items() if factor > GROWTH}


def test_work_that_grows_as_the_square_is_seen() -> None:
    linear, square = {"a": (0.5, 0.0), "b": (0.001, 0.0)}, {"a": (5.5, 0.0), "b": (0.2, 0.0)}
    assert grown(linear, square, 10) == {}
    assert grown({"a": (0.5, 0.0)}, {"a": (9.0, 0.0)}, 10) == {"a": 1.8}
    assert grown({"a": (0.001, 0.0)}, {"a": (1.0, 0.0)}, 10) == {"a": 3.33}


@pytest.mark.slow
def test_seconds_a_row_do_not_grow_with_the_rows(tmp_path: Path, data: Path) -> None:
    scale.warm(tmp_path / "warm")
    sizes = (10_000, 100_000)
    found = []
    for rows in sizes:
        (tmp_path / str(rows)).mkdir()
        found.append(scale.measure(rows, tmp_path / str(rows), data))
    assert set(found[0]) == set(found[1])
    assert grown(*found, 10) == {}
