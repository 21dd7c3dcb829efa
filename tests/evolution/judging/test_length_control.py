"""Win rates at equal length: planted love of length, truncation as an attempt to gain, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.judging.length_control import Comparison, length_controlled, ridge_logistic

PROMPTS = 400
EFFECT = 1.5
BASE = 600.0


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


class World:
    """Prompts with planted difficulty, models with planted quality, a judge that loves length."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.hard = self.rng.normal(0, 1, PROMPTS)
        self.baseline = self.rng.normal(BASE, 150, PROMPTS)
        self.draws = self.rng.random((20, PROMPTS))

    def lengths(self, mean: float) -> np.ndarray:
        return np.maximum(20, self.rng.normal(mean, 200, PROMPTS))

    def odds(self, quality: float, lengths: np.ndarray, loss: np.ndarray | float = 0.0) -> np.ndarray:
        return quality - 0.8 * self.hard - loss + EFFECT * np.tanh((lengths - self.baseline) / 300)

    def judged(self, quality: float, lengths: np.ndarray, draw: int, loss: np.ndarray | float = 0.0) -> Comparison:
        won = self.draws[draw] < sigmoid(self.odds(quality, lengths, loss))
        names = [f"p{i}" for i in range(PROMPTS)]
        return Comparison(
            dict(zip(names, won.astype(float).tolist(), strict=True)),
            dict(zip(names, (lengths - self.baseline).tolist(), strict=True)),
        )

    def earlier(self) -> list[Comparison]:
        return [
            self.judged(quality, self.lengths(mean), i)
            for i, (quality, mean) in enumerate([(-1.0, 400), (-0.3, 800), (0.2, 500), (0.6, 900), (0.0, 650)])
        ]

    def fair(self, quality: float) -> float:
        """The win rate at equal length."""
        return float(sigmoid(quality - 0.8 * self.hard).mean())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("quality", "mean"), [(0.0, 1000), (0.0, 300), (0.8, 600), (-1.0, 1000)])
def test_a_planted_love_of_length_is_taken_out(seed: int, quality: float, mean: float) -> None:
    world = World(seed)
    found = length_controlled(world.judged(quality, world.lengths(mean), 10), world.earlier(), resamples=60)
    fair = world.fair(quality)
    assert abs(found.value - fair) < 0.08
    if mean != BASE:
        assert abs(found.value - fair) < 0.6 * abs(found.raw - fair)
        assert bool(found.warning) == (abs(found.value - found.raw) > 0.1)
    assert found.low < found.value < found.high
    assert 0.6 * EFFECT < found.length_effect < 1.4 * EFFECT


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kept", [0.6, 0.3, 0.1])
@pytest.mark.parametrize("mean", [400, 700, 1000])
def test_cutting_answers_short_gains_nothing(seed: int, kept: float, mean: float) -> None:
    """The same answers cut to a share of their length: what is cut away is missed."""
    world = World(seed)
    earlier = world.earlier()
    lengths = world.lengths(mean)
    whole = length_controlled(world.judged(0.3, lengths, 10), earlier, resamples=10)
    cut = length_controlled(world.judged(0.3, lengths * kept, 10, loss=2 * (1 - kept)), earlier, resamples=10)
    assert cut.value <= whole.value
    assert cut.raw < whole.raw


def test_it_is_refused_without_other_models() -> None:
    world = World(0)
    judged, earlier = world.judged(0.0, world.lengths(600), 10), world.earlier()
    for too_few in ([], earlier[:1]):
        with pytest.raises(UsageError, match="at least 2 other models"):
            length_controlled(judged, too_few)
    elsewhere = [Comparison({f"q{i}": 1.0 for i in range(50)}, {}) for _ in range(3)]
    with pytest.raises(UsageError, match="0 shared prompts"):
        length_controlled(judged, elsewhere)


def test_invalid_verdicts_are_left_out() -> None:
    world = World(0)
    judged = world.judged(0.0, world.lengths(600), 10)
    holes = {x: (np.nan if i % 4 == 0 else y) for i, (x, y) in enumerate(judged.preference.items())}
    earlier = world.earlier()
    found = length_controlled(Comparison(holes, judged.longer), earlier, resamples=10)
    assert found.n == 300
    assert found.raw == pytest.approx(np.nanmean(list(holes.values())))
    assert found == length_controlled(Comparison(holes, judged.longer), earlier, resamples=10)


def test_a_model_that_always_wins_has_a_finite_rate() -> None:
    world = World(0)
    judged = world.judged(0.0, world.lengths(600), 10)
    always = Comparison(dict.fromkeys(judged.preference, 1.0), judged.longer)
    found = length_controlled(always, world.earlier(), resamples=10)
    assert 0.95 < found.value <= 1


def test_the_regression_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    y = (rng.random(300) < sigmoid(x @ [1.0, -2.0, 0.5])).astype(float)
    theirs = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=1000).fit(x, y).coef_[0]
    assert ridge_logistic(x, y, np.full(3, 2.0)) == pytest.approx(theirs, abs=1e-5)
    # Without a penalty, an offset only moves the coefficients by its own.
    free, moved = (ridge_logistic(x, y, np.zeros(3), offset) for offset in (0.0, x @ theirs))
    assert moved == pytest.approx(free - theirs, abs=1e-6)
