"""`flywheel methods`: the catalogue."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dataflywheel.cli.asked import Parameters
from dataflywheel.cli.options import Plugins


def methods_command(
    names: Annotated[list[str] | None, typer.Argument(help="Only these methods, such as `ifd k_center`.")] = None,
    category: Annotated[str | None, typer.Option(help="A category or subcategory: selection, static, signals.")] = None,
    needs: Annotated[str | None, typer.Option(help="What you bring: model, embedder, target, nothing.")] = None,
    cost: Annotated[str | None, typer.Option(help="The highest cost class: ¢, $, $$, $$$, $$$$.")] = None,
    why: Annotated[str | None, typer.Option("--why", help="All about one method: what it does, whose it is.")] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", help="What one method asks of a model, word by word.")
    ] = None,
    parameters: Parameters = None,
    plugin: Plugins = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print the papers as BibTeX.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print cards or questions as JSON.")] = False,
) -> None:
    """List the methods, with the paper behind each, what it needs and what it costs."""
    from dataflywheel import catalog
    from dataflywheel.errors import UsageError

    broken = []
    for file in plugin or []:
        try:
            catalog.plugin(file)
        except UsageError as error:
            broken.append(str(error))
    broken += catalog.broken_plugins().splitlines()
    if prompt is not None:
        from dataflywheel.cli.prompts import say_prompts

        say_prompts(prompt, parameters or [], as_json)
        return
    if parameters:
        raise UsageError("--set belongs to --prompt: flywheel methods --prompt NAME --set PARAMETER=VALUE")
    if why is not None:
        names = [*(names or []), why]
    wanted = {name: catalog.card_of(name) for name in names or []}
    cards = [card for card in catalog.methods(category, needs, cost) if not wanted or card["name"] in wanted]
    if bibtex:
        typer.echo(catalog.bibtex(card["name"] for card in cards))
    elif as_json:
        typer.echo(json.dumps(cards, indent=2, ensure_ascii=False))
    elif why is not None:
        for card in cards:
            typer.echo("\n".join(_whole(card)))
    else:
        Console().print(_table(cards))
    for line in broken:
        typer.echo(f"Broken: {line}", err=True)


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
            table.add_row(f"[bold]{escape(heading)}[/bold]")
        told = [f"{card['authors']} {card['year']}"] if card["paper"] else []
        told += [f"of {card['plugin']}"] if "plugin" in card else []
        whose = "".join(f"\n[dim]{escape(line)}[/dim]" for line in told)
        table.add_row(escape(card["name"]), card["cost"], ", ".join(card["needs"]), escape(card["summary"]) + whose)
    return table


def _whole(card: dict[str, Any]) -> list[str]:
    """What a method computes, and everything that its card says, a line each."""
    from dataflywheel.contracts import REGISTRY, STEPS

    kind = REGISTRY.get(card["name"]) or STEPS.get(card["name"])
    paper = f"{card['authors']} ({card['year']}). {card['title']}. {card['paper']}" if card["paper"] else "none"
    found = {
        "does": card["summary"],
        "computes": " ".join((getattr(kind, "__doc__", None) or "").split()),
        "kind": f"{card['category']}, {card['subcategory']}",
        "paper": paper,
        "you bring": ", ".join(card["needs"]) or "nothing",
        "cost": card["cost"],
        "checked against": card["checked"],
        "pays": card["pays"],
        "fails": card["fails"],
        "evidence": card["evidence"],
        "plugin": card.get("plugin", ""),
    }
    return [card["name"], *(f"  {name}: {value}" for name, value in found.items() if value)]
