"""Math-Shepherd: each step of a solution is labelled by whether completions from there reach the known answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field, field_validator

from dataflywheel.contracts import Card, Operator
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import passing
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.proposing.answers.compare import same_answer
from dataflywheel.proposing.asking import WORK, AskingProposer, without
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.proposing.rewritten import exchange_of, rewritten, unfit
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import fields_of, part_of
from dataflywheel.signals.wording.sentences import sentences
from dataflywheel.synthesis.instruction.known_answers import NO_GOLD, gold_of

INSTRUCTIONS = (
    "The material is a problem and the first steps of a solution to it. Go on from where the solution stops: take its "
    "steps as they stand, write the steps that are missing, and do not begin anew. " + WORK
)
ASK = "Go on with the solution to its end."
ONE_STEP = "no steps, the solution has one alone"
LONG = "the solution has too many steps"
NO_END = "the solution has no final answer"
FEW = "too few completions could be read"
STEPS = "steps"
STEP_LABELS = "step_labels"
GUESSED_STEPS = 4
"""Steps before the last one that a solution is taken to have, for the estimate."""


@dataclass
class _Course:
    """One solution on its way: why it cannot be labelled, and for each step but the last what its completions gave."""

    row: Row
    why: str = ""
    gold: str = ""
    steps: list[str] = field(default_factory=list)
    reached: list[list[bool]] = field(default_factory=list)
    lost: int = 0
    replies: list[Reply] = field(default_factory=list)


class MathShepherd(Instructed, AskingProposer):
    """A row with its solution's steps and a label for each, beside it in the fields `steps` and `step_labels`.

    From behind each step a model completes the solution `completions` times. `hard`: a step is good where any of these
    reaches the known answer; `soft`: its label is their share. The last step is held against the known answer itself.
    A completion that was cut, refused or marks no final answer is no completion; where fewer than half could be read,
    there are no labels. The row's own label is `true` where every step is good (of soft ones, above 0), else `false`,
    so that no trainer takes a wrong solution for a good answer.

    The known answer is a field `gold`, the label, or the row's own final answer; by the last, its last step is right by
    definition. `stepwise` gives the rows as TRL's trainer of process reward models reads them.
    """

    card: ClassVar[Card] = Card(
        title="Math-Shepherd: Verify and Reinforce LLMs Step-by-step without Human Annotations",
        authors="Wang et al.",
        year=2023,
        paper="2312.08935",
        category="synthesis",
        subcategory="instruction",
        summary="Labels each step of a solution by whether completions from there reach the known answer.",
        needs=("endpoint", "labels"),
        cost="$$$$",
        checked="a scripted completer whose success depends on the steps that it sees: hard labels are the planted "
        "ones, shares within the binomial error",
        pays="Training a reward model of steps where final answers can be checked and nobody labels steps.",
        fails="A completer that solves the problem from anywhere calls wrong steps good; one that never does, all bad.",
        evidence="Here, with a scripted completer that succeeds in 70 % from right steps and in none from wrong ones, "
        "all 480 labels of 120 solutions were right at 8 completions. On models it was not measured here.",
    )
    name: ClassVar[str] = "math_shepherd"
    operator: ClassVar[Operator] = "answers"
    gates: ClassVar[tuple[str, ...]] = ("format_and_length",)

    completions: int = Field(default=8, ge=1, le=256)
    """Completions from behind each step."""
    mark: Literal["hard", "soft"] = "hard"
    """Whether a label says if any completion reached the answer, or how many of them did."""
    separator: str = "\n"
    """What stands between steps. A solution without it is taken by its sentences."""
    most_steps: int = Field(default=32, ge=2)
    """Longer solutions are left out."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left out."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    @field_validator("separator")
    @classmethod
    def _divides(cls, separator: str) -> str:
        if not separator:
            raise ValueError("an empty text divides nothing; leave it out for line ends")
        return separator

    def calls_a_seed(self) -> float:
        return float(self.completions * GUESSED_STEPS)

    def unfit(self, seed: Row) -> str:
        return self._course(seed).why

    def _course(self, row: Row) -> _Course:
        course = _Course(row, unfit(row, self.max_chars), gold_of(row))
        answer = exchange_of(row).answer.strip()
        course.steps = steps_of(answer, self.separator) if not course.why else []
        many = len(course.steps)
        course.why = course.why or ("" if course.gold else NO_GOLD)
        course.why = course.why or (ONE_STEP if many < 2 else f"{LONG}: {many}" if many > self.most_steps else "")
        course.why = course.why or ("" if _ends(answer) else NO_END)
        return course

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        courses = [self._course(seed) for seed in demand.seeds]
        jobs = [
            (course, place, turn * self.completions + number)
            for course, turn in zip(courses, demand.turns, strict=True)
            if not course.why
            for place in range(1, len(course.steps))
            for number in range(self.completions)
        ]
        asked = [
            question(self.instructions, self._material(course, place), ASK, self.sampling, sample)
            for course, place, sample in jobs
        ]
        for (course, place, _), reply in zip(jobs, client.ask(asked) if asked else [], strict=True):
            self._take(course, place, reply.spoken())
        return [self._labelled(course) for course in courses]

    def _material(self, course: _Course, place: int) -> dict[str, str]:
        problem = part_of(course.row["messages"], "prompt")
        return {"problem": problem, "solution so far": self._joined(course.steps[:place])}

    def _joined(self, steps: Sequence[str]) -> str:
        return (self.separator if self.separator.isspace() else f"{self.separator}\n").join(steps)

    @staticmethod
    def _take(course: _Course, place: int, reply: Reply) -> None:
        course.replies.append(reply)
        if len(course.reached) < place:
            course.reached.append([])
        end = _ends(reply.text, marked=True) if reply.answered else ""
        if end:
            course.reached[place - 1].append(same_answer(end, course.gold))
        else:
            course.lost += 1

    def _labelled(self, course: _Course) -> Proposal:
        row, replies = course.row, course.replies
        why = course.why or passing(replies)
        short = [i for i, said in enumerate(course.reached, 1) if 2 * len(said) < self.completions]
        if why or short:
            return without(why or f"{FEW}: from behind step {short[0]}", row, replies=replies)
        right = same_answer(_ends(exchange_of(row).answer), course.gold)
        shares = [*(sum(said) / len(said) for said in course.reached), float(right)]
        hard = [share > 0 for share in shares]
        labels: list[bool] | list[float] = hard if self.mark == "hard" else [round(share, 4) for share in shares]
        made = rewritten(row, self.name, exchange_of(row).answer, label="true" if all(hard) else "false")
        told = {STEPS: course.steps, STEP_LABELS: labels, "gold": course.gold}
        made["extra"] = orjson.dumps({**fields_of(row), **told}, option=orjson.OPT_SORT_KEYS).decode()
        first = next((i for i, good in enumerate(hard, 1) if not good), 0)
        facts = {"shares": [round(share, 4) for share in shares], "first_bad_step": first, "lost": course.lost}
        return Proposal((row["id"],), made, facts={**facts, "gold": course.gold}, replies=tuple(replies))

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How many steps are good, and how many solutions have which first bad step; 0: none."""
        kept = [proposal for proposal, why in came if not why]
        good = [share > 0 for proposal in kept for share in proposal.facts["shares"]]
        first = Counter(str(proposal.facts["first_bad_step"]) for proposal in kept)
        lost = sum(int(proposal.facts["lost"]) for proposal in kept)
        steps = {"solutions": len(kept), "labelled": len(good), "good": sum(good), "completions_lost": lost}
        return {"steps": {**steps, "first_bad_step": dict(sorted(first.items(), key=lambda one: int(one[0])))}}


def steps_of(solution: str, separator: str = "\n") -> list[str]:
    """The steps of a solution; a line that holds the final answer alone belongs to the step before.

    >>> steps_of("48 / 2 = 24\\n48 + 24 = 72\\n#### 72")
    ['48 / 2 = 24', '48 + 24 = 72\\n#### 72']
    >>> steps_of("Half of 48 is 24. Together they are 72.")
    ['Half of 48 is 24.', 'Together they are 72.']
    """
    pieces = [piece.strip() for piece in solution.split(separator) if piece.strip()]
    pieces = pieces if len(pieces) > 1 else sentences(solution)
    found: list[str] = []
    for piece in pieces:
        if found and piece.startswith("####"):
            found[-1] = f"{found[-1]}\n{piece}"
        else:
            found.append(piece)
    return found


def stepwise(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows with labelled steps as records of TRL's trainer of process reward models: `prompt`, `completions` and
    `labels`, which must be hard; other rows are left out.

    Raises:
        ValueError: labels of a row are shares.
    """
    found = []
    for row in rows:
        held = fields_of(row)
        if not isinstance(held.get(STEP_LABELS), list):
            continue
        if not all(isinstance(label, bool) for label in held[STEP_LABELS]):
            raise ValueError(f"row {row['id']}: its labels are shares, and true or false is wanted (`mark: hard`)")
        prompt = part_of(row["messages"], "prompt")
        found.append({"prompt": prompt, "completions": held[STEPS], "labels": held[STEP_LABELS]})
    return found


def _ends(text: str, marked: bool = False) -> str:
    """The final answer of a text, `marked` as one, "" where there is not exactly one."""
    try:
        return final_answer(text, unmarked=not marked)
    except NoAnswerError:
        return ""
