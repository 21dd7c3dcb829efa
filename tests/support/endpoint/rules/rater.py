"""A rater with a known error: it sees the truth of each row and gives a score, as text or as digit probabilities."""

from __future__ import annotations

from math import exp, log1p
from typing import Literal

from tests.support.endpoint.draws import normal, pick, unit
from tests.support.endpoint.faults import REFUSAL
from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer, Belief, RuleBase, phrase


class Rater(RuleBase):
    """What it believes of a row with truth t: z = c + bias + noise * N(0, 1); its score is z rounded into the scale.

    c is t with probability `accuracy`, else evenly one of the other scores; or, with `matrix`, drawn from the row of t
    (rows and columns run from `low` to `high`). With `yes_no` the answer is Yes with probability
    (z - low) / (high - low), and the likelier word at temperature 0.
    """

    rule: Literal["rater"]
    low: int = 1
    high: int = 5
    accuracy: float = 1.0
    matrix: list[list[float]] | None = None
    bias: float = 0.0
    noise: float = 0.0
    spread: float = 0.5
    yes_no: bool = False
    truths: dict[str, float] = {}
    """Truth by row id, for rows without a mark."""
    unknown: Literal["length", "hash", "refuse"] = "length"
    """Rows without any truth: by the length of the prompt, by a hash, or a refusal."""
    template: str = "$score"

    def answer(self, question: Question, choice: int) -> Answer:
        salt = question.salt(choice)
        truths = self._truths(question)
        if not truths:
            return Answer(REFUSAL)
        beliefs, sure = [], []
        for i, truth in enumerate(truths):
            z = self._believed(truth, (*salt, i))
            score = round(max(self.low, min(self.high, z)))
            sure.append(z)
            beliefs.append(Belief(question.ids[i] if i < len(question.ids) else "", score, truth=truth))
        if self.yes_no:
            return self._yes_no(question, sure[0], salt)
        text = phrase(question, beliefs, self.template, ("first", "second", "tie"))
        return Answer(text, str(beliefs[0].score), self._digits(sure[0]))

    def _truths(self, question: Question) -> list[float]:
        marked = [float(value) for value in question.marked("truth")]
        if marked:
            return marked
        known = [self.truths[name] for name in question.ids if name in self.truths]
        if known or self.unknown == "refuse":
            return known
        if self.unknown == "hash":
            return [self.low + (self.high - self.low) * unit("truth", question.text)]
        return [min(float(self.high), self.low + log1p(len(question.text) / 200))]

    def _believed(self, truth: float, salt: tuple[object, ...]) -> float:
        scale = range(self.low, self.high + 1)
        category = truth
        nearest = min(max(round(truth), self.low), self.high)
        if self.matrix is not None:
            category = self.low + pick(self.matrix[nearest - self.low], *salt, "matrix")
        elif unit(*salt, "accuracy") > self.accuracy:
            others = [score for score in scale if score != nearest]
            category = others[pick([1.0] * len(others), *salt, "other")]
        return category + self.bias + (self.noise * normal(*salt, "noise") if self.noise else 0.0)

    def _digits(self, z: float) -> dict[str, float]:
        """A bell around z over the scale, which sums to 1."""
        middle = max(self.low, min(self.high, z))
        weight = {k: exp(-((k - middle) ** 2) / (2 * self.spread**2)) for k in range(self.low, self.high + 1)}
        total = sum(weight.values())
        return {str(k): w / total for k, w in weight.items()}

    def _yes_no(self, question: Question, z: float, salt: tuple[object, ...]) -> Answer:
        """Both words in two spellings, as real vocabularies have them."""
        yes = max(0.001, min(0.999, (z - self.low) / (self.high - self.low)))
        says = unit(*salt, "yes") < yes if question.body.get("temperature", 1) else yes >= 0.5
        words = {"Yes": 0.9 * yes, "yes": 0.1 * yes, "No": 0.9 * (1 - yes), "no": 0.1 * (1 - yes)}
        text = "Yes" if says else "No"
        return Answer(text, text, words)
