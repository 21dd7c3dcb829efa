"""Is a rewritten row still in its language?"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import answer_said, part_of
from dataflywheel.signals.safety.personal_data_patterns import SURROGATE
from dataflywheel.signals.text.language import detector
from dataflywheel.signals.wording.languages import LATIN
from dataflywheel.signals.wording.marked import prose
from dataflywheel.signals.wording.negation_words import ENGLISH, denials_of
from dataflywheel.signals.wording.sentences import WORD

READ = 600
"""Characters of a text that its language is told from."""
ONE_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "KATAKANA-HIRAGANA": "CJK", "FULLWIDTH": "LATIN"}
"""Scripts that are set side by side in one language."""
FEW = 20
"""Letters from which a shorter text counts where its everyday words are of the language that lingua tells."""
OWN_SCRIPT = 0.6
"""Share of letters in one script from which a text is in it."""


class LanguageKept(Gate):
    """Rejects a rewrite whose prompt or answer is in another language than before; code and links are not read.

    Another script is another language. Within one script languages are told by lingua, an extra package; without it
    they are not looked at, and `flywheel plan` says so. Short texts, and texts whose language is not sure, pass, and so
    do a row that replaces none and one in which stand-ins for personal data are all that is new.
    """

    card: ClassVar[Card] = Card(
        title="Lingua: natural language detection for short and mixed-language text",
        authors="Stahl",
        year=2023,
        paper="https://github.com/pemistahl/lingua-rs",
        category="proposing",
        subcategory="gates",
        summary="Rejects rewrites in another language than the row they replace.",
        checked="parallel passages in three languages; revisions by experts, none of which changed the language",
        pays="Pools in other languages than English before a rewriter that tends to answer in English.",
        fails="Without the package lingua German turned into English is not seen, nor in texts too short to tell; "
        "install it, or filter by `language.code`.",
        evidence="benchmarks/gates.md, with lingua: 0.994 of 160 passages of xquad, English for German, are caught, "
        "and 0.004 of 1,530 revisions by experts rejected.",
    )

    letters: int = Field(60, ge=1)
    """In texts with fewer letters the script counts, and the language only where everyday words tell it; nothing below
    20 letters."""
    sure: float = Field(0.9, gt=0, le=1)
    """Confidence from which the language of a text counts, before and after."""

    def unread(self) -> str:
        if find_spec("lingua") is not None:
            return ""
        return "without lingua only another script is another language: pip install 'dataflywheel[language]'"

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        return [self.one(proposal) for proposal in proposals]

    def one(self, proposal: Proposal) -> Check:
        if proposal.before is None or proposal.row is None:
            return PASSED
        old, new = proposal.before["messages"], proposal.row["messages"]
        for part, before, after in (
            ("prompt", part_of(old, "prompt"), part_of(new, "prompt")),
            ("answer", answer_said(old), answer_said(new)),
        ):
            if before == after or redacted(before, after):
                continue
            was, now = (language(prose(text[:READ]), self.letters, self.sure) for text in (before, after))
            if was and now and was != now and (was[0] != now[0] or (was[1] and now[1])):
                return Check(False, "language changed", f"{part}: {named(was)} became {named(now)}")
        return PASSED


def redacted(before: str, after: str) -> bool:
    """Whether stand-ins for personal data took the place of pieces of the text, and nothing else changed.

    >>> redacted("Ann writes.", "Person-Kelodira writes."), redacted("Ann writes.", "Person-Kelodira schreibt.")
    (True, False)
    """
    first, *rest = SURROGATE.split(after)
    if not rest or not before.startswith(first):
        return False
    done = len(first)
    for piece in rest[:-1]:
        found = before.find(piece, done)
        if found < 0:
            return False
        done = found + len(piece)
    return len(before) - len(rest[-1]) >= done and before.endswith(rest[-1])


def named(found: tuple[str, str]) -> str:
    return found[1] or found[0].lower()


@lru_cache(maxsize=4096)
def language(text: str, letters: int, sure: float) -> tuple[str, str] | None:
    """Script and language of a text, the latter "" where it is not known; None where the text is too short or mixed."""
    held = [c for c in text if c.isalpha()]
    # A letter of scripts without an alphabet says as much as several others.
    scripts = Counter(script(c) for c in held)
    if not scripts:
        return None
    most, count = scripts.most_common(1)[0]
    weight = 4 if most == "CJK" else 1
    few = weight * len(held) < letters
    if weight * len(held) < min(FEW, letters) or count < OWN_SCRIPT * len(held):
        return None
    if find_spec("lingua") is None:
        return most, ""
    guesses = detector(False).compute_language_confidence_values(text)
    known = bool(guesses) and guesses[0].value >= sure
    told = guesses[0].language.iso_code_639_1.name.lower() if known else ""
    return most, "" if few and not (told and everyday(text, told)) else told


def everyday(text: str, code: str) -> bool:
    """Whether a text has everyday words of a language, as names and terms alone have not.

    >>> everyday("Wir gehen heute nicht mit den Kindern", "de"), everyday("Cirrus, Stratus", "la")
    (True, False)
    """
    if code == "en":
        return denials_of(text) is None and sum(m.group().lower() in ENGLISH for m in WORD.finditer(text)) > 1
    return code in LATIN and denials_of(text) is LATIN[code]


@lru_cache(maxsize=100_000)
def script(letter: str) -> str:
    name = unicodedata.name(letter, "OTHER").split()[0]
    return ONE_SCRIPT.get(name, name)
