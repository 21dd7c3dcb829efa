"""Thompson sampling over sources: what a thousand tokens of each were worth, believed as far as it was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Allocation, AnyArray, Card, FloatArray, Policy, RoundResult
from dataflywheel.selection.quota import share_out

PRIOR_ROUNDS = 0.1
"""Weight of the belief that all arms are worth the same, in rounds seen."""
PRIOR_SHAPE = 3.0
PRIOR_NOISE = 0.2
"""Standard deviation of one round's gain that is expected beforehand, as a share of the gains seen."""

ONE_TOKEN = 1e-3


class Thompson(Policy):
    """Budget by how often each arm (a source, or a way to get rows) comes out best in draws from the posterior.

    The gain of a round a thousand tokens is taken as the sum over arms of the arm's share of the round times its worth,
    plus noise: a linear regression with a normal-gamma prior, so that rounds in which several arms changed together are
    told apart as far as their shares differ. With one arm a round this is the posterior of that arm's mean. Older
    rounds count less, by `discount` each, since what rows are worth changes as the model learns.

    Shares are equal in the first round. Then each arm has a turn before any has its second, in an order by lot: the
    gains of early rounds are large whatever they are spent on, and an arm that was never seen could wait for long.
    """

    card: ClassVar[Card] = Card(
        title="Taming Non-stationary Bandits: A Bayesian Approach",
        authors="Raj and Kalyani",
        year=2017,
        paper="1707.09727",
        category="evolution",
        subcategory="feedback",
        summary="Spends the next budget on the sources that proved most worth by token, and keeps trying the others.",
        needs=("target",),
        cost="¢",
        checked="the posterior against the one-arm formula by hand; four simulated sources, one useless and one "
        "harmful: regret and final loss against equal shares and against the greedy choice",
        pays="Three or more sources or writers of unknown worth, some of which may harm, and clearly more rounds than "
        "sources.",
        fails="Each arm has a turn first and evaluations are noisy, so that a few rounds tell it little: take "
        "`uniform` for those.",
        evidence="Here (`benchmarks/wheel.md`), sealed bits per byte: with two bad writers of three, 8 rounds, better "
        "than equal shares by +0.300 [+0.222, +0.377]; before every arm had its turn first, +0.128 [-0.193, +0.450].",
    )

    over: ClassVar[Literal["slices", "arms"]] = "arms"

    discount: float = Field(default=0.8, gt=0, le=1)
    """How much the evidence of one round counts in the next."""
    draws: int = Field(default=1, ge=1)
    """Draws from the posterior; each gives its best arm an equal part of the budget. One, as published, tells arms
    apart soonest; more keep several of them in every round."""

    def allocate(
        self, rounds: Sequence[RoundResult], names: Sequence[str], budget: int, rng: np.random.Generator
    ) -> Allocation:
        ordered = sorted(names)
        belief = posterior(rounds, ordered, self.discount)
        untried = [place for place, name in enumerate(ordered) if not any(name in one.spent for one in rounds[1:])]
        wins: FloatArray
        if not rounds:
            wins, reasons = np.ones(len(ordered)), dict.fromkeys(names, "equal shares")
        elif untried:
            wins = _wins(rng.permutation(untried)[: self.draws], ordered)
            reasons = dict.fromkeys(names, "waits for those not tried by themselves")
            reasons |= {ordered[place]: "not tried by itself yet; by lot" for place in untried}
        elif belief is None:
            wins = _wins(rng.integers(len(ordered), size=self.draws), ordered)
            reasons = dict.fromkeys(names, "no gain is known yet; by lot")
        else:
            wins = _wins(belief.sample(self.draws, rng).argmax(axis=1), ordered)
            reasons = {
                name: f"best in {won:.0f} of {self.draws} draws; worth {mean:.2g} a thousand tokens"
                for name, won, mean in zip(ordered, wins, belief.mean, strict=True)
            }
        amounts = dict(zip(ordered, share_out(budget, [budget] * len(ordered), wins.tolist()), strict=True))
        return Allocation({name: amounts[name] for name in names}, {name: reasons[name] for name in names})


def _wins(best: AnyArray, names: Sequence[str]) -> FloatArray:
    """How often each name is the best one."""
    return np.bincount(best, minlength=len(names)).astype(float)


@dataclass(frozen=True)
class Belief:
    """Normal-gamma posterior of the worth of k arms: gain a thousand tokens."""

    mean: FloatArray
    """(k,)"""
    precision: FloatArray
    """(k, k), in units of the noise's precision."""
    shape: float
    rate: float

    def sample(self, draws: int, rng: np.random.Generator) -> FloatArray:
        """Worth of every arm in each draw, (draws, k)."""
        noise = np.sqrt(self.rate / rng.gamma(self.shape, size=(draws, 1)))
        root = np.linalg.cholesky(np.linalg.inv(self.precision))
        sampled: FloatArray = self.mean + noise * (rng.standard_normal((draws, len(self.mean))) @ root.T)
        return sampled


def posterior(rounds: Sequence[RoundResult], names: Sequence[str], discount: float) -> Belief | None:
    """What the rounds say of each arm; None where no round has both tokens of these arms and a gain.

    The first round has no gain, for nothing was evaluated before it.
    """
    seen = [(one, age) for age, one in enumerate(reversed(rounds[1:]))]
    spent = np.array([[one.spent.get(name, 0.0) for name in names] for one, _ in seen]).reshape(-1, len(names))
    total = spent.sum(axis=1)
    gain = np.array([one.gain for one, _ in seen], dtype=float)
    usable = (total >= ONE_TOKEN) & np.isfinite(gain)
    rate = gain[usable] / total[usable]
    if not usable.any() or not rate.any():
        return None
    share = spent[usable] / total[usable, None]
    weight = discount ** np.array([age for _, age in seen], dtype=float)[usable]
    centre = float(weight @ rate / weight.sum())
    scale = float(np.sqrt(weight @ rate**2 / weight.sum()))
    before = PRIOR_ROUNDS * np.eye(len(names))
    precision = before + share.T @ (weight[:, None] * share)
    mean = np.linalg.solve(precision, before.sum(axis=1) * centre + share.T @ (weight * rate))
    squares = weight @ rate**2 + PRIOR_ROUNDS * len(names) * centre**2 - mean @ precision @ mean
    shape = PRIOR_SHAPE + weight.sum() / 2
    return Belief(mean, precision, shape, PRIOR_SHAPE * (PRIOR_NOISE * scale) ** 2 + max(0.0, float(squares)) / 2)
