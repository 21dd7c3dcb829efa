"""Questions from pieces of a graph on their way: what is asked for, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import Field

from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.proposing.asking import without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.knowledge.documents import LEANS, leans
from dataflywheel.synthesis.knowledge.graph import Statement, bare
from dataflywheel.synthesis.knowledge.shared_names import holds

INSTRUCTIONS = (
    "The material is facts, one a line, and the kind of question that is wanted. Write a question of that kind which "
    "the facts answer, in their language, as somebody would ask who has not seen them: it stands by itself, and never "
    "speaks of facts, lines or a text. Then answer it from the facts alone, with every name and number as they have it."
)
ASK = "Write the `question`, and then its `answer`."
Kind = Literal["atomic", "multi_hop", "open"]
KINDS: dict[Kind, str] = {
    "atomic": "a question about this one fact, answered by a name, a number or a few words that the question lacks",
    "multi_hop": "a question that takes all the facts, one after the other: what joins two of them is not named, but "
    "told by what one fact says of it; answered by a name, a number or a few words that the question lacks",
    "open": "an open question, such as how or why, whose answer puts all the facts together in a few sentences",
}
GIVEN = "the question holds its answer"


class Pair(Form):
    """A question with its answer."""

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)


@dataclass
class Draft:
    """One question on its way, or why there is none."""

    seed: Row
    piece: list[Statement]
    kind: Kind = "atomic"
    loss: float = 0.0
    """Mean loss of the statements, in nats."""
    others: Sequence[Row] = ()
    """The other documents that state them."""
    asked: str = ""
    answer: str = ""
    why: str = ""
    replies: list[Reply] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The statements, one a line."""
        return "\n".join(" ".join(one.text.split()) for one in self.piece)


def write(client: Asks, drafts: Sequence[Draft], told: str, sampling: Sampling) -> None:
    """Have the question of each draft written, and what is wrong with it entered."""
    asked = [question(told, {"facts": one.text, "kind": KINDS[one.kind]}, ASK, sampling) for one in drafts]
    for one, answer in zip(drafts, ask_for(client, asked, Pair), strict=True):
        one.replies += answer.replies
        if answer.value is None:
            one.why = failure(answer)
            continue
        one.asked, one.answer = answer.value.question.strip(), answer.value.answer.strip()
        one.why = fault(one)


def fault(one: Draft) -> str:
    """Why what was written is no question of its kind, or ""."""
    if not one.asked or not one.answer:
        return f"malformed: an empty {'answer' if one.asked else 'question'}"
    leaning = leans(one.asked, one.text)
    if leaning:
        return f"{LEANS}: {leaning!r}"
    return GIVEN if one.kind != "open" and bare(one.answer) and holds(one.asked, bare(one.answer)) else ""


def proposal(name: str, one: Draft, shown: Sequence[str]) -> Proposal:
    """The draft as a row that rests on its statements, or as a failure."""
    parents = (one.seed, *one.others)
    facts = {"kind": one.kind, "loss": one.loss} if one.piece else {}
    if one.why:
        return replace(without(one.why, *parents, replies=one.replies), facts=facts)
    row = child(name, one.seed, one.asked, one.answer, one.others)
    ids = tuple(parent["id"] for parent in parents)
    return Proposal(ids, row, source=one.text, shown=tuple(shown), facts=facts, replies=tuple(one.replies))
