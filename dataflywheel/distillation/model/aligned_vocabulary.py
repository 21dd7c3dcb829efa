"""Distillation between tokenizers on the strings that both vocabularies have."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Card
from dataflywheel.distillation.model.across import AcrossObjective, AcrossTeacher
from dataflywheel.distillation.model.divergences import Beta, Divergence, divergence
from dataflywheel.distillation.model.taught import TeacherInput
from dataflywheel.distillation.model.token_bytes import shared_ids


class AlignedVocabulary(AcrossObjective):
    """A divergence over the strings of both vocabularies, each side renormalised to them, at positions whose prefixes
    end at the same byte."""

    card: ClassVar[Card] = Card(
        title="Divergence on the shared vocabulary at byte-aligned positions",
        authors="",
        year=2025,
        paper="",
        category="distillation",
        subcategory="model",
        summary="Distillation between tokenizers: a divergence on shared strings where both prefixes end at one byte.",
        needs=("model",),
        cost="$$",
        checked="dense distillation where the tokenizers are equal, permuted vocabularies, byte offsets by hand",
        pays="A teacher of another tokenizer whose vocabulary shares most of its strings with the student's.",
        fails="Where few strings are shared or tokens seldom end at one byte, little is left to learn from: let the "
        "teacher write answers (`sequence_level`).",
        evidence="Here (`benchmarks/distillation.md`), bits a byte against cross-entropy at equal student tokens, "
        "lower is better: -0.0968 (-0.1296 to -0.0513, 3 seeds) for 272 seconds a student in place of 76; `uld` as "
        "published +0.1901.",
    )

    divergence: Divergence = "forward_kl"
    """Measure of how far the student is from its teacher."""
    beta: Beta = 0.5
    """Of `jensen_shannon`: 0 is forward KL, 1 reverse KL."""
    temperature: float = Field(default=1.0, gt=0)
    """Of both softmaxes."""
    _shared: Any = PrivateAttr(default=None)

    def bind(self, lesson: TeacherInput) -> AcrossTeacher:
        import torch

        teacher = AcrossTeacher(lesson)
        device = lesson.student.model.device
        self._shared = [torch.from_numpy(ids).to(device) for ids in shared_ids(*teacher.spelled)]
        return teacher

    def distance(self, student: Any, teacher: Any) -> Any:
        sides = zip((student, teacher), self._shared, strict=True)
        both = [(logits[:, ids] / self.temperature).log_softmax(dim=1) for logits, ids in sides]
        return self.temperature**2 * divergence(both[0], both[1], self.divergence, self.beta).sum()
