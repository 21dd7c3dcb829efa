"""`flywheel compress MODEL --to 60% --data ROWS --out FOLDER`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataflywheel.cli.options import AsJson, Columns, Roles, Runs, Seed, Store, named
from dataflywheel.cli.tables import number_table

if TYPE_CHECKING:
    from dataflywheel.inline.compress import Compressed

Out = Annotated[Path, typer.Option(help="The folder of the smaller model.")]
MEASURES = ("taylor", "taylor_summed", "activation", "magnitude", "random")
By = Annotated[str, typer.Option(help=f"What says which weights count: {', '.join(MEASURES)}.")]


def compress_command(
    model: str = typer.Argument(help="A folder or hub name of a decoder (Llama, Qwen, Mistral, Gemma)."),
    to: str = typer.Option(..., help="Share of the weights that may stay, such as 60%."),
    out: Out = ...,  # type: ignore[assignment]
    data: list[str] = typer.Option([], help="Rows of what the model is for: they measure what counts, and teach."),
    target: str | None = typer.Option(None, help="Rows to measure on; by default a tenth of the data, held apart."),
    by: By = "taylor",
    layers: int | None = typer.Option(None, min=1, help="Blocks that stay; all where not given."),
    recover: bool = typer.Option(True, help="Teach the smaller model with the whole one as its teacher."),
    epochs: float = typer.Option(1.0, help="Passes over the data that teach."),
    learning_rate: float | None = typer.Option(None, help="Peak learning rate; the usual one where not given."),
    max_length: int = typer.Option(1024, help="Tokens of a row that teaches, at most."),
    columns: Columns = None,
    roles: Roles = None,
    seed: Seed = 0,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    as_json: AsJson = False,
) -> None:
    """Prune a model to a share of its weights, teach it what it lost, and measure it before and after."""
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.contracts import UsageError, nearest
    from dataflywheel.inline.compress import compress

    if by not in MEASURES:
        raise UsageError(f"compress: --by: there is no measure {by!r}{nearest(by, MEASURES)}")
    settings = {"epochs": epochs, "learning_rate": learning_rate, "max_length": max_length}
    with LiveTable() as watcher:
        done = compress(
            model, _share(to), data or None, output=out, by=by, layers=layers,  # type: ignore[arg-type]
            recover="teacher" if recover else "nothing", settings=settings, target=target, seed=seed, home=home,
            runs=runs, watcher=watcher, **named(columns, roles),
        )  # fmt: skip
    typer.echo(json.dumps(done.as_dict(), ensure_ascii=False)) if as_json else _show(done)


def _share(text: str) -> float:
    """40% or 0.4 as a share.

    Raises:
        UsageError: it is neither.
    """
    from dataflywheel.errors import UsageError

    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise UsageError(f"compress: --to {text!r}: expected a share of the weights, such as 60% or 0.6")
    return share


def _show(done: Compressed) -> None:
    from rich.console import Console
    from rich.text import Text

    table = number_table("model", "weights", "MB", "tokens a second", "bits per byte", "95 %")
    for one in done.sizes:
        known = one.bits_per_byte == one.bits_per_byte
        measured = (f"{one.bits_per_byte:.3f}", f"{one.low:.3f} to {one.high:.3f}") if known else ("-", "-")
        table.add_row(one.name, f"{one.weights:,}", f"{one.bytes / 1e6:,.1f}", f"{one.tokens_a_second:,.0f}", *measured)
    console = Console(highlight=False)
    console.print(table)
    console.print(Text(_said(done)))


def _said(done: Compressed) -> str:
    made = done.pruned
    lines = [f"{made.share:.1%} of the weights: {made.after}, of {made.before}; kept by {made.by}."]
    if done.rows_measured:
        lines.append(f"Bits per byte of {done.rows_measured:,} answers that taught nothing; fewer are better.")
    else:
        lines.append("What it is worth was not measured: name a target, or 200 rows or more as data.")
    if done.rows_shared:
        lines.append(f"{done.rows_shared:,} rows have the prompt of a measured one and taught nothing.")
    lines.append("Tokens a second are of reading, here and now; other work on this machine changes them.")
    if done.run is not None:
        lines.append(f"Taught in {done.run}: report.html has the losses.")
    return "\n".join([*lines, f"Model: {done.path}"])
