"""Words of opposite meaning in all their inflections: common pairs, and words with a prefix or ending that denies."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from functools import lru_cache
from itertools import combinations

from dataflywheel.signals.wording.opposites_table import CLUSTERS, IRREGULAR
from dataflywheel.signals.wording.sentences import listed

PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "mis", "de", "anti", "ab", "a")
"""Deny what follows: `possible`, `impossible`."""
EXCHANGED = (
    ("over", "under"), ("pre", "post"), ("up", "down"), ("in", "out"), ("in", "ex"), ("im", "ex"), ("en", "dis"),
    ("en", "de"), ("in", "de"), ("inter", "intra"), ("hyper", "hypo"), ("macro", "micro"), ("pro", "anti"),
    ("maxi", "mini"), ("mono", "poly"), ("homo", "hetero"), ("ante", "post"), ("fore", "hind"), ("endo", "exo"),
    ("out", "under"),
)  # fmt: skip
"""Beginnings of words of which one says the contrary of the other: `import`, `export`."""
ROOT = 4
"""Letters that are left of a word without its prefix, so that `increase` does not deny `crease`."""
RISKY = frozenset(("de", "a", "ab", "mis"))
LONG_ROOT = 7
"""The same for prefixes that begin many words that deny nothing: `de`, `a`, `ab`, `mis`."""
LOOKALIKES = set(
    listed(
        "increase inform inside instill invest intact intent intend intense discover display dismiss discount "
        "discharge disease distance district discourse dispose discord unless invaluable inflammable "
        "indifferent improve impress import impart impose impact impulse imprint implant immigrant instance "
        "insight install invent inspire intern inland input income infuse inhabit intake insure inward inbox "
        "inline irate innumerable unloose instant ingrain"
    )
)
"""Words that begin like a denial of another word and are none."""

ENDINGS = ("ness", "ingly", "edly", "ing", "ed", "est", "er", "ly", "es", "s", "d", "r", "al", "ment", "ally")
VOWELS = frozenset("aeiou")


@lru_cache(maxsize=200_000)
def bases(word: str) -> frozenset[str]:
    """What a word may be an inflection of, itself among them: a superset, by endings alone.

    >>> "stop" in bases("stopped"), "carry" in bases("carries"), "safe" in bases("safely"), "go" in bases("went")
    (True, True, True, True)
    """
    found = {word}
    if word in IRREGULAR:
        found.add(IRREGULAR[word])
    for ending in ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 2:
            continue
        found.add(stem)
        if ending not in ("s", "ly", "ness"):
            found.add(stem + "e")
        if stem[-1] == "i":
            found.add(stem[:-1] + "y")
        if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in VOWELS:
            found.add(stem[:-1])
        if ending == "ly" and stem.endswith(("b", "p", "t", "d")):
            found.add(stem + "le")
    return frozenset(found)


def _sides() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Of each word the names of the clusters in which it stands on the left, and on the right."""
    left: dict[str, set[str]] = defaultdict(set)
    right: dict[str, set[str]] = defaultdict(set)
    for k, line in enumerate(CLUSTERS.strip().splitlines()):
        for side, given in zip((left, right), line.split("/"), strict=True):
            for word in given.split():
                side[word].add(str(k))
    return dict(left), dict(right)


LEFT, RIGHT = _sides()
PAIRED = frozenset(LEFT) | frozenset(RIGHT)


@lru_cache(maxsize=200_000)
def poles(word: str) -> frozenset[str]:
    """The poles on which a word lies: the number of a pair with a sign.

    >>> len(poles("increased")), poles("table")
    (1, frozenset())
    """
    found: set[str] = set()
    for base in bases(word) & PAIRED:
        found |= {f"+{k}" for k in LEFT.get(base, ())} | {f"-{k}" for k in RIGHT.get(base, ())}
    return frozenset(found)


