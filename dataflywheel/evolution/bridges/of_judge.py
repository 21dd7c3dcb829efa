"""A judge as a reward: its score of each answer, brought to between 0 and 1; none without a readable verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from pydantic import SerializeAsAny

from dataflywheel.contracts import Case, Cost, Judge, Judgement, Mark, PoolStatistics, Reward
from dataflywheel.evolution.bridges.known_judge import UNREADABLE, case_of
from dataflywheel.evolution.judgements import judged
from dataflywheel.rows.thoughts import split_thoughts


class OfJudge(Reward):
    """What a judge of single answers makes of them. It sees prompts, and answers without their thoughts."""

    judge: SerializeAsAny[Judge]

    def digest(self) -> str:
        return f"judge-{self.judge.digest()}"

    def estimate(self, pool: PoolStatistics) -> Cost:
        return self.judge.estimate(pool)

    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        return [mark.value for mark in self.marks(completions, rows)]

    def marks(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Mark]:
        said = [split_thoughts(text)[1] for text in completions]
        cases = [case_of(str(i), row, text) for i, (row, text) in enumerate(zip(rows, said, strict=True))]
        asked = [case for case in cases if isinstance(case, Case)]
        found = {judgement.id: judgement for judgement in judged(self.judge, asked)}
        return [Mark(None, case) if isinstance(case, str) else self._mark(found[case.id]) for case in cases]

    def _mark(self, judgement: Judgement) -> Mark:
        (score,), (low, high) = judgement.scores, self.judge.scale
        if isnan(score):
            return Mark(None, UNREADABLE, judgement.replies)
        return Mark((score - low) / (high - low), "", judgement.replies)
