"""A judge with known faults: it sees the truth of both answers and says which is better."""

from __future__ import annotations

from math import exp, log
from typing import Literal

from tests.support.endpoint.draws import normal, unit
from tests.support.endpoint.faults import REFUSAL
from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import VERDICTS, Answer, Belief, RuleBase, phrase
from tests.support.endpoint.rules.rater import Rater


class Judge(RuleBase):
    """P(first) = sigmoid(s log(accuracy / (1 - accuracy)) + position_bias + length_bias log(l1 / l2) + noise N(0, 1)).

    s is 1 where the first answer is truly better, -1 where the second is, 0 where their truths differ by no more than
    `tie_margin`; then a judge that `ties` says tie with probability `accuracy`. With `slope` set, s log(..) is
    slope * (truth of the first - truth of the second). The verdict is drawn with P(first); with `greedy` it is the
    likelier one. A prompt with only one truth is rated pointwise by `rater`.
    """

    rule: Literal["judge"]
    accuracy: float = 1.0
    slope: float | None = None
    position_bias: float = 0.0
    length_bias: float = 0.0
    noise: float = 0.0
    ties: bool = True
    tie_margin: float = 0.0
    greedy: bool = False
    labels: tuple[str, str, str] = ("A", "B", "tie")
    template: str = "$verdict"
    truths: dict[str, float] = {}
    rater: Rater = Rater(rule="rater")

    def answer(self, question: Question, choice: int) -> Answer:
        truths = [float(value) for value in question.marked("truth")]
        truths = truths or [self.truths[name] for name in question.ids if name in self.truths]
        if not truths:
            return Answer(REFUSAL)
        if len(truths) == 1:
            return self.rater.answer(question, choice)
        salt = question.salt(choice)
        first = self.probability(truths[0], truths[1], question.lengths[:2], salt)
        tie = self._tie(truths[0], truths[1])
        if tie and unit(*salt, "tie") < tie:
            verdict = "tie"
        else:
            verdict = "first" if (0.5 if self.greedy else unit(*salt, "verdict")) < first else "second"
        name = question.ids[0] if question.ids else ""
        text = phrase(question, [Belief(name, verdict=verdict)], self.template, self.labels)
        shares = (first * (1 - tie), (1 - first) * (1 - tie), tie)
        options = {label: share for label, share in zip(self.labels, shares, strict=True) if share > 0}
        return Answer(text, self.labels[VERDICTS.index(verdict)], options)

    def probability(self, first: float, second: float, lengths: list[int], salt: tuple[object, ...]) -> float:
        gap = first - second
        if self.slope is not None:
            logit = self.slope * gap
        else:
            sign = 0 if abs(gap) <= self.tie_margin else 1 if gap > 0 else -1
            right = max(1e-9, min(1 - 1e-9, self.accuracy))
            logit = sign * log(right / (1 - right))
        logit += self.position_bias
        if self.length_bias and len(lengths) == 2:
            logit += self.length_bias * log(max(lengths[0], 1) / max(lengths[1], 1))
        if self.noise:
            logit += self.noise * normal(*salt, "noise")
        return 1 / (1 + exp(-max(-30.0, min(30.0, logit))))

    def _tie(self, first: float, second: float) -> float:
        return self.accuracy if self.ties and abs(first - second) <= self.tie_margin else 0.0
