"""ReverseGen: a student, the instructions that it fails at, and their answers to learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from pydantic import model_validator

from dataflywheel.contracts import Around, Card, Composite, UsageError
from dataflywheel.models.training.train_settings import only_settings
from dataflywheel.proposing.kinds import NamedGate
from dataflywheel.synthesis.adversarial.failing_instructions import FailingInstructions
from dataflywheel.synthesis.adversarial.seeking import Seeking


class ReverseGen(Seeking, Composite):
    """A first student learns all rows; a proposer is trained to write instructions at which it fails; these join the
    rows, with the teacher's answers.

    - `warm_up`: the student learns the rows that there are; without `student` it is taken as it is.
    - `generate`: `failing_instructions`, whose target is that student.

    The recipe's own `train` learns all rows, from the untrained student.
    """

    card: ClassVar[Card] = FailingInstructions.card.model_copy(
        update={
            "summary": "A student is trained, a proposer learns to make it fail, and the failures are learned too.",
            "checked": "the same steps written out by hand; its steps are checked each by itself",
            "pays": "No failures yet and no rounds: one step that trains a first student, finds what it fails at and "
            "adds it, with a teacher that is right there.",
            "fails": "It pays for two trainings of the student and one of the proposer, and a weak first student "
            "fails at everything: then spend the budget on more rows of the pool, and compare.",
        }
    )

    rows: int | str
    """Rows wanted: `200`, or `20%` of those that are there."""
    student: dict[str, Any] | None = {}
    """How the first student learns, as `train` takes it: `{epochs: 1, max_length: 512}`; null: it is not trained, and
    the model itself is the target."""
    gates: list[NamedGate] | None = None
    """What the new rows pass, where not the method's own gates."""

    @model_validator(mode="after")
    def _first_student(self) -> Self:
        only_settings(self.student or {}, "student")
        return self

    def steps(self, around: Around) -> Sequence[dict[str, Any]]:
        if around.rounds > 1:
            raise UsageError(
                "reverse_gen trains a first student, and a wheel has one from round to round: write `generate: {by: "
                "failing_instructions, rows: ...}` before its `train`, or `rounds: 1`"
            )
        first = [] if self.student is None else [{"warm_up": {"by": "random", "keep": "100%", **self.student}}]
        written = {"by": {"failing_instructions": self.given()}, "rows": self.rows}
        gates = {} if self.gates is None else {"gates": self.gates}
        return [*first, {"generate": {**written, **gates}}]
