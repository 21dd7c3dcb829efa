"""A teacher with a tokenizer of its own: what it read of each row, and where that meets the student's tokens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnswerPositions, AnyArray, FlywheelError
from dataflywheel.distillation.model.divergences import cross_entropy, linear_loss
from dataflywheel.distillation.model.taught import TaughtObjective, TeacherInput
from dataflywheel.distillation.model.teacher import OnlineTeacher
from dataflywheel.distillation.model.token_bytes import aligned, token_bytes
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.encoded import EncodedRow

NOWHERE = -1


class AcrossTeacher:
    """The teacher reads each row by its own tokenizer and template. `place[row][j]` is the place among the teacher's
    answer tokens that belongs to the student's place j, or -1."""

    def __init__(self, lesson: TeacherInput, by_place: bool = False) -> None:
        """`by_place`: the j-th tokens of both belong together, whatever they spell, but for the student's end of turn.

        Raises:
            FlywheelError: student and teacher spell no answer alike.
        """
        student = lesson.examples
        teacher = heard(student, lesson.teacher.examples(lesson.conversations, turns=lesson.turns))
        self.spelled = spelled(lesson.student), spelled(lesson.teacher)
        self.online = OnlineTeacher(lesson.teacher, teacher)
        self.place: list[AnyArray] = []
        for ours, theirs in zip(student, teacher, strict=True):
            self.place.append(self._places(ours, theirs, by_place))
        if not any((place != NOWHERE).any() for place in self.place):
            raise FlywheelError("the tokens of student and teacher spell no answer alike: nothing can be distilled")

    def _places(self, ours: EncodedRow, theirs: EncodedRow, by_place: bool) -> AnyArray:
        """Turn by turn, for the turns that both have."""
        place = np.full(len(ours.learned), NOWHERE)
        starts = dict(zip((s.turn for s in theirs.spans), offsets(theirs), strict=True))
        spans = {span.turn: span for span in theirs.spans}
        for span, at in zip(ours.spans, offsets(ours), strict=True):
            if span.turn not in spans:
                continue
            other, length = spans[span.turn], span.end - span.start
            if by_place:
                ended = ours.ended or span is not ours.spans[-1]
                both = min(length - ended, other.end - other.start)
                place[at : at + both] = starts[span.turn] + np.arange(both)
                continue
            pairs = aligned(ours.ids[span.start : span.end], theirs.ids[other.start : other.end], self.spelled)
            if pairs is not None:
                place[at + np.asarray(pairs[0], dtype=np.int64)] = starts[span.turn] + np.asarray(pairs[1])
        return place

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


def spelled(model: LanguageModel) -> list[bytes | None]:
    """The bytes of every token; the end of a turn is the token that the model's chat template writes there."""
    return token_bytes(model.tokenizer, next(iter(model.chat.end_ids), None))


def offsets(row: EncodedRow) -> list[int]:
    """Where each learned turn begins among the learned tokens of a row."""
    ends = np.cumsum([span.end - span.start for span in row.spans]).tolist()
    return [0, *ends[:-1]] if row.spans else []


def heard(student: Sequence[EncodedRow], teacher: Sequence[EncodedRow]) -> list[EncodedRow]:
    """For each of the student's examples the teacher's example of that row with most of its turns; one without tokens
    where the teacher cannot read the row."""
    of_row: dict[int, list[EncodedRow]] = {}
    for one in teacher:
        of_row.setdefault(one.row, []).append(one)

    def shared(ours: EncodedRow, theirs: EncodedRow) -> int:
        return len({span.turn for span in ours.spans} & {span.turn for span in theirs.spans})

    return [max(of_row[ours.row], key=lambda theirs: shared(ours, theirs)) for ours in student]


class AcrossObjective(TaughtObjective):
    """Cross-entropy + weight x a distance between vocabularies, at the answer tokens where both can be compared."""

    version: ClassVar[int] = 2

    weight: float = Field(default=1.0, gt=0)
    """Of the distance, beside cross-entropy."""

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
