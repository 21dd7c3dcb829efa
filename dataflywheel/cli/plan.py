"""`flywheel plan RECIPE`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataflywheel.cli.options import AsJson, Plugins, RecipeFile, Runs, Store, load_plugins

if TYPE_CHECKING:
    from rich.table import Table

    from dataflywheel.contracts import Cost
    from dataflywheel.store.plan import (
        Holding,
        Plan,
        PlannedComparison,
        PlannedHelper,
        PlannedPlugin,
        PlannedStep,
        Probed,
        Range,
        Rewarded,
        Shown,
        ShownAnswers,
    )

PROBED = 20


def plan_command(
    recipe: RecipeFile,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask the models about 20 rows and estimate the rest from that.")
    ] = False,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    plugin: Plugins = None,
    as_json: AsJson = False,
) -> None:
    """Check a recipe and price each step, without doing it; what a probe asks is kept and not paid again."""
    from rich.console import Console

    from dataflywheel.cli.results_alone import results_alone
    from dataflywheel.recipe.planning.plan import plan
    from dataflywheel.rows.unread import unread_lines

    load_plugins(plugin)
    with results_alone():
        found = plan(recipe, probe=PROBED if probe else 0, runs=runs, home=home)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False))
        return
    pool = found.pool
    console = Console(highlight=False)
    console.print(f"{found.name}: {pool.rows:,} rows offered, about {_short(pool.tokens)} tokens")
    if pool.bad:
        console.print(f"{pool.bad:,} entries cannot be read; the first: {pool.why_bad}", markup=False)
    for line in unread_lines(pool.unread):
        console.print(line, markup=False)
    console.print(_table(found))
    lines = [
        *_unpriced(found),
        *_plugins(found.plugins),
        *_unheld(found.dataset),
        *found.notes,
        *(_shown(found.shown) if found.shown else ()),
        *(_shown_pairs(found.shown_pairs) if found.shown_pairs else ()),
        *(_rewarded(found.rewarded) if found.rewarded else ()),
        *_probed(found.probe),
    ]
    for line in lines:
        console.print(line, markup=False)
    for line in _again(found.comparison):
        console.print(line)
    console.print("Rows are the most that go on; passes, tokens and time are estimates, the time for this processor.")


def _table(found: Plan) -> Table:
    from rich.table import Table

    from dataflywheel.contracts import Cost

    table = Table("step", box=None, pad_edge=False)
    for name in ("rows", "passes", "tokens", "calls", "dollars", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    lines: list[tuple[str, str, Cost]] = []
    for step in found.steps:
        lines += [_helper(helper) for helper in found.helpers if helper.before == step.place]
        lines.append((f"{step.place}{_of(step)}", f"{step.rows:,}", step.cost))
    lines += [_helper(helper) for helper in found.helpers if helper.before == "compare"]
    if trials := found.comparison:
        lines.append((f"compare: {trials.arms} arms, {trials.seeds} seeds", "", trials.cost))
        lines += [(f"compare: {run.what}", "", run.cost) for run in trials.more]
    unpriced = found.unpriced
    last = f"total without {', '.join(unpriced)}" if unpriced else "total"
    for name, rows, cost in [*lines, (last, "", found.total)]:
        numbers = (_short(cost.forward + cost.backward), _short(cost.tokens), f"{cost.calls:,}", f"{cost.usd:.2f}")
        nothing = cost == Cost() and name.partition(" ")[0] in unpriced
        table.add_row(name, rows, *(("",) * len(numbers) if nothing else numbers), _told_time(name, cost, unpriced))
    return table


def _told_time(name: str, cost: Cost, unpriced: Sequence[str]) -> str:
    """The time; of a step of a user's that says nothing of its cost, that it is not priced, its signals apart."""
    if name.partition(" ")[0] not in unpriced:
        return _time(cost.seconds)
    return f"{_time(cost.seconds)} + not priced" if cost.seconds else "not priced"


def _unpriced(found: Plan) -> list[str]:
    return [
        f"{place} is not priced: its class has no `cost`, so that its work is in no number above."
        for place in found.unpriced
    ]


def _helper(found: PlannedHelper) -> tuple[str, str, Cost]:
    return f"{found.what}{': there already' if found.there else ''}", "", found.cost


def _of(step: PlannedStep) -> str:
    """The procedures that a step comes from, outermost first."""
    return f" ({' > '.join(step.of)})" if step.of else ""


def _plugins(found: Sequence[PlannedPlugin]) -> list[str]:
    """Whose code takes part besides ours."""
    return [f"{', '.join(one.methods)}: of {one.plugin}, whose code is {one.digest}." for one in found]


def _unheld(found: Holding) -> list[str]:
    """Rows that will not be in the data set, by what its format has no place for."""
    looked = f"of the {found.looked_at:,} rows looked at"
    return [
        f"Left out of the data set, since {found.format} cannot hold {reason}: {count:,} {looked}."
        for reason, count in found.reasons.items()
    ]


def _again(found: PlannedComparison | None) -> list[str]:
    """How often the job runs beside itself, where a comparison leaves steps out."""
    times = sum(run.what.startswith("without ") for run in (found.more if found else ()))
    if not times:
        return []
    return [
        f"The job runs {times} more {'time' if times == 1 else 'times'}, each without one step, to be trained with "
        "every seed. This is the most that it can cost: what is in the store is not done or paid again."
    ]


def _shown(found: Shown) -> list[str]:
    """What the student's chat template makes of rows, a line for each thing that it does."""
    if found.unseen:
        return [f"Which rows the student's chat template can show is not known: {found.unseen}."]
    lines = [f"{n:,} will not be trained: {reason}" for reason, n in found.not_trained.items()]
    lines += [f"{n:,} are changed; the chat template {what}" for what, n in found.changed.items()]
    lines += [f"{found.cut:,} are longer than max_length and will be cut"] if found.cut else []
    if endless := found.without_end:
        lines.append(
            f"{endless:,} have no token that ends a turn in the chat template, so that the model does not learn to stop"
        )
    as_read = ", as the pool has them before steps write rows" if found.rewritten else ""
    return [f"Of {found.rows:,} rows looked at{as_read}: {line}" for line in lines]


def _shown_pairs(found: ShownAnswers) -> list[str]:
    told = found.not_trained.items()
    many = f"{found.answers or 0:,} labelled rows and pairs" if found.pairs is None else f"{found.pairs:,} pairs"
    lines = [f"Of {many} looked at: {n:,} will not be learned by `prefer`: {why}" for why, n in told]
    return lines + [f"Of {many} looked at: {remark}" for remark in found.remarks]


def _rewarded(found: Rewarded) -> list[str]:
    """Rows whose answers the reward cannot score, a line for each reason."""
    told = found.not_scored.items()
    return [f"Of {found.rows:,} rows looked at: {n:,} will not be reinforced: {why}" for why, n in told]


def _probed(found: Sequence[Probed]) -> list[str]:
    """What the probe says about the whole pool, a line for each signal that asks a model."""
    return [
        f"{one.signal}, from {one.rows} rows asked about, {one.rows - one.failed} of them with a readable answer: "
        f"{_range(one.calls, '{:,.0f}')} calls, {_range(one.tokens, '{:,.0f}')} tokens, "
        f"${_range(one.usd, '{:,.4f}')}"
        for one in found
    ]


def _range(estimate: Range, form: str) -> str:
    value, low, high = (form.format(number) for number in (estimate.value, estimate.low, estimate.high))
    return value if low == high else f"{value} ({low} to {high})"


def _short(number: float) -> str:
    """`866848` -> `867k`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            return f"{number / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{number:,.0f}"


def _time(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
