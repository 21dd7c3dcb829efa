"""CLAIR: a draft answer and its smallest revision that is better make a preference pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card, Operator, build
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.announced import announced
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.gates.prompt_leak import PromptLeak
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal
from dataflywheel.proposing.rewritten import exchange_of, rewritten, unfit
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.signals.wording.sentences import forms

INSTRUCTIONS = (
    "You correct an answer that an assistant gave. The material is the instruction and the answer. Name in `faults` "
    "what makes the answer worse than it could be: what is wrong, unclear, missing, or not asked for. Then write the "
    "whole answer again with these faults mended and everything else as it stands, word for word, in its language. "
    "Change as little as you can, and do not make it longer than the mending needs. Speak to the person who asked, "
    "and not of the correction. An answer without faults is written again unchanged.\n"
    "So `It melts at 5 degrees. Keep it cold.` becomes `It melts at 0 degrees. Keep it cold.` where 0 is right."
)
ASK = "Name the `faults` of the answer, and then write the whole corrected `answer`."
SAME = "nothing to revise"
FAR = "the revision changes too much"
DRAFT_LEAKS = "prompt text in the draft"
SHORT = 20
"""Words that a text counts for at least where changes are measured: a short answer may change at will."""


class Corrected(Form):
    """What is wrong with an answer, and the answer without it."""

    faults: str = words(800)
    answer: str = Field(min_length=1)


class CLAIR(Instructed, AskingProposer):
    """Chosen is a draft after a model mended it, rejected the draft itself: the two differ in what was mended alone.

    `length_gap` in the facts is the number of words by which the revision is longer (letters count in scripts without
    spaces), `changed` the share of words that it changes: the edit distance in words over the longer text's, a text
    counted as 20 words at least. What changes more than `most_change` is no pair; the published method has no such
    bound. Add the gate `preferred` to keep pairs alone whose revision a judge finds better in both orders.
    """

    card: ClassVar[Card] = Card(
        title="Anchored Preference Optimization and Contrastive Revisions: Addressing Underspecification in Alignment",
        authors="D'Oosterlinck et al.",
        year=2024,
        paper="2408.06266",
        category="synthesis",
        subcategory="instruction",
        summary="Preference pairs of a draft and its smallest better revision, which differ in what was mended alone.",
        needs=("endpoint",),
        cost="$",
        checked="a scripted reviser with planted copies, rewrites, marks and leaks, and a judge with a planted bias "
        "for the first place: both sides clean and different, length gaps true, order-bound verdicts turned away",
        pays="Answers of the student or of people with faults that a stronger model sees.",
        fails="A reviser no better than the drafts teaches its own taste; without a judge nothing checks the revision.",
        evidence="Here, of 200 scripted revisions with four planted faults, every good one was kept and no other. What "
        "training on the pairs is worth was not measured here.",
    )
    name: ClassVar[str] = "clair"
    version: ClassVar[int] = 3
    answered_in: ClassVar[type[Form] | None] = Corrected
    operator: ClassVar[Operator] = "answers"
    gates: ClassVar[tuple[NamedGate, ...]] = ("format_and_length", "refusal", "prompt_leak")
    makes_pairs: ClassVar[bool] = True

    most_change: float = Field(default=0.5, gt=0, le=1)
    """Largest share of the words that a revision may change; 1 allows any."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    max_tokens: int = Field(default=2048, ge=16)
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left out."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def unfit(self, seed: Row) -> str:
        return unfit(seed, self.max_chars)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        why = [self.unfit(seed) or self._leaks(seed, exchange_of(seed).answer) for seed in demand.seeds]
        asked = [i for i, reason in enumerate(why) if not reason]
        questions = [
            question(self.instructions, exchange_of(demand.seeds[i]).parts, ASK, self.sampling, demand.turns[i])
            for i in asked
        ]
        answers = dict(zip(asked, ask_for(client, questions, Corrected), strict=True))
        return [
            self._pair(seed, answers[i]) if i in answers else without(why[i], seed)
            for i, seed in enumerate(demand.seeds)
        ]

    def _leaks(self, seed: Row, draft: str) -> str:
        """Why a draft cannot be the worse side: the gates look at the better one alone."""
        row, asked = rewritten(seed, self.name, draft), part_of(seed["messages"], "prompt")
        check = build(PromptLeak, {}).one(Proposal((seed["id"],), row, source=asked, shown=(str(self.instructions),)))
        return "" if check.passed else f"{DRAFT_LEAKS}: {check.detail}"

    def _pair(self, seed: Row, answer: Answer[Corrected]) -> Proposal:
        if answer.value is None:
            return failed(answer, seed)
        chosen, rejected = answer.value.answer.strip(), exchange_of(seed).answer.strip()
        changed, gap = change(rejected, chosen)
        why = "" if chosen else "malformed: an empty revision"
        why = why or (SAME if chosen.split() == rejected.split() else "")
        why = why or announced(chosen, rejected)
        why = why or (f"{FAR}: {changed:.0%} of the words" if changed > self.most_change else "")
        if why:
            return without(why, seed, replies=answer.replies)
        row = rewritten(seed, self.name, chosen, rejected=rejected)
        facts = {"length_gap": gap, "changed": round(changed, 4)}
        asked, shown = part_of(seed["messages"], "prompt"), (self.instructions,)
        return Proposal((seed["id"],), row, source=asked, shown=shown, facts=facts, replies=answer.replies)

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How much longer the better sides are, and how much they change."""
        kept = [proposal.facts for proposal, why in came if not why]
        if not kept:
            return {}
        gaps = [int(facts["length_gap"]) for facts in kept]
        return {
            "length_gap": {
                "pairs": len(gaps),
                "longer": sum(gap > 0 for gap in gaps),
                "shorter": sum(gap < 0 for gap in gaps),
                "mean_words": round(sum(gaps) / len(gaps), 2),
            },
            "changed": round(sum(float(facts["changed"]) for facts in kept) / len(kept), 4),
        }


def change(before: str, after: str) -> tuple[float, int]:
    """The share of words that one text changes of the other, and by how many words it is longer.

    >>> change("It melts at five degrees.", "It melts at zero degrees, of course.")
    (0.15, 2)
    """
    from dataflywheel.signals.words.edit_kernels import edit_distance

    old, new = forms(before), forms(after)
    numbers = {word: i for i, word in enumerate(dict.fromkeys([*old, *new]))}
    distance = edit_distance(*(np.array([numbers[word] for word in side], dtype=np.int64) for side in (old, new)))
    return int(distance) / max(len(old), len(new), SHORT), len(new) - len(old)
