"""Questions that a place in a document answers, found by how the place is worded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest

from dataflywheel.synthesis.knowledge.sections import Section, Span, sections, stripped

_DASHED = r"(?:`[^`\n]+`|\*[^*\s]+\*|\"[^\"\n]+\"|'[^'\s]+'|[\w.()]+)"
_ANAPHORA = re.compile(
    r"(?:it|its|this|that|these|those|they|them|their|he|she|his|her|such|otherwise|however|then|thus|therefore|also"
    r"|in (?:this|that) case|for example|note that (?:it|this|that))\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"(?P<word>If|When|Whenever|Unless|Once|After|Before)(?P<rest>\b[^,;:]{3,160}),\s+\S")
_RESULT = re.compile(r"(?:Returns?|Yields?|Gets?|Retrieves?)\b")
_RAISES = re.compile(
    r"(?:Raises?\b|(?:An?|The)?\s*`*[A-Z]\w*(?:Error|Exception|Warning)`*\s+(?:is|will be|gets?) raised)"
)
_NAMED = re.compile(
    r"(?:The\s+)?(?P<term>" + _DASHED + r")(?:\s+(?:argument|parameter|option|attribute|method|keyword|flag|value)s?)?"
    r"(?:,[^.,]{3,60},)?\s+(?P<verb>is|are|must be|should be|can be|may be|will be|indicates?|specif(?:y|ies)|sets?"
    r"|controls?|defaults? to"
    r"|determines?|defines?|means?|represents?|describes?|gives?|holds?|contains?|returns?|takes)\b"
)
_DEFINITION = re.compile(
    r"(?P<term>(?:An?|The)\s+[\w'-]+(?:\s+[\w'-]+){0,3}?|[A-Z][\w'()/-]*(?:\s+[\w'()/-]+){0,2}?)\s+"
    r"(?P<verb>is|are|was|were|refers to|means|consists of)\s+(?:an?|the|one|any|any of|a type of)\s+\w"
)
_EMPHASIS = re.compile(
    r"`[^`\n]+`|\*\w+\*|\"[^\"\n]{2,40}\"|\b\w+\.\w+(?:\.\w+)*(?:\(\))?|\b\w+_\w+\b|\b\w+\(\)|\b[A-Z]{2,}\w*\b"
)
_WORD = re.compile(r"(?<=\s)[A-Za-z][A-Za-z-]{4,}(?=[\s,;]|\.(?:\s|$)|$)")
_PRONOUNS = frozenset(
    ("it", "this", "that", "these", "those", "they", "there", "he", "she", "what", "which", "who", "one", "here", "we")
)
_NO_NAMES = _PRONOUNS | {"if", "whether", "when", "for", "of", "in", "as", "to", "with", "note", "something", "each"}
_BOILERPLATE = re.compile(r"\S@\w+\.\w|\(c\)|copyright|all rights reserved|no warranty", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A question, and where its answer stands in the document."""

    question: str
    span: Span
    rule: str


def questions_of(text: str, subject: str, least_words: int = 5) -> list[Found]:
    """All questions of a document: the best of every section first, then the second best of each, and so on.

    No two are alike, and no two have the same answer.

    Args:
        subject: what the document is about; without one only questions that need no subject are asked.
        least_words: shorter answers are left out.
    """
    per_section = [_section(text, one, subject) for one in sections(text)]
    ordered = [found for rank in zip_longest(*per_section) for found in rank if found is not None]
    seen: set[str | Span] = set()
    kept: list[Found] = []
    for one in ordered:
        question = " ".join(one.question.split())
        if not {question.casefold(), one.span} & seen and len(text[slice(*one.span)].split()) >= least_words:
            seen |= {question.casefold(), one.span}
            kept.append(Found(question, one.span, one.rule))
    return kept


def _section(text: str, one: Section, subject: str) -> list[Found]:
    if one.kind in ("signature", "example"):
        what = "How is {} called?" if one.kind == "signature" else "Can you show an example of {} in use?"
        return [Found(what.format(subject), (one.start, one.end), one.kind)] if subject else []
    if one.kind == "item":
        return _item(text, one, subject)
    found = _list(text, one, subject) if one.kind == "list" else []
    for number, span in enumerate(one.sentences):
        found += _sentence(text, span, one, number, subject)
    return sorted(found, key=lambda f: f.rule in ("mention", "cloze")) + _heading(one, subject)


def _item(text: str, one: Section, subject: str) -> list[Found]:
    span = (one.start, one.end)
    if one.term and subject:
        where = f", under {one.heading}" if one.heading else ""
        return [Found(f"What does `{one.term}` stand for in {subject}{where}?", span, "item")]
    return _cloze(text, span, subject)


def _list(text: str, one: Section, subject: str) -> list[Found]:
    if not subject or not one.sentences:
        return []
    lead = " ".join(text[slice(*one.sentences[-1])].split()).rstrip(":. ")
    if not 2 <= len(lead.split()) <= 20:
        return []
    question = f'The description of {subject} says "{lead}". What is listed there?'
    return [Found(question, (one.sentences[-1][0], one.end), "list")]


