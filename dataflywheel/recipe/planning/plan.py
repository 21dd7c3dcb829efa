"""What a recipe will do and cost, checked before anything is computed or paid for."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.contracts import Cost, PoolStatistics
from dataflywheel.plugins.blame import blamed
from dataflywheel.recipe.composed import told_of
from dataflywheel.recipe.inputs.looked import Looked, look
from dataflywheel.recipe.planning.checks import built, check, read
from dataflywheel.recipe.planning.following import check_room, following
from dataflywheel.recipe.planning.helping import planned_helpers
from dataflywheel.recipe.planning.holding import holding
from dataflywheel.recipe.planning.next_writers import next_writers
from dataflywheel.recipe.planning.plugged import plugged
from dataflywheel.recipe.planning.price import comparison_cost, step_cost
from dataflywheel.recipe.planning.price_more import more_lines
from dataflywheel.recipe.planning.procedures import procedures
from dataflywheel.recipe.planning.weights import weights_told
from dataflywheel.recipe.pricing import flops
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Compare
from dataflywheel.recipe.steps.step import Step
from dataflywheel.store.plan import Plan, PlannedComparison, PlannedPool, PlannedStep

LOOKED_AT = 5000
"""Rows of each input whose form is checked against what the data set and the student can hold, its first."""


def plan(
    recipe: str | Path | Recipe, *, probe: int = 0, runs: str | Path = "runs", home: str | Path = ".flywheel"
) -> Plan:
    """Checks a recipe and estimates each step's rows, passes, tokens, dollars and seconds, without doing it.

    With `probe`, models behind endpoints are really asked about so many rows of the pool, and `probe` in the result
    says what all rows will cost, with intervals; the answers are kept in the store and not paid for again.

    Raises:
        UsageError: something the steps need is not there; the message says what and how to get it.
    """
    loaded = read(recipe)
    with told_of(loaded.composed), blamed(f"plan of {loaded.name}", loaded.model_dump(mode="json")):
        found = make_plan(loaded, built(loaded), loaded.compare is not None, Path(home))
    if probe:
        from dataflywheel.recipe.planning.probe import probe as ask

        return found.model_copy(update={"probe": ask(loaded, found.pool.rows, probe, Path(runs), Path(home))})
    return found


def make_plan(recipe: Recipe, steps: list[Step], comparison: bool, home: Path = Path(".flywheel")) -> Plan:
    """The content of `plan.json`; `home` is the store, which may hold models already."""
    check(recipe, steps, comparison)
    looked = look(recipe.pool, LOOKED_AT)
    speed, left = flops(), looked.size
    seen: set[str] = set()
    lines: list[PlannedStep] = []
    reaching: list[PoolStatistics] = []
    for step in steps:
        step.check_pool(left)
        reaching.append(left)
        cost = step_cost(recipe, step, left, speed, seen)
        left = step.left(left)
        line = PlannedStep(
            round=1, index=step.index, step=step.name, params=step.parameters(), rows=left.rows, cost=cost
        )
        names = list(recipe.composed.names(step.index))
        more = {**({"of": names} if names else {}), **({} if step.priced() else {"priced": False})}
        lines.append(line.model_copy(update=more) if more else line)
    check_room(steps, reaching)
    own = plugged(recipe, steps)
    facts: dict[str, object] = {**procedures(recipe), **({"plugins": own} if own else {})}
    for number, step in enumerate(steps):
        for name, told in step.foreseen(recipe, looked, steps[:number]).items():
            facts.setdefault(name, told)  # of the first step of a kind
    total = sum((line.cost for line in lines), Cost())
    if helpers := planned_helpers(recipe, steps, looked.size, speed, home):
        facts["helpers"] = helpers
        total += sum((helper.cost for helper in helpers), Cost())
    if comparison and recipe.compare:
        facts["comparison"] = trials = _comparison(recipe, recipe.compare, steps, lines, looked.size, speed)
        total += sum((run.cost for run in trials.more), trials.cost)
    notes = [
        *(note for step in steps for note in step.unread(recipe)),
        *following(recipe, steps, comparison),
        *weights_told(recipe, steps),
        *next_writers(recipe, steps, looked.size),
    ]
    held = holding(recipe, looked.first)
    known = {"name": recipe.name, "seed": recipe.seed, "pool": _pool(looked), "dataset": held, "notes": notes}
    return Plan.model_validate({**facts, **known, "steps": lines, "total": total})


def _pool(looked: Looked) -> PlannedPool:
    size = looked.size
    counted = {"rows": size.rows, "chars": size.chars, "tokens": size.tokens}
    return PlannedPool(**counted, unread=looked.unread, bad=looked.bad, why_bad=looked.why)


def _comparison(
    recipe: Recipe, compare: Compare, steps: list[Step], lines: list[PlannedStep], pool: PoolStatistics, speed: float
) -> PlannedComparison:
    more = more_lines(recipe, steps, pool, speed)
    cost = comparison_cost(recipe, lines)
    return PlannedComparison(arms=len(compare.arms) + 1, seeds=compare.seeds, cost=cost, more=more)
