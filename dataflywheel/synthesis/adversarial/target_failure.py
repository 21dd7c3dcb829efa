"""Whether a model fails at an instruction: wrong against a teacher's checked answer, or unsure of itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dataflywheel.contracts import Mark
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.proposing.asking import follow
from dataflywheel.proposing.marking import mark_of
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.adversarial.seeking import Seeking

COPY = "copy of an instruction that is there"
NOT_FAILED = "the target did not fail"
NO_VERDICT = "no verdict"
DISAGREE = "the teacher's answers disagree"


@dataclass
class Attempt:
    """One instruction that a proposer wrote, and what became of it."""

    prompt: str
    """What the proposer was asked."""
    shown: Sequence[Row]
    text: str = ""
    """The instruction; "" where none was written."""
    why: str = ""
    """Why no row comes of it, so far as is known."""
    failed: bool | None = None
    """Whether the target failed; None: there is no verdict."""
    said: str = ""
    """What the target answered, of several answers the first."""
    value: float | None = None
    """What the metric gave that, or the entropy of all answers."""
    reference: str = ""
    """The teacher's answer, where it is checked."""
    replies: list[Reply] = field(default_factory=list)

    def lost(self, what: str, why: str) -> None:
        """Nothing can be said of the target, or there is no answer to learn."""
        self.why = f"{what}: {why}"


@dataclass(frozen=True)
class Examiner:
    """Puts instructions to a target, and what it answers before a teacher. Questions of one kind are asked together."""

    by: Seeking
    target: Asks
    teacher: Asks
    drawing: Sampling
    """How the teacher answers."""
    system: str

    def examine(self, attempts: Sequence[Attempt]) -> None:
        """Enter a verdict, or why there is none, in each attempt, and of those that failed the checked answer."""
        if self.by.entropy is None:
            self._by_reference(attempts)
        else:
            self._by_entropy(attempts, self.by.entropy)

    def _by_reference(self, attempts: Sequence[Attempt]) -> None:
        greedy = Sampling(0.0, 1.0, self.by.answer_tokens)
        told = [one for one, said in self._asked(self.target, attempts, greedy) if _taken(one, said, "the target")]
        known = [one for one, said in self._teach(told, 0) if _noted(one, said)]
        wrong = []
        for one in known:
            mark = self._mark(one.said, one, one.reference)
            if mark.value is None or mark.note:
                one.lost(NO_VERDICT, mark.note or "nothing to score by")
                continue
            one.value, one.failed = mark.value, mark.value < self.by.least
            if one.failed:
                wrong.append(one)
            else:
                one.why = NOT_FAILED
        for one in self._disagreed(wrong):
            one.failed = None
            one.lost(NO_VERDICT, DISAGREE)

    def _by_entropy(self, attempts: Sequence[Attempt], bound: float) -> None:
        drawing = Sampling(1.0, 1.0, self.by.answer_tokens)
        answers: dict[int, list[str]] = {id(one): [] for one in attempts}
        for sample in range(self.by.samples):
            for one, reply in self._asked(self.target, attempts, drawing, sample=sample):
                # its end says nothing of the row's own answer, which gates look at
                one.replies[-1] = replace(one.replies[-1], finish="")
                if reply.answered and reply.text.strip():
                    answers[id(one)].append(reply.text.strip())
        unsure = []
        for one in attempts:
            read = [text for text in answers[id(one)] if self._same(text, one, text)]
            if 2 * len(read) < self.by.samples:
                one.lost(NO_VERDICT, f"{len(read)} of {self.by.samples} answers of the target could be read")
                continue
            one.said, one.value = read[0], self._entropy(one, read)
            one.failed = one.value >= bound
            if one.failed:
                unsure.append(one)
            else:
                one.why = NOT_FAILED
        known = [one for one, said in self._teach(unsure, 0) if _noted(one, said)]
        for one in self._disagreed(known):
            one.lost("no checked answer", DISAGREE)

    def _disagreed(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Those to which the teacher, asked again, says something else."""
        apart: dict[int, Attempt] = {}
        for number in range(1, self.by.agree + 1):
            left = [one for one in attempts if id(one) not in apart]
            for one, reply in self._teach(left, number):
                if not reply.answered or not self._same(reply.text, one, one.reference):
                    apart[id(one)] = one
        return list(apart.values())

    def _teach(self, attempts: Sequence[Attempt], number: int) -> list[tuple[Attempt, Reply]]:
        return self._asked(self.teacher, attempts, self.drawing, self.system, number)

    def _asked(
        self, who: Asks, attempts: Sequence[Attempt], drawing: Sampling, system: str = "", sample: int = 0
    ) -> list[tuple[Attempt, Reply]]:
        replies = follow(who, [one.text for one in attempts], drawing, system, sample)
        for one, reply in zip(attempts, replies, strict=True):
            one.replies.append(reply)
        return list(zip(attempts, replies, strict=True))

    def _mark(self, answer: str, one: Attempt, reference: str) -> Mark:
        return mark_of(self.by.compares, answer, prompt_answer_row(one.text, reference))

    def _same(self, answer: str, one: Attempt, other: str) -> bool:
        mark = self._mark(answer, one, other)
        return mark.value is not None and not mark.note and mark.value >= self.by.least

    def _entropy(self, one: Attempt, answers: Sequence[str]) -> float:
        """Of the distribution of answers over those that mean the same, in nats."""
        kinds: list[list[str]] = []
        for text in answers:
            same = next((kind for kind in kinds if self._same(text, one, kind[0])), None)
            if same is None:
                kinds.append([text])
            else:
                same.append(text)
        shares = [len(kind) / len(answers) for kind in kinds]
        return max(0.0, -sum(share * math.log(share) for share in shares))


def _taken(one: Attempt, reply: Reply, who: str) -> bool:
    """Whether the target said anything that can be looked at."""
    one.said = reply.text.strip() if reply.answered else ""
    if not one.said:
        one.lost(NO_VERDICT, f"{who} gave no answer, {failure(reply) if not reply.answered else 'empty'}")
    return bool(one.said)


def _noted(one: Attempt, reply: Reply) -> bool:
    """Whether the teacher gave an answer."""
    one.reference = reply.text.strip() if reply.answered else ""
    if not one.reference:
        what = NO_VERDICT if one.failed is None else "no checked answer"
        one.lost(what, f"the teacher gave none, {failure(reply) if not reply.answered else 'empty'}")
    return bool(one.reference)
