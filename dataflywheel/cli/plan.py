"""`flywheel plan RECIPE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dataflywheel.cli.options import AsJson, Plugins, RecipeFile, Runs, Store, load_plugins

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

    from dataflywheel.recipe.planning.plan import plan
    from dataflywheel.rows.unread import unread_lines

    load_plugins(plugin)
    found = plan(recipe, probe=PROBED if probe else 0, runs=runs, home=home)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    pool = found["pool"]
    console = Console(highlight=False)
    console.print(f"{found['name']}: {pool['rows']:,} rows offered, about {_short(pool['tokens'])} tokens")
    if pool["bad"]:
        console.print(f"{pool['bad']:,} entries cannot be read; the first: {pool['why_bad']}", markup=False)
    for line in unread_lines(pool["unread"]):
        console.print(line, markup=False)
    console.print(_table(found))
    lines = [
        *_plugins(found.get("plugins", [])),
        *_unheld(found["dataset"]),
        *found["notes"],
        *_shown(found.get("shown", {})),
        *_shown_pairs(found.get("shown_pairs", {})),
        *_rewarded(found.get("rewarded", {})),
        *_probed(found.get("probe", [])),
    ]
    for line in lines:
        console.print(line, markup=False)
    for line in _again(found):
        console.print(line)
    console.print("Rows are the most that go on; passes, tokens and time are estimates, the time for this processor.")


def _table(found: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("step", box=None, pad_edge=False)
    for name in ("rows", "passes", "tokens", "calls", "dollars", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    lines = [(f"{s['index']:02d}-{s['step']}", f"{s['rows']:,}", s["cost"]) for s in found["steps"]]
    if "comparison" in found:
        trials = found["comparison"]
        lines.append((f"compare: {trials['arms']} arms, {trials['seeds']} seeds", "", trials["cost"]))
        lines += [(f"compare: {line['what']}", "", line["cost"]) for line in trials["more"]]
    for name, rows, cost in [*lines, ("total", "", found["total"])]:
        passes = cost["forward"] + cost["backward"]
        numbers = (_short(passes), _short(cost["tokens"]), f"{cost['calls']:,}", f"{cost['usd']:.2f}")
        table.add_row(name, rows, *numbers, _time(cost["seconds"]))
    return table


def _plugins(found: list[dict[str, Any]]) -> list[str]:
    """Whose code takes part besides ours."""
    return [f"{', '.join(one['methods'])}: of {one['plugin']}, whose code is {one['digest']}." for one in found]


def _unheld(found: dict[str, Any]) -> list[str]:
    """Rows that will not be in the data set, by what its format has no place for."""
    looked = f"of the {found['looked_at']:,} rows looked at"
    return [
        f"Left out of the data set, since {found['format']} cannot hold {reason}: {count:,} {looked}."
        for reason, count in found["reasons"].items()
    ]


def _again(found: dict[str, Any]) -> list[str]:
    """How often the job runs beside itself, where a comparison leaves steps out."""
    more = found.get("comparison", {}).get("more", [])
    times = sum(line["what"].startswith("without ") for line in more)
    if not times:
        return []
    return [
        f"The job runs {times} more {'time' if times == 1 else 'times'}, each without one step, to be trained with "
        "every seed. This is the most that it can cost: what is in the store is not done or paid again."
    ]


def _shown(found: dict[str, Any]) -> list[str]:
    """What the student's chat template makes of rows, a line for each thing that it does."""
    if not found:
        return []
    if "unseen" in found:
        return [f"Which rows the student's chat template can show is not known: {found['unseen']}."]
    lines = [f"{n:,} will not be trained: {reason}" for reason, n in found["not_trained"].items()]
    lines += [f"{n:,} are changed; the chat template {what}" for what, n in found["changed"].items()]
    lines += [f"{found['cut']:,} are longer than max_length and will be cut"] if found["cut"] else []
    if endless := found["without_end"]:
        lines.append(
            f"{endless:,} have no token that ends a turn in the chat template, so that the model does not learn to stop"
        )
    as_read = ", as the pool has them before steps write rows" if found.get("rewritten") else ""
    return [f"Of {found['rows']:,} rows looked at{as_read}: {line}" for line in lines]


def _shown_pairs(found: dict[str, Any]) -> list[str]:
    told = found.get("not_trained", {}).items()
    many = f"{found['pairs']:,} pairs" if "pairs" in found else f"{found.get('answers', 0):,} labelled rows and pairs"
    lines = [f"Of {many} looked at: {n:,} will not be learned by `prefer`: {why}" for why, n in told]
    return lines + [f"Of {many} looked at: {remark}" for remark in found.get("remarks", [])]


def _rewarded(found: dict[str, Any]) -> list[str]:
    """Rows whose answers the reward cannot score, a line for each reason."""
    told = found.get("not_scored", {}).items()
    return [f"Of {found['rows']:,} rows looked at: {n:,} will not be reinforced: {why}" for why, n in told]


def _probed(found: list[dict[str, Any]]) -> list[str]:
    """What the probe says about the whole pool, a line for each signal that asks a model."""
    return [
        f"{one['signal']}, from {one['rows']} rows asked about ({one['failed']} without a value): "
        f"{_range(one['calls'], '{:,.0f}')} calls, {_range(one['tokens'], '{:,.0f}')} tokens, "
        f"${_range(one['usd'], '{:,.4f}')}"
        for one in found
    ]


def _range(estimate: dict[str, float], form: str) -> str:
    value, low, high = (form.format(estimate[name]) for name in ("value", "low", "high"))
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
