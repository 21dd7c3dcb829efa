"""Did the model decline instead of answering?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import answer_said

UNABLE = r"(?:can(?:no|')?t|(?:am|'m)\s+(?:not\s+able|unable)|won't|will\s+not|must\s+decline)"
LEAD = (
    r"(?:(?:i'?m|i\s+am|we\s+are|i|we)\s+(?:very\s+|so\s+|really\s+|deeply\s+)?|my\s+)?"
    r"(?:sorry|apologi[sz]e|apologies|afraid)"
)
DO = (
    r"(?:help|assist|provide|fulfil?l|comply|answer|generate|create|write|complete|do|support|discuss|respond|give|"
    r"offer|engage|access|share|process|produce)"
)
PHRASES = tuple(
    re.compile(phrase, re.IGNORECASE)
    for phrase in (
        rf"^{LEAD}\W.{{0,60}}?\b(?:i|we)\s*{UNABLE}\b",
        rf"^{LEAD}\W.{{0,40}}?\b(?:as\s+an?|i'?m|i\s+am)\s+(?:only\s+|just\s+)?(?:an?\s+)?(?:ai|artificial|language\s+model)",
        rf"^(?:unfortunately|regrettably|no)?\W*\b(?:i|we)\s*{UNABLE}\b(?:\s+to)?\s+{DO}\b",
        r"^as\s+(?:an?|your)\s+(?:ai|artificial\s+intelligence|(?:large\s+)?language\s+model|virtual\s+assistant)\b",
        r"^(?:i'?m|i\s+am)\s+(?:only\s+|just\s+)?an?\s+(?:ai|artificial\s+intelligence|large\s+language|language\s+model)",
        r"^it\s+is\s+not\s+(?:appropriate|possible|ethical)\s+(?:for\s+me\s+)?to\s+(?:answer|provide|assist|help|comply)",
        r"^(?:this|the|your)\s+(?:request|question|prompt|instruction|input)\s+(?:is|cannot|can't|does\s+not|is\s+not)\b"
        r".{0,40}(?:be\s+(?:answered|completed|fulfilled)|inappropriate|against|violates|unclear|incomplete)",
        r"^(?:sorry|apologies)\W+(?:but\s+)?(?:this|that)\s+(?:is\s+not|isn't|cannot|can't)\b",
        r"^(?:there\s+is\s+)?(?:no|not)\s+(?:enough\s+|sufficient\s+)?(?:input|context|information)\s+(?:was\s+|is\s+)?"
        r"(?:given|provided|available)",
    )
)


class Refusal(Gate):
    """Rejects answers that begin by declining: a refusal is no answer, and a model learns it fast.

    Only the beginning of short answers counts: an answer that goes on at length after an apology does answer.
    """

    card: ClassVar[Card] = Card(
        title="WizardLM: Empowering Large Language Models to Follow Complex Instructions",
        authors="Xu et al.",
        year=2023,
        paper="2304.12244",
        category="proposing",
        subcategory="gates",
        summary="Short answers that begin with an apology, a refusal, or what a language model cannot do.",
        checked="planted refusals; false rejects on human-written rows",
    )

    words: int = Field(80, ge=1)
    """Answers of more words are not looked at."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        return [self.one(answer_said(p.row["messages"]) if p.row is not None else "") for p in proposals]

    def one(self, answer: str) -> Check:
        text = " ".join(answer.replace("\u2019", "'").split()).lstrip("\"'*_#>- ")
        if len(text.split()) > self.words:
            return PASSED
        for phrase in PHRASES:
            found = phrase.search(text)
            if found:
                return Check(False, "refusal", found.group()[:60])
        return PASSED
