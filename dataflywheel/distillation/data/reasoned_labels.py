"""Reasoned labels: a model's verdicts with their reasons as rows that a small student learns both from."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.kinds import KEPT, Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import replaced, unchanged
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.rows.text import fields_of, transcript
from dataflywheel.signals.safety.toxicity_labels import ToxicityOptions

SIGNAL = "decision_tree_of_thought"
VERDICT, REASON, SCORE = (f"{SIGNAL}.{name}" for name in ("toxic", "reason", "score"))
ASK = "Is this text toxic?"
SAYS = {True: "toxic", False: "not toxic"}


class ReasonedLabels(Proposer):
    """Each row becomes a question about its text with the verdict of `decision_tree_of_thought` and its reason as the
    answer: data for a student that says why. The verdict is also the row's label, unless it has one of its own.

    A row that was not judged, of which the model was less sure than `least`, whose own label says otherwise, or whose
    text is not all that there is to it, stays as it is and says why; filter by the label to train on the others alone.
    """

    card: ClassVar[Card] = Card(
        title="Efficient Toxic Content Detection by Bootstrapping and Distilling Large Language Models",
        authors="Zhang et al.",
        year=2023,
        paper="2312.08303",
        category="distillation",
        subcategory="data",
        summary="Verdicts on toxicity with their reasons as answers, for a small student to learn both.",
        needs=("endpoint",),
        cost="$",
        checked="each verdict, reason and row that is left, one by one; students with and without reasons over 5 seeds",
        pays="A small model that must judge many texts and be able to say why, with a large one at hand for some "
        "thousand of them.",
        fails="Reasons lengthen what must be learned: a very small student may judge worse with them, so compare both "
        "by `reasons: false`; where a number is enough, a classifier of the labels is smaller still.",
        evidence="The paper: up to 16.9 % more accuracy of the student than by labels alone.",
    )
    rewrites: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = ("contamination",)

    reasons: bool = True
    """Whether the reason stands in the answer; without it the answer is the label."""
    first: Literal["label", "reason"] = "label"
    """What the answer begins with."""
    least: float = Field(default=0.0, ge=0, le=0.5)
    """Least distance of the score from 0.5."""
    question: str = Field(default=ASK, min_length=1)
    """What stands before each text."""
    toxic: tuple[str, ...] = ToxicityOptions().toxic
    """Labels of rows that count as toxic, without case."""

    @classmethod
    def own_gates(cls) -> list[tuple[str, dict[str, Any]]]:
        """Without that of language: reasons are in the model's, whatever that of the text."""
        return [gate for gate in super().own_gates() if gate[0] != KEPT]

    def needs(self) -> tuple[str, ...]:
        return (VERDICT, SCORE, REASON)

    def unfit(self, seed: Row) -> str:
        if seed["media"] or seed["rejected"] or seed["tools"] or any(turn["tool_calls"] for turn in seed["messages"]):
            return "not only a text: media, tools or a pair of answers"
        return "" if transcript(seed["messages"]).strip() else "no text"

    def propose(self, demand: Demand) -> list[Proposal]:
        columns = demand.columns
        if columns is None:
            return [unchanged(row, "not judged") for row in demand.seeds]
        judged, verdicts = columns.ok(VERDICT, SCORE), columns[VERDICT].tolist()
        scores, reasons = columns[SCORE].tolist(), columns[REASON].tolist()
        made = []
        for place, row in enumerate(demand.seeds):
            said = bool(verdicts[place]) if judged[place] else None
            why = self.unfit(row) or self._why(row, said, float(scores[place]))
            if why or said is None:
                made.append(unchanged(row, why))
            else:
                made.append(replaced(row, self._row(row, said, str(reasons[place] or ""))))
        return made

    def _why(self, row: Row, said: bool | None, score: float) -> str:
        """Why a row is left, in a few words; "" where it is not."""
        if said is None:
            return "not judged"
        if abs(score - 0.5) < self.least:
            return "the model was not sure"
        known = {name.casefold() for name in self.toxic}
        if row["label"] is not None and (row["label"].casefold() in known) != said:
            return "its own label says otherwise"
        return ""

    def _row(self, row: Row, said: bool, reason: str) -> Row:
        parts = [SAYS[said], *([" ".join(reason.split())] if self.reasons and reason.strip() else [])]
        answer = "\n".join(parts if self.first == "label" else parts[::-1])
        return make_row(
            [message("user", f"{self.question}\n\n{_text(row)}"), message("assistant", answer)],
            label=SAYS[said] if row["label"] is None else row["label"],
            source=row["source"],
            tags=row["tags"],
            extra=fields_of(row),
            parents=[row["id"]],
            made_by=self.name,
            round=row["round"],
            cells=row["cells"],
            weight=row["weight"],
        )


def _text(row: Row) -> str:
    """The one turn of a text as it is, else all turns with their roles."""
    turns = row["messages"]
    return turns[0]["content"] if len(turns) == 1 else transcript(turns)
