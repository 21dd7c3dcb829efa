"""For how many, how often, how surely, from when, up to what: words whose exchange changes what a sentence claims."""

from __future__ import annotations

import re
from collections import Counter

from dataflywheel.signals.wording.scope_abroad import ABROAD, Family, Scope


def _words(text: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{text.replace(' ', chr(92) + 's+')})\b", re.IGNORECASE)


NOT = r"(?:\s+not\b|n['\u2019`]?t\b)"
FAMILIES: dict[str, Family] = {
    "how many": {
        "not all": _words("not (?:all|every|everyone|everybody|everything|each)"),
        "all": _words("all|every|everyone|everybody|everything|everywhere|each|entirely|the whole"),
        "most": _words(r"most(?= (?:of|people|\w+s)\b)|majority|(?:nearly|almost) all"),
        "some": _words("some|someone|somebody|something|somewhere|several|a few|certain|part of|partly"),
        "none": _words(
            r"none|no one|nobody|nothing|nowhere|no(?= (?!\w+er than|more|less|doubt|matter|longer)[a-z]\w+)"
        ),
    },
    "how often": {
        "not always": _words("not always"),
        "always": _words("always|constantly|invariably|every time|at all times|without exception"),
        "usually": _words("usually|often|frequently|generally|typically|normally|mostly"),
        "sometimes": _words("sometimes|occasionally|now and then|at times|once in a while|from time to time"),
        "rarely": _words("rarely|seldom|(?:hardly|scarcely) ever|infrequently"),
        "never": _words("never|at no time"),
    },
    "how surely": {
        "forbidden": re.compile(
            rf"\b(?:must|may|can|shall){NOT}|\bcannot\b|\bcan['\u2019`]?t\b|\bnot\s+(?:be\s+)?(?:allowed|permitted)\b",
            re.IGNORECASE,
        ),
        "must": _words("must|ha(?:ve|s|d) to|needs? to|shall|required to|obliged to|mandatory|obligatory|compulsory"),
        "should": _words("should|ought to|had better|recommended to|advised to"),
        "may": _words("may|might|could|can|allowed to|permitted to|optional|optionally"),
    },
    "how certain": {
        "certainly": _words("certainly|definitely|surely|undoubtedly|without doubt|is certain"),
        "possibly": _words("possibly|perhaps|maybe|probably|likely|presumably|might|may"),
    },
    "up to what": {
        "at least": _words(
            "at least|(?:no|not) (?:less|fewer|lower|younger|earlier|sooner) than|a minimum of|upwards of|"
            "or (?:more|older|above|higher|greater|longer)"
        ),
        "at most": _words(
            "at most|(?:no|not) (?:more|greater|higher|older|later|longer) than|a maximum of|up to|"
            "or (?:less|fewer|younger|below|lower|under|shorter)"
        ),
        "more": _words(
            r"(?:more|greater|higher|larger|longer|older) than|(?:over|above)(?= [$\u20ac\u00a3]?\d)|"
            r"exceed(?:s|ed|ing)?"
        ),
        "less": _words(r"(?:less|fewer|lower|smaller|shorter|younger) than|(?:under|below)(?= [$\u20ac\u00a3]?\d)"),
        "exactly": _words("exactly|precisely"),
    },
    "when": {
        "before": _words("before|prior to|earlier than|until|till|by the time"),
        "after": _words("after|following|later than|since|once"),
        "while": _words("while|during|whilst"),
    },
    "how many times": {
        "twice": _words("twice|doubl(?:e|es|ed|ing)|twofold"),
        "three times": _words("thrice|tripl(?:e|es|ed|ing)|trebled?|threefold"),
        "four times": _words("quadrupl(?:e|es|ed|ing)|fourfold"),
        "half": _words("half|halv(?:e|es|ed|ing)"),
    },
    "compared": {
        "at most": re.compile(r"<=|[\u2264\u2a7d]|\\leq?(?![a-z])"),
        "at least": re.compile(r">=|[\u2265\u2a7e]|\\geq?(?![a-z])"),
        "unequal": re.compile(r"!=|\u2260|\\neq?(?![a-z])"),
        "less": re.compile(r"(?<![<=-])<(?![<=/!-]|[a-zA-Z][^<>]{0,60}>)"),
        "more": re.compile(r"(?<=[\w)\]] )>(?=\s?[\w(.+-])|(?<=[a-z\d)\]])>(?=\d)"),
        "equal": re.compile(r"(?<![<>!=])==?(?![=>])"),
    },
    "and or": {"both": _words("both"), "either": _words("either"), "neither": _words("neither")},
    "on what": {
        "unless": _words("unless|except (?:if|when)"),
        "only if": _words("only (?:if|when)"),
        "even if": _words("even (?:if|though)|although|regardless"),
        "if": _words("if|when|whenever|provided that|as long as|in case"),
    },
}
"""Of each family the values that a sentence may have, what must be read first before what it holds."""
EXCHANGES: dict[str, frozenset[frozenset[str]]] = {
    family: frozenset(frozenset(pair.split("|")) for pair in pairs.split(", "))
    for family, pairs in {
        "how many": "all|some, all|none, some|none, all|most, most|none, all|not all, none|not all",
        "how often": (
            "always|sometimes, always|rarely, always|usually, always|never, usually|rarely, usually|never, "
            "sometimes|never, always|not always, usually|sometimes, never|not always"
        ),
        "how surely": "must|may, must|should, forbidden|must, forbidden|should, forbidden|may",
        "how certain": "certainly|possibly",
        "up to what": (
            "at least|at most, at least|less, at most|more, more|less, at least|exactly, at most|exactly, "
            "more|exactly, less|exactly"
        ),
        "when": "before|after, before|while, after|while",
        "how many times": (
            "twice|three times, twice|four times, twice|half, three times|four times, three times|half, four times|half"
        ),
        "compared": (
            "at most|at least, at most|less, at most|more, at least|less, at least|more, less|more, unequal|equal, "
            "at most|equal, at least|equal, less|equal, more|equal"
        ),
        "and or": "both|either, both|neither, either|neither",
        "on what": "unless|if, unless|only if, even if|only if, if|only if, even if|unless",
    }.items()
}
"""Which values of a family say something else than each other."""
ONLY = re.compile(r"\b(?:only|solely|exclusively|nothing\s+but)\b", re.IGNORECASE)
NOT_ONLY = re.compile(r"\bnot\s+(?:only|solely)\b|\bif\s+only\b|\bonly\s+child\b", re.IGNORECASE)
FIRST_ONLY = re.compile(r"^\W*(?:and\s+|but\s+)?only\s+(?!if|when|then|after|once)[a-z]", re.IGNORECASE)


