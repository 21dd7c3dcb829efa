"""`flywheel run RECIPE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dataflywheel.cli.measured import beside
from dataflywheel.cli.options import AsJson, Plugins, RecipeFile, Runs, Store, load_plugins

if TYPE_CHECKING:
    from dataflywheel.store.scoreboard import Against, ArmScore


def run_command(
    recipe: RecipeFile,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    plugin: Plugins = None,
    as_json: AsJson = False,
) -> None:
    """Plan, run or resume a recipe."""
    from dataflywheel.api import run
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.cli.stopping import unfinished
    from dataflywheel.recipe.inputs.ingest import unread_of
    from dataflywheel.rows.unread import unread_lines
    from dataflywheel.store.run import RunDirectory

    load_plugins(plugin)
    with LiveTable() as watcher:
        result = run(recipe, runs=runs, home=home, watcher=watcher)
    unread = unread_of(RunDirectory(result.path))
    if as_json:
        typer.echo(json.dumps({**result.as_dict(), "unread": unread}, ensure_ascii=False))
    for line in [] if as_json else [*summary(result), *unread_lines(unread)]:
        typer.echo(line)
    unfinished(result.stopped)


def summary(result: Any) -> list[str]:
    """What was gained, at what cost, where the report is, and what to try next."""
    from dataflywheel.cli.convert import FIELDS
    from dataflywheel.report.verdict import rounds_said, rows_said
    from dataflywheel.store.run import DATASET

    ledger = json.loads((result.path / "ledger.json").read_text(encoding="utf-8"))["total"]
    from dataflywheel.cli.asked import bill, so_far
    from dataflywheel.report.guided import guided

    whole = result.dataset is not None and result.dataset.name == DATASET
    lines = [] if whole else so_far(result)
    if whole:
        lines += [f"Not finished: {result.stopped}."] if result.stopped else []
        kept = f"{result.rows_out:,} of {result.rows_in:,} rows kept"
        more = result.rows_out > result.rows_in  # written ones among them
        lines.append(f"{rows_said(result.rows_out, result.rows_in, '') if more else kept}: {result.dataset}")
    for reason, count in result.left_out.items():
        lines.append(f"Left out of the data set, since its format cannot hold {reason}: {count:,} (see the report).")
    if result.held_apart:
        rows = "1 row" if result.held_apart == 1 else f"{result.held_apart:,} rows"
        lines.append(f"{rows} held apart, each with its reason: {result.path / 'quarantine'}")
    if result.not_carried:
        fields = ", ".join(f"{name} ({n:,})" for name, n in list(result.not_carried.items())[:FIELDS])
        lines.append(f"Not in the data set, since its format has no place for them: the fields {fields}.")
    if result.rounds > 1:
        lines.append(f"Rounds: {result.rounds} turned{'; ' + result.ended if result.ended else ''}.")
    lines += [gain(result)] if whole else []
    lines += [told] if whole and (told := guided(result.path)) else []
    lines += [*filter(None, [rounds_said(result.comparison)]), *beside(result.comparison)]
    lines.append(
        f"Cost: {ledger['seconds']:,.0f} s of computing and waiting, {ledger['tokens']:,} tokens, ${ledger['usd']:.2f}."
    )
    lines += [f"Asked models: {line.removeprefix('Cost: ')}" for line in bill(result.path)]
    lines.append(f"Report: {result.report}")
    if result.stopped:
        return lines
    lines.append(
        f"Next: flywheel why {result.path} ROW tells the life of one row; on your own data: "
        "flywheel profile POOL.jsonl, then flywheel select POOL.jsonl --by k_center --keep 10%"
    )
    return lines


def gain(result: Any) -> str:
    """One sentence on what the selection was worth against random choice, or that it was not measured."""
    if not result.comparison:
        told = result.evaluation
        known = told is not None and told.overall.value == told.overall.value  # not NaN
        score = f" Score: {told.metric.replace('_', ' ')} {told.overall.value:.3f}." if known else ""
        arms = "`compare: [random, longest, full]`"
        ready = result.model is not None and told is not None
        advice = f"(add {arms} to the recipe)" if ready else f"(that takes the steps train and evaluate, and {arms})"
        return f"Gain: not measured against random choice {advice}.{score}"
    from dataflywheel.store.scoreboard import costs_more

    board, own = result.comparison, result.comparison.arms[0]
    found = [("from the same cleaned pool", own, board.random)]
    if own.raw:
        found.insert(0, ("from the raw pool", own.raw, next((a for a in board.arms if a.name == "random_raw"), None)))
    parts = [f"{_against(gap, board.better)} {where}{_unlike(own, other)}" for where, gap, other in found]
    same = not any(costs_more(own, other) for _, _, other in found)
    return (
        f"Gain: {board.metric.replace('_', ' ')} {own.mean:.3f} ({board.better} is better): "
        f"{'; '.join(parts)}. "
        f"{'Same training tokens, ' if same else ''}{len(board.seeds)} seeds, 95 % intervals."
    )


def _unlike(own: ArmScore, other: ArmScore | None) -> str:
    from dataflywheel.store.scoreboard import costs_more

    told = costs_more(own, other)
    return f" ({told})" if told else ""


def _against(found: ArmScore | Against, better: str) -> str:
    """The verdict with its interval as a gain: more is better, whichever way the metric goes."""
    gap = found.difference
    if gap is None:
        return found.verdict
    low, high = (gap.low, gap.high) if better == "higher" else (-gap.high, -gap.low)
    return f"{found.verdict} (gain {low:+.3f} to {high:+.3f})"
