"""Rewards as a signal: of the answers that stand in rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import Status, UsageError, build
from dataflywheel.evolution.bridges.answer_reward import AnswerReward
from dataflywheel.evolution.bridges.own_answer import OwnAnswer
from dataflywheel.rows.identity import prompt_answer_row
from tests.evolution.bridges.support import measured

SCORES = """
def length(answer, row):
    return None if "?" in answer else float(len(answer))

def as_trl(prompts, completions, **rest):
    return [len(turns[0]["content"]) for turns in completions]
"""


@pytest.fixture
def scores(tmp_path: Path) -> str:
    (tmp_path / "scores.py").write_text(SCORES)
    return str(tmp_path / "scores.py")


def test_the_reward_of_a_rows_own_answer(scores: str) -> None:
    rows = [prompt_answer_row("Say", text) for text in ("Yes", "Why?", "")]
    values, status, why = measured(AnswerReward(reward={"python": {"function": f"{scores}:length"}}), rows)
    assert (values, status) == ([3.0, None, None], [Status.OK, Status.EMPTY, Status.EMPTY])
    assert why == [None, "the function gave no number", "no answer"]
    assert measured(AnswerReward(reward=f"python:{scores}:as_trl"), rows)[0] == [3.0, 4.0, None]
    assert measured(AnswerReward(reward="refusal"), [prompt_answer_row("Why?", "I cannot help with that.")])[0] == [0.0]


def test_what_it_depends_on_is_in_its_key(scores: str, tmp_path: Path) -> None:
    def key(name: str = "length") -> str:
        return AnswerReward(reward={"python": {"function": f"{scores}:{name}"}}).key()

    before = key()
    assert before == key()
    assert before != key("as_trl")
    (tmp_path / "scores.py").write_text(SCORES.replace("float(", "2.0 * float("))
    assert key() != before


@pytest.mark.parametrize(
    ("reward", "said"),
    [
        ("rubric", "rubric asks a model at an endpoint"),
        ("bits_per_byte", "scores no answer by itself"),
        ("final_anser", "did you mean 'final_answer'"),
    ],
)
def test_what_cannot_score_is_refused(reward: str, said: str) -> None:
    for kind in (AnswerReward, OwnAnswer):
        with pytest.raises(UsageError, match=said):
            build(kind, {"reward": reward, **({"model": "tiny"} if kind is OwnAnswer else {})})
