"""Reinforcement on a planted task: a model that names one of four digits by chance learns the one that is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import FlywheelError, Mark, OverBudgetError, Reward, UsageError
from dataflywheel.distillation.model.grpo import GRPO
from dataflywheel.distillation.model.reward_curve import reward_curve
from dataflywheel.distillation.model.rollouts import PromptOrder, asked_marks
from dataflywheel.evolution.bridges.reward_of import reward_of
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
ROWS = [
    prompt_answer_row(f"Name a digit for {w}.", f"#### {k}", extra={"gold": "3"}) for w in WORDS for k in range(1, 5)
]
ASKED = ROWS[::4]
TRUTH = reward_of({"executable_truth": {}})


@pytest.fixture(scope="module")
def half_taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned the form of an answer and nothing of which digit is right."""
    messages = [row["messages"] for row in ROWS]
    taught = TrainSettings(max_steps=40, batch_size=16, learning_rate=5e-3)
    folder = tmp_path_factory.mktemp("grpo") / "sft"
    return train_sft(messages, init_tiny(pool_tokenizer(messages), "0.5m"), folder, taught).folder


def settings(steps: int, seed: int = 0, **more: Any) -> TrainSettings:
    return TrainSettings(max_steps=steps, batch_size=8, learning_rate=1e-3, seed=seed, **more)


class Chance(Reward):
    """A number that has nothing to do with what is right."""

    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        places = [f"{i}{text}{row['id']}" for i, (text, row) in enumerate(zip(completions, rows, strict=True))]
        return [float(blake2b(place.encode()).digest()[0] % 2) for place in places]


@pytest.mark.slow
def test_the_reward_rises_and_by_chance_it_does_not(half_taught: Path, tmp_path: Path) -> None:
    for seed in range(3):
        told = (
            GRPO(reward=TRUTH, max_new_tokens=6)
            .train(ASKED, half_taught, tmp_path / f"{seed}", settings(20, seed))
            .told
        )
        assert told["last"] > told["first"] + 0.15, (seed, told)
        assert (told["answers"], told["unjudged"]) == (20 * 8 * 8, 0)
    told = GRPO(reward=Chance(), max_new_tokens=6).train(ASKED, half_taught, tmp_path / "chance", settings(20)).told
    assert abs(told["last"] - told["first"]) < 0.25


class StoppedError(Exception):
    pass


@pytest.mark.slow
def test_what_was_broken_off_ends_in_the_same_weights(half_taught: Path, tmp_path: Path) -> None:
    method, taught = GRPO(reward=TRUTH, max_new_tokens=6, group=4), {"batch_size": 4, "max_steps": 6}
    whole = method.train(ASKED, half_taught, tmp_path / "whole", settings(6, save_steps=9).model_copy(update=taught))

    def stop(step: int, total: int, loss: float) -> None:
        if step == 5:
            raise StoppedError

    for save in (2, 3):  # two steps are an epoch: broken off at the end of one, and within
        how, output = settings(6, save_steps=save).model_copy(update=taught), tmp_path / f"{save}"
        with pytest.raises(StoppedError):
            method.train(ASKED, half_taught, output, how, progress=stop)
        assert not output.exists()
        again = method.train(ASKED, half_taught, output, how)
        assert folder_digest(again.folder) == folder_digest(whole.folder)
        assert again.told == whole.told


@pytest.mark.slow
def test_what_has_no_reward_teaches_nothing(half_taught: Path, tmp_path: Path) -> None:
    stories: list[Row] = [prompt_answer_row(f"Tell {w}.", "Once upon a time.\nThe end.") for w in WORDS]
    made = GRPO(reward=TRUTH, max_new_tokens=4, group=2).train(stories, half_taught, tmp_path / "none", settings(2))
    assert (made.told["unjudged"], made.told["answers"]) == (2 * 8 * 2, 2 * 8 * 2)
    assert (made.told["first"], made.told["last"], made.told["rewards"]) == (None, None, [])
    assert made.told["reasons"] == {"nothing to check": 32}


def test_a_training_wants_a_reward_and_a_prompt(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="grpo learns from a reward"):
        GRPO().train(ASKED, tmp_path, tmp_path / "out")


def test_the_reward_is_part_of_what_a_training_is_known_by(tmp_path: Path) -> None:
    file = tmp_path / "r.py"
    file.write_text("def f(answer, row):\n    return 1\n")
    by = {"python": {"function": f"{file}:f"}}
    known = {GRPO().digest(), GRPO(reward=TRUTH).digest(), GRPO(reward=reward_of(by)).digest()}
    file.write_text("def f(answer, row):\n    return 2\n")
    assert len(known | {GRPO(reward=reward_of(by)).digest(), GRPO(reward=TRUTH, group=4).digest()}) == 5


class Judged(Reward):
    reply: Reply

    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        return [None]

    def marks(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Mark]:
        return [Mark(None, "the judge gave no verdict", (self.reply,))]


def test_a_judge_that_cannot_be_asked_ends_the_training_and_one_that_says_nothing_does_not() -> None:
    unread = Mark(None, "the judge gave no verdict", (Reply(Outcome.MALFORMED),))
    assert asked_marks(Judged(reply=Reply(Outcome.MALFORMED)), ["a"], [ROWS[0]], 0) == [unread]
    with pytest.raises(OverBudgetError, match="in step 3 of the training; raise it under `budget`"):
        asked_marks(Judged(reply=Reply(Outcome.OVER_BUDGET)), ["a"], [ROWS[0]], 2)
    with pytest.raises(
        FlywheelError, match="the judge could not be asked in step 1 of the training: server error: down"
    ):
        asked_marks(Judged(reply=Reply(Outcome.SERVER_ERROR, detail="down")), ["a"], [ROWS[0]], 0)


def test_a_curve_weighs_steps_by_the_answers_that_were_judged() -> None:
    log = [
        {"step": 1, "reward": 0.5, "judged": 2.0, "unjudged": 2.0, "why/ran too long": 2.0, "why/wrong answer": 1.0,
         "frac_reward_zero_std": 0.5, "completions/clipped_ratio": 0.25},
        {"step": 2, "reward": None, "judged": 0.0, "unjudged": 4.0, "why/ran too long": 4.0,
         "frac_reward_zero_std": 1.0, "completions/clipped_ratio": 0.75},
        {"step": 3, "reward": 1.0, "judged": 4.0, "unjudged": 0.0, "frac_reward_zero_std": 0.0,
         "completions/clipped_ratio": 0.5},
        {"step": 3, "train_runtime": 1.0},
    ]  # fmt: skip
    assert reward_curve(log) == {
        "rewards": [[1, 0.5], [3, 1.0]], "first": 0.5, "last": 1.0, "answers": 12, "unjudged": 6,
        "reasons": {"ran too long": 6, "wrong answer": 1}, "level_groups": 0.5, "cut_answers": 0.5,
    }  # fmt: skip
    assert reward_curve([])["first"] is None


def test_every_prompt_of_a_batch_stands_there_as_a_whole_group() -> None:
    order = PromptOrder(7, 3, 4, 2, seed=1)
    places = list(order)
    assert len(places) == len(order) == 2 * 3 * 4 * 2
    first = places[:12]
    assert first == places[12:24]  # the second part of the same generation
    assert [first[i : i + 4] for i in range(0, 12, 4)] == [[first[i]] * 4 for i in range(0, 12, 4)]
    assert len({*first, *places[24:]}) == 6
    order.set_epoch(1)
    assert list(order) != places
    again = PromptOrder(7, 3, 4, 2, seed=1)
    again.set_epoch(1)
    assert list(again) == list(order)
