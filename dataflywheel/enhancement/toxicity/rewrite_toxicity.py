"""Rewriting: a model says the same without the toxicity, or the row goes."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.enhancement.toxicity.changed import changed, said
from dataflywheel.enhancement.toxicity.mask_toxicity import NOT_TOXIC, STILL_TOXIC
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import replaced, unchanged
from dataflywheel.rows.schema import Row
from dataflywheel.signals.safety.toxicity_labels import ToxicityLabels

INSTRUCTIONS = (
    "The material is a text with offensive language. Rewrite it so that nobody is insulted, threatened or demeaned, in "
    "as few changes as possible. Keep what it says: every fact, number and name, whether it affirms or denies, and its "
    "language. Add nothing."
)
ASK = "Write the whole `text` anew so that it offends nobody."


class Detoxified(Form):
    """The text without its toxicity."""

    text: str = Field(min_length=1)


class RewriteToxicity(Instructed, ToxicityLabels, Proposer):
    """Asks a model to rewrite each toxic message of a row, and toxic thoughts before one; one question for each.

    Drafts that still score above the threshold are no proposals (`still toxic`); the others have to pass the gates,
    among them that the meaning is kept. A toxic row that no rewrite replaces leaves the data set with its reason. The
    rejected answer of a preference pair is meant to be worse and stays. Whether a text still reads well is tested by
    the gate `fluent`, where it is named.
    """

    version: ClassVar[int] = 3

    card: ClassVar[Card] = Card(
        title="ParaDetox: Detoxification with Parallel Data",
        authors="Logacheva et al.",
        year=2022,
        paper="10.18653/v1/2022.acl-long.469",
        category="enhancement",
        subcategory="toxicity",
        summary="A model rewrites toxic messages; what is still toxic or means something else is turned away.",
        needs=("endpoint", "labels"),
        cost="$",
        checked="a scripted rewriter that cleans, leaves or breaks texts: each row ends as planted",
        pays="Toxic rows whose content is wanted and whose share is small, with a model that will rewrite them: only "
        "those messages are asked about.",
        fails="Aligned models refuse or preach, and what is toxic in its claim has no harmless wording: such rows "
        "leave the data set; where they must stay in sight, `quarantine`.",
        evidence="Not measured here; as bounds, benchmarks/gates.md on 1,000 rows of paradetox: rewrites by people "
        "have J 0.423, deleting by classifier 0.340.",
    )
    answered_in: ClassVar[type[Form] | None] = Detoxified
    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = ("refusal", "meaning", "contamination")

    model: ModelSpec
    """The model that rewrites."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of one reply, at most."""
    drop: bool = True
    """Whether a toxic row that no rewrite replaces leaves the data set; `false` keeps it as it was."""

    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""
        classifier = self.classifier()
        limit = classifier.threshold(self.false_positive_rate)
        texts = [said(row) for row in demand.seeds]
        scores = iter(classifier.scores([text for of_row in texts for text in of_row]))
        toxic = [[text for text in of_row if next(scores) > limit] for of_row in texts]
        sampling = Sampling(max_tokens=self.max_tokens)
        questions = [
            question(self.instructions, {"text": text}, ASK, sampling, turn)
            for turn, of_row in zip(demand.turns, toxic, strict=True)
            for text in of_row
        ]
        answers = ask_for(client, questions, Detoxified)
        drafts = [answer.value.text if answer.value else "" for answer in answers]
        passed = [bool(score <= limit) for score in classifier.scores(drafts)]
        proposals, done = [], 0
        for row, places in zip(demand.seeds, toxic, strict=True):
            of = slice(done, done + len(places))
            done += len(places)
            why = next((failure(answer) for answer in answers[of] if answer.value is None), "")
            why = why or ("" if all(passed[of]) else STILL_TOXIC)
            replies = tuple(reply for answer in answers[of] for reply in answer.replies)
            proposals.append(self._proposal(row, places, drafts[of], why if places else NOT_TOXIC, replies))
        return proposals

    def _proposal(
        self, row: Row, toxic: list[str], drafts: list[str], why: str, replies: tuple[Reply, ...]
    ) -> Proposal:
        if why:
            return unchanged(row, why, replies, drop=self.drop and bool(toxic))
        by_text = dict(zip(toxic, drafts, strict=True))
        made = changed(row, self.name, lambda text: by_text.get(text, text))
        return replaced(row, made, replies, shown=(self.instructions,), drop=self.drop)
