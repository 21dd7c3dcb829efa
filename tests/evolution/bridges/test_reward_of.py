"""Gates, metrics and judges as rewards, with answers whose worth is planted; what cannot be judged has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import pytest

from dataflywheel.contracts import REGISTRY, Mark, Metric, Reward, UsageError
from dataflywheel.evolution.bridges.known_judge import UNREADABLE
from dataflywheel.evolution.bridges.reward_of import as_reward, reward_of
from dataflywheel.evolution.judging.rubric import Rubric
from dataflywheel.proposing.gates.scored import NOTHING, TOO_LITTLE, Scored
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from tests.evolution.judging.asking import MODEL, Scripted

SUM = prompt_answer_row("What is 2 + 2?", "Two and two.\n#### 4")
CODE = prompt_answer_row("Write f.", "", extra={"tests": "assert f(1) == 2"})
EXPRESSION = prompt_answer_row("How much?", "", extra={"program": "6 * 7"})
WRONG_ROW = prompt_answer_row("How much?", "", extra={"program": "6 * 7", "gold": "41"})
STORY = prompt_answer_row("Tell me.", "Once upon a time.\nThe end.")


@pytest.mark.parametrize(
    ("row", "answer", "value", "note"),
    [
        (SUM, "#### 4", 1.0, ""),
        (SUM, "<think>4, or 5?</think>The answer is 4.", 1.0, ""),
        (SUM, "#### 5", 0.0, "wrong answer"),
        (SUM, "It depends.\nOn much.", 0.0, "no final answer"),
        (SUM, "", 0.0, "no final answer"),
        (EXPRESSION, "#### 42", 1.0, ""),
        (EXPRESSION, "#### 43", 0.0, "wrong answer"),
        (CODE, "```python\ndef f(x):\n    return x + 1\n```", 1.0, ""),
        (CODE, "def f(x): return x", 0.0, "tests failed"),
        (CODE, "", 0.0, "nothing to check"),  # an answer without code is wrong: there was something to check by
        (STORY, "#### 4", None, "nothing to check"),  # nothing is known of a story
        (WRONG_ROW, "#### 41", None, "gold and program disagree"),  # the row is at fault and not the answer
        (prompt_answer_row("Q", "", extra={"tests": "import torch\nassert f(1)"}), "def f(x): return x", None,
         "the tests import what is not there"),
        (prompt_answer_row("Q", "", extra={"tests": "x = f(1)"}), "def f(x): return x", None, "nothing to check"),
    ],
)  # fmt: skip
def test_what_a_computation_says_of_an_answer(row: Any, answer: str, value: float | None, note: str) -> None:
    reward = reward_of({"executable_truth": {}})
    assert reward.marks([answer], [row]) == [Mark(value, note)]
    assert reward.score([answer], [row]) == [value]


def test_what_ran_too_long_is_not_known_to_be_wrong() -> None:
    reward = reward_of({"executable_truth": {"limits": {"seconds": 0.5}}})
    assert reward.marks(["while True: pass"], [CODE]) == [Mark(None, "ran too long")]


def test_a_gate_that_compares_sees_the_answer_of_the_row() -> None:
    row = prompt_answer_row("Где течёт река?", "Эта большая река течёт через весь город и впадает в море.")
    said = ["Река течёт через город и потом впадает в море.", "The river flows through the town to the sea."]
    assert reward_of({"language_kept": {}}).score(said, [row, row]) == [1.0, 0.0]


class Fails(Gate):
    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        if any(p.row and p.row["messages"][-1]["content"] == "bad" for p in proposals):
            raise RuntimeError("no")
        return [Check(True) for _ in proposals]


def test_a_gate_that_fails_at_an_answer_gives_it_none() -> None:
    assert as_reward(Fails()).score(["good", "bad"], [SUM, SUM]) == [1.0, None]


class Loss(Metric):
    better: ClassVar[Literal["lower", "higher"]] = "lower"

    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        return Mark(float(len(answer))) if answer else Mark(None, "nothing there")


def test_a_metric_as_a_reward_is_better_where_it_is_higher() -> None:
    reward = reward_of({"final_answer": {}})
    assert reward.score(["#### 4", "#### 5", "#### 4"], [SUM, SUM, STORY]) == [1.0, 0.0, None]
    assert reward.lacks(SUM) == ""
    assert reward.lacks(STORY) == "no reference with a final answer"
    assert as_reward(Loss()).marks(["ab", ""], [SUM, SUM]) == [Mark(-2.0), Mark(None, "nothing there")]


def test_a_judge_as_a_reward_is_brought_to_between_0_and_1(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"best": {"score": 5}, "fair": {"score": 2}, "worst": {"score": 1}, "odd": "Good, I think."}
    client = Scripted(lambda parts, told: said[parts["answer"]])
    monkeypatch.setattr(Rubric, "judge", lambda self, cases: self.judge_with(client, cases))
    reward = reward_of({"rubric": {}}, MODEL)
    marks = reward.marks(["best", "<think>best</think>fair", "worst", "odd", ""], [SUM] * 5)
    assert [(one.value, one.note) for one in marks] == [
        (1.0, ""), (0.25, ""), (0.0, ""), (None, UNREADABLE), (None, "no answer in words"),
    ]  # fmt: skip
    assert [len(one.replies) for one in marks] == [2, 2, 2, 4, 0]  # the bill of each, repairs among it


@pytest.mark.parametrize("name", ["win_rate", "bits_per_byte", "novelty", "contamination", "pairwise", "panel"])
def test_what_scores_no_answer_by_itself_is_no_reward(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} scores no answer by itself, as a reward must; there is: .*rubric"):
        reward_of({name: {}})


def test_what_is_no_reward_is_named() -> None:
    with pytest.raises(UsageError, match="there is no reward, gate, metric or judge 'executable_thruth'; did you mean"):
        reward_of({"executable_thruth": {}})
    with pytest.raises(UsageError, match="unknown parameter 'limit'"):
        reward_of({"executable_truth": {"limit": 1}})
    with pytest.raises(UsageError, match="rubric asks a model that judges, and none is named"):
        reward_of({"rubric": {}})


def test_digests_tell_rewards_apart() -> None:
    specs: list[dict[str, dict[str, Any]]] = [
        {"executable_truth": {}}, {"executable_truth": {"limits": {"seconds": 1}}}, {"final_answer": {}},
        {"rubric": {}}, {"pointwise": {}},
    ]  # fmt: skip
    assert len({reward_of(one, MODEL).digest() for one in specs}) == len(specs)


class Length(Reward):
    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        return [len(text) / 10 if text else None for text in completions]


def test_a_reward_of_ones_own_is_a_reward_and_a_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert as_reward(Length()).marks(["ab", ""], [SUM, SUM]) == [Mark(0.2), Mark(None, "the reward gave no number")]
    monkeypatch.setitem(REGISTRY, "length", Length)
    gate = Scored(by={"length": {}}, least=0.5)
    rows = [prompt_answer_row("Q", "x" * n) for n in (5, 4, 0)]
    found = gate.check([Proposal((), row) for row in rows], Surroundings())
    assert [(one.passed, one.decided, one.reason) for one in found] == [
        (True, True, ""), (False, True, TOO_LITTLE), (False, False, NOTHING),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["bits_per_byte", "win_rate"])
def test_a_metric_that_scores_no_answer_by_itself_is_no_gate(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} scores no answer by itself, as a gate must"):
        Scored(by={name: {}})
