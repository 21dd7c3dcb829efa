"""Whether a written answer is right as far as can be told: the question is answered anew, without a look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.answers.compare import same_answer
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.rows.text import part_of

AGAIN = (
    "The material is a question, and one row that shows the form of an answer. Answer the question, not the row's. "
    "First think in `reasoning` about what is right, then write `answer` in the form of the row's."
)
COMPARE = (
    "The material is a question and two answers to it. Compare them in `reasoning`, and then say in `same` whether "
    "both come to the same: the same label, choice, result or statement, whatever the wording."
)
ASK = {
    AGAIN: "What is the right answer to the question? Write `reasoning`, and then `answer`.",
    COMPARE: "Do the two answers come to the same? Write `reasoning`, and then `same`: true or false.",
}
"""The request that belongs to each of these."""
UNCONFIRMED = "label not confirmed: answered anew, the question got another answer"


class Again(Form):
    """The question answered anew."""

    reasoning: str
    answer: str = Field(min_length=1)


class Compared(Form):
    """Whether two answers come to the same."""

    reasoning: str = words(1500)
    same: bool


def confirmed(
    client: Asks, made: Sequence[Proposal], shown: Sequence[str], sampling: Sampling, number: int
) -> list[Proposal]:
    """The proposals, without their row where the `number`-th independent answer to its question is another one.

    Answers that are not equal letter for letter or as exact results are compared by the model. `shown` is a row for
    each proposal whose answer has the form wanted.
    """
    found = list(made)
    open_ = [i for i, proposal in enumerate(made) if proposal.row is not None]
    asked = [_asked(made[i], {"row": shown[i]}, AGAIN, sampling, number) for i in open_]
    again = dict(zip(open_, ask_for(client, asked, Again), strict=True))
    apart: list[int] = []
    for i, answer in again.items():
        found[i] = _billed(found[i], answer, failure(answer) if answer.value is None else "")
        if answer.value is not None and not _equal(_answer(made[i]), answer.value.answer):
            apart.append(i)
    plain = Sampling(0.0, 1.0, sampling.max_tokens)
    pairs = {i: {"answer 1": _answer(made[i]), "answer 2": _said(again[i])} for i in apart}
    asked = [_asked(made[i], pairs[i], COMPARE, plain, 0) for i in apart]
    for i, compared in zip(apart, ask_for(client, asked, Compared), strict=True):
        differ = "" if compared.value is not None and compared.value.same else UNCONFIRMED
        found[i] = _billed(found[i], compared, failure(compared) if compared.value is None else differ)
    return found


def _asked(proposal: Proposal, parts: dict[str, str], instructions: str, sampling: Sampling, sample: int) -> Request:
    assert proposal.row is not None
    text = part_of(proposal.row["messages"], "prompt")
    return question(instructions, {"question": text, **parts}, ASK[instructions], sampling, sample)


def _answer(proposal: Proposal) -> str:
    assert proposal.row is not None
    return part_of(proposal.row["messages"], "answer")


def _said(answer: Answer[Again]) -> str:
    return answer.value.answer if answer.value is not None else ""


def _equal(one: str, other: str) -> bool:
    try:
        return same_answer(final_answer(one), final_answer(other))
    except NoAnswerError:
        return " ".join(one.split()) == " ".join(other.split())


def _billed(proposal: Proposal, answer: Answer[Again] | Answer[Compared], why: str) -> Proposal:
    replies = (*proposal.replies, *answer.replies)
    row = None if why else proposal.row
    return replace(proposal, row=row, failure=why or proposal.failure, replies=replies)
