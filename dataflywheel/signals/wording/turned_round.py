"""Sentences whose two sides changed places: `Ann is taller than Ben`, `Ben is shorter than Ann`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from dataflywheel.signals.wording.opposites import contrary
from dataflywheel.signals.wording.sentences import listed

TOKEN = re.compile(r"[^\W_][\w'\u2019.&%-]*|[,;:()]")
LONGEST_SIDE = 8
"""Words of a side."""
MOST = 40
"""Words of a sentence in which sides are looked for."""
PLACES = frozenset(listed("before after above below over under ahead behind north south east west"))
"""Relations with an exact converse: what is before another is followed by it."""
SYMMETRIC = frozenset(
    listed(
        "and or nor with near beside between next equals equal same different differ differs differed married "
        "marry marries meet meets met resemble resembles like unlike apart opposite touch touches touched "
        "cousins friends"
    )
)
"""What holds both ways round."""
COPULAS = frozenset(listed("is are was were be been equals means called"))
PLURAL = {"is": "are", "was": "were", "has": "have", "does": "do", "goes": "go", "isn't": "aren't", "wasn't": "weren't"}
DETERMINERS = frozenset(
    listed("the a an my your his her its our their this that these those each every some all no one two three")
)
Turned = Literal["", "same", "contrary"]


def turned_round(one: str, other: str) -> Turned:
    """Whether two sentences are one with its sides exchanged, and then whether they still say the same.

    The rest must be equal word by word, but for one word that became its opposite (`taller`, `shorter`) and for the
    number of verbs. `same` is said of comparisons, places and times with such an exact converse, and of what holds both
    ways (`as tall as`, `with`); `contrary` of any other, but for sentences that only name two things (`and`, `is`).

    >>> turned_round("Ann is taller than Ben.", "Ben is shorter than Ann.")
    'same'
    >>> turned_round("The cat saw the dog.", "The dog saw the cat."), turned_round("The cat slept.", "The dog slept.")
    ('contrary', '')
    """
    a, b = _tokens(one), _tokens(other)
    if a == b or not 3 <= len(a) <= MOST or abs(len(a) - len(b)) > 1:
        return ""
    lead = a.index(",") + 1 if "," in a else 0
    if lead and a[:lead] == b[:lead]:
        a, b = a[lead:], b[lead:]
    found: Turned = ""
    for x in range(1, min(LONGEST_SIDE, len(a) - 2) + 1):
        if b[-x:] != a[:x] or "," in a[:x]:
            continue
        for y in range(1, min(LONGEST_SIDE, len(a) - x - 1, len(b) - x - 1) + 1):
            if b[:y] == a[-y:] != a[:x] and "," not in b[:y]:
                here = _said(a[x:-y], b[y:-x], a[:x], a[-y:])
                if here == "same":
                    return here
                found = found or here
    return found


def _said(ours: Sequence[str], theirs: Sequence[str], first: Sequence[str], last: Sequence[str]) -> Turned:
    """What the exchange of two sides makes of what stands between them."""
    compared = ours[-1] == theirs[-1] == "than"
    if compared and len(ours) != len(theirs):
        return "same" if _reworded(ours, theirs) else ""
    if len(ours) != len(theirs):
        return ""
    differing = [(p, q) for p, q in zip(ours, theirs, strict=True) if p != q and not _agreeing(p, q)]
    if len(differing) == 1 and contrary(*differing[0]):
        word = differing[0][0]
        return "same" if (compared and _comparative(word)) or word in PLACES else ""
    if differing or not ours:
        return ""
    if _mutual(ours):
        return "same"
    if not SYMMETRIC.isdisjoint(ours) or COPULAS.issuperset(ours) or "," in ours:
        return ""
    told = compared or not PLACES.isdisjoint(ours) or (_thing(first) and _thing(last))
    return "contrary" if told else ""


def _reworded(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether `more expensive` became `cheaper`, or the other way round."""
    long, short = (ours, theirs) if len(ours) > len(theirs) else (theirs, ours)
    at = next((i for i, (p, q) in enumerate(zip(long, short, strict=False)) if p != q and not _agreeing(p, q)), None)
    return (
        at is not None
        and long[at] == "more"
        and contrary(long[at + 1], short[at])
        and list(long[at + 2 :]) == list(short[at + 1 :])
    )


def _comparative(word: str) -> bool:
    return word in ("more", "less", "fewer", "better", "worse") or word.endswith("er")


def _mutual(between: Sequence[str]) -> bool:
    """`is as tall as`, which nothing denies."""
    return (
        between.count("as") == 2 and between[-1] == "as" and not {"not", "n't", "never", "half", "twice"} & {*between}
    )


def _agreeing(one: str, other: str) -> bool:
    """Whether two words are one verb in another number."""
    return PLURAL.get(one) == other or PLURAL.get(other) == one or one + "s" == other or other + "s" == one


def _thing(side: Sequence[str]) -> bool:
    return len(side) > 1 and side[0] in DETERMINERS


def _tokens(sentence: str) -> list[str]:
    return [m.group() if m.group() in ",;:()" else m.group().lower().rstrip(".") for m in TOKEN.finditer(sentence)]
