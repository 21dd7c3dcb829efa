"""Which language a text is in, as far as its denials go, and how often a sentence of it says no."""

from __future__ import annotations

import re
from functools import lru_cache

from dataflywheel.signals.wording.denials import Denials
from dataflywheel.signals.wording.languages import LATIN, SCRIPTS
from dataflywheel.signals.wording.sentences import WORD, listed

ENGLISH = frozenset(
    listed(
        "the and is are was were of to in that it for on with as this have has had they he she "
        "we you be been by at from "
        "what which who when where how his her their our your would could should will can not "
        "but there these those than"
    )
)
SHARED = ENGLISH | frozenset(
    listed(
        "a in i do no non not an so me as on per war son come care met die van pro dan era pour mint till hay con men"
    )
)
"""Words of other languages that English writes as well: of those languages they say nothing."""
CODES = {one: name for name, one in LATIN.items()} | {SCRIPTS[0][1]: "ja", SCRIPTS[2][1]: "zh", SCRIPTS[3][1]: "ru"}
"""By which code each language is known to the rules of scope."""
OPEN = frozenset(("cs", "tr", "sw"))
"""Languages whose denials are parts of words: in a text without everyday words a name may look like one."""
ELIDED = re.compile(r"['\u2019](?=\w)")
SAMPLE = 20_000
"""Characters of a text from which its language is told."""


@lru_cache(maxsize=4096)
def denials_of(text: str, usual: Denials | None = None) -> Denials | None:
    """The denying words of a text's language; None: it is English. `usual` where nothing in the text tells.

    >>> denials_of("Ella no puede venir a la fiesta") is LATIN["es"], denials_of("She is not in") is None
    (True, True)
    >>> denials_of("Every student passed, no student failed") is None
    True
    """
    sample = text[:SAMPLE]
    letters = sum(map(str.isalpha, sample))
    for script, denials in SCRIPTS:
        if 3 * len(script.findall(sample)) > letters > 0:
            return denials
    held = [m.group().lower() for m in WORD.finditer(sample)]
    held += [part for word in held if ELIDED.search(word) for part in ELIDED.sub("' ", word, count=1).split()]
    scores = {name: sum(word in one.common and word not in SHARED for word in held) for name, one in LATIN.items()}
    most = max(scores.values())
    if not most:
        if any(word in ENGLISH for word in held):
            return None
        told = (one for name, one in LATIN.items() if name not in OPEN)
        said = (one for one in told if set(map(str.lower, one.particles.findall(sample))) - SHARED)
        return next(said, usual)
    # Words that several have in common are counted only between languages that are equally likely without them.
    best = max(scores, key=lambda name: (scores[name], sum(word in LATIN[name].common for word in held)))
    return LATIN[best] if most > sum(word in ENGLISH - LATIN[best].common for word in held) else None


def denied_times(sentence: str, denials: Denials) -> int:
    """How often a sentence says no; words that go with a particle count once with it.

    >>> denied_times("Il ne vient jamais", LATIN["fr"]), denied_times("Nadie vino sin ella", LATIN["es"])
    (1, 2)
    """
    text = denials.neutral.sub(" ", sentence) if denials.neutral else sentence
    count = len(denials.particles.findall(text))
    if denials.words is not None:
        beside = len(denials.words.findall(text))
        count = max(count, beside if denials is LATIN["fr"] else min(1, beside))
    return count + (len(denials.without.findall(text)) if denials.without else 0)
