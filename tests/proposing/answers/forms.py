"""Final answers as models and data sets write them, in pairs; what is right of each was decided before it was tried."""

from __future__ import annotations

from pathlib import Path

LINES = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
"""`= one \u00a6 other` for one value, `!` for two, `?` for one that a reader may hold for another."""


def pairs(sign: str) -> list[tuple[str, str]]:
    found = [line[2:].split("\u00a6") for line in LINES if line.startswith(f"{sign} ")]
    return [(one.strip(" "), other.strip(" ")) for one, other in found]


SAME = pairs("=")
OTHER = pairs("!")
MAY_BE_REFUSED = pairs("?")
"""To be called equal, or not to be."""
