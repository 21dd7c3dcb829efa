"""Does the answer rest on its source?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set
from functools import lru_cache, partial
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import answer_said
from dataflywheel.signals.wording.belongings import Belongings
from dataflywheel.signals.wording.marked import prose
from dataflywheel.signals.wording.names import missing, names
from dataflywheel.signals.wording.negation import aligned, found_change
from dataflywheel.signals.wording.negation_words import CODES, denials_of
from dataflywheel.signals.wording.numbers import numbers
from dataflywheel.signals.wording.numbers_compared import number_tokens
from dataflywheel.signals.wording.opposites import bases
from dataflywheel.signals.wording.order import name_tokens, replaced
from dataflywheel.signals.wording.scope import exchanged
from dataflywheel.signals.wording.sentences import UNSPACED, fold, listed, sentences, words
from dataflywheel.signals.wording.turned_round import turned_round

SHORT = 4
"""An answer of so many words or fewer says nothing but what its source must hold."""
FREE = set(
    listed(
        "a an the and or but of in on at to for from by with as is are was were be been it its he she they them his "
        "her their this that these those if then so not no yes true false none both neither do does did has have had "
        "can could will would may might i you we who what which when where why how there here than because since while "
        "about into over also only very more most such other percent"
    )
)
"""Words that need no source."""
ANSWERS = re.compile(r"^\W{0,4}(?:yes|no)\s?[,.!;:]\s{0,4}", re.IGNORECASE)
"""What answers a question and denies nothing of the source."""
SHOWN = 60
LONGEST = 200_000
"""Characters of answer and source in which what the one says of the other's facts is looked for."""
SAYS = 3
"""Words with a meaning from which a sentence is looked at by itself."""


