"""Makes `docs/reference.md` and `docs/recipe.schema.json` from the code: `python -m docs.build`, or `make docs`."""

from __future__ import annotations

import json
from pathlib import Path

from docs.commands import commands, functions
from docs.disk import disk
from docs.formats import formats
from docs.methods import methods, statuses
from docs.recipe import recipe
from docs.schema import recipe_schema

HERE = Path(__file__).resolve().parent
HEAD = """# Reference

This page is made from the code by `make docs`. Do not edit it by hand.
"""


def reference() -> str:
    """The page `reference.md`."""
    sections = {
        "Commands": commands(),
        "Functions": functions(),
        "The recipe": recipe(),
        "Methods": methods(),
        "Statuses": statuses(),
        "Formats": formats(),
        "What a run leaves on disk": disk(),
    }
    contents = [f"- [{name}](#{name.lower().replace(' ', '-')})" for name in sections]
    body = [line for name, lines in sections.items() for line in (f"## {name}", "", *lines)]
    return "\n".join([HEAD, *contents, "", *body]).rstrip() + "\n"


def pages() -> dict[Path, str]:
    """Every made file with its content."""
    schema = json.dumps(recipe_schema(), indent=2, ensure_ascii=False) + "\n"
    return {HERE / "reference.md": reference(), HERE / "recipe.schema.json": schema}


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    main()
