"""What one round of a wheel may spend: its part of the whole budget, by step and by slice, as the policies say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel import catalog
from dataflywheel.contracts import Allocation, Policy, RoundResult, build
from dataflywheel.evolution.feedback.allocated import allocated
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.planning.next_writers import part, writers
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Step


@dataclass(frozen=True)
class RoundPlan:
    """Rows (or tokens, for a selection under such a budget) of each step of one round, and of each slice of a step."""

    steps: Mapping[str, int]
    """By the step's place and name, `04-select`."""
    slices: Mapping[str, Mapping[str, int]]
    arms: Allocation | None
    by_slice: Allocation | None

    def as_dict(self) -> dict[str, Any]:
        def told(one: Allocation | None) -> Any:
            return None if one is None else {"amounts": dict(one.amounts), "reasons": dict(one.reasons)}

        slices = {name: dict(amounts) for name, amounts in self.slices.items()}
        return {"steps": dict(self.steps), "slices": slices, "arms": told(self.arms), "by_slice": told(self.by_slice)}

    def applied(self, step: Step, round: int) -> Step:
        """The step as it is done in this round."""
        return step.in_round(round, self.steps.get(step.place, 0), self.slices.get(step.place, {}))


def round_plan(
    recipe: Recipe,
    steps: Sequence[Step],
    done: Sequence[RoundResult],
    round: int,
    slices: Mapping[str, Sequence[str]],
    offered: int,
    offered_tokens: int,
    taken: int = 0,
) -> RoundPlan:
    """The budget of a round from the results of those before.

    Every round gets an equal part of each step's whole budget; a generator that writes from failures has none in the
    first, before which nothing was evaluated, and larger ones in the others. A policy over ways to get rows moves it
    between the steps, one over slices divides what each step gets; a selection that has groups of its own keeps them.

    Args:
        slices: by a step's place, the slices that it can bring rows of.
        taken: rows that the rounds before have selected; with them a selection stays within the recipe's rows.
    """
    bringing = [step for step in steps if step.brings]
    rng = np.random.default_rng([recipe.seed, round, 32452843])
    share = {s.place: part(s.whole(recipe, offered, offered_tokens), recipe, s, round) for s in bringing}
    policies = [build(catalog.get(name, Policy), given) for name, given in recipe.feedback.items()]
    arms = by_slice = None
    counted_alike = not any(s.counts_tokens for s in bringing)
    ready = [s for s in bringing if not s.waits(round)]
    for policy in policies:
        among = [s for s in ready if s.writes or not policy.writers_only]
        if policy.over == "arms" and len(among) > 1 and counted_alike:
            names = [s.place for s in among]
            policy = policy.knowing(writers(recipe, among, offered, offered_tokens))
            arms = _within(allocated(policy, done, names, sum(share[n] for n in names), rng), among, recipe, taken)
            share |= arms.amounts
    divided: dict[str, Mapping[str, int]] = {}
    for policy in policies:
        if policy.over == "slices" and done:
            for step in bringing:
                if step.has_groups:
                    continue
                one = allocated(policy, done, list(slices.get(step.place, ())), share[step.place], rng)
                divided[step.place] = one.amounts
                by_slice = _together(by_slice, one)
    return RoundPlan(share, divided, arms, by_slice)


def slices_in_reach(context: Context, state: State, steps: Sequence[Step], offered: Path) -> dict[str, list[str]]:
    """Slices that each step can bring rows of, by its place: those of what it chooses from, or writes from."""
    found = {step.place: step.reach(context, state, offered) for step in steps}
    return {place: sorted(set(slices.values()) - {""}) for place, slices in found.items() if slices is not None}


def _within(found: Allocation, steps: Sequence[Step], recipe: Recipe, taken: int) -> Allocation:
    """The allocation without what would select more rows than the recipe's budget: moved rows are bounded by it too."""
    if recipe.budget.rows is None:
        return found
    left = max(0, recipe.budget.rows - taken)
    over = [s.place for s in steps if s.role == "select" and found.amounts[s.place] > left]
    told = {place: f"{found.reasons[place]}; {left:,} rows are left of the budget" for place in over}
    return Allocation({**found.amounts, **dict.fromkeys(over, left)}, {**found.reasons, **told})


def _together(one: Allocation | None, other: Allocation) -> Allocation:
    """What several steps get, slice by slice."""
    if one is None:
        return other
    names = [*one.amounts, *(name for name in other.amounts if name not in one.amounts)]
    amounts = {name: one.amounts.get(name, 0) + other.amounts.get(name, 0) for name in names}
    return Allocation(amounts, {**other.reasons, **one.reasons})
