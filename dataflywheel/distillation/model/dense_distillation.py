"""Distillation on the whole shared vocabulary, the teacher reading each batch beside the student."""

from __future__ import annotations

from typing import Any, ClassVar

from dataflywheel.contracts import AnswerPositions, Card
from dataflywheel.distillation.model.divergences import linear_loss
from dataflywheel.distillation.model.taught import MixedObjective, TeacherInput
from dataflywheel.distillation.model.teacher import OnlineTeacher, check_same_vocabulary


class DenseDistillation(MixedObjective):
    """The teacher's whole distribution at every answer token.

    Where one of the two has rows of padding behind the vocabulary, both are cut to the common size.
    """

    card: ClassVar[Card] = Card(
        title="Distilling the Knowledge in a Neural Network",
        authors="Hinton et al.",
        year=2015,
        paper="1503.02531",
        category="distillation",
        subcategory="model",
        summary="Cross-entropy mixed with a divergence from the teacher's whole distribution at every answer token.",
        needs=("model",),
        cost="$$",
        checked="float64 values by hand, finite differences, formulas with planted faults, batches and padding",
        pays="A much better teacher of the same tokenizer that fits into memory beside the student, and few rows to "
        "learn from.",
        fails="A teacher that is no better harms, and it reads every batch anew: for several students or epochs take "
        "`top_k_distillation`.",
        evidence="Here (`benchmarks/distillation.md`), bits a byte against cross-entropy at equal student tokens, "
        "lower is better: -0.1289 alone, -0.1081 with cross-entropy, -0.0130 at temperature 2 (one seed), +0.0469 from "
        "an untrained teacher; 203 to 364 seconds in place of 55.",
    )

    def bind(self, lesson: TeacherInput) -> OnlineTeacher:
        check_same_vocabulary(lesson.student, lesson.teacher)
        return OnlineTeacher(lesson.teacher, lesson.examples)

    def loss(self, at: AnswerPositions, table: Any) -> Any:
        teacher: OnlineTeacher = self.bound
        states, starts = teacher.states(at)
        states = states[starts + at.places]

        def chunk(logits: Any, where: slice) -> Any:
            taught = teacher.logits(states[where])
            size = min(logits.shape[1], taught.shape[1])
            both = [(one[:, :size] / self.temperature).log_softmax(dim=1) for one in (logits, taught)]
            return self.mixed(logits, at.labels[where], *both)

        return linear_loss(at.states, table, chunk)
