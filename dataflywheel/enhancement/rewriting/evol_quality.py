"""Evol-Quality: answers are made better round by round, each time in one of five ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any, ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card, Cost, PoolStatistics
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.announced import announced
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import exchange_of, replaced, rewritten, unchanged, unfit
from dataflywheel.rows.schema import Row

INSTRUCTIONS = (
    "The material is an instruction to an assistant and an answer to it. Write the answer anew so that it is better: "
    "{how}. Keep its language and everything that is right in it, every number, name and piece of code, and the form "
    "that the instruction wants; add 10 to 20 words, no more. Do not mention an earlier answer."
)
COMPARE = (
    "The material is an instruction to an assistant and two answers to it. Weigh in `analysis` how right, helpful and "
    "relevant each is; length and order do not count. Then say in `better` which one serves the person better."
)
ASK = "Write the whole better `answer`."
ASK_COMPARE = "Write `analysis`, and then `better`: 1, 2, or tie."
VERBS = (
    ("helpful", "more helpful to whoever asked, with what is needed next"),
    ("relevant", "more relevant, with what was asked for first and nothing beside the point"),
    ("deeper", "deeper, with the reasons behind what it says"),
    ("creative", "more creative, with a fresh example, comparison or turn of thought"),
    ("detailed", "more detailed, with particulars in the place of general remarks"),
)
"""Each way with what is told for it."""
NOT_BETTER, UNSURE = "the judge finds it no better", "the judge's verdicts depend on the order"
JUDGE_TOKENS, ANSWER_TOKENS = 300, 300
"""Of one call, beside the row's own text: for the estimate."""


class Better(Form):
    """The answer as the model made it better."""

    answer: str = Field(min_length=1)


class Preference(Form):
    """Which of two answers is better, said after a look at both."""

    analysis: str = words(1500)
    better: Literal["1", "2", "tie"]


@dataclass
class _Course:
    """One row on its way: its best answer so far, and what was asked for it."""

    row: Row
    turn: int
    why: str
    """Why it goes no further."""
    best: str = ""
    version: str = ""
    verbs: list[str] = field(default_factory=list)
    """The ways of the rounds that were taken."""
    replies: list[Reply] = field(default_factory=list)


