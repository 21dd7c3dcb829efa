"""`flywheel diff A B`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from dataflywheel.cli.options import AsJson

if TYPE_CHECKING:
    from dataflywheel.enhancement.distribution.drift import DriftTest


def diff_command(
    a: str = typer.Argument(help="A file, folder of rows, or run directory."),
    b: str = typer.Argument(help="What to compare it with."),
    drift: bool = typer.Option(False, "--drift", help="Test whether lengths, tags and meaning differ by chance only."),
    embedder: str = typer.Option("static", help="What meaning is compared by: static, minilm, a folder; none."),
    as_json: AsJson = False,
) -> None:
    """What changed between two data sets or runs, and whether they differ by more than chance."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from dataflywheel.rows.diff import diff

    found = diff(a, b)
    tests = _drift(a, b, embedder) if drift else []
    if as_json:
        told = {**found.as_dict(), **({"drift": [asdict(test) for test in tests]} if drift else {})}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    table = Table("source", "in both", "changed", "only in A", "only in B", box=None, pad_edge=False)
    total = {kind: getattr(found, kind) for kind in ("in_both", "changed", "only_in_a", "only_in_b")}
    for source, counts in [*found.by_source.items(), ("all", total)]:
        numbers = (f"{counts[kind]:,}" for kind in ("in_both", "changed", "only_in_a", "only_in_b"))
        table.add_row(Text(source or "-"), *numbers)
    console = Console(highlight=False)
    console.print(Text(f"A: {a} ({found.rows_a:,} rows)\nB: {b} ({found.rows_b:,} rows)"))
    console.print(table)
    for test in tests:
        word = "differ" if test.drifted() else "may differ by chance alone"
        console.print(f"drift of {test.column}, {test.test}: {test.statistic:.3f}, p {test.adjusted:.3f}: they {word}")
    for kind, examples in found.examples.items():
        for example in examples[:2]:
            console.print(Text(f"\n{kind.replace('_', ' ')}: {example['id']}\n{_shown(example)}"))
    if found.quarantined:
        typer.echo(f"{found.quarantined:,} lines could not be read and were left out", err=True)


def _drift(a: str, b: str, embedder: str) -> list[DriftTest]:
    from dataflywheel.enhancement.distribution.drift_of_files import drift_of_files
    from dataflywheel.models.spec import EmbedderSpec

    spec = None if embedder == "none" else EmbedderSpec.model_validate(embedder)
    return drift_of_files(a, b, embedder=spec)


def _shown(example: dict[str, Any]) -> str:
    lines = [f"  prompt: {_line(example['prompt'])}", f"  answer: {_line(example['answer'])}"]
    if "other_answer" in example:
        reworded = example["other_prompt"] != example["prompt"]
        lines += [f"  in B, prompt: {_line(example['other_prompt'])}"] if reworded else []
        lines.append(f"  in B:   {_line(example['other_answer'])}")
    return "\n".join(lines)


def _line(text: str) -> str:
    """One line of printable characters: text of rows must not steer the terminal."""
    one = " ".join(text.split())[:160]
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in one)
