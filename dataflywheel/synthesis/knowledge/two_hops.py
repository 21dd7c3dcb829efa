"""Questions over two documents on their way: the forms in which they are written, and what is wrong with one."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import Field

from dataflywheel.models.endpoint.request import Reply
from dataflywheel.models.endpoint.structured import Form
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.knowledge.chunks import locate
from dataflywheel.synthesis.knowledge.documents import LEANS, leans
from dataflywheel.synthesis.knowledge.shared_names import holds

ALONE = "no document shares a name with it"
NO_MORE = "no further name that it shares"
TOLD = "the question tells the name"
GIVEN = "the question holds its answer"
NO_EVIDENCE = "no evidence, the quoted words are not in the second passage"
ELSEWHERE = "the answer is not in its evidence"
ONE = "the first passage has the answer too"
BLURRED = "the question does not lead to the name"
OTHER = "no attempt comes to the same answer"


class Hops(Form):
    """A question in two steps."""

    first: str
    second: str
    evidence: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    question: str = Field(min_length=1)


class Named(Form):
    """What a question speaks of."""

    reason: str
    name: str = Field(min_length=1)


class Again(Form):
    """An answer of somebody who did not write the question."""

    reason: str
    answer: str = Field(min_length=1)


@dataclass
class Draft:
    """One question on its way."""

    seed: Row
    other: Row
    name: str
    first: str
    second: str
    prompt: str = ""
    answer: str = ""
    evidence: str = ""
    agreed: bool = False
    tries: int = 0
    why: str = ""
    replies: list[Reply] = field(default_factory=list)


def fault(one: Draft) -> str:
    """Why what was written is no question that takes both passages, or ""."""
    if not one.prompt or not one.answer:
        return f"malformed: an empty {'answer' if one.prompt else 'question'}"
    if holds(one.prompt, one.name):
        return TOLD
    if holds(one.prompt, one.answer):
        return GIVEN
    leaning = leans(one.prompt, f"{one.first}\n{one.second}")
    if leaning:
        return f"{LEANS}: {leaning!r}"
    if locate(one.evidence, one.second) is None:
        return NO_EVIDENCE
    if not holds(one.evidence, one.answer.strip(" .")):
        return ELSEWHERE
    return ONE if holds(one.first, one.answer.strip(" .")) else ""
