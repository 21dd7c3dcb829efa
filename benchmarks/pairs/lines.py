"""How pairs of sentences are written down."""

from __future__ import annotations

Pairs = dict[str, list[tuple[str, str]]]


def pairs(text: str) -> list[tuple[str, str]]:
    """Lines of `before => after`; `\\n` stands for the end of a line."""
    found = [line.replace("\\n", "\n").split(" => ") for line in text.strip().splitlines()]
    return [(before.strip(" "), after.strip(" ")) for before, after in found]


def every_second(given: Pairs, first: int) -> Pairs:
    """Of every kind the pairs from place `first`, 0 or 1, on."""
    return {kind: some[first::2] for kind, some in given.items()}
