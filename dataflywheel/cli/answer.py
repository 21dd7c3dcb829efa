"""`flywheel answer MODEL PROMPTS OUT`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataflywheel.cli.asked import Calls, Can, Concurrency, Key, ModelName, Patience, Price, Timeout, Usd
from dataflywheel.cli.options import AsJson, Columns, Plugins, Roles, Runs, Seed, Store, load_plugins, named

if TYPE_CHECKING:
    from dataflywheel.inline.answer import Answered

REASONS = 5


def answer_command(
    asked: Annotated[str, typer.Argument(metavar="MODEL", help="A folder with a model, or an endpoint's address.")],
    prompts: Annotated[list[str], typer.Argument(help="Files, folders or data set names, in any format.")],
    out: Annotated[Path, typer.Option(help="Where the answered rows go: .jsonl, .json, .parquet, .csv.")],
    max_tokens: Annotated[int, typer.Option(min=16, help="Tokens of an answer, at most.")] = 1024,
    temperature: Annotated[float, typer.Option(min=0, max=2, help="0 is the model's likeliest answer.")] = 0.0,
    thoughts: Annotated[bool, typer.Option("--thoughts", help="Keep what the model thought, as `reasoning`.")] = False,
    model: ModelName = "",
    price: Price = "",
    key: Key = "",
    can: Can = None,
    usd: Usd = None,
    calls: Calls = None,
    concurrency: Concurrency = None,
    timeout: Timeout = None,
    patience: Patience = None,
    columns: Columns = None,
    roles: Roles = None,
    plugin: Plugins = None,
    seed: Seed = 0,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    as_json: AsJson = False,
) -> None:
    """Have a model answer prompts; no answer is paid twice."""
    from dataflywheel.cli.asked import asked_model, bill, limits, paced
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.cli.stopping import unfinished
    from dataflywheel.errors import FlywheelError
    from dataflywheel.inline.answer import answer
    from dataflywheel.rows.containers.write import write_records

    load_plugins(plugin)
    container = _place(out, prompts)
    spec = asked_model(asked, model, price, key, can or [], paced(concurrency, timeout, patience))
    with LiveTable() as watcher:
        found = answer(
            prompts, spec, max_tokens=max_tokens, temperature=temperature,
            thoughts=thoughts, budget=limits(usd, calls), seed=seed, runs=runs, home=home, watcher=watcher,
            **named(columns, roles),
        )  # fmt: skip
    spent = bill(found.path)
    if not found.rows and not found.stopped:
        why = f"no prompt was answered: {'; '.join(found.reasons)}; {found.path} has the replies"
        raise FlywheelError(" ".join([f"{why}.", *spent]) if spent else why)
    if found.rows:
        write_records(out, found.rows, container)
    _told(found, str(out) if found.rows else None, spent, as_json)
    unfinished(found.stopped)


def _told(found: Answered, place: str | None, spent: list[str], as_json: bool) -> None:
    """Print what became of the prompts and what it cost."""
    if as_json:
        from dataflywheel.cli.asked import paid

        told = {"path": str(found.path), "output": place, "answered": len(found), "unanswered": dict(found.reasons)}
        typer.echo(json.dumps(told | {"stopped": found.stopped, "cost": paid(found.path)}, ensure_ascii=False))
        return
    if found.stopped:
        typer.echo(f"Not finished: {found.stopped}; the same command goes on.")
    typer.echo(f"{found.told()}: {place or 'nothing was written'}")
    for reason, number in found.reasons.most_common(REASONS):
        typer.echo(f"  {number:,} without an answer: {reason}")
    for line in spent:
        typer.echo(line)
    if place:
        typer.echo(f"Next: flywheel judge {place} OTHER, or flywheel why {found.path} ROW")


def _place(out: Path, prompts: list[str]) -> str:
    """The container to write. Raises UsageError: there is none, or answers would be written over their prompts."""
    from dataflywheel.errors import UsageError
    from dataflywheel.rows.containers.write import container_for

    if any(Path(path).expanduser().resolve() == out.resolve() for path in prompts):
        raise UsageError(f"{out}: the prompts are read from there; give another file with --out")
    return container_for(out)
