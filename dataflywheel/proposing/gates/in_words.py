"""What gates share that ask a model one question about a new row and are answered by a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Card, Cost, PoolStatistics, UsageError
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import answer_said, part_of

UNREADABLE = "the judge gave no verdict"
NO_SOURCE = "no source to judge by"
NO_TEXT = "nothing to judge"
VERDICT = "verdict"
SHOWN = 60
QUESTION_TOKENS, ANSWER_TOKENS = 200, 60
"""Of one call, beside the row's own texts: for the estimate."""


def lab_card(summary: str, checked: str, pays: str, fails: str) -> Card:
    """The card of one of the three judges of InstructLab's pipeline for documents."""
    return Card(
        title="LAB: Large-Scale Alignment for ChatBots",
        authors="Sudalairaj et al.",
        year=2024,
        paper="2403.01081",
        category="proposing",
        subcategory="gates",
        summary=summary,
        needs=("endpoint",),
        cost="$",
        checked=checked,
        pays=pays,
        fails=fails,
    )


class InWords(Instructed, Gate):
    """A question about a row to a model, whose answer is a reason and one word of a few; one of them passes, or two.

    Examples with a `verdict` are asked about before anything else, each without the others' help and without its own
    verdict: where the model says another word, the example or the judge is wrong, and the run ends before it has paid
    for the rows.
    """

    asks: ClassVar[bool] = True
    capabilities: ClassVar[tuple[str, ...]] = ("chat",)
    keeps_facts: ClassVar[bool] = True
    ask: ClassVar[str]
    """The request, as the question's last line."""
    shows: ClassVar[tuple[str, ...]] = ("document", "question", "answer")
    """What of a row is shown, of these three."""
    scale: ClassVar[tuple[str, ...]]
    """The words, the best first."""
    why: ClassVar[Mapping[str, str]]
    """For each word but the best, why a row with it is turned away."""

    model: ModelSpec
    """The model that judges; the recipe's teacher where none is named."""
    max_tokens: int = Field(default=512, ge=16)
    """Tokens of a verdict with its reason, at most."""

    least: str
    """The worst word that passes."""
    instructions: Instructions
    """What the model is told to do."""

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Each row is asked about once, beside what it was made from."""
        calls = pool.rows
        read, written = calls * QUESTION_TOKENS + 2 * pool.tokens, calls * min(self.max_tokens, ANSWER_TOKENS)
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return self.with_examples(Cost(calls=calls, tokens=read + written, usd=usd))

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        client = client_for(self.model)
        client.model.capabilities.require(self.capabilities, self.name, client.model.identity)
        around.once(f"examples:{self.digest()}", lambda: self.test_examples(client))
        return self.check_with(client, proposals)

    def check_with(self, client: Asks, proposals: Sequence[Proposal]) -> list[Check]:
        """`check` by a client of one's own."""
        held = [self._held(proposal) for proposal in proposals]
        open_ = [i for i, one in enumerate(held) if not isinstance(one, Check)]
        asked = [(self.instructions, one) for one in held if not isinstance(one, Check)]
        answers = dict(zip(open_, self._asked(client, asked), strict=True))
        return [one if isinstance(one, Check) else self._verdict(answers[i]) for i, one in enumerate(held)]

    def test_examples(self, client: Asks) -> int:
        """Ask about every example with a verdict as if it had none; gives how many there are.

        Raises:
            UsageError: the model says another word; names the example and both.
        """
        known = [(i, one) for i, one in enumerate(self.examples, 1) if VERDICT in one and one.keys() >= {*self.shows}]
        bare = str(self.instructions)
        asked = [(bare, {name: one[name] for name in self.shows}) for _, one in known]
        for (place, one), answer in zip(known, self._asked(client, asked), strict=True):
            said = getattr(answer.value, VERDICT, None)
            if said is not None and said != one[VERDICT].strip():
                raise UsageError(
                    f"{self.name}: example {place} has the verdict {one[VERDICT].strip()!r}, and the model that judges "
                    f"says {said!r} where it is asked about it: {getattr(answer.value, 'reason', '')[:200]}\nMend the "
                    "example, leave it out, or let another model judge"
                )
        return len(known)

    def _asked(self, client: Asks, asked: Sequence[tuple[str, Mapping[str, str]]]) -> list[Answer[Any]]:
        form = self.answered_in
        assert form is not None
        sampling = Sampling(max_tokens=self.max_tokens)
        return ask_for(client, [question(told, parts, self.ask, sampling) for told, parts in asked], form)

    def _held(self, proposal: Proposal) -> dict[str, str] | Check:
        """What is shown of a row, or why it cannot be judged."""
        assert proposal.row is not None
        turns = proposal.row["messages"]
        there = {"document": proposal.source, "question": part_of(turns, "prompt"), "answer": answer_said(turns)}
        lacking = next((name for name in self.shows if not there[name].strip()), "")
        if lacking or proposal.row["media"]:
            return Check(False, NO_SOURCE if lacking == "document" else NO_TEXT, lacking, decided=False)
        return {name: there[name] for name in self.shows}

    def _verdict(self, answer: Answer[Any]) -> Check:
        if answer.value is None:
            return Check(False, UNREADABLE, failure(answer), decided=False, replies=answer.replies)
        place = self.scale.index(answer.value.verdict)
        facts = {self.name: float(len(self.scale) - 1 - place)}
        if place <= self.scale.index(self.least):
            return Check(True, facts=facts, replies=answer.replies)
        reason = str(answer.value.reason)[:SHOWN]
        return Check(False, self.why[answer.value.verdict], reason, facts, replies=answer.replies)
