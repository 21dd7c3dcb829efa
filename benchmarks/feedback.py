"""Policies over sources in simulation: regret and final loss of Thompson sampling, equal shares and the greedy choice.

    python benchmarks/feedback.py

Four sources give rows: one good, one fair, one useless, one harmful; what a source is worth falls the more of it was
used, and each round's gain is measured with noise. Prints a Markdown table over seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import Allocation, Policy, RoundResult
from dataflywheel.evolution.feedback.thompson import Thompson, posterior
from dataflywheel.evolution.feedback.uniform import Uniform
from dataflywheel.selection.quota import share_out

WORTH = {"good": 0.010, "fair": 0.005, "useless": 0.0, "harmful": -0.005}
"""Loss taken off by the first thousand tokens of each source."""
HALF_USED = 200.0
"""Thousands of tokens of a source after which its next thousand are worth half."""
BUDGET = 40
ROUNDS = 12
SEEDS = 5


class Greedy(Uniform):
    """All of the budget to the arm of the highest posterior mean; equal shares until a gain is known."""

    def allocate(self, rounds, names, budget, rng):  # type: ignore[no-untyped-def]
        ordered = sorted(names)
        belief = posterior(rounds, ordered, 0.8)
        best = np.ones(len(ordered)) if belief is None else np.eye(len(ordered))[belief.mean.argmax()]
        amounts = share_out(budget, [budget] * len(ordered), best.tolist())
        return Allocation(dict(zip(ordered, amounts, strict=True)), dict.fromkeys(ordered, "greedy"))


@dataclass(frozen=True)
class Outcome:
    """`regret`: loss that the best source of every round would have taken off beyond what was taken off."""

    regret: float
    loss: float


def simulate(policy: Policy, seed: int, noise: float, rounds: int = ROUNDS) -> Outcome:
    """A wheel of `rounds` rounds; `noise` is the deviation of a measured gain, in gains of a fair source's round."""
    rng, names = np.random.default_rng((seed, 7)), list(WORTH)
    loss, regret, history, used = 3.0, 0.0, list[RoundResult](), dict.fromkeys(names, 0.0)
    for number in range(rounds):
        amounts = policy.allocate(history, names, BUDGET, np.random.default_rng((seed, number))).amounts
        worth = {name: w / (1 + used[name] / HALF_USED) if w > 0 else w for name, w in WORTH.items()}
        gain = sum(amounts[name] * worth[name] for name in names)
        loss, regret = loss - gain, regret + BUDGET * max(worth.values()) - gain
        for name in names:
            used[name] += amounts[name]
        measured = gain + rng.normal(0, noise * BUDGET * WORTH["fair"])
        asked = {name: float(amount) for name, amount in amounts.items() if amount}
        history.append(RoundResult((), asked, measured if number else 0.0))
    return Outcome(regret, loss)


def main() -> str:
    lines = [
        f"{SEEDS} seeds, {ROUNDS} rounds of {BUDGET} thousand tokens, loss 3.0 at the start: mean (worst seed).\n",
        "| noise | policy | regret | final loss |",
        "| ---: | --- | ---: | ---: |",
    ]
    for noise in (0.1, 0.3, 0.6):
        for name, policy in (("Thompson", Thompson()), ("equal shares", Uniform()), ("greedy", Greedy())):
            found = [simulate(policy, seed, noise) for seed in range(SEEDS)]
            regret, loss = ([getattr(one, field) for one in found] for field in ("regret", "loss"))
            lines.append(
                f"| {noise:.1f} | {name} | {np.mean(regret):.2f} ({max(regret):.2f}) "
                f"| {np.mean(loss):.2f} ({max(loss):.2f}) |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
