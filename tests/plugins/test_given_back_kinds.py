"""What a user's reward, judge, policy or sampler may not give is said with the line that gives it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

import dataflywheel as fw
from dataflywheel import catalog
from dataflywheel.contracts import (
    AnswerPositions,
    Case,
    FlywheelError,
    Judge,
    Method,
    Objective,
    Policy,
    Reward,
    Sampler,
    TrainingRows,
)
from dataflywheel.evolution.feedback.allocated import allocated
from dataflywheel.evolution.judgements import judged
from dataflywheel.models.training.batch_loss import objective_loss
from dataflywheel.models.training.live_batches import LiveBatches
from dataflywheel.proposing.marking import marks_of
from tests.plugins.files import CARD

M = TypeVar("M", bound=Method)


def mine(folder: Path, kind: type[M], text: str) -> M:
    """The method of a plugin file that holds this class body."""
    imports = f"from dataflywheel.contracts import *; from {kind.__module__} import {kind.__name__}\n"
    head = CARD + imports + f"class Mine({kind.__name__}):\n"
    (folder / "mine.py").write_text(head + "    card: ClassVar = card('evolution', 'bridges', 'X.')\n" + text)
    fw.plugin("mine.py")
    return catalog.made({"mine": {}}, kind)


@pytest.mark.parametrize(
    ("gave", "said"),
    [
        ("[1.0]", "gave 1 scores for 2 answers"),
        ("['good', 2]", "gave str; wanted is a number"),
    ],
)
def test_what_a_reward_may_not_give_names_its_line(tmp_path: Path, gave: str, said: str) -> None:
    reward = mine(tmp_path, Reward, f"    def score(self, completions, rows): return {gave}\n")
    with pytest.raises(FlywheelError, match=rf"mine \(mine\.py, line 12\) {said}"):
        marks_of(reward, ["a", "b"], [{}, {}])


def test_a_reward_that_is_not_finite_is_none(tmp_path: Path) -> None:
    reward = mine(tmp_path, Reward, "    def score(self, completions, rows): return [float('nan'), 2]\n")
    assert [mark.value for mark in marks_of(reward, ["a", "b"], [{}, {}])] == [None, 2]


@pytest.mark.parametrize(
    ("gave", "said"),
    [
        ("None", "gave no list of `Judgement`"),
        ("[1.0 for _ in cases]", "gave no list of `Judgement`"),
        ("[Judgement(cases[0].id, (1.0, 2.0))]", "gave 1 judgements for 2 cases"),
        ("[Judgement('x', (1.0, 2.0)) for _ in cases]", "gave 2 judgements for 2 cases, or .* another order"),
        ("[Judgement(c.id, (1.0,)) for c in cases]", r"with 2 answers has the scores \(1\.0,\)"),
        ("[Judgement(c.id, ('a', 'b')) for c in cases]", r"has the scores \('a', 'b'\)"),
    ],
)
def test_what_a_judge_may_not_say_names_its_line(tmp_path: Path, gave: str, said: str) -> None:
    judge = mine(tmp_path, Judge, "    def judge(self, cases):\n        from dataflywheel.contracts import Judgement\n"
                 f"        return {gave}\n")  # fmt: skip
    with pytest.raises(FlywheelError, match=rf"mine \(mine\.py, line 12\):? .*{said}"):
        judged(judge, [Case("a", "q", ("x", "y")), Case("b", "q", ("x", "y"))])


@pytest.mark.parametrize(
    ("gave", "said"),
    [
        ("{n: 5 for n in names}", r"gave dict; wanted is `Allocation\("),
        ("Allocation({'x': budget}, {})", "divides among other names than it was given: a"),
        ("Allocation({'a': budget}, {})", "divides among other names than it was given: b"),
        ("Allocation({'a': 11, 'b': -1}, {})", "gives b -1 rows"),
        ("Allocation({'a': 5.0, 'b': 5.0}, {})", r"gives a 5\.0 rows"),
        ("Allocation({'a': 5, 'b': 4}, {})", "divides 9 rows where there are 10"),
    ],
)
def test_what_a_policy_may_not_divide_names_its_line(tmp_path: Path, gave: str, said: str) -> None:
    policy = mine(tmp_path, Policy, "    def allocate(self, rounds, names, budget, rng):\n"
                  f"        return {gave}\n")  # fmt: skip
    with pytest.raises(FlywheelError, match=rf"mine \(mine\.py, line 12\) {said}"):
        allocated(policy, [], ["a", "b"], 10, np.random.default_rng(0))


def test_what_a_policy_divides_may_lack_reasons(tmp_path: Path) -> None:
    text = "    def allocate(self, rounds, names, budget, rng):\n"
    policy = mine(tmp_path, Policy, text + "        return Allocation({'b': np.int64(4), 'a': 6}, None)\n")
    found = allocated(policy, [], ["a", "b"], 10, np.random.default_rng(0))
    assert (found.amounts, found.reasons) == ({"a": 6, "b": 4}, {"a": "", "b": ""})


DRAW = """
class Mine_(Draw):
    def candidates(self, k): return {candidates}
    def state_dict(self): return {state}
    def load_state_dict(self, state): pass
