"""How often a judge prefers the model's answer to the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Card, Case, FlywheelError, Judge, Judgement, Mark, Metric, OverBudgetError, Verdict
from dataflywheel.evolution.comparison import TASK, pair_form
from dataflywheel.evolution.judgements import judged
from dataflywheel.evolution.metrics.bits_per_byte import NO_ANSWER
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.form import Form
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.text import answer_said, split_answer, transcript
from dataflywheel.rows.thoughts import split_thoughts

UNREADABLE = "the judge gave no verdict"
NOTHING_SAID = "an empty answer"
WORTH = {Verdict.FIRST: 1.0, Verdict.TIE: 0.5, Verdict.SECOND: 0.0}


class WinRate(Instructed, Metric):
    """Share of rows whose answer a judge prefers to the target's reference, a tie as half.

    The judge is the recipe's teacher, by pairs and in both orders: an answer wins only where both agree. It must pass a
    self-test before. A pair without a verdict is not scored; an empty answer loses unseen. Thoughts are not judged.
    """

    card: ClassVar[Card] = Card(
        title="AlpacaEval: An Automatic Evaluator of Instruction-following Models",
        authors="Li et al.",
        year=2023,
        paper="https://github.com/tatsu-lab/alpaca_eval",
        category="evolution",
        subcategory="metrics",
        summary="Share of answers that a judge prefers to the reference, in both orders.",
        needs=("target", "endpoint"),
        cost="$$",
        checked="a scripted judge with planted preferences, one that follows the order alone, and lost verdicts",
        pays="Open answers without a result to check, a student about as good as the reference, and a judge that "
        "people agree with.",
        fails="Judges prefer the longer answer, and a student far below the reference loses every pair, so that "
        "progress is not seen: then `bits_per_byte`; print lengths beside it.",
        evidence="benchmarks/results.md: alpaca-7b by a recorded GPT-4 has 0.265 (0.235 to 0.296), and on 195 pairs "
        "of MT-Bench the longer answer is right in 0.697.",
    )
    version: ClassVar[int] = 2
    asks: ClassVar[bool] = True
    capabilities: ClassVar[tuple[str, ...]] = ("chat",)
    alone: ClassVar[bool] = False
    reads_extra: ClassVar[bool] = False

    model: ModelSpec | None = None
    """The judge; the recipe's teacher where none is named."""
    evidence: bool = False
    """Ask for the evidence before the verdict: slower, often steadier."""
    max_tokens: int = Field(default=512, ge=1)
    """Longest answer of the judge."""
    instructions: Instructions = TASK
    """What the judge is told to do."""

    def answer_form(self) -> type[Form]:
        return pair_form(self.evidence)

    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        raise FlywheelError("win_rate asks a judge about all answers together: name it as the metric of a target")

    def lacks(self, row: Mapping[str, Any]) -> str:
        return "" if _reference(row) else NO_ANSWER

    def judged(self, judge: Judge, answers: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Mark]:
        """A mark for each row.

        Raises:
            OverBudgetError: a cap left pairs unjudged; verdicts that were given are not paid twice.
        """
        said = [split_thoughts(answer)[1].strip() for answer in answers]
        references = [_reference(row) for row in rows]
        cases = [
            Case(row["id"], transcript(split_answer(row["messages"])[0]), (text, reference))
            for row, text, reference in zip(rows, said, references, strict=True)
            if text and reference
        ]
        found = {judgement.id: judgement for judgement in judged(judge, cases)}
        left = sum(one.reason.startswith(Outcome.OVER_BUDGET.value) for one in found.values())
        if left:
            raise OverBudgetError(
                f"the cap on dollars, tokens or calls was reached with {left:,} of {len(cases):,} answers not judged; "
                "raise it under `budget` (or by `--usd`, `--calls`) and run again: what was answered is not paid twice"
            )
        return [_mark(found.get(row["id"]), text, ref) for row, text, ref in zip(rows, said, references, strict=True)]


def _mark(judgement: Judgement | None, answer: str, reference: str) -> Mark:
    if not reference:
        return Mark(None, NO_ANSWER)
    if not answer:
        return Mark(0.0, NOTHING_SAID)
    verdict = judgement.verdict if judgement is not None else Verdict.INVALID
    return Mark(WORTH[verdict]) if verdict in WORTH else Mark(None, UNREADABLE)


def _reference(row: Mapping[str, Any]) -> str:
    return answer_said(row["messages"]).strip()
