"""Multi-News+: pieces of context that most runs of a model call irrelevant to the answer leave the prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field, field_validator

from dataflywheel.contracts import Card
from dataflywheel.enhancement.rewriting.context_pieces import Pieces, Wanted, holders, spared
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import exchange_of, replaced, rewritten, unchanged, unfit
from dataflywheel.rows.schema import Row

INSTRUCTIONS = (
    "The material is numbered documents, what is wanted of them, and an answer that was made from some of them. A "
    "document is irrelevant if nothing of the answer rests on it: it is about something else, or it is an "
    "advertisement, a notice of a web site or an error message. Look at each document in `analysis`, in a few words, "
    "and then list the numbers of the irrelevant ones in `irrelevant`; the list is empty where all belong to the "
    "answer."
)
ASK = "Which documents has the answer nothing from? Write `analysis`, and then `irrelevant`: a list of numbers."
ALL = "every piece is called irrelevant"
NONE = "nothing irrelevant"
NOTICE = "This page uses cookies. Accept all, or read our terms of use."
SPARED = "only pieces that hold what the answer says"


class Irrelevant(Form):
    """The numbers of documents that have nothing to do with the answer."""

    analysis: str = words(3000)
    irrelevant: list[int]


class RelevanceVotes(Instructed, Proposer):
    """Shows the pieces of a row's context with its answer to the model, `runs` times, and takes out of the prompt what
    more than half of all runs call irrelevant. A run that cannot be read votes for nothing to go.

    Pieces stand between blank lines, or at `separator`; those with fewer than `least_words` words, questions and what
    ends with a colon say what is wanted, and stay. Where every piece that holds a number or a name of the answer, or a
    short answer as a whole, would go, all of these stay. The answer is never touched; rows of which all pieces are
    called irrelevant stay, for that reason: it may be the answer that does not belong there.

    Reconstructed: the wording is ours, and so is the rule that spares what the answer rests on.
    """

    card: ClassVar[Card] = Card(
        title="Multi-News+: Cost-efficient Dataset Cleansing via LLM-based Data Annotation",
        authors="Choi et al.",
        year=2024,
        paper="2404.09682",
        category="enhancement",
        subcategory="rewriting",
        summary="Takes documents out of a prompt that most of several runs call irrelevant to the row's answer.",
        needs=("endpoint",),
        cost="$$",
        checked="foreign passages planted in real contexts, and voters of known accuracy, against the binomial law",
        pays="Rows that were put together from several documents, by a crawler or a retriever, not all of them right.",
        fails="A model that errs in all its runs alike is not outvoted; one piece of context leaves nothing to choose.",
        evidence="Here, of three foreign passages beside each of 114 real ones, five voters right in 70, 80 and "
        "90 % remove 84.5, 94.2 and 98.8 %, as the binomial law says; no passage with the answer was removed.",
    )
    answered_in: ClassVar[type[Form] | None] = Irrelevant
    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = ({"format_and_length": {"prompt": (1, 200_000)}}, "contamination")

    model: ModelSpec
    """The model that votes."""
    runs: int = Field(default=5, ge=1, le=31)
    """Votes on each row; odd, so that there is a majority."""
    separator: str = ""
    """What stands between pieces, such as `|||||`; "" takes blank lines."""
    least_words: int = Field(default=20, ge=1)
    """Words from which a piece is context; in scripts without spaces letters count."""
    wanted: Wanted = "short"
    """Where it says what is wanted: in the `first` piece, the `last`, or `both`, which are then no context however long
    they are; `short`: only where a piece is short, or a question."""
    most: int = Field(default=50, ge=2)
    """Pieces of context of a row, at most; rows with more are left as they are."""
    temperature: float = Field(default=1.0, ge=0, le=2)
    """Of the votes; at 0 all runs say the same."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of one reply, at most."""
    max_chars: int = Field(default=60_000, ge=100)
    """Longer rows are left as they are."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    @field_validator("runs")
    @classmethod
    def _odd(cls, given: int) -> int:
        if given % 2 == 0:
            raise ValueError(f"`runs` is odd, so that there is a majority, not {given}")
        return given

    def calls_a_seed(self) -> float:
        return float(self.runs)

    def rehearsed(self) -> Proposer:
        return _Rehearsed(**{name: getattr(self, name) for name in type(self).model_fields})

    def unfit(self, seed: Row) -> str:
        why = unfit(seed, self.max_chars, thoughts=True)
        if why or seed["rejected"]:
            return why or "not rewritten, the rejected answer may rest on what would go"
        pieces = self._pieces(seed)
        if len(pieces.context) < 2:
            return "not rewritten, fewer than two pieces of context"
        return "not rewritten, too many pieces of context" if len(pieces.context) > self.most else ""

    def _pieces(self, row: Row) -> Pieces:
        return Pieces.of(exchange_of(row).instruction, self.separator, self.least_words, self.wanted)

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""
        why = [self.unfit(row) for row in demand.seeds]
        fit = [i for i, bad in enumerate(why) if not bad]
        pieces = {i: self._pieces(demand.seeds[i]) for i in fit}
        asked = [
            self._question(demand.seeds[i], pieces[i], demand.turns[i] * self.runs + run)
            for i in fit
            for run in range(self.runs)
        ]
        sizes = [len(pieces[i].context) for i in fit for _ in range(self.runs)]

        def check(place: int, value: Irrelevant) -> str:
            wrong = [number for number in value.irrelevant if not 1 <= number <= sizes[place]]
            return f"there is no document {wrong[0]}" if wrong else ""

        said = iter(ask_for(client, asked, Irrelevant, check))
        return [
            self._proposal(row, pieces[i], [next(said) for _ in range(self.runs)])
            if i in pieces
            else unchanged(row, bad)
            for i, (row, bad) in enumerate(zip(demand.seeds, why, strict=True))
        ]

    def _question(self, row: Row, pieces: Pieces, sample: int) -> Request:
        parts = exchange_of(row)
        material = {"earlier turns": parts.context} if parts.context else {}
        material |= {"wanted": pieces.wanted} if pieces.wanted else {}
        material |= {f"document {n}": pieces.texts[i] for n, i in enumerate(pieces.context, 1)}
        material |= {"answer": parts.answer}
        sampling = Sampling(temperature=self.temperature, max_tokens=self.max_tokens)
        return question(self.instructions, material, ASK, sampling, sample)

    def _proposal(self, row: Row, pieces: Pieces, said: Sequence[Answer[Irrelevant]]) -> Proposal:
        replies: list[Reply] = [reply for answer in said for reply in answer.replies]
        read = [answer.value for answer in said if answer.value is not None]
        lost = passing(replies) or ("" if read else failure(said[0]))
        if lost:  # what another run may change must not be decided by this one
            return unchanged(row, lost, replies)
        votes = Counter(number for value in read for number in set(value.irrelevant))
        voted = {i for n, i in enumerate(pieces.context, 1) if votes[n] > self.runs / 2}
        held = holders(exchange_of(row).answer, pieces.texts)
        kept = spared(voted, held)
        gone = voted - kept
        facts = {
            "votes": [votes[n] for n in range(1, len(pieces.context) + 1)],
            "removed": [n for n, i in enumerate(pieces.context, 1) if i in gone],
            "spared": [n for n, i in enumerate(pieces.context, 1) if i in kept],
        }
        why = ALL if gone >= set(pieces.context) else "" if gone else SPARED if kept else NONE
        if why:
            return replace(unchanged(row, why, replies), facts=facts | {"removed": []})
        last = row["messages"][-1]
        new = rewritten(
            row, self.name, last["content"], pieces.without(gone), reasoning=last["reasoning"], calls=last["tool_calls"]
        )
        return replaced(row, new, replies, (str(self.instructions),), facts)

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How many pieces there were, went, and were spared for what the answer says."""
        voted = [proposal.facts for proposal, _ in came if "votes" in proposal.facts]
        kept = [proposal.facts for proposal, why in came if not why and "votes" in proposal.facts]
        return {
            "pieces": {
                "seen": sum(len(facts["votes"]) for facts in voted),
                "removed": sum(len(facts["removed"]) for facts in kept),
                "spared": sum(len(facts["spared"]) for facts in voted),
            }
        }


class _Rehearsed(RelevanceVotes):
    """One that finds two documents in every row: what its answer says, and a notice of a web site."""

    def _pieces(self, row: Row) -> Pieces:
        parts = exchange_of(row)
        return Pieces((parts.answer, NOTICE, parts.instruction), ("\n\n", "\n\n"), (0, 1))