"""


def drawing(folder: Path, candidates: str = "[0] * k", state: str = "{}", start: str = "Mine_()") -> LiveBatches:
    body = f"    def start(self, rows, batch, seed): return {start}\n"
    sampler = mine(folder, Sampler, body + DRAW.format(candidates=candidates, state=state))
    rows = TrainingRows(["a", "b", "c"], np.array([1, 1, 1]), [""] * 3)
    return LiveBatches(sampler, rows, [{"row": i} for i in range(3)], 2, 0)  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("candidates", "said"),
    [
        ("[0]", "gave 1 rows for a batch of 2"),
        ("[0, 3]", r"gave positions from 0 to 3; it was shown 3 rows, 0 to 2"),
        ("[-1, 0]", "gave positions from -1 to 0"),
        ("['a', 'b']", "wanted are whole numbers"),
        ("np.ones(3) > 0", r"gave bool \(3,\)"),
        ("None", r"gave object \(\)"),
    ],
)
def test_what_a_sampler_may_not_draw_names_its_line(tmp_path: Path, candidates: str, said: str) -> None:
    with pytest.raises(FlywheelError, match=rf"mine \(mine\.py, line 15\) .*{said}"):
        drawing(tmp_path, candidates).next(2, lambda examples: [])


def test_a_samplers_state_must_be_json(tmp_path: Path) -> None:
    with pytest.raises(FlywheelError, match=r"mine \(mine\.py, line 16\) gave what JSON cannot hold"):
        drawing(tmp_path, state="{'order': np.arange(3)}").save(tmp_path / "kept")


def test_a_sampler_that_starts_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlywheelError, match=r"mine \(mine\.py, line 12\) gave NoneType; wanted is a `Draw`"):
        drawing(tmp_path, start="None")


@pytest.mark.parametrize(
    ("gave", "said"),
    [
        ("None", "gave NoneType; wanted is one number"),
        ("1.0", "gave float; wanted is one number"),
        ("at.states.sum(dim=1)", r"gave a tensor of the shape \(3,\); .* end it with"),
        ("at.states.sum().detach()", "gave a loss that nothing can be learned from; compute it of `at.states`"),
        ("at.states.sum() * float('nan')", "training diverged: mine .* gave a loss of nan"),
    ],
)
@pytest.mark.parametrize("weights", [None, [1.0, 2.0]])
def test_what_an_objective_may_not_give_names_its_line(
    tmp_path: Path, gave: str, said: str, weights: list[float] | None
) -> None:
    torch = pytest.importorskip("torch")
    made = mine(tmp_path, Objective, f"    def loss(self, at, table): return {gave}\n")
    states = torch.ones(6 if weights else 3, 4, requires_grad=True)
    tokens = [3, 3] if weights else [3]
    at = AnswerPositions(states, *[torch.arange(len(states))] * 3, tokens)
    with pytest.raises(FlywheelError, match=said) as told:
        objective_loss(made, at, None, None if weights is None else torch.tensor(weights))
    assert "mine (mine.py, line 12)" in str(told.value)
