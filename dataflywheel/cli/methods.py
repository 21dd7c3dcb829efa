"""`flywheel methods`: the catalogue."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def methods_command(
    names: Annotated[list[str] | None, typer.Argument(help="Only these methods, such as `ifd k_center`.")] = None,
    category: Annotated[str | None, typer.Option(help="A category or subcategory: selection, static, signals.")] = None,
    needs: Annotated[str | None, typer.Option(help="What you bring: model, embedder, target, nothing.")] = None,
    cost: Annotated[str | None, typer.Option(help="The highest cost class: ¢, $, $$, $$$, $$$$.")] = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print the papers as BibTeX.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the cards as JSON.")] = False,
) -> None:
    """List the methods, with the paper behind each, what it needs and what it costs."""
    from dataflywheel import catalog

    wanted = {name: catalog.get(name) for name in names or []}
    cards = [card for card in catalog.methods(category, needs, cost) if not wanted or card["name"] in wanted]
    if bibtex:
        typer.echo(catalog.bibtex(card["name"] for card in cards))
    elif as_json:
        typer.echo(json.dumps(cards, indent=2, ensure_ascii=False))
    else:
        Console().print(_table(cards))


def _table(cards: list[dict[str, Any]]) -> Table:
    caption = "¢ minutes of CPU · $ one model pass or call a row · $$$$ dozens of fine-tunes"
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", pad_edge=False)
    table.add_column("method", no_wrap=True)
    table.add_column("cost")
    table.add_column("needs")
    table.add_column("does", ratio=1)
    heading = ""
    for card in cards:
        if heading != (heading := f"{card['category']} · {card['subcategory']}"):
            table.add_section()
            table.add_row(f"[bold]{heading}[/bold]")
        paper = f"\n[dim]{escape(card['authors'])} {card['year']}[/dim]" if card["paper"] else ""
        table.add_row(card["name"], card["cost"], ", ".join(card["needs"]), escape(card["summary"]) + paper)
    return table