class Grounded(Gate):
    """Rejects answers with numbers or names that their source does not have, and evidence that lies outside of it.

    Numbers are compared by value (`1,000` is `one thousand`), names in any spelling, words in any inflection, scripts
    without spaces by pairs of letters. An answer of up to four words must be in the source word by word, but for words
    such as `the` and `yes`. A proposal without a source is rejected: there is nothing that it could rest on.

    A number that the source gives to somebody else ("Ann earned 5 and Ben 7", "Ben earned 5"), names that changed
    places, and a sentence that denies what its source says are rejected where the words show it, in up to 200,000
    characters; what is said in other words is not known to be the contrary.
    """

    version: ClassVar[int] = 3

    card: ClassVar[Card] = Card(
        title="Faithfulness of answers to a source by spans, numbers and entities",
        authors="",
        year=2025,
        paper="",
        category="proposing",
        subcategory="gates",
        summary="Numbers, names and optionally words of the answer occur in the source, or in the cited span of it.",
        checked="numbers and names planted in real answers; answers of people to passages as they are",
        pays="Answers that a source must bear out, where invented numbers and names are the danger, and no model may "
        "be asked.",
        fails="What is said in other words, summed up or counted from the source is turned away, and exchanged "
        "numbers often pass; lower `least_words`, or add `answers_agree`.",
        evidence="benchmarks/gates.md, with `least_words: 0.6`: 276 of 276 invented sentences are caught in answers "
        "of dolly, 0.463 of 67 exchanged numbers, and 0.319 of people's own answers are turned away, of which about "
        "two in five wrongly.",
    )

    within: Literal["source", "span"] = "source"
    """Where the answer must find its facts: anywhere in the source, or in the piece that it cites (`facts.span`)."""
    extractive: bool = False
    """Whether the answer must stand in the source letter for letter, spacing aside."""
    least_words: float | None = Field(None, gt=0, le=1)
    """Share of the distinct words with a meaning, without `the` and the like, that the source must hold, of the answer
    and of each of its sentences; null does not look."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        return [self.one(proposal) for proposal in proposals]

    def one(self, proposal: Proposal) -> Check:
        answer = answer_said(proposal.row["messages"]).strip() if proposal.row is not None else ""
        if not proposal.source.strip():
            return Check(False, "no source")
        if not answer:
            return Check(False, "no answer")
        span = proposal.facts.get("span")
        if span is not None and not is_inside(span, proposal.source):
            return Check(False, "span outside the source", f"the source has {len(proposal.source)} characters")
        evidence = proposal.source
        if self.within == "span":
            if span is None:
                return Check(False, "no span", "the answer cites no piece of its source")
            evidence = evidence[span[0] : span[1]]
        if self.extractive:
            verbatim = " ".join(answer.split()) in " ".join(evidence.split())
            return PASSED if verbatim else Check(False, "answer not in the source")
        return self.against(answer, evidence)

    def against(self, answer: str, evidence: str) -> Check:
        """Whether the facts of an answer are all in a piece of text."""
        values = {n.value for n in numbers(evidence)}
        alien = [n.value for n in numbers(answer) if n.sure and n.value not in values]
        if alien:
            return Check(False, "numbers not in the source", alien[0])
        unknown = missing(names(answer), evidence)
        if unknown:
            return Check(False, "names not in the source", unknown[0])
        said, short = sentences(ANSWERS.sub("", prose(answer))), len(words(answer)) <= SHORT
        if len(evidence) + len(answer) <= LONGEST and (not short or numbers(answer)):
            contrary = contradicted(pieces(evidence), said)
            if contrary is not None:
                return Check(False, *contrary)
        held = content(evidence)
        share, absent = rest(answer, held)
        facts = {"grounded_words": share}
        if absent and short and (self.least_words is None or len(UNSPACED.findall(answer)) <= 2 * SHORT):
            return Check(False, "answer not in the source", f"{absent[0]!r}", facts)
        if self.least_words is None:
            return Check(True, facts=facts)
        if share < self.least_words:
            return Check(False, "words not in the source", f"{share:.0%} of them are", facts)
        for sentence in said:
            part, gone = rest(sentence, held)
            if sentence.endswith(":") and sentence is not said[-1]:
                continue  # it says what the list behind it is
            if part < self.least_words and len(gone) >= SAYS:
                return Check(False, "words not in the source", f"{part:.0%} of those of a sentence are", facts)
        return Check(True, facts=facts)


@lru_cache(maxsize=64)
def pieces(evidence: str) -> tuple[str, ...]:
    """The sentences of a source, kept for the next question to it."""
    return tuple(sentences(prose(evidence)))


def contradicted(given: Sequence[str], said: Sequence[str]) -> tuple[str, str] | None:
    """Where an answer says of its source's names and numbers what the source says of others, or what it denies.

    Looked at are names and numbers that a sentence of the source gives one by one, and sentences that are versions of
    one of the source: what is said in other words is not known to be the contrary.
    """
    belong = Belongings(given, said)
    pair = belong.taken(said)
    if pair is not None:
        return "numbers of others", f"{pair[1]} of {pair[0]} is that of {pair[2]}"
    loose = [sentence for sentence in said if not belong.keeps(sentence)]
    versions = [(one, other, turned_round(one, other)) for one, other in aligned(given, loose)]
    for one, other, turned in versions:
        denials = denials_of(f"{one}\n{other}")
        if turned == "contrary":
            return "facts exchanged", other[:SHOWN]
        scope = exchanged(one, other, "" if denials is None else CODES.get(denials, "?"))
        if scope and turned != "same" and not scope.startswith("only"):
            return "denied by the source", f"{scope}: {one[:SHOWN]}"
    same = {other for _, other, turned in versions if turned == "same"}
    loose = [sentence for sentence in loose if sentence not in same]
    for tokens in (number_tokens, partial(name_tokens, known=set(belong.known))):
        found = replaced([tokens(one) for one in given], [tokens(one) for one in loose], new=False)
        if found is not None:
            return "facts exchanged", f"{found[0]!r} stands where {found[1]!r} stood"
    denied = found_change(given, loose, whole=False)
    return ("denied by the source", denied[1][:SHOWN]) if denied[0] else None


def rest(text: str, held: Set[str]) -> tuple[float, list[str]]:
    """Share of the distinct words of a text that are held in some inflection, and those that are not."""
    ours = content(text, inflected=False) - FREE
    absent = sorted(word for word in ours if not bases(word) & held and not numbers(word))
    return (1 - len(absent) / len(ours) if ours else 1.0), absent


@lru_cache(maxsize=64)
def content(text: str, inflected: bool = True) -> frozenset[str]:
    """The words of a text, with what they may be inflections of; pairs of letters in scripts without spaces.

    >>> sorted(content("\u732b\u304c\u597d cat", inflected=False))
    ['cat', '\u304c\u597d', '\u732b\u304c']
    """
    found: set[str] = set()
    for word in words(text):
        form = unicodedata.normalize("NFKC", word.text.lower())
        if UNSPACED.search(form):
            found.update([form] if len(form) == 1 else map("".join, pairwise(form)))
            found.update(form if inflected else ())
        elif fold(word.text):
            found.add(fold(word.text))
    return frozenset(found.union(*map(bases, found)) if inflected else found)


def is_inside(span: object, source: str) -> bool:
    """Whether [start, end] is a piece of the source that is not empty.

    >>> is_inside([0, 3], "abc"), is_inside([2, 9], "abc"), is_inside([1, 1], "abc"), is_inside("01", "abc")
    (True, False, False, False)
    """
    if not isinstance(span, list | tuple) or len(span) != 2:
        return False
    if not all(isinstance(place, int) and not isinstance(place, bool) for place in span):
        return False
    start, end = span
    return 0 <= start < end <= len(source) and bool(source[start:end].strip())
