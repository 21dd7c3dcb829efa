"""A teacher with a tokenizer of its own: what it read of each row, and where that meets the student's tokens."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnswerPositions, AnyArray, FlywheelError
from dataflywheel.distillation.model.divergences import cross_entropy, linear_loss
from dataflywheel.distillation.model.taught import Lesson, TaughtObjective
from dataflywheel.distillation.model.teacher import OnlineTeacher
from dataflywheel.distillation.model.token_bytes import aligned, token_bytes

NOWHERE = -1


class AcrossTeacher:
    """The teacher reads each row by its own tokenizer and template. `place[row][j]` is the place among the teacher's
    answer tokens that belongs to the student's place j, or -1."""

    def __init__(self, lesson: Lesson, by_place: bool = False) -> None:
        """`by_place`: the j-th tokens of both belong together, whatever they spell, but for the student's end of turn.

        Raises:
            FlywheelError: student and teacher spell no answer alike.
        """
        student = lesson.student.encode(lesson.conversations, lesson.max_length)
        teacher = lesson.teacher.encode(lesson.conversations)
        self.spelled = token_bytes(lesson.student.tokenizer), token_bytes(lesson.teacher.tokenizer)
        self.online = OnlineTeacher(lesson.teacher, teacher)
        self.place: list[AnyArray] = []
        for ours, theirs in zip(student, teacher, strict=True):
            place = np.full(ours.answer_tokens, NOWHERE)
            if theirs.ids and by_place:
                last = len(place) - ours.ended
                both = min(last, theirs.answer_tokens)
                place[:both] = np.arange(both)
            elif theirs.ids and ours.ids:
                pairs = aligned(ours.ids[ours.start :], theirs.ids[theirs.start :], self.spelled)
                if pairs is not None:
                    place[pairs[0]] = pairs[1]
            self.place.append(place)
        if not any((place != NOWHERE).any() for place in self.place):
            raise FlywheelError("the tokens of student and teacher spell no answer alike: nothing can be distilled")

    def share(self) -> float:
        """Of all the student's answer tokens, those at which the teacher is heard."""
        places = np.concatenate(self.place)
        return float((places != NOWHERE).mean())

    def states(self, at: AnswerPositions) -> tuple[Any, Any]:
        """The teacher's states at the positions (n, d) where it is heard, and which of the m these are (m,) bool."""
        import torch

        rows, places = at.rows.tolist(), at.places.tolist()
        place = torch.tensor([int(self.place[r][j]) for r, j in zip(rows, places, strict=True)], device=at.rows.device)
        heard = place != NOWHERE
        states, starts = self.online.states(at)
        return states[(starts + place)[heard]], heard


class AcrossObjective(TaughtObjective):
    """Cross-entropy + weight x a distance between vocabularies, at the answer tokens where both can be compared."""

    weight: float = Field(default=1.0, gt=0)

    @abstractmethod
    def distance(self, student: Any, teacher: Any) -> Any:
        """Sum over n positions, of logits (n, v) and (n, w)."""

    def loss(self, at: AnswerPositions, table: Any) -> Any:
        teacher: AcrossTeacher = self.bound
        states, heard = teacher.states(at)
        before = heard.cumsum(0) - heard.long()

        def chunk(logits: Any, where: slice) -> Any:
            total = cross_entropy(logits, at.labels[where])
            here = heard[where]
            if not here.any():
                return total
            start = int(before[where.start])
            taught = teacher.online.logits(states[start : start + int(here.sum())])
            return total + self.weight * self.distance(logits[here], taught)

        return linear_loss(at.states, table, chunk)
