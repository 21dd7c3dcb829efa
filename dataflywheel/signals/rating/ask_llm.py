"""Ask-LLM: the probability of "yes" to whether a row is worth training on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field, model_validator

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.account import offered
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.reading import ask_read
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.endpoint.tried import Asking
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating
from dataflywheel.signals.rating.token_shares import Shares, asked_again, brief, one_word, plain, shares

INSTRUCTIONS = {
    "text": (
        "The material is a text that may be used to train a language model. Does it hold informative signal, such as "
        "well-formed content with facts, reasoning or skills of the world, that would make a model better?"
    ),
    "pair": (
        "The material is an instruction and an answer that may be used to train an assistant. Would a model that "
        "learns to give this answer to this instruction become a better assistant?"
    ),
}
ASK = {
    "text": "Would a model that learns this text become better? Reply with one word: yes or no.",
    "pair": "Would a model that learns this answer become a better assistant? Reply with one word: yes or no.",
}
ANSWERS = ("yes", "no")


class AskLLM(Instructed, Rating):
    """Column `score`: P(yes) / (P(yes) + P(no)) at the reply's first word, over all spellings of both.

    `mass` is P(yes) + P(no). From a model without log-probabilities the score is the share of yes among several
    draws; then `votes` holds how many of them could be read, and `mass` nothing.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="How to Train Data-Efficient LLMs",
        authors="Sachdeva et al.",
        year=2024,
        paper="2402.09668",
        category="signals",
        subcategory="rating",
        summary="The probability that a model answers yes when asked whether a row is worth training on.",
        needs=("endpoint",),
        cost="$",
        checked="the exact ratio over planted spellings; votes within three standard errors of it",
        pays="A server that tells log-probabilities: a share of yes ranks rows where grades tie, for a reply of one "
        "word.",
        fails="Without log-probabilities it costs `draws` calls a row in steps of an eighth, and a low `mass` means "
        "that neither word was meant: then `alpagasus`.",
        evidence="The paper: better than all data with 90 % of it rejected, and convergence up to 70 % faster; here "
        "only its form was tried, 4 of 4 rows (`benchmarks/real_model.md`).",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {
        "score": pa.float32(),
        "mass": pa.float32(),
        "votes": pa.int32(),
        **COST_COLUMNS,
    }
    answer_tokens: ClassVar[int] = 2

    about: Literal["pair", "text"] = "pair"
    """Whether the question is about an answer to an instruction, or about the row's text as a whole."""
    draws: int = Field(default=8, ge=1)
    """Votes for each row where the model gives no log-probabilities."""
    instructions: Instructions = INSTRUCTIONS["pair"]
    """What the model is told to do; about texts another one, unless it is given."""

    @model_validator(mode="before")
    @classmethod
    def _of_what(cls, given: Any) -> Any:
        known = isinstance(given, dict) and given.get("about") in INSTRUCTIONS
        return {"instructions": INSTRUCTIONS[given["about"]], **given} if known else given

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        requests = [brief(client, self._request(row)) for row in rows]
        if client.model.capabilities.logprobs:
            return [_share(reply) for reply in ask_read(client, requests, self._asking(), lambda i, r: _share(r).error)]
        client.model.capabilities.require(("samples",), self.name, client.model.identity)
        draws = [asked_again(request, i) for request in requests for i in range(self.draws)]
        replies = ask_read(client, draws, self._asking(), lambda i, reply: voted([reply]).error)
        return [voted(replies[i : i + self.draws]) for i in range(0, len(replies), self.draws)]

    def _asking(self) -> Asking:
        return Asking(self.name, "one word, yes or no")

    def calls_a_row(self) -> int:
        return 1 if offered(self.model).logprobs else self.draws

    def can_ask(self, row: Asked) -> bool:
        return super().can_ask(row) if self.about == "pair" else bool((row.prompt + row.answer).strip())

    def _request(self, row: Asked) -> Request:
        if self.about == "text":
            parts = {"text": "\n\n".join(filter(None, (row.prompt, row.answer)))}
        else:
            parts = {"instruction": row.prompt, "answer": row.answer}
        return question(self.instructions, parts, ASK[self.about], one_word())


def _share(reply: Reply) -> Rated:
    found = shares(reply, ANSWERS)
    if not isinstance(found, Shares):
        return Rated(None, found, (reply,))
    return Rated({"score": found.share["yes"], "mass": found.mass, "votes": None}, "", (reply,))


def voted(replies: Sequence[Reply]) -> Rated:
    """The share of yes among the replies whose first word is yes or no; no score where there is none."""
    said = [reply for reply in replies if reply.answered or reply.outcome is Outcome.TRUNCATED]
    words = [plain((reply.text.split() or [""])[0]) for reply in said]
    votes = [word for word in words if word in ANSWERS]
    if not votes:
        lost = next((failure(reply) for reply in replies if not reply.answered), "malformed: neither yes nor no")
        return Rated(None, lost, tuple(replies))
    share = votes.count("yes") / len(votes)
    return Rated({"score": share, "mass": None, "votes": len(votes)}, "", tuple(replies))
