"""`flywheel methods`: the catalogue."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
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


def _table(cards: list[dict[str, object]]) -> Table:
    table = Table(caption="¢ minutes of CPU · $ one model pass or call a row · $$$$ dozens of fine-tunes", expand=True)
    table.add_column("method", no_wrap=True)
    for title in ("category", "needs", "cost", "does", "paper"):
        table.add_column(title, overflow="fold")
    for card in cards:
        needs = card["needs"]
        table.add_row(
            str(card["name"]),
            f"{card['category']} · {card['subcategory']}",
            ", ".join(map(str, needs)) if isinstance(needs, list) else "",
            str(card["cost"]),
            str(card["summary"]),
            f"{card['authors']} {card['year']} {card['paper']}" if card["paper"] else "",
        )
    return table
