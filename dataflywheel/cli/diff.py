"""`flywheel diff A B`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from dataflywheel.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dataflywheel.enhancement.distribution.drift import DriftTest
    from dataflywheel.enhancement.tables.leakage import Leakage


def diff_command(
    a: str = typer.Argument(help="A file, folder of rows, or run directory."),
    b: str = typer.Argument(help="What to compare it with."),
    drift: bool = typer.Option(False, "--drift", help="Test whether lengths, tags and meaning differ by chance only."),
    leakage: bool = typer.Option(
        False, "--leakage", help="Of tables, and alone: whether lines of B give away those of A that their writer saw."
    ),
    held_out: str | None = typer.Option(None, help="Lines of the same table that the writer of B never saw."),
    without: list[str] | None = typer.Option(None, help="A column that --leakage passes over: one that numbers lines."),
    embedder: str = typer.Option("static", help="What meaning is compared by: static, minilm, a folder; none."),
    as_json: AsJson = False,
) -> None:
    """What changed between two data sets or runs, and whether they differ by more than chance."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from dataflywheel.rows.diff import diff

    if leakage:
        _leakage(a, b, held_out, without or [], as_json)
        return
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


def _leakage(real: str, written: str, held_out: str | None, without: Sequence[str], as_json: bool) -> None:
    from dataflywheel.enhancement.tables.leakage import leakage_of_files

    found = leakage_of_files(written, real, held_out, without)
    for line in [json.dumps(found.as_dict())] if as_json else _given_away(found):
        typer.echo(line)


def _given_away(found: Leakage) -> Iterator[str]:
    """What lines of a table give away, in plain lines."""
    usual = "lines that the writer never saw" if found.by_held_out else "lines of A to the others"
    written, reference = found.written, found.reference
    yield f"{found.copies:,} lines of B are copies of lines of A, by {len(found.columns)} columns"
    yield f"distance of B to the closest line of A: median {written.median:.4f}, 5% under {written.p5:.4f}"
    yield f"the same of {usual}: median {reference.median:.4f}, 5% under {reference.p5:.4f}"
    yield f"{found.nearer:.1%} of B is nearer than 95% of those are; 5% by chance"
    if found.attack is None:
        yield "guessing of a line whether it was in A: not measured, it takes lines that were not (--held-out)"
    else:
        auc, low, high = found.attack.auc, found.attack.low, found.attack.high
        yield f"guessing of a line whether it was in A: AUC {auc:.3f} [{low:.3f}, {high:.3f}]; 0.5 by chance"


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
