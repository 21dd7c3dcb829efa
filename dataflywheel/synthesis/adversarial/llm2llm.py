"""LLM2LLM: for every row that the student got wrong, a teacher writes one like it and works it out."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.answers.compare import same_answer
from dataflywheel.proposing.asking import WORK, AskingProposer, failed, follow, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.proposing.seeds import is_made
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.signals.words.rouge import indexed
from dataflywheel.signals.words.shingles import word_hashes

SIMILAR = (
    "The material is a question that a student got wrong, with its worked answer. Write one new question that needs "
    "the same skill, in the same language, with other content and other numbers, and work it out with care. The answer "
    "must have the form of the one shown, down to how its final result is marked."
)
ASK = "Write one new question like this one as `problem`, and then its worked answer as `solution`."
DISAGREE = "independent solutions disagree"
FORM = "no final answer marked as in its seed"


class Problem(Form):
    """A new question, worked out."""

    problem: str = Field(min_length=1)
    solution: str = Field(min_length=1)


class LLM2LLM(Instructed, AskingProposer):
    """Seeds are the rows that the student got wrong: a recipe gives it those alone, anew after every evaluation, so
    that what is solved by now is dropped. Rows that were generated themselves are never expanded.

    A question too close to its seed fails, and so does an answer without a marked result where the seed's has one.
    Where it has, the question is solved again without a look at the first solution, and both must agree: the published
    program trusts the teacher.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="LLM2LLM: Boosting LLMs with Novel Iterative Data Enhancement",
        authors="Lee et al.",
        year=2024,
        paper="2403.15042",
        category="synthesis",
        subcategory="adversarial",
        summary="A teacher writes and solves a question like each real one that the student got wrong.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted teacher that copies, omits results and writes new questions at known rates",
        pays="Few rows of the task, with marked results, a student that gets some of them wrong and a teacher that "
        "solves them.",
        fails="It drills the seeds' own kinds of error and brings no new subject; where results have no mark nothing "
        "is checked, so ask for `####`, and give random augmentation of equal size beside it.",
        evidence="benchmarks/real_model.md: questions of a 135M model passed in 3 of 4 tries. The student's gain was "
        "not measured here.",
    )
    answered_in: ClassVar[type[Form] | None] = Problem
    name: ClassVar[str] = "llm2llm"
    from_failures: ClassVar[bool] = True
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak")
    # No gate of novelty by itself: what is made is near to its seed by design.

    attempts: int = Field(default=3, ge=1)
    """Visits of one seed, at most."""
    most_alike: float = Field(default=0.95, gt=0, le=1)
    """ROUGE-L with the seed's question over which the new one is a copy."""

    agree: int = Field(default=1, ge=0, le=8)
    """Independent solutions that must come to the same marked result; 0 trusts the first."""

    instructions: Instructions = SIMILAR
    """What the model is told to do."""

    def calls_a_seed(self) -> float:
        return 1.0 + self.agree

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        why = [self._unfit(seed, turn) for seed, turn in zip(demand.seeds, demand.turns, strict=True)]
        able = [i for i, reason in enumerate(why) if not reason]
        questions = [
            question(
                self.instructions,
                {
                    "question": part_of(demand.seeds[i]["messages"], "prompt"),
                    "answer": part_of(demand.seeds[i]["messages"], "answer"),
                },
                ASK,
                self.sampling,
                sample=demand.turns[i],
            )
            for i in able
        ]
        answers = dict(zip(able, ask_for(client, questions, Problem), strict=True))
        made = [
            self._read(seed, answers[i]) if i in answers else without(why[i], seed)
            for i, seed in enumerate(demand.seeds)
        ]
        for number in range(self.agree):
            made = self._solved_again(client, made, number)
        return made

    def _solved_again(self, client: Asks, made: list[Proposal], number: int) -> list[Proposal]:
        """Those with a marked result, asked once more as a plain question."""
        open_ = [i for i, p in enumerate(made) if p.row is not None and marked(part_of(p.row["messages"], "answer"))]
        asked = [part_of(row["messages"], "prompt") for i in open_ if (row := made[i].row) is not None]
        sampling = Sampling(self.temperature, max_tokens=self.max_tokens)
        for i, reply in zip(open_, follow(client, asked, sampling, WORK, sample=number), strict=True):
            made[i] = _confirmed(made[i], reply)
        return made

    def _unfit(self, seed: Row, turn: int) -> str:
        if is_made(seed):
            return "a generated row is not expanded"
        if not part_of(seed["messages"], "prompt").strip() or not part_of(seed["messages"], "answer").strip():
            return "no question with an answer"
        return "attempts used up" if turn >= self.attempts else ""

    def _read(self, seed: Row, answer: Answer[Problem]) -> Proposal:
        if answer.value is None:
            return failed(answer, seed)
        asked, said = part_of(seed["messages"], "prompt"), part_of(seed["messages"], "answer")
        problem, solution = answer.value.problem.strip(), answer.value.solution.strip()
        words, offsets = word_hashes([asked, problem])
        known = indexed([seed["id"]], words[: offsets[1]], offsets[:2], self.most_alike)
        copied = known.above(known.words(words[offsets[1] :]))
        if copied is not None:
            return without(f"copy of its seed: ROUGE-L {copied[1]:.2f}", seed, replies=answer.replies)
        if not solution or (marked(said) and not marked(solution)):
            return without(FORM, seed, replies=answer.replies)
        row = child(self.name, seed, problem, solution)
        return Proposal((seed["id"],), row, shown=(self.instructions,), replies=answer.replies)


def _confirmed(proposal: Proposal, reply: Reply) -> Proposal:
    """The proposal with the further bill, or none where the reply comes to another result or to none."""
    replies = (*proposal.replies, reply)
    assert proposal.row is not None
    why = failure(reply) if not reply.answered else ""
    if not why and not marked(reply.text):
        why = DISAGREE
    if not why and not same_answer(final_answer(reply.text), final_answer(part_of(proposal.row["messages"], "answer"))):
        why = DISAGREE
    row, facts = (None, {}) if why else (proposal.row, proposal.facts)
    return replace(proposal, row=row, failure=why, facts=facts, replies=replies)


def marked(text: str) -> bool:
    """Whether a mark says what the final answer is."""
    try:
        final_answer(text, unmarked=False)
    except NoAnswerError:
        return False
    return True
