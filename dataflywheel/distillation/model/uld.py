"""Universal logit distillation: the shapes of two distributions, whatever their tokens are."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.distillation.model.across import AcrossObjective, AcrossTeacher
from dataflywheel.distillation.model.taught import TeacherInput


class Uld(AcrossObjective):
    """L1 between both distributions sorted by probability, the smaller vocabulary filled up with zeros.

    Sorting forgets which token is meant: a student from scratch is pulled towards sharp shapes before it knows the
    right token, and may be the worse for it.
    """

    card: ClassVar[Card] = Card(
        title="Towards Cross-Tokenizer Distillation: the Universal Logit Distillation Loss for LLMs",
        authors="Boizard et al.",
        year=2024,
        paper="2402.12030",
        category="distillation",
        subcategory="model",
        summary="Distillation between tokenizers by the distance of the sorted next-token distributions.",
        needs=("model",),
        cost="$$",
        checked="hand values, permuted vocabularies, both ways to pair positions",
        pays="A student that has learned its language and a teacher of a vocabulary that shares almost no strings with "
        "its own.",
        fails="Sorting forgets which token is meant, so that a student from scratch gets worse: `aligned_vocabulary`, "
        "or `positions: aligned` with a small weight.",
        evidence="Here (`benchmarks/distillation.md`), bits a byte against cross-entropy at equal student tokens, "
        "lower is better: +0.1901 as published with weight 1.5, which is worse; -0.0474 aligned with weight 0.2; one "
        "seed each.",
    )

    weight: float = Field(default=1.5, gt=0)
    """Of the distance, beside cross-entropy."""
    positions: Literal["by_place", "aligned"] = "by_place"
    """`by_place`, as published: the j-th tokens of both answers; `aligned`: those whose prefixes end at one byte."""

    def bind(self, lesson: TeacherInput) -> AcrossTeacher:
        return AcrossTeacher(lesson, by_place=self.positions == "by_place")

    def distance(self, student: Any, teacher: Any) -> Any:
        return sorted_distance(student.softmax(dim=1), teacher.softmax(dim=1)).sum()


def sorted_distance(student: Any, teacher: Any) -> Any:
    """L1 (n,) between the sorted probabilities (n, v) and (n, w)."""
    import torch

    size = max(student.shape[1], teacher.shape[1])
    ranked = [
        torch.nn.functional.pad(one.sort(dim=1, descending=True).values, (0, size - one.shape[1]))
        for one in (student, teacher)
    ]
    return (ranked[0] - ranked[1]).abs().sum(dim=1)
