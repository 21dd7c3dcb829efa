"""UltraFeedback: several models answer under several principles, four aspects are marked, best and worst are a pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from dataflywheel.contracts import Card, Cost, Operator, PoolStatistics
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer, without
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal
from dataflywheel.proposing.rewritten import exchange_of, rewritten, unfit
from dataflywheel.rows.formats.written_turns import asked_turns
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer
from dataflywheel.synthesis.instruction.aspects import Draw, Marks, lost_marks, summary

INSTRUCTIONS = (
    "You mark an answer to an instruction in four aspects, each by itself. `instruction_following`: it does what was "
    "asked, as it was asked. `truthfulness`: what it says is right and agrees with itself and the instruction. "
    "`honesty`: it is as sure as it can be, and says what it does not know. `helpfulness`: it serves the person who "
    "asked. Length is no merit. Write for each aspect a reason of one sentence, and then its mark: 1 bad, 2 weak, 3 "
    "fair, 4 good, 5 nothing could be better."
)
ASK = "Mark the answer: for each of the four aspects the reason, and then the mark from 1 to 5."
PRINCIPLES = {
    "helpful": "Give the person who asks what serves them best: complete, specific, and easy to use.",
    "truthful": "Say nothing that is not so. Rest on what is known, and correct what the question gets wrong.",
    "honest": "Say openly what you do not know or cannot do, in place of a guess.",
    "calibrated": "Say of each claim that is not certain how sure you are of it.",
}
FEW = "no pair, fewer than two different answers"
UNREAD = "no pair, fewer than two answers with readable marks"
LEVEL = "no pair, all answers have the same mean mark"
NEAR = "no pair, the mean marks are too near"


@dataclass
class _Course:
    """One prompt on its way."""

    row: Row
    why: str
    draws: list[Draw] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


class UltraFeedback(Instructed, AskingProposer):
    """For each prompt the answer with the highest mean mark against the one with the lowest.

    `candidates` answers are drawn, from the `models` in turn, each under another principle; without `models` all are
    the marking model's own, under different principles alone, which differ less. What could not be marked takes no part
    and says why. `marks` in the facts holds for every answer its model, principle and marks. The published set keeps a
    random worse answer or all four; `best_of_n` with `rejected: random` does that with one model and any judge.
    """

    card: ClassVar[Card] = Card(
        title="UltraFeedback: Boosting Language Models with Scaled AI Feedback",
        authors="Cui et al.",
        year=2023,
        paper="2310.01377",
        category="synthesis",
        subcategory="instruction",
        summary="Several models answer under several principles; four aspects are marked, best and worst make a pair.",
        needs=("endpoint",),
        cost="$$$",
        checked="scripted models of known quality, a judge with noise and unreadable marks: the chosen answer has the "
        "higher mean always; ties, near marks and lost marks are counted apart, no mark is made up",
        pays="Prompts without preferences, and several models of different strength at hand.",
        fails="A judge prefers answers of its own kind; where one model writes and marks, most marks are 4 and 5.",
        evidence="Here, 150 prompts to three scripted models gave 148 pairs, each in the order of its true marks. "
        "What training on it is worth was not measured here.",
    )
    name: ClassVar[str] = "ultra_feedback"
    answered_in: ClassVar[type[Form] | None] = Marks
    operator: ClassVar[Operator] = "answers"
    gates: ClassVar[tuple[NamedGate, ...]] = ("format_and_length", "refusal", "prompt_leak", "contamination")
    makes_pairs: ClassVar[bool] = True

    model: ModelSpec
    """The model that marks, and that answers where no `models` are named."""
    models: tuple[ModelSpec, ...] = ()
    """The models that answer, behind an endpoint or in a folder."""
    candidates: int = Field(default=4, ge=2, le=64)
    """Answers to each prompt, all models together."""
    principles: dict[str, str] = Field(default=PRINCIPLES, min_length=1)
    """What a model is told before it answers, by the name under which the marks tell of it."""
    least_gap: float = Field(default=0.5, gt=0, le=4)
    """By how much the best mean mark, of 5, must be higher than the worst."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left out."""
    instructions: Instructions = INSTRUCTIONS
    """What the marking model is told to do; it marks the four aspects of the form."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for place, one in enumerate(self.models, 1):
            if one.endpoint is None and one.hf is None:
                raise ValueError(f"models: number {place} is built in; name one behind an endpoint, or a folder (`hf`)")
        return self

    @property
    def writers(self) -> tuple[ModelSpec, ...]:
        return self.models or (self.model,)

    def calls_a_seed(self) -> float:
        return 2.0 * self.candidates

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Half of the calls are answers, each at the price of the model that gives it."""
        whole = super().estimate(pool)
        if not self.models:
            return whole
        each = [self.model_copy(update={"model": one, "models": ()}).estimate(pool).usd for one in self.models]
        return replace(whole, usd=(whole.usd + sum(each) / len(each)) / 2)

    def unfit(self, seed: Row) -> str:
        return unfit(seed, self.max_chars, answered=False)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        writers = [client_for(one) for one in self.models] or [client]
        return self.propose_between(client, writers, demand)

    def propose_between(self, judge: Asks, writers: Sequence[Asks], demand: Demand) -> list[Proposal]:
        """`propose_with`, with a client of each model that answers, in the order of `writers`."""
        courses = [_Course(seed, self.unfit(seed)) for seed in demand.seeds]
        self._answer(writers, courses, demand)
        self._mark(judge, courses)
        return [self._pair(course) for course in courses]

    def _answer(self, writers: Sequence[Asks], courses: Sequence[_Course], demand: Demand) -> None:
        """Have every prompt answered; each model is asked about all that is its part at once."""
        parts: dict[int, list[tuple[Draw, Request]]] = defaultdict(list)
        names, told = [one.model or one.hf or "" for one in self.writers], list(self.principles)
        for course, turn in zip(courses, demand.turns, strict=True):
            whose, under = demand.rng.permutation(len(writers)), demand.rng.permutation(len(told))
            for k in range(0 if course.why else self.candidates):
                place, principle = int(whose[k % len(writers)]), told[int(under[k % len(told)])]
                draw = Draw(names[place], principle)
                course.draws.append(draw)
                parts[place].append((draw, self._request(course.row, principle, turn * self.candidates + k)))
        replies: dict[int, Reply] = {}
        for place, asked in sorted(parts.items()):
            for (draw, _), reply in zip(asked, writers[place].ask([request for _, request in asked]), strict=True):
                replies[id(draw)] = reply.spoken()
        for course in courses:
            said: set[str] = set()
            for draw in course.draws:
                reply = replies[id(draw)]
                course.replies.append(reply)
                draw.text, draw.why = reply.text.strip(), "" if reply.answered else failure(reply)
                draw.why = draw.why or ("calls tools" if reply.calls else "" if draw.text else "empty answer")
                draw.why = draw.why or ("the same as another answer" if draw.text in said else "")
                said.add(draw.text)

    def _request(self, row: Row, principle: str, sample: int) -> Request:
        turns, told = asked_turns(split_answer(row["messages"])[0]), self.principles[principle]
        if turns and turns[0]["role"] == "system":
            told, turns = f"{turns[0]['content']}\n\n{told}", turns[1:]
        system = {"role": "system", "content": told}
        return Request((system, *turns), tools=row["tools"], sampling=self.sampling, sample=sample)

    def _mark(self, judge: Asks, courses: Sequence[_Course]) -> None:
        """Have the answers marked of every prompt that has two or more different ones."""
        sampling, jobs = Sampling(max_tokens=self.max_tokens), []
        for course in courses:
            good = [draw for draw in course.draws if not draw.why]
            jobs += [(course, draw) for draw in good if len(good) > 1]
        asked = [
            question(self.instructions, {**exchange_of(course.row).parts, "answer": draw.text}, ASK, sampling)
            for course, draw in jobs
        ]
        for (course, draw), answer in zip(jobs, ask_for(judge, asked, Marks), strict=True):
            course.replies += answer.replies
            draw.marks, draw.why = answer.value, lost_marks(answer)

    def _pair(self, course: _Course) -> Proposal:
        row, replies = course.row, tuple(course.replies)
        lost = course.why or passing(replies)
        if lost:
            return without(lost, row, replies=replies)
        known = [(draw.marks.mean, draw) for draw in course.draws if draw.marks is not None]
        facts: dict[str, Any] = {"marks": [draw.facts for draw in course.draws]}
        why = self._fault(course, [mean for mean, _ in known])
        if why:
            return replace(without(why, row, replies=replies), facts=facts)
        (top, best), (low, worst) = max(known, key=lambda one: one[0]), min(known, key=lambda one: one[0])
        facts |= {"score": top, "rejected_score": low, "chosen_by": best.by, "rejected_by": worst.by}
        made = rewritten(row, self.name, best.text, rejected=worst.text)
        shown = (self.instructions, *self.principles.values())
        return Proposal((row["id"],), made, shown=shown, facts=facts, replies=replies)

    def _fault(self, course: _Course, means: Sequence[float]) -> str:
        """Why no pair comes of answers with these mean marks, or ""."""
        reasons = ", ".join(sorted({draw.why.partition(":")[0] for draw in course.draws if draw.why}))
        if sum(bool(draw.text) and not draw.why.startswith("the same") for draw in course.draws) < 2:
            return f"{FEW}: {reasons}" if reasons else FEW
        if len(means) < 2:
            return f"{UNREAD}: {reasons}"
        gap = max(means) - min(means)
        return LEVEL if not gap else f"{NEAR}: {gap:g}" if gap < self.least_gap else ""

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """Of every model and principle how many answers were marked, their mean mark, and how many were lost."""
        found: dict[str, dict[str, list[float | None]]] = {"model": defaultdict(list), "principle": defaultdict(list)}
        for proposal, _ in came:
            for draw in proposal.facts.get("marks", ()):
                for by, held in found.items():
                    held[str(draw[by])].append(draw.get("mean"))
        return {f"marks_by_{by}": {name: summary(held[name]) for name in sorted(held)} for by, held in found.items()}
