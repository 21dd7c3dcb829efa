"""The next rows: planted curves come back with their gain and price, and too little to go by is said in words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import Cost
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.comparing.next_rows import curve_arms, next_rows
from dataflywheel.recipe.comparing.trials import settings_of
from dataflywheel.store.ledger import Ledger
from dataflywheel.store.scoreboard import Ahead, Curve
from tests.recipe.worths import arm, trial

FALL = 0.2
"""Loss by which a doubling of the rows is better."""


def ledger(folder: Path) -> Ledger:
    made = Ledger(folder / "ledger.json")
    made.enter("round-1/02-generate", Cost(seconds=60, usd=1.5, calls=4))
    made.enter("round-1/03-train", Cost(seconds=20))
    made.enter("compare", Cost(seconds=900, usd=9.0))
    made.enter("without/02-generate/round-1/03-select", Cost(seconds=900, usd=9.0))
    return made


def priced(folder: Path, losses: Any, metric: str = "bits_per_byte", rows: int = 80, seeds: int = 3) -> Curve:
    own = arm("selection", rows, seeds)
    parts = curve_arms(own, range(seeds))
    trials = {
        one.name: {s: trial(losses(len(one.ids[s]), s)) for s in range(seeds) if losses(len(one.ids[s]), s) is not None}
        for one in (*parts, own)
    }
    return next_rows(ledger(folder), own, parts, trials, metric, "lower" if metric == "bits_per_byte" else "higher")


def ahead_of(curve: Curve) -> Ahead:
    assert curve.next is not None
    return curve.next


def test_parts_are_nested_drawn_anew_for_every_seed_and_seen_as_often() -> None:
    own = arm("selection", 80, 4)
    quarter, half = curve_arms(own, range(4))
    assert [len(ids) for ids in quarter.ids + half.ids] == [20] * 4 + [40] * 4
    for small, large in zip(quarter.ids, half.ids, strict=True):
        assert set(small) < set(large) < set(own.ids[0])
    assert len({frozenset(ids) for ids in half.ids}) == 4
    settings = TrainSettings(epochs=3)
    assert [settings_of(settings, one, 5, 0).epochs for one in (quarter, half, own)] == [3, 3, 3]
    assert settings_of(settings, own, 5, 0).seed == 5
    steps = TrainSettings(max_steps=100)
    assert [settings_of(steps, one, 0, 0).max_steps for one in (quarter, half, own)] == [25, 50, 100]


def test_a_planted_curve_comes_back_with_its_price(tmp_path: Path) -> None:
    found = priced(tmp_path, lambda n, s: 3 + 0.01 * s - FALL * math.log2(n))
    ahead = found.next
    assert ahead is not None
    assert found.failure == ""
    assert [point.rows for point in found.points] == [20, 40, 80]
    assert ahead.rows == 80
    assert ahead.gain == pytest.approx(FALL)
    assert ahead.low < FALL == pytest.approx(ahead.high)
    assert ahead.value == pytest.approx(3.01 - FALL * math.log2(160))
    # 80 s and 1.5 dollars for 80 rows; neither the comparison nor a run without a step is a price of rows.
    assert found.a_row == {"usd": 1.5 / 80, "seconds": 1.0}
    assert (ahead.usd, ahead.seconds) == (pytest.approx(1.5), pytest.approx(80))
    assert "80 rows more would help: bits per byte better by +0.2" in found.said
    assert "they come to $1.50 and 80 s of computing" in found.said
    assert found.fitted[0] == (20.0, pytest.approx(3.01 - FALL * math.log2(20)))
    assert found.fitted[-1] == (160.0, pytest.approx(ahead.value))


def test_where_higher_is_better_a_gain_is_a_rise(tmp_path: Path) -> None:
    found = priced(tmp_path, lambda n, s: 0.1 + 0.001 * s + 0.05 * math.log2(n), "exact_match")
    assert ahead_of(found).gain == pytest.approx(0.05)
    assert ahead_of(found).value == pytest.approx(0.101 + 0.05 * math.log2(160))
    assert "would help: exact match better by +0.05" in found.said


def test_noise_promises_nothing_and_a_rising_loss_is_harm(tmp_path: Path) -> None:
    noise = {20: (3.0, 2.8, 3.1), 40: (3.1, 3.0, 2.9), 80: (2.9, 3.1, 3.0)}
    found = priced(tmp_path, lambda n, s: noise[n][s])
    assert ahead_of(found).low < 0 < ahead_of(found).high
    assert "would perhaps not help" in found.said
    assert "would harm" in priced(tmp_path, lambda n, s: 3 + 0.01 * s + FALL * math.log2(n)).said


@pytest.mark.parametrize(
    ("losses", "rows", "words"),
    [
        (lambda n, s: 3.0 if s < 2 or n == 80 else None, 80, "needs 3 seeds, and the hours were used up after 2"),
        (lambda n, s: math.nan if n == 20 else 3.0, 80, "no target row could be scored"),
        (lambda n, s: 3.0, 3, "3 rows are too few"),
    ],
)
def test_too_little_to_go_by_is_said(tmp_path: Path, losses: Any, rows: int, words: str) -> None:
    found = priced(tmp_path, losses, rows=rows)
    assert words in found.failure
    assert found.next is None
    assert found.fitted == []
