"""What `scope` reads in English, in nine other languages: all and some, always and never, must and may, only."""

from __future__ import annotations

import re
from typing import NamedTuple

from dataflywheel.signals.wording.scope_tables import TABLES

Family = dict[str, re.Pattern[str]]


class Scope(NamedTuple):
    """The families of a language, and its words for `only`."""

    families: dict[str, Family]
    only: re.Pattern[str]
    not_only: re.Pattern[str]


MANY = ("not all", "none", "most", "all", "some")
OFTEN = ("not always", "rarely", "never", "always", "usually", "sometimes")
SURELY = ("forbidden", "should", "must", "may")
BOUNDS = ("at least", "at most", "more", "less", "exactly")
WHEN = ("before", "after", "while")
WHAT = ("unless", "only if", "even if", "if")
READ = {
    "how many": MANY,
    "how often": OFTEN,
    "how surely": SURELY,
    "up to what": BOUNDS,
    "when": WHEN,
    "on what": WHAT,
}
"""Of each family the values in the order in which `scope_tables` lists them, and in which they are read."""


def _scope(table: str, bound: bool = True) -> Scope:
    """From lines of `family: value / value / ...`, each value a list of `|`."""
    families: dict[str, Family] = {}
    joined = re.sub(r"(?<=\|)\n\s+", "", table.strip())
    for line in re.sub(r"\n\s+", " ", joined).split("\n"):
        name, _, said = line.partition(": ")
        values = [value.strip() for value in said.split(" / ")]
        names = READ.get(name, ("only", "not only"))
        families[name] = {value: _pattern(given, bound) for value, given in zip(names, values, strict=True)}
    only = families.pop("only")
    return Scope(families, only["only"], only["not only"])


def _pattern(text: str, bound: bool) -> re.Pattern[str]:
    text = re.sub(r"\(\?<[!=][^)]*\)| ", lambda m: r"\s+" if m[0] == " " else m[0], text)
    return re.compile(rf"(?<!\w)(?:{text})(?!\w)" if bound else text, re.IGNORECASE)


UNBOUND = frozenset(("zh", "ja"))
"""Languages without spaces between words."""
ABROAD = {code: _scope(table, code not in UNBOUND) for code, table in TABLES.items()}
