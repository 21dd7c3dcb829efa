"""Did the model decline instead of answering?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.gates.refusal_phrases import ELSEWHERE, MILD, MORAL, NARRATED, PLAIN, PREACHING, TURN
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import answer_said
from dataflywheel.signals.wording.sentences import UNSPACED

OPENING = 400
"""Characters in which a refusal begins."""
SHOWN = 60
LETTERS = 2
"""Letters that count as a word in scripts without spaces."""
READ = 4000
"""Characters of an answer in which a turn to the matter is looked for."""


class Refusal(Gate):
    """Rejects answers that decline: a refusal is no answer, and a model learns it fast.

    A plain refusal at the beginning counts however much follows, unless what follows turns to the answer (`however, I
    can tell you`). What only may be a refusal, such as what a language model does not have, counts in short answers;
    a beginning that preaches counts where the text goes on so. Read in English and in twenty other languages.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="XSTest: A Test Suite for Identifying Exaggerated Safety Behaviours in Large Language Models",
        authors="Röttger et al.",
        year=2023,
        paper="2308.01263",
        category="proposing",
        subcategory="gates",
        summary="Answers that begin with a refusal, a sermon or what a model cannot do, and do not go on to answer.",
        checked="two people's labels of refusals by two models; false rejects on rows written by people and models",
        pays="Answers of aligned chat models, of which a few refusals would teach the student to decline.",
        fails="Sermons without a plain refusal and half refusals are often missed, and where refusing is the lesson, "
        "as in safety data, it throws the lesson away: leave it out there.",
        evidence="benchmarks/gates.md, xstest, rows not looked at: 0.952 of GPT-4's 105 full refusals are caught at "
        "0.043 false alarms, of mistralguard's 99 it is 0.727 at 0.028.",
    )

    words: int = Field(80, ge=1)
    """In answers of more words, an apology or a disclaimer alone is no refusal."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        return [self.one(answer_said(p.row["messages"]) if p.row is not None else "") for p in proposals]

    def one(self, answer: str) -> Check:
        text = " ".join(answer[: 2 * READ].replace("\u2019", "'").split()).lstrip("\"'*_#>- ")[:READ]
        read = answer[: 20 * self.words + READ]
        short = len(read.split()) + len(UNSPACED.findall(read)) // LETTERS <= self.words
        opening = text[:OPENING]
        if NARRATED.match(opening):
            return PASSED
        for phrases, final in ((PLAIN, short), (MILD if short else (), False)):
            found = next((match for phrase in phrases if (match := phrase.search(opening))), None)
            if found is not None and (final or not turns_to_answer(text[found.end() :])):
                return Check(False, "refusal", found.group()[:SHOWN])
        found = next((match for phrase in MORAL if (match := phrase.search(opening))), None)
        if found is not None and PREACHING.search(text, found.end()) and not turns_to_answer(text[found.end() :]):
            return Check(False, "refusal", found.group()[:SHOWN])
        return PASSED


def turns_to_answer(rest: str) -> bool:
    """Whether a text goes on to what was asked after it began like a refusal.

    >>> turns_to_answer("However, I can tell you that it rains."), turns_to_answer("But I can suggest something else.")
    (True, False)
    """
    return any(not ELSEWHERE.search(rest[turn.start() : turn.end() + 40]) for turn in TURN.finditer(rest))