def _heading(one: Section, subject: str) -> list[Found]:
    if not one.heading or not subject or not one.sentences:
        return []
    return [Found(f'What is said about {subject} under the heading "{one.heading}"?', (one.start, one.end), "heading")]


Rule = Callable[[str, str], str]


def _sentence(text: str, span: Span, one: Section, number: int, subject: str) -> list[Found]:
    """The questions that a sentence answers; failing that, one about a name in it, or a gap to fill in.

    A sentence that leans on the one before it is answered with both.
    """
    said = " ".join(text[slice(*span)].split())
    if not _prose(text, span):
        return []
    if number == 0 and one.start == 0 and subject and len(text) > 2 * len(said):
        return [*_asked(said, span, subject), Found(f"Summarise {subject} in one sentence.", span, "summary")]
    leans = bool(_ANAPHORA.match(said))
    if leans:
        if number == 0:
            return _cloze(text, span, subject)
        span = (one.sentences[number - 1][0], span[1])
    found = [one for one in _asked(said, span, subject) if not leans or one.rule not in ("definition", "named")]
    return found or _mention(said, span, subject) or _cloze(text, span, subject)


def _asked(said: str, span: Span, subject: str) -> list[Found]:
    """Questions by the sentence's own wording, the best first."""
    return [Found(question, span, name) for name, rule in _RULES if (question := rule(said, subject))]


def _condition(said: str, subject: str) -> str:
    match = _CONDITION.match(said)
    if match is None or not subject:
        return ""
    rest = match["rest"].strip()
    if len(rest.split()) < 3 or rest.split()[0].partition("'")[0].casefold() in _PRONOUNS:
        return ""
    return f"What happens with {subject} {match['word'].lower()} {rest}?"


def _result(said: str, subject: str) -> str:
    verb = said.split()[0].rstrip("s").lower()
    return f"What does {subject} {verb}?" if subject and _RESULT.match(said) else ""


def _raises(said: str, subject: str) -> str:
    return f"Which errors does {subject} raise, and when?" if subject and _RAISES.match(said) else ""


def _named(said: str, subject: str) -> str:
    match = _NAMED.match(said)
    if match is None or not subject:
        return ""
    term = match["term"].strip("`*\"'")
    plain = re.fullmatch(r"[A-Z]?[a-z]+", term) is not None and match["term"] == term
    if term.casefold() in _PRONOUNS or (plain and said[0].isupper()) or term in subject:
        return ""
    return f"What is `{term}` in {subject}?"


def _definition(said: str, subject: str) -> str:
    match = _DEFINITION.match(said)
    if match is None:
        return ""
    term = match["term"]
    if {w.casefold() for w in term.split()} & _NO_NAMES:
        return ""
    verb = match["verb"] if match["verb"] in ("is", "are", "was", "were") else "is"
    bare = re.sub(r"^(An?|The)\b", lambda m: m[1].lower(), term)
    known = bare.casefold().split()[-1] in subject.casefold()
    return f"What {verb} {bare}?" if known or not subject else f"In the context of {subject}, what {verb} {bare}?"


_RULES: tuple[tuple[str, Rule], ...] = (
    ("condition", _condition),
    ("result", _result),
    ("errors", _raises),
    ("named", _named),
    ("definition", _definition),
)


def _mention(said: str, span: Span, subject: str) -> list[Found]:
    """What is said about a name or quoted word in the sentence."""
    if not subject:
        return []
    for match in _EMPHASIS.finditer(said):
        term = match[0].strip('`*"')
        if (
            term not in subject
            and len(term) > 2
            and not term[0].isdigit()
            and said[match.end() : match.end() + 1] != ":"
        ):
            return [Found(f"What is said about `{term}` in the description of {subject}?", span, "mention")]
    return []


def _cloze(text: str, span: Span, subject: str) -> list[Found]:
    """The sentence with its longest word left out; the answer is the whole sentence."""
    said = text[slice(*stripped(text, *span))]
    last = max((m.end() for m in re.finditer(r"[.!?]\s+(?=[A-Z])", said)), default=0)
    words = [m for m in _WORD.finditer(said, last) if m[0].casefold() not in subject.casefold()]
    if len(said.split()) < 8 or not words:
        return []
    gap = max(words, key=lambda m: (len(m[0]), -m.start()))
    shown = " ".join(f"{said[: gap.start()]}____{said[gap.end() :]}".split())
    about = f" about {subject}" if subject else ""
    return [Found(f'Complete this statement{about}: "{shown}"', span, "cloze")]


def _prose(text: str, span: Span) -> bool:
    """Whether it is a sentence, letters for the most part; no question, lead-in, table, code or notice of rights."""
    said = text[slice(*span)]
    letters = sum(c.isalpha() or c.isspace() for c in said)
    return (
        len(said.split()) >= 3
        and not said.endswith(("?", ":"))
        and letters >= 0.75 * len(said)
        and not _BOILERPLATE.search(said)
    )
