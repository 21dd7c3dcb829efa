"""SPIN: pairs in which the human answer is the better one and the model's own answer the worse one."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.evolution.iteration.own_answers import own_request
from dataflywheel.models.endpoint.failure import passing
from dataflywheel.models.endpoint.request import Outcome, Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.proposing.rewritten import rewritten, unfit
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of


class Spin(AskingProposer):
    """For each row a pair: its answer, and what the model of the iteration before answers itself.

    Direct preference optimisation on these pairs, with that same model as the reference, is the method's loss; the step
    `prefer` takes it as such, and the pairs of this round and the one before. Its ceiling is the quality of the rows,
    and mostly the first iteration helps: run a second only if the first one passed.

    Neither answer of a pair has white space around it, which would tell them apart.
    """

    version: ClassVar[int] = 2

    card: ClassVar[Card] = Card(
        title="Self-Play Fine-Tuning Converts Weak Language Models to Strong Language Models",
        authors="Chen et al.",
        year=2024,
        paper="2401.01335",
        category="evolution",
        subcategory="iteration",
        summary="Pairs of the human answer and the previous model's own, for preference training against that model.",
        needs=("endpoint",),
        cost="$$$",
        checked="the loss by hand equals that of preference training with the previous model as reference; on a small "
        "model own answers become less likely and fall behind human ones",
        pays="Good human answers that fine-tuning has used up, a student that still writes worse, and no preferences "
        "or judge to pay for.",
        fails="It never passes the quality of the rows, and mostly the first iteration alone helps: stop where the "
        "select tier does not rise; new pairs come from `best_of_n`.",
        evidence="The authors report that it beats DPO with extra data at iteration 1; users of their code "
        "(uclaml/SPIN#36) saw later iterations fall. Not measured here.",
    )
    gates: ClassVar[tuple[str, ...]] = ("contamination",)
    makes_pairs: ClassVar[bool] = True
    own_model: ClassVar[Literal["trained", "base"] | None] = "trained"

    model: ModelSpec
    """The model before this iteration, which the next one learns to be told from. A recipe that trains gives its
    student, as the best round so far left it; in the first round untrained, a built-in one trained on the pool."""
    max_tokens: int = Field(default=256, ge=16)
    """Tokens of the model's own answer; one that is cut there counts as it is."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left out."""

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        why = [unfit(row, self.max_chars) for row in demand.seeds]
        asked = [i for i, reason in enumerate(why) if not reason]
        requests = [own_request(demand.seeds[i], self.sampling, demand.turns[i]) for i in asked]
        replies = dict(zip(asked, client.ask(requests) if requests else [], strict=True))
        return [
            self._pair(row, replies[i].spoken()) if i in replies else without(why[i], row)
            for i, row in enumerate(demand.seeds)
        ]

    @property
    def sampling(self) -> Sampling:
        return Sampling(temperature=self.temperature, max_tokens=self.max_tokens)

    def _pair(self, row: Row, reply: Reply) -> Proposal:
        own, gold = reply.text.strip(), part_of(row["messages"], "answer").strip()
        if reply.outcome not in (Outcome.ANSWERED, Outcome.TRUNCATED) or passing([reply]):
            return failed(reply, row)
        if reply.calls:
            return without("no pair, the model's own answer calls tools", row, replies=[reply])
        if not own:
            return without("no pair, the model's own answer is empty", row, replies=[reply])
        if own == gold:
            return without("no pair, the model's own answer is the human one", row, replies=[reply])
        return Proposal((row["id"],), row=rewritten(row, self.name, gold, rejected=own), replies=(reply,))
