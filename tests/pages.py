"""The pages of the documentation and their fenced blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/tutorial.md", "docs/how-to.md", "CONTRIBUTING.md")
BLOCK = re.compile(r"(?:<!--\s*(?P<mark>[^>]*?)\s*-->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```", re.M | re.S)
FILE = re.compile(r"# ([\w-]+\.yaml)\n")
CODE = re.compile(r"# ([\w-]+\.py)\n")
"""A block of Python that names its file is one of the user's, and written there."""
MARK = re.compile(r"(not run|slow|ray): \S+ \S+")
"""A block that is not run at once says when it is and why, in two words or more."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the first word of the comment above it."""

    kind: str
    body: str
    comment: str

    @property
    def mark(self) -> str:
        return self.comment.partition(":")[0]


def blocks(page: str) -> list[Block]:
    found = BLOCK.finditer((ROOT / page).read_text(encoding="utf-8"))
    return [Block(match["kind"], match["body"], match["mark"] or "") for match in found]


def own_files(page: str) -> dict[str, str]:
    """The files of the user's code on a page, by name."""
    found = (block.body for block in blocks(page) if block.kind == "python")
    return {named[1]: body for body in found if (named := CODE.match(body))}


def complete(body: str) -> dict[str, Any]:
    """A recipe from a block: what a fragment leaves out is filled in."""
    base: dict[str, Any] = {"name": "fragment", "pool": {"path": "pool.jsonl"}, "target": {"path": "benchmark.jsonl"}}
    given: dict[str, Any] = yaml.safe_load(body)
    if {"name", "pool", "steps"} <= given.keys():
        return given
    steps: list[Any] = [{"decontaminate": {"semantic": None}}, {"select": {"by": "random", "keep": 10}}]
    if "compare" in given and "steps" not in given:
        steps += [{"train": {}}, {"evaluate": {}}]
    return {**base, "steps": steps, **given}
