"""Stand-ins for personal data: of the same kind, nobody's, the same for the same value of a row."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from dataflywheel.signals.safety.name_types import NAME_TYPES
from dataflywheel.signals.safety.names_found import code_places
from dataflywheel.signals.safety.personal_data_patterns import PRIVATE, SURROGATE, Span, find

WHOLES = ("person", "organisation")
"""Names that stand for themselves by a part of theirs; York is no part of New York."""
GAP = r"[\s_]+"
"""What may stand between two words of a name."""
_BEFORE, _AFTER = r"(?<![^\W_])", r"(?![^\W_])"


def redactor(key: str, types: Sequence[str] = PRIVATE, counts: dict[str, int] | None = None) -> Callable[[str], str]:
    """A function that redacts what has a form in texts of one document, known by `key`; `counts` gathers replacements
    by type.

    >>> redact = redactor("a")
    >>> one, two = redact("jane@example.org"), redact("Jane@Example.org and joe@example.org").split(" and ")
    >>> one == two[0], one == two[1], one.endswith("@redacted.invalid")
    (True, False, True)
    """
    return StandIns(key, types, {} if counts is None else counts).redacted


class StandIns:
    """The stand-ins of one row."""

    def __init__(self, key: str, types: Sequence[str], counts: dict[str, int]) -> None:
        self.key, self.types, self.counts = key, tuple(types), counts
        self._known: dict[tuple[str, str], str] = {}
        self._wholes: dict[str, tuple[str, str]] = {}
        """Type and stand-in of names, by their words in small letters."""
        self._spans: Mapping[str, Sequence[Span]] = {}
        self._again: re.Pattern[str] | None = None
        self._forms: dict[str, str] = {}
        """What is replaced wherever it stands: forms of a name, with one blank between words, and its type."""

    def meet(self, found: Mapping[str, Sequence[Span]]) -> None:
        """Learn the names that were found in texts of the row, longest first, so that a part that stands before its
        whole is known as well. Stand-ins that are there already stay somebody else's."""
        self._spans = found
        others = {match[0] for text in found for match in SURROGATE.finditer(text)}
        met = {(span.type, text[span.start : span.end]) for text, spans in found.items() for span in spans}
        for type, name in sorted(met, key=lambda one: (-len(one[1].split()), one[1], one[0])):
            self._named(type, name, others)
        small = {word for text in found for word in re.findall(r"[^\W\d_]+", text) if word.islower()}
        for type, name in sorted(met):
            if len(name.split()) > 1 or name.lower() not in small:
                self._forms |= dict.fromkeys(_forms(name), type)
                self._wholes |= {_words(form): self._wholes[_words(name)] for form in _forms(name)}
        if self._forms:
            longest = sorted(self._forms, key=lambda name: (-len(name), name))
            self._again = re.compile("|".join(map(_bounded, longest)))

    def redacted(self, text: str) -> str:
        """A text without its personal data."""
        # What is replaced may uncover digits that it lay over; every pass leaves fewer.
        spans = self._spans.get(text, ())
        while (after := self._once(text, spans)) != text:
            text, spans = after, ()
        return text

    def _once(self, text: str, named: Sequence[Span]) -> str:
        done, pieces = 0, []
        for span in sorted(self._all(text, named), key=lambda span: span.start):
            value = text[span.start : span.end]
            stand_in = self._of_name(value) if span.type in NAME_TYPES else self._of_form(span.type, value)
            pieces += [text[done : span.start], stand_in]
            done = span.end
            self.counts[span.type] = self.counts.get(span.type, 0) + 1
        return "".join([*pieces, text[done:]])

    def _all(self, text: str, named: Sequence[Span]) -> list[Span]:
        """Patterns first, then names where they were found, then the same names elsewhere."""
        spans = [span for span in find(text) if span.type in self.types]
        if not named and self._again is None:
            return spans
        taken = [match.span() for match in SURROGATE.finditer(text)] + [(s.start, s.end) for s in find(text)]
        code = code_places(text)
        again = self._again.finditer(text) if self._again else ()
        for span in [*named, *(Span(self._forms[_spaced(match[0])], *match.span()) for match in again)]:
            # In code a single word may be anything.
            apart = taken if " " in _spaced(text[span.start : span.end]) else [*taken, *code]
            if all(span.end <= start or end <= span.start for start, end in apart):
                spans.append(span)
                taken.append((span.start, span.end))
        return spans

    def _of_form(self, type: str, text: str) -> str:
        value = type, re.sub(r"[\s().-]", "", text).casefold()
        if value not in self._known:
            self._known[value] = surrogate(type, f"{self.key}:{type}:{len(self._known)}")
        return self._known[value]

    def _of_name(self, name: str) -> str:
        return self._wholes[_words(name)][1]

    def _named(self, type: str, name: str, others: set[str]) -> None:
        words = _words(name)
        if words in self._wholes:
            return
        known = {
            stand_in
            for whole, (kind, stand_in) in self._wholes.items()
            if kind == type and type in WHOLES and f" {words} " in f" {whole} "
        }
        if len(known) == 1:
            self._wholes[words] = type, known.pop()
            return
        used = others | {stand_in for _, stand_in in self._wholes.values()}
        attempt = 0
        while (made := surrogate(type, f"{self.key}:{type}:{len(self._wholes)}:{attempt}")) in used:
            attempt += 1
        self._wholes[words] = type, made


def _words(name: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name).casefold()))


def _forms(name: str) -> list[str]:
    """How a name may be written elsewhere; one of a single word may be another word in capitals."""
    cases = (name.upper(), name.title(), name) if len(name.split()) > 1 else (name,)
    return [_spaced(unicodedata.normalize(form, case)) for case in cases for form in ("NFC", "NFD")] + [_spaced(name)]


def _spaced(name: str) -> str:
    """With one blank for all that may stand between its words."""
    return re.sub(GAP, " ", name)


def _bounded(name: str) -> str:
    """A pattern for a name, which is no part of a word where words are told by blanks."""
    before = _BEFORE if name[0] < "\u2e80" else ""
    inner = GAP.join(map(re.escape, name.split(" ")))
    return before + inner + (_AFTER if name[-1] < "\u2e80" else "")


def surrogate(type: str, seed: str) -> str:
    """A stand-in of a type; equal seeds, equal stand-ins."""
    digest = hashlib.blake2b(seed.encode(), digest_size=16).digest()
    word = digest[:4].hex()
    digits = f"{int.from_bytes(digest[4:]):024d}"[-16:]
    fours = " ".join(digits[i : i + 4] for i in (0, 4, 8, 12))
    syllables = "".join("bdfgklmnprstvz"[one % 14] + "aeiou"[one // 14 % 5] for one in digest[:4])
    if type in NAME_TYPES:
        return f"{type.capitalize()}-{syllables.capitalize()}"
    return {
        "email": f"name-{word}@redacted.invalid",
        "phone": f"+999 {digits[:3]} {digits[3:6]} {digits[6:9]}",
        "card": f"0000 {fours[:14]}",
        "iban": f"ZZ00 {fours}",
        "ssn": f"000-{digits[:2]}-{digits[2:6]}",
        "ip": f"240.{digest[0]}.{digest[1]}.{digest[2]}",
    }.get(type, f"redacted-{word}")