class EvolQuality(Instructed, Proposer):
    """Each round makes an answer better in one of five ways, drawn at random: more helpful, more relevant, deeper, more
    creative, more detailed.

    With `compare` a judge sees the old and the new answer in both orders; the new one is taken where both prefer it,
    verdicts that depend on the order are counted apart, and a row's rounds end with the first that is not taken. With
    `pairs` the row becomes a preference pair, the answer before as the rejected one. By how many characters the better
    answer is longer stands with each proposal (`length_gap`), and the mean in the step's record.

    Reconstructed: the survey names the five ways, and the wording is ours.
    """

    card: ClassVar[Card] = Card(
        title="What Makes Good Data for Alignment? A Comprehensive Study of Automatic Data Selection in Instruction "
        "Tuning",
        authors="Liu et al.",
        year=2023,
        paper="2312.15685",
        category="enhancement",
        subcategory="rewriting",
        summary="Answers made more helpful, relevant, deep, creative or detailed, round by round, before a judge.",
        needs=("endpoint",),
        cost="$$",
        checked="scripted writers and judges with a planted bias for the first or the second answer",
        pays="Answers that are right and too thin; and as pairs, where a preference training follows.",
        fails="It makes answers longer, which judges like: watch `length_gap`; not for short exact answers.",
        evidence="Here, of a judge that takes the first answer in 55 of 200 pairs whatever it says, none of these was "
        "taken, and all 78 good others. What training on it is worth was not measured here.",
    )
    version: ClassVar[int] = 3
    answered_in: ClassVar[type[Form] | None] = Better
    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = (
        {"format_and_length": {"ratio": (0.5, 5.0)}},
        "refusal",
        "prompt_leak",
        {"meaning": {"additions": True}},
        "contamination",
    )

    model: ModelSpec
    """The model that writes."""
    rounds: int = Field(default=1, ge=1, le=8)
    """Versions of one answer, one on top of the other, at most."""
    compare: bool = False
    """Whether a judge must prefer each new version to the one before, in both orders."""
    judge: ModelSpec | None = None
    """Who compares; None: `model` itself."""
    pairs: bool = False
    """The row becomes a preference pair, with the answer that it had as the rejected one."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    """Of the writer's draws."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of one answer, at most."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left as they are."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do; `{how}` says in which way."""
    comparing: Instructions = COMPARE
    """What the judge is told to do."""

    def calls_a_seed(self) -> float:
        return self.rounds * (3.0 if self.compare else 1.0)

    def estimate(self, pool: PoolStatistics) -> Cost:
        """A version and two comparisons a round, each at its model's price."""
        written, judged = self.rounds * pool.rows, 2 * self.rounds * pool.rows * self.compare
        read = [self.rounds * pool.tokens + 150 * written, judged * JUDGE_TOKENS + 4 * self.rounds * pool.tokens]
        said = [written * min(self.max_tokens, ANSWER_TOKENS), judged * 100]
        parts = list(zip((self.model, self.judge or self.model), read, said, strict=True))[: 1 + self.compare]
        prices = [(spec.usd_per_mtok, r, s) for spec, r, s in parts]
        usd = sum((price.input * r + price.output * s) / 1e6 for price, r, s in prices if price)
        return Cost(calls=written + judged, tokens=sum(r + s for _, r, s in parts), usd=usd)

    def propose(self, demand: Demand) -> list[Proposal]:
        writer = client_for(self.model)
        return self.propose_between(writer, client_for(self.judge) if self.judge else writer, demand)

    def propose_between(self, writer: Asks, judge: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by clients of one's own."""
        courses = [
            _Course(row, turn, unfit(row, self.max_chars), best=exchange_of(row).answer)
            for row, turn in zip(demand.seeds, demand.turns, strict=True)
        ]
        for one in courses:
            if not one.why and self.pairs and one.row["rejected"]:
                one.why = "not rewritten, it has a rejected answer already"
        for _ in range(self.rounds):
            open_ = [one for one in courses if not one.why]
            drawn = [int(i) for i in demand.rng.integers(len(VERBS), size=len(open_))]
            self._write(writer, open_, drawn)
            if self.compare:
                self._compare(judge, [one for one in open_ if not one.why])
            for one, verb in zip(open_, drawn, strict=True):
                if not one.why:
                    one.best = one.version
                    one.verbs.append(VERBS[verb][0])
        return [self._proposal(one) for one in courses]

    def _write(self, client: Asks, courses: Sequence[_Course], drawn: Sequence[int]) -> None:
        sampling = Sampling(temperature=self.temperature, max_tokens=self.max_tokens)
        asked = [
            question(
                filled(self.instructions, how=VERBS[verb][1]),
                exchange_of(one.row).parts | {"answer": one.best},
                ASK,
                sampling,
                one.turn,
            )
            for one, verb in zip(courses, drawn, strict=True)
        ]
        for one, answer in zip(courses, ask_for(client, asked, Better), strict=True):
            one.replies += answer.replies
            one.version = answer.value.answer.strip() if answer.value else ""
            if answer.value is None:
                one.why = failure(answer)
            elif not one.version:
                one.why = "malformed: an empty answer"
            else:
                same = " ".join(one.version.split()) == " ".join(one.best.split())
                one.why = "nothing became better" if same else announced(one.version, one.best)

    def _compare(self, client: Asks, courses: Sequence[_Course]) -> None:
        asked = [self._pair(one, order) for one in courses for order in (0, 1)]
        said = iter(ask_for(client, asked, Preference))
        for one in courses:
            both = [next(said), next(said)]
            one.replies += [reply for answer in both for reply in answer.replies]
            one.why = _against(both)

    def _pair(self, one: _Course, order: int) -> Request:
        """The question with the old answer first (0) or the new one."""
        parts = {name: text for name, text in exchange_of(one.row).parts.items() if name != "answer"}
        versions = (one.best, one.version) if order == 0 else (one.version, one.best)
        shown = parts | {"answer 1": versions[0], "answer 2": versions[1]}
        return question(self.comparing, shown, ASK_COMPARE, Sampling(max_tokens=self.max_tokens), one.turn)

    def _proposal(self, one: _Course) -> Proposal:
        why = passing(one.replies) or ("" if one.verbs else one.why)
        if why:
            return unchanged(one.row, why, one.replies)
        before = exchange_of(one.row).answer
        facts = {"verbs": one.verbs, "length_gap": len(one.best) - len(before)}
        if one.why:
            facts["ended"] = one.why
        row = rewritten(one.row, self.name, one.best, rejected=before if self.pairs else None)
        told = tuple(filled(self.instructions, how=how) for _, how in VERBS)
        return replaced(one.row, row, one.replies, told, facts)

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How often each way was taken, by how much answers grew, and how many comparisons depended on the order."""
        kept = [one for one, why in came if not why]
        verbs = Counter(verb for one in kept for verb in one.facts.get("verbs", ()))
        gaps = [one.facts["length_gap"] for one in kept if "length_gap" in one.facts]
        ends = Counter(str(one.facts.get("ended") or one.failure) for one, _ in came)
        return {
            "verbs": {name: verbs[name] for name, _ in VERBS},
            "length_gap": mean(gaps) if gaps else None,
            "compared": {"no_better": ends[NOT_BETTER], "by_order": ends[UNSURE]},
        }


def _against(both: Sequence[Answer[Preference]]) -> str:
    """Why the new answer is not taken, or "": both orders must prefer it."""
    lost = next((answer for answer in both if answer.value is None), None)
    if lost is not None:
        return failure(lost)
    new = [answer.value is not None and answer.value.better == side for answer, side in zip(both, "21", strict=True)]
    old = [answer.value is not None and answer.value.better == side for answer, side in zip(both, "12", strict=True)]
    return "" if all(new) else UNSURE if any(new) or (any(old) and not all(old)) else NOT_BETTER