@lru_cache(maxsize=200_000)
def denied(word: str) -> frozenset[str]:
    """What a word denies by its prefix or ending, in its other inflections too; nothing where it denies nothing.

    >>> "able" in denied("unable"), "hopeful" in denied("hopeless"), denied("uncle"), denied("income")
    (True, True, frozenset(), frozenset())
    """
    found: set[str] = set()
    if not bases(word) & LOOKALIKES:
        for prefix in PREFIXES:
            root = word.removeprefix(prefix)
            if root != word and len(root) >= (LONG_ROOT if prefix in RISKY else ROOT):
                found |= bases(root)
    for ending in ("less", "lessly", "lessness", "free"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= ROOT - 1:
            found |= {root, f"{root}ful", f"{root}fully", f"{root}y", f"{root}s"}
    return frozenset(found)


@lru_cache(maxsize=200_000)
def marks(word: str) -> frozenset[str]:
    """What a word is known by to its opposites: any of these is among the `counter_marks` of every one of them."""
    found = poles(word) | {f"={base}" for base in bases(word)} | {f"!{root}" for root in denied(word)}
    for k, pair in enumerate(EXCHANGED):
        for side, prefix in enumerate(pair):
            root = word.removeprefix(prefix)
            if root != word and len(root) >= ROOT - 1:
                found |= {f"{k}.{side}:{base}" for base in bases(root)}
    return frozenset(found)


@lru_cache(maxsize=200_000)
def counter_marks(word: str) -> frozenset[str]:
    turned = {"+": "-", "-": "+", "=": "!", "!": "="}
    plain = {turned[mark[0]] + mark[1:] for mark in marks(word) if mark[0] in turned}
    return frozenset(
        plain
        | {mark.replace(".0:", ".1:") for mark in marks(word) if ".0:" in mark}
        | {mark.replace(".1:", ".0:") for mark in marks(word) if ".1:" in mark}
    )


def contrary(a: str, b: str) -> bool:
    """Whether two words are opposites: a common pair in any inflection, or alike but for what denies.

    >>> contrary("effective", "ineffective"), contrary("rose", "fallen"), contrary("crease", "increase")
    (True, True, False)
    >>> contrary("harmful", "harmless"), contrary("overpaid", "underpaid"), contrary("sick", "sickness")
    (True, True, False)
    """
    return a != b and bool(marks(a) & counter_marks(b)) and not poles(a) & poles(b)


def turned(lost: Sequence[str], gained: Sequence[str]) -> list[tuple[str, str]]:
    """Words of one text that became their opposites in another: each word with one contrary to it, each once.

    >>> turned(["hot", "clean", "red"], ["unclean", "cold"])
    [('hot', 'cold'), ('clean', 'unclean')]
    """
    by_mark: dict[str, list[int]] = defaultdict(list)
    for k, word in enumerate(gained):
        for mark in marks(word):
            by_mark[mark].append(k)
    taken: set[int] = set()
    pairs = []
    for word in lost:
        near = sorted({k for mark in counter_marks(word) for k in by_mark.get(mark, ())} - taken)
        match = next((k for k in near if contrary(word, gained[k])), None)
        if match is not None:
            taken.add(match)
            pairs.append((word, gained[match]))
    return pairs


def changed_places(before: Sequence[str], after: Sequence[str], passed_over: Set[str]) -> tuple[str, str] | None:
    """Of two versions of a sentence, a word whose place its contrary had, and that one; None where all kept theirs.

    A place is told by the nearest words with a meaning on either side. Words count that stand once in each version.

    >>> one, other = "exports rose and imports fell", "exports fell and imports rose"
    >>> changed_places(one.split(), other.split(), {"and"})
    ('imports', 'exports')
    >>> changed_places("hot tea and cold milk".split(), "cold milk and hot tea".split(), {"and"})
    """
    places = [_neighbours(side, passed_over) for side in (before, after)]
    both = [word for word in places[0] if word in places[1]]
    for word, other in combinations(both, 2):
        if not contrary(word, other):
            continue
        old, new = (tuple(zip(side[word], side[other], strict=True)) for side in places)
        stays = any(a and a == c and a != d for (a, _), (c, d) in zip(old, new, strict=True))
        moves = any(a and a == d and a != c for (a, _), (c, d) in zip(old, new, strict=True))
        if moves and not stays:
            return other, word
    return None


def _neighbours(tokens: Sequence[str], passed_over: Set[str]) -> dict[str, tuple[str, str]]:
    """Of every word on a pole that stands once the nearest words with a meaning before and behind it."""
    held = [token for token in tokens if token not in passed_over or poles(token)]
    once = {word for word, n in Counter(held).items() if n == 1 and poles(word)}
    around = ["", *held, ""]
    return {word: (around[i], around[i + 2]) for i, word in enumerate(held) if word in once}
