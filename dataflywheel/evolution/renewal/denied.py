"""A text with one denial more, and the label that it then has, where that is sure."""

from __future__ import annotations

import re

from dataflywheel.proposing.labelled_texts import core
from dataflywheel.signals.wording.sentences import sentences

OPPOSITE = {"true": "false", "false": "true"}
"""Labels of statements: a denied one has the other."""
PRAISE = {"positive": "negative", "pos": "neg"}
"""Labels of opinions: praise denied is none, but blame denied is no praise."""
_COPULA = re.compile(r"(?<![\w'\u2019-])(is|are|was|were)(?=\s+(?!\w+['\u2019]t\b)[a-z])", re.IGNORECASE)
_PRAISING = re.compile(
    r"(?:is|are|was|were)\s+(?:a\s+|an\s+)?(?:very\s+|really\s+|truly\s+)?"
    r"(?:good|great|excellent|wonderful|brilliant|funny|charming|lovely|beautiful|enjoyable|clever|fun|entertaining|"
    r"delightful|moving|smart|fresh|engaging|interesting|superb|fantastic|amazing|helpful|kind|friendly|clean|tasty)\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?i)\b(?:not|no|never|none|nobody|nothing|neither|nor|without|hardly|scarcely|barely|only|all|every|each|some|any|"
    r"most|many|few|both|either|always|often|sometimes|usually|may|might|can|could|must|should|would|if|unless|but|"
    r"although|though|however|while|because|or|and|than|who|which|that|there|what|why|how|when|where)\b|n['\u2019]t\b|[?;:,]"
)
"""Words with which a denial could be about something else than the whole sentence."""
MOST = 25
"""Words of a sentence, at most."""


def denied(text: str, label: str) -> tuple[str, str] | None:
    """The text with its last sentence denied, and the label of that; None where it is not sure.

    One verb of being, no word of quantity, condition, denial or contrast in the sentence, and no question: then `not`
    denies the whole of it.

    >>> denied("Whales are fish.", "False")
    ('Whales are not fish.', 'True')
    >>> denied("All whales are fish.", "False") is denied("The film is dull.", "negative") is None
    True
    """
    said = core(label)
    other = OPPOSITE.get(said.lower()) or PRAISE.get(said.lower())
    whole = [one.strip() for one in sentences(text) if one.strip()]
    if other is None or not whole:
        return None
    last = whole[-1]
    praises = said.lower() in PRAISE
    if text.count(last) != 1 or _OPEN.search(last) or len(last.split()) > MOST or (praises and len(whole) > 1):
        return None
    found = list(_COPULA.finditer(last))
    if len(found) != 1 or (praises and not _PRAISING.search(last)):
        return None
    new = f"{last[: found[0].end()]} not{last[found[0].end() :]}"
    if said.isupper() and len(said) > 1:
        other = other.upper()
    return text.replace(last, new), other[0].upper() + other[1:] if said[0].isupper() else other
