"""The win rate of answers against a target's references, by planted judges."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dataflywheel.contracts import (
    Case,
    FlywheelError,
    Judge,
    Judgement,
    Mark,
    OverBudgetError,
    PoolStatistics,
    UsageError,
    Verdict,
)
from dataflywheel.evolution.judging.pairwise import judgement
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.evolution.metrics.win_rate import NOTHING_SAID, UNREADABLE, WinRate
from dataflywheel.recipe.inputs.target_judge import check_judged, judging_cost
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message


class Longer(Judge):
    """Prefers the longer answer; says nothing of an answer that it is to lose."""

    capped: bool = False

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        return [self.one(case) for case in cases]

    def one(self, case: Case) -> Judgement:
        assert "<think>" not in case.answers[0]
        if "lost" in case.answers[0]:
            why = "over budget: the cap" if self.capped else "malformed: no JSON"
            return Judgement(case.id, (float("nan"), float("nan")), reason=why)
        mine, other = map(len, case.answers)
        verdict = Verdict.TIE if mine == other else Verdict.FIRST if mine > other else Verdict.SECOND
        return judgement(case.id, verdict, verdict)


FORMS = ("four", "four", "<think>\nlong thoughts\n</think>\nfour", "four", "four")
ROWS = [prompt_answer_row(f"Q{i}", said) for i, said in enumerate(FORMS)] + [make_row([message("user", "Q")])]
ANSWERS = ["longer", "<think>\nlong thoughts\n</think>\nno", "same", "lost", "<think>only thoughts</think>", "x"]


def test_wins_ties_losses_and_what_could_not_be_judged() -> None:
    assert WinRate().judged(Longer(), ANSWERS, ROWS) == [
        Mark(1.0), Mark(0.0), Mark(0.5), Mark(None, UNREADABLE), Mark(0.0, NOTHING_SAID),
        Mark(None, "no reference answer"),
    ]  # fmt: skip


def test_a_cap_stops_and_invents_no_score() -> None:
    with pytest.raises(OverBudgetError, match="1 of 4 answers not judged"):
        WinRate().judged(Longer(capped=True), ANSWERS, ROWS)


def test_one_answer_alone_is_not_judged() -> None:
    with pytest.raises(FlywheelError, match="all answers together"):
        metric_of("win_rate").mark("x", ROWS[0])


def recipe(teacher: bool = True, **more: object) -> Recipe:
    endpoint = {"endpoint": "http://localhost:9/v1", "model": "m", "usd_per_mtok": {"in": 1.0, "out": 2.0}}
    value = {
        "name": "a",
        "pool": [{"builtin": "python_docs"}],
        "target": [{"path": "t.jsonl", "metric": "win_rate"}],
        "models": {"teacher": endpoint} if teacher else {},
        "steps": [{"evaluate": {}}],
        **more,
    }
    return recipe_from(value)


def test_the_plan_knows_who_judges_what_it_costs_and_where_it_may_not() -> None:
    check_judged(recipe(), ["train", "evaluate"], False)
    cost = judging_cost(recipe(), PoolStatistics(100, 40_000, 10_000))
    assert (cost.calls, cost.tokens) == (200, 48_000)
    assert cost.usd == pytest.approx((40_000 + 2 * 8_000) / 1e6)
    with pytest.raises(UsageError, match="win_rate asks a model: name one"):
        check_judged(recipe(teacher=False), ["evaluate"], False)
    with pytest.raises(UsageError, match="no metric for a comparison"):
        check_judged(recipe(), ["evaluate"], True)
    with pytest.raises(UsageError, match="no metric for rounds"):
        check_judged(recipe(rounds=2), ["evaluate"], False)
