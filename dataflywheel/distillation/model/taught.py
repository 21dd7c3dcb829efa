"""What objectives with a teacher share: cross-entropy mixed with a divergence, and the teacher behind them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Cost, Objective, UsageError
from dataflywheel.distillation.model.divergences import Beta, Divergence, cross_entropy, divergence
from dataflywheel.distillation.model.teacher import load_teacher
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import Conversation, EncodedRow, Turns
from dataflywheel.models.training.examples import learnable


@dataclass(frozen=True)
class TeacherInput:
    """What a teacher is bound by: the rows of one training in order, as the student will read them."""

    ids: Sequence[str]
    conversations: Sequence[Conversation]
    student: LanguageModel
    teacher: LanguageModel
    max_length: int
    home: Path
    """The store's folder, for what the teacher said."""
    turns: Turns = "all"

    @cached_property
    def examples(self) -> list[EncodedRow]:
        """What the student learns from, in the order in which objectives count it."""
        return learnable(self.student.examples(self.conversations, self.max_length, self.turns))


class TaughtObjective(Objective):
    """An objective that learns from a teacher's distributions; `taught` binds it before training."""

    _digest: str = PrivateAttr(default="")
    _bound: Any = PrivateAttr(default=None)

    def taught(
        self,
        ids: Sequence[str],
        conversations: Sequence[Conversation],
        student: LanguageModel,
        teacher: ModelSpec,
        max_length: int,
        home: Path,
        turns: Turns = "all",
    ) -> Self:
        """This objective with its teacher, for one training on just these rows in this order.

        Raises:
            UsageError: the teacher does not fit the student or the rows.
        """
        model = load_teacher(teacher)
        bound = self.model_copy()
        bound._digest = f"{model.digest}:{teacher.dtype}"
        bound._bound = bound.bind(TeacherInput(ids, conversations, student, model, max_length, home, turns))
        return bound

    @abstractmethod
    def bind(self, lesson: TeacherInput) -> Any:
        """What `loss` looks up the teacher in."""

    @property
    def bound(self) -> Any:
        if self._bound is None:
            raise UsageError(f"{self.name} has no teacher yet: call `taught` with the rows, or use `distill`")
        return self._bound

    def heard(self, rows: int, passes: int, tokens: int) -> Cost:
        """What a teacher reads, all forwards, for a training on so many rows, which reads them so many times, and so
        many tokens: it reads as often as the student."""
        return Cost(forward=passes, tokens=tokens)

    def digest(self) -> str:
        return f"{super().digest()}:{self._digest}"


class MixedObjective(TaughtObjective):
    """(1 - alpha) cross-entropy + alpha T^2 divergence, at each answer token, T in both softmaxes."""

    alpha: float = Field(default=0.5, ge=0, le=1)
    """Weight of the divergence; what is left is cross-entropy on the row's own answer."""
    temperature: float = Field(default=1.0, gt=0)
    """Of both softmaxes."""
    divergence: Divergence = "forward_kl"
    """Measure of how far the student is from its teacher."""
    beta: Beta = 0.5
    """Of `jensen_shannon`: 0 is forward KL, 1 reverse KL."""

    def mixed(self, logits: Any, labels: Any, student: Any, teacher: Any) -> Any:
        """Sum over a chunk: `logits` (m, v) and log-probabilities (m, n) of both at the temperature."""
        apart = divergence(student, teacher, self.divergence, self.beta).sum()
        total = self.alpha * self.temperature**2 * apart
        return total if self.alpha == 1 else total + (1 - self.alpha) * cross_entropy(logits, labels)
