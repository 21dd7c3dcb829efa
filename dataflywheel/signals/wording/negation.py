"""Negation: how often a sentence says no, and whether two versions of one say it equally often."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataflywheel.signals.wording.sentences import fold, versions, words

NEGATION = re.compile(
    r"\b(?:no(?!\.?\s*\d)|not(?!\s+(?:only|just|merely)\b)|never|none|nobody|nothing|nowhere|neither|cannot|without|"
    r"hardly|scarcely|barely|unable|fail(?:s|ed)?\s+to|lack(?:s|ed|ing)?|"
    r"(?:ca|wo|do|does|did|is|are|was|were|have|has|had|should|would|could|must|need|ai)n['\u2019`]?t|"
    r"\w+n['\u2019`]t)\b",
    re.IGNORECASE,
)
NEITHER = re.compile(r"\bneither\b(?:(?![.!?\n]).)*?\bnor\b", re.IGNORECASE)
NOR = re.compile(r"\bnor\b", re.IGNORECASE)
OR_NOT = re.compile(r"\bor\s+not\b", re.IGNORECASE)
PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non")
ROOT = 4
"""Letters that are left of a word without its prefix, so that `increase` does not deny `crease`, nor `into` `to`."""
PAIRS = """
more less|more fewer|increase decrease|increases decreases|increased decreased|true false
before after|above below|maximum minimum|most least|highest lowest|largest smallest|longest shortest
best worst|better worse|good bad|great terrible|right wrong|correct incorrect|possible impossible
accept reject|allow forbid|allowed forbidden|include exclude|includes excludes|higher lower
larger smaller|longer shorter|older younger|faster slower|hot cold|big small|tall short|high low
ascending descending|positive negative|gain lose|gained lost|won lost|buy sell|bought sold
interesting boring|love hate|loved hated|likely unlikely|legal illegal|safe dangerous|easy difficult
"""
OPPOSITES = {frozenset(line.split()) for line in re.split(r"[|\n]+", PAIRS.strip())}
LOOKALIKES = {"increase", "inform", "inside", "instill", "invest", "intact", "intent", "intend", "discover"}
SURE = 0.6
"""Share of common words from which two sentences say the same thing, or its contrary."""


def negations(text: str) -> int:
    """How often a text denies: `neither ... nor` once, `not only` and `or not` not at all.

    >>> negations("It isn't here, nor did Ann see it."), negations("Not only red but also blue, with No. 5")
    (2, 0)
    """
    plain = OR_NOT.sub(" ", NEITHER.sub("neither", text))
    return len(NEGATION.findall(plain)) + len(NOR.findall(plain))


def turns(before: str, after: str) -> int:
    """How many words of one text were replaced by their opposites in the other: `possible` by `impossible`."""
    ours, theirs = ({fold(w.text) for w in words(text)} for text in (before, after))
    gone, new = ours - theirs, theirs - ours
    return sum(any(contrary(word, other) for other in new) for word in gone)


def contrary(a: str, b: str) -> bool:
    """Whether two words are opposites by a prefix, or a common pair.

    >>> contrary("effective", "ineffective"), contrary("before", "after"), contrary("crease", "increase")
    (True, True, False)
    """
    if frozenset((a, b)) in OPPOSITES:
        return True
    short, long = sorted((a, b), key=len)
    return len(short) >= ROOT and any(long == prefix + short for prefix in PREFIXES) and long not in LOOKALIKES


def changed(before: Sequence[str], after: Sequence[str], whole: bool) -> str:
    """The first sentence of `before` whose version in `after` denies what it says, or the other way round; "" if none.

    A word that became its opposite makes up for a negation that went: `not possible` is `impossible`. With `whole` the
    texts must deny equally often in all, too, which finds what was denied in a sentence that was written anew.
    """
    for one, other in versions(before, after, SURE):
        if one != other and abs(negations(one) - negations(other)) != turns(one, other):
            return one
    ours, theirs = " ".join(before), " ".join(after)
    if whole and abs(negations(ours) - negations(theirs)) > turns(ours, theirs):
        return ours
    return ""
