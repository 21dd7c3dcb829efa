"""LANCE: a model as the engineer of its own data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Around, Card, Composite, Named, UsageError
from dataflywheel.proposing.kinds import NamedGate

REVIEW = "alpagasus"


class Lance(Composite):
    """New instructions are written from those that are there, all rows are cleaned and reviewed, and of the student's
    own answers to what is left pairs of a better and a worse one are made.

    - `generate`: `self_instruct`, by the teacher.
    - `deduplicate` and `filter`: copies go, and rows that the reviewer grades below `at_least`.
    - `generate`: `best_of_n`, by the student as it was trained last.

    The recipe's own `train` learns the rows (`pairs: false` leaves the pairs alone), and `prefer` the pairs; in a wheel
    each round's student answers for the next. Name the student as `teacher` too for a model that does all by itself, as
    published. Which prompts it used is not said here; the methods named are those of this package that do these parts.
    """

    card: ClassVar[Card] = Card(
        title="Language Models as Continuous Self-Evolving Data Engineers",
        authors="Wang et al.",
        year=2024,
        paper="2412.15151",
        category="synthesis",
        subcategory="instruction",
        summary="Instructions are written, cleaned, reviewed, and answered in pairs of a better and a worse one.",
        needs=("endpoint", "model"),
        cost="$$$",
        checked="the same steps written out by hand; one round on scripted models, each row with all its ancestors, "
        "and the same bytes after kills",
        pays="Few rows, a teacher that writes and grades better than the student answers, and time to train twice.",
        fails="A model that grades its own taste as good drifts: hold a target apart, and compare with random rows.",
    )

    rows: int | str
    """New instructions wanted: `200`, or `50%` of the rows that are there."""
    at_least: float = Field(default=4.0, ge=0, le=5)
    """The lowest grade of a row that stays, from 0 to 5."""
    near: float = Field(default=0.8, gt=0, le=1)
    """How alike, as a share of common runs of words, two rows are of which one goes."""
    pairs: int | str = "100%"
    """Pairs wanted, of the rows that are left."""
    by: Named = {"rubric": {}}
    """What tells the better answer: a judge, a gate, a metric or a reward, with its parameters."""
    candidates: int = Field(default=4, ge=2, le=64)
    """Answers of the student to each prompt."""
    gates: list[NamedGate] | None = None
    """What new instructions pass, where not the method's own gates."""

    def steps(self, around: Around) -> Sequence[dict[str, Any]]:
        if "teacher" not in around.models:
            raise UsageError("lance: name a model under `models: {teacher: ...}`, which writes and grades")
        gates = {} if self.gates is None else {"gates": self.gates}
        best = {"best_of_n": {"by": self.by, "candidates": self.candidates}}
        return [
            {"generate": {"by": "self_instruct", "rows": self.rows, **gates}},
            {"deduplicate": {"near": self.near}},
            {"filter": {"bounds": {f"{REVIEW}.score": [self.at_least, None]}}},
            {"generate": {"by": best, "rows": self.pairs}},
        ]
