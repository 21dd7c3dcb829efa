"""Features of English dialects that a rule can state without a doubt: standard English in, the feature out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

SEEN = {
    "saw": "seen", "did": "done", "went": "gone", "came": "come", "ran": "run", "knew": "knowed", "gave": "give",
}  # fmt: skip
"""Past tenses, with the form that stands for them."""
WENT = {"gone": "went", "seen": "saw", "taken": "took", "written": "wrote", "eaten": "ate", "broken": "broke"}
"""Participles behind `had`, with the form that stands for them."""
VERBS = (
    "speaks|walks|lives|works|likes|wants|needs|knows|thinks|makes|takes|gives|comes|gets|says|tells|looks|plays|runs|"
    "eats|drinks|reads|writes|buys|sells|opens|closes|starts|stops|helps|keeps|loves|hates|owns|costs|pays|sings|cooks"
)
_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def _rule(pattern: str, by: str | Callable[[re.Match[str]], str]) -> _Rule:
    return re.compile(rf"(?<![\w'\u2019-]){pattern}(?![\w'\u2019-])", re.IGNORECASE), by


def _mapped(words: Mapping[str, str], group: int) -> Callable[[re.Match[str]], str]:
    """The match with the word of a group as the table has it."""

    def by(match: re.Match[str]) -> str:
        start, end = match.span(group)
        return match[0][: start - match.start()] + words[match[group].lower()] + match[0][end - match.start() :]

    return by


RULES: Mapping[str, _Rule] = {
    "himself as hisself": _rule(r"(h)imself", r"\1isself"),
    "themselves as theyselves": _rule(r"(th)emselves", r"\1eyselves"),
    "those as them": _rule(r"(th)ose(?=\s+[a-z]{3,}s)", r"\1em"),
    "done behind have": _rule(r"(?:has|have)\s+(read|eaten|finished|told|talked|left|seen)", r"done \1"),
    "seen for saw": _rule(rf"(I|you|he|she|we|they)\s+({'|'.join(SEEN)})", _mapped(SEEN, 2)),
    "had went": _rule(rf"(had)\s+({'|'.join(WENT)})", _mapped(WENT, 2)),
    "might could": _rule(r"(I|you|he|she|we|they)\s+could(?=\s+[a-z])", r"\1 might could"),
    "if I was": _rule(r"(if\s+(?:I|he|she|it))\s+were", r"\1 was"),
    "you was": _rule(r"(you|we|they)\s+were", r"\1 was"),
    "ain't": _rule(r"(?:isn|aren|hasn|haven|hadn)['\u2019]t", "ain't"),
    "ain't for am not": _rule(r"(I)['\u2019]m\s+not", r"\1 ain't"),
    "he don't": _rule(r"(he|she|it)\s+doesn['\u2019]t", r"\1 don't"),
    "he speak": _rule(rf"(he|she|it)\s+({VERBS})", lambda m: f"{m[1]} {m[2][:-1]}"),
    "it's for there's": _rule(r"(?:there)(['\u2019]s)(?=\s+(?:some|a|an|no)\b)", r"it\1"),
    "what for who": _rule(r"(the\s+(?:man|men|woman|women|boy|girl|people|person|one))\s+(?:who|that)", r"\1 what"),
    "for to": _rule(r"(allows\s+\w+|had\s+the\s+\w+|(?:came|went|tried|began|wanted))\s+to(?=\s+[a-z])", r"\1 for to"),
    "than what": _rule(r"(than)(?=\s+(?:I|you|he|she|it|we|they)\s+(?:am|is|are|was|were|do|does|did)\b)", r"\1 what"),
    "was like": _rule(r"said(?=\s+[\"\u201c])", "was like"),
    "no for any": _rule(r"((?:don|doesn|didn|isn|wasn|ain|can|won)['\u2019]t(?:\s+\w+){1,2})\s+any", r"\1 no"),
    "so soft": _rule(r"(so)\s+(soft|quick|slow|loud|bad|quiet|nice|deep|light)ly", r"\1 \2"),
}
"""Each feature with its pattern and what stands in its place. What decides on meaning stays: who, what, how many,
whether, and every denial (`don't want any` and `don't want no` deny the same)."""


def spoken_so(text: str, feature: str) -> str:
    """The text with one feature wherever it may stand; capitals at the beginning of a sentence stay.

    >>> spoken_so("He doesn't like those cats.", "those as them")
    "He doesn't like them cats."
    """
    pattern, by = RULES[feature]

    def said(match: re.Match[str]) -> str:
        new = match.expand(by) if isinstance(by, str) else by(match)
        return new[0].upper() + new[1:] if match[0][0].isupper() else new

    return pattern.sub(said, text)


def dialect(text: str) -> tuple[str, list[str]]:
    """The text with every feature, and which these are."""
    found = []
    for feature in RULES:
        new = spoken_so(text, feature)
        if new != text:
            found.append(feature)
        text = new
    return text, found
