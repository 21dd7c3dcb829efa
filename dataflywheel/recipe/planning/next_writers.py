"""Which of several steps that write the first budget buys, said before anything is paid for."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel import catalog
from dataflywheel.contracts import Policy, PoolStatistics, UsageError, Writer, build
from dataflywheel.evolution.feedback.next_writer import NextWriter
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step
from dataflywheel.selection.quota import share_out


def writers(recipe: Recipe, steps: Sequence[Step], rows: int, tokens: int) -> dict[str, Writer]:
    """What a policy may know of the steps that write, by place, where there are so many rows to write from."""
    return {s.place: Writer(s.adds, rows, s.whole(recipe, rows, tokens)) for s in steps if s.adds is not None}


def part(whole: int, recipe: Recipe, step: Step, round: int) -> int:
    """Of a whole, what the round gets: equal parts that add up to it."""
    weights = [0.0 if step.waits(one) else 1.0 for one in range(1, recipe.rounds + 1)]
    return share_out(whole, [whole] * recipe.rounds, weights)[round - 1]


def next_writers(recipe: Recipe, steps: Sequence[Step], pool: PoolStatistics) -> list[str]:
    """What `next_writer` buys before anything is measured, a line each; none where the recipe has not that policy.

    Raises:
        UsageError: there are fewer than two steps between which it could choose, or it names one that is none of them.
    """
    given = recipe.feedback.get("next_writer")
    if given is None or recipe.rounds == 1:
        return []
    policy = build(catalog.get("next_writer", Policy), given)
    assert isinstance(policy, NextWriter)
    writing = [step for step in steps if step.brings and step.writes]
    if len(writing) < 2:
        raise UsageError(
            f"feedback: next_writer chooses between steps that write, and this recipe has {len(writing)}; add a "
            "`generate` step, or take `weakest_slices`"
        )
    places = [step.place for step in writing]
    if strange := sorted(set(policy.operators) - set(places)):
        raise UsageError(
            f"feedback: next_writer: `operators` names {strange[0]}, and the steps that write are {', '.join(places)}"
        )
    first_round = [step for step in writing if not step.waits(1)]
    if not first_round:
        return []
    about = writers(recipe, first_round, pool.rows, pool.tokens)
    known = policy.knowing(about)
    told = ", ".join(f"{place} ({known.adds(place)})" for place in about)
    first, why = known.by_ratio(sorted(about))
    amount = sum(part(about[step.place].rows, recipe, step, 1) for step in first_round)
    later = "; what the rounds measure decides afterwards" if policy.trying else ""
    return [f"feedback: of {told} the first budget, {amount:,} rows, buys {first}: {why}{later}"]