MONTH = re.compile(
    r"\b(?:in|on|of|since|until|by|from|to|late|early|mid|this|last|next)\s+May\b|\bMay(?=\s+\d)|(?<=\d\s)May\b"
)


ENGLISH = Scope(FAMILIES, ONLY, NOT_ONLY)


def values(sentence: str, scope: Scope = ENGLISH) -> dict[str, Counter[str]]:
    """Of each family how often a sentence has each of its values; a value is read once, by the first that fits.

    >>> values("Not all of them may leave before noon")["how many"], values("At least two, at most five")["up to what"]
    (Counter({'not all': 1}), Counter({'at least': 1, 'at most': 1}))
    """
    found: dict[str, Counter[str]] = {}
    for family, patterns in scope.families.items():
        rest, counts = MONTH.sub(" ", sentence) if scope is ENGLISH else sentence, Counter[str]()
        for value, pattern in patterns.items():
            rest, n = pattern.subn(" ", rest)
            if n:
                counts[value] = n
        found[family] = counts
    return found


def onlys(sentence: str, scope: Scope) -> int:
    return len(scope.only.findall(scope.not_only.sub(" ", sentence)))


def exchanged(before: str, after: str, language: str = "") -> str:
    """What one version of a sentence says in another scope than the other, as `all became some`; "" where nothing is.

    A value that only went, or only came, leaves the claim as it may be meant; but `only` must stay. Of languages that
    are not known here nothing is said.

    Args:
        language: its ISO 639-1 code; "" is English.

    >>> exchanged("All birds fly", "Some birds fly"), exchanged("He always comes at noon", "He comes at noon")
    ('all became some', '')
    >>> exchanged("Tous les oiseaux volent", "Certains oiseaux volent", "fr")
    'all became some'
    """
    scope = ABROAD.get(language) if language else ENGLISH
    if scope is None:
        return ""
    ours, theirs = values(before, scope), values(after, scope)
    for family in scope.families:
        lost, gained = ours[family] - theirs[family], theirs[family] - ours[family]
        for was in lost:
            now = next((value for value in gained if frozenset((was, value)) in EXCHANGES[family]), None)
            if now is not None:
                return f"{was} became {now}"
    if onlys(before, scope) != onlys(after, scope):
        return "only went" if onlys(before, scope) > onlys(after, scope) else "only came"
    if scope is ENGLISH and onlys(before, scope) and bool(FIRST_ONLY.match(before)) != bool(FIRST_ONLY.match(after)):
        return "only moved"
    return ""
