"""Negation: which words a sentence denies, and whether two versions of it affirm and deny the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dataflywheel.signals.wording.negation_words import denials_of, denied_times
from dataflywheel.signals.wording.opposites import turned
from dataflywheel.signals.wording.sentences import fold, forms, likeness, likest, listed

NEUTRAL = re.compile(
    r"\bnot\s+(?:only|just|merely|simply|solely|to\s+mention)\b|\b(?:or|why|whether\s+or)\s+not\b|"
    r"\bnot\s+without\b|\bno\s+(?:\w+er|more|less)\s+than\b|\bno\s+(?:doubt|matter|wonder)\b|\bwithout\s+(?:a\s+)?doubt\b|"
    r"\bnothing\s+but\b|\bcan(?:not|['\u2019]t|\s+not)\s+help\s+but\b|\bno\.?\s*\d",
    re.IGNORECASE,
)
"""What has a word of denial and denies nothing."""
NO_DENIAL = re.compile(r"\b(?:do\s+not|don['\u2019`]?t|never)\s+(?P<verb>forget|hesitate)\b", re.IGNORECASE)
SAYS = {"forget": "remember", "hesitate": "feel free"}
"""What is said by denying its contrary."""
CONTRACTED = re.compile(
    r"\b(\w+?)n['\u2019`]t\b|\b(do|does|did|is|are|was|were|have|has|had|should|would|could|ca|wo)nt\b", re.IGNORECASE
)
CANNOT = re.compile(r"\bcannot\b", re.IGNORECASE)
UNABLE = re.compile(r"\bunable\b|\bincapable\s+of\b", re.IGNORECASE)
FAILS = re.compile(r"\bfail(?:s|ed|ing)?\s+to\b", re.IGNORECASE)
HYPHENED = re.compile(r"\b(?:(non)[\s-]|(in|on|off|up|out|by|to|the|well|self)-)(?=\w)", re.IGNORECASE)
"""`non profit` is one word, `in-charge` two."""
PIECE = re.compile(r"[\w'\u2019-]+|[,;:()\u2014]")
DENYING = set(
    listed(
        "not never no none nobody nothing nowhere neither nor without hardly scarcely barely lack lacks lacked lacking"
    )
)
SOFT = {"less", "least"}
"""They turn the word after them, `less expensive` into `cheaper`, and deny no sentence."""
PASSED_OVER = set(
    listed(
        "a an the any this that these those it he she we you they i me him her them us its his their our your "
        "my one be is are was were been being am do does did done have has had having will would shall should "
        "can could may might must able capable to of in on at by for from as so too very really quite yet "
        "even ever all every always necessarily completely entirely fully absolutely exactly actually "
        "particularly especially there here and both either then some much many more most such ca wo"
    )
)
"""Words between a denial and what it denies."""
PASSED_ON = frozenset(
    listed("think believe suppose expect seem seems seemed appear appears appeared want feel guess imagine")
)
"""Words that pass a denial on to what is far behind them: `I do not think that the water is safe`."""
CLAUSE_ENDS = frozenset(",;:()\u2014")
SURE = 0.6
"""Share of common words from which two sentences say the same thing, or its contrary."""
SIMILAR = 0.25
"""The same for two sentences that stand alone between the same neighbours."""
SHORT = 3
"""Words of sentences that are taken for versions of each other by their neighbours alone."""


@dataclass
class Said:
    """What a sentence says: its words with a meaning in order, and the denials that are about each."""

    words: list[str] = field(default_factory=list)
    denials: int = 0
    about: dict[str, set[int]] = field(default_factory=dict)
    """Words that are denied, with the numbers of the denials; `SOFT` ones have negative numbers."""
    affirmed: set[str] = field(default_factory=set)
    """Words that stand somewhere without a denial."""


def said(sentence: str) -> Said:
    """What an English sentence affirms and denies.

    >>> one = said("It isn't safe or clean, and I do not think that Ann is unable to go.")
    >>> one.denials, sorted(one.about)
    (3, ['clean', 'go', 'safe'])
    """
    plain = NEUTRAL.sub(" ", NO_DENIAL.sub(lambda m: SAYS[m["verb"].lower()], sentence))
    plain = CONTRACTED.sub(lambda m: f"{m[1] or m[2]} not", CANNOT.sub("can not", plain))
    plain = HYPHENED.sub(lambda m: m[1] or f"{m[2]} ", plain)
    plain = FAILS.sub("not", UNABLE.sub("not able", plain))
    tokens = [m.group() if m.group() in CLAUSE_ENDS else fold(m.group()) for m in PIECE.finditer(plain)]
    result = Said()
    neither = False
    free = set(range(len(tokens)))
    for i, token in enumerate(tokens):
        if token in DENYING and not (token == "nor" and neither):
            neither = neither or token == "neither"
            number, result.denials = result.denials, result.denials + 1
        elif token in SOFT:
            number = -1 - i
        else:
            continue
        for place in _scope(tokens, i):
            result.about.setdefault(tokens[place], set()).add(number)
            free.discard(place)
    result.words = [token for token in tokens if token and token not in DENYING and token not in CLAUSE_ENDS]
    result.affirmed = {tokens[i] for i in free}
    return result


def _scope(tokens: Sequence[str], start: int) -> list[int]:
    """Places of the words that a denial is about: the next one with a meaning, and what `or` and `nor` add to it."""
    head = _next_word(tokens, start + 1)
    if head is not None and tokens[head] in PASSED_ON:
        return []
    if head is None:
        back = next((i for i in range(start - 1, max(-1, start - 4), -1) if tokens[i] not in PASSED_OVER), None)
        return [] if back is None or tokens[back] in CLAUSE_ENDS or tokens[back] in DENYING else [back]
    found = [head]
    while len(found) < 8:
        after = found[-1] + 1
        after += after < len(tokens) and tokens[after] == ","
        if after >= len(tokens) or tokens[after] not in ("or", "nor"):
            break
        head = _next_word(tokens, after + 1)
        if head is None:
            break
        found.append(head)
    return found


def _next_word(tokens: Sequence[str], start: int) -> int | None:
    for i in range(start, min(start + 12, len(tokens))):
        if tokens[i] in CLAUSE_ENDS or tokens[i] in DENYING:
            return None
        if tokens[i] and tokens[i] not in PASSED_OVER:
            return i
    return None


def negations(text: str) -> int:
    """How often a text denies: `neither ... nor` once, `not only` and `or not` not at all.

    >>> negations("It isn't here, nor did Ann see it."), negations("Not only red but also blue, with No. 5")
    (2, 0)
    """
    return said(text).denials


def broken(one: Said, other: Said) -> str:
    """How what one version of a sentence says is denied by the other, "" where both say the same.

    A word that became its opposite makes up for a denial of it that went: `not possible` is `impossible`.
    """
    lost, gained = (list((Counter(a.words) - Counter(b.words)).elements()) for a, b in ((one, other), (other, one)))
    used: tuple[set[int], set[int]] = (set(), set())
    for before, after in turned(lost, gained):
        denials = one.about.get(before, set()), other.about.get(after, set())
        if len(denials[0]) % 2 == len(denials[1]) % 2:
            return "opposites"
        used[0].update(n for n in denials[0] if n >= 0)
        used[1].update(n for n in denials[1] if n >= 0)
    if one.denials - len(used[0]) != other.denials - len(used[1]):
        return "negation"
    was = {word for word in one.about if word not in one.affirmed and word in other.affirmed - set(other.about)}
    now = {word for word in other.about if word not in other.affirmed and word in one.affirmed - set(one.about)}
    return "negation" if was and now else ""


def aligned(before: Sequence[str], after: Sequence[str], least: float = SURE) -> list[tuple[str, str]]:
    """Sentences of `before` that were changed, each with its version in `after`, for those that have one.

    Equal sentences are left out, each with one of the other text. The version of another is the one most like it that
    is left, with a likeness of `least` or more; else a sentence that stands alone between the same neighbours and has
    a word in four in common, or that is as short as an answer in a word or two.
    """
    match = equal_ones(before, after)
    taken = {k for k in match if k is not None}
    ours, theirs = ([k for k in range(len(side)) if k not in done] for side, done in (
        (before, {i for i, k in enumerate(match) if k is not None}), (after, taken)
    ))  # fmt: skip
    held = {i: set(forms(before[i])) for i in ours}
    there = {k: set(forms(after[k])) for k in theirs}
    for i, near in zip(ours, likest(list(held.values()), list(there.values()), least), strict=True):
        left = [(like, -theirs[k]) for like, k in near if theirs[k] not in taken]
        if left:
            match[i] = -max(left)[1]
            taken.add(-max(left)[1])
    for i in ours:
        if match[i] is None:
            k = _between(match, i, len(after))
            if k is not None and k not in taken:
                alike = likeness(held[i], there[k])
                if alike >= SIMILAR or max(len(held[i]), len(there[k])) <= SHORT:
                    match[i] = k
    return [(before[i], after[k]) for i in ours if (k := match[i]) is not None]


def equal_ones(before: Sequence[str], after: Sequence[str]) -> list[int | None]:
    """For each sentence the place of an equal one, each used once, in order."""
    places: dict[str, list[int]] = {}
    for k in range(len(after) - 1, -1, -1):
        places.setdefault(after[k], []).append(k)
    return [places[sentence].pop() if places.get(sentence) else None for sentence in before]


def _between(match: Sequence[int | None], i: int, count: int) -> int | None:
    """The place of the only sentence between the versions of both neighbours of sentence i, where there is one."""
    low = match[i - 1] if i else -1
    high = match[i + 1] if i + 1 < len(match) else count
    return low + 1 if low is not None and high is not None and high - low == 2 else None


def changed(before: Sequence[str], after: Sequence[str], whole: bool) -> str:
    """The first sentence of `before` whose version in `after` denies what it says, or the other way round; "" if none.

    With `whole` the texts must deny equally often in all, too, which finds what was denied in a sentence that was
    written anew. Other languages than English are read by their own words of denial, and by their number alone.
    """
    return found_change(before, after, whole)[1]


def found_change(before: Sequence[str], after: Sequence[str], whole: bool) -> tuple[str, str]:
    """`changed`, with what it is that changed before it: `negation` or `opposites`."""
    ours = " ".join(before)
    usual = denials_of(ours)
    for one, other in aligned(before, after):
        denials = denials_of(f"{one}\n{other}", usual)
        if denials is not None:
            what = "negation" if denied_times(one, denials) != denied_times(other, denials) else ""
        else:
            what = broken(said(one), said(other))
        if what:
            return what, one
    foreign = [[(s, denials_of(s, usual)) for s in side] for side in (before, after)]
    counts = [sum(denied_times(s, denials) for s, denials in side if denials is not None) for side in foreign]
    english = [[s for s, denials in side if denials is None] for side in foreign]
    if whole and (counts[0] != counts[1] or _differ(*english)):
        return "negation", ours
    return "", ""


def _differ(before: Iterable[str], after: Iterable[str]) -> bool:
    """Whether two texts deny unequally often, by more than there are denied words that became their opposites."""
    sides = [[said(sentence) for sentence in side] for side in (before, after)]
    difference = abs(sum(one.denials for one in sides[0]) - sum(one.denials for one in sides[1]))
    if not difference:
        return False
    counts = [Counter(word for one in side for word in one.words) for side in sides]
    about = [{word for one in side for word in one.about} for side in sides]
    lost, gained = (list((a - b).elements()) for a, b in (counts, counts[::-1]))
    return difference > sum((a in about[0]) != (b in about[1]) for a, b in turned(lost, gained))
