"""Answers that the model in training writes, and what a reward makes of them: one generation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dataflywheel.contracts import FlywheelError, Mark, OverBudgetError, Reward
from dataflywheel.distillation.model.on_policy_lessons import Asked
from dataflywheel.models.endpoint.failure import passing
from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.models.language.decoding import written
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.plugins.functions import FAILED
from dataflywheel.proposing.marking import marks_of

WHY = "why/"
"""Before the reason of a reward in the log of a training."""
NONE, JUDGED = "unjudged", "judged"
"""In that log: how many answers of a generation had no reward, and how many had one."""


def asked_marks(reward: Reward, said: Sequence[str], rows: Sequence[Mapping[str, Any]], step: int) -> list[Mark]:
    """What the reward makes of the answers of one generation.

    Raises:
        OverBudgetError: a cap left answers unjudged.
        FlywheelError: a judge could not be asked, which another try may change: to go on without it would make another
            model of the same rows.
    """
    marks = marks_of(reward, said, rows)
    replies = [reply for mark in marks for reply in mark.replies]
    if any(reply.outcome is Outcome.OVER_BUDGET for reply in replies):
        raise OverBudgetError(
            f"the cap on dollars, tokens or calls was reached in step {step + 1} of the training; raise it under "
            "`budget` and run again: it goes on from its last checkpoint, and what was answered is not paid twice"
        )
    if lost := passing(replies):
        raise FlywheelError(
            f"the judge could not be asked in step {step + 1} of the training: {lost}; see to that and give the same "
            "command again: it goes on from its last checkpoint, and what was answered is not paid twice"
        )
    return marks


class PromptOrder:
    """Places of prompts in the order in which they are answered: shuffled, `batch` of them at a time, each as often as
    a `group` is large, and the batch again for each of `parts` in which its answers are learned. What fills no batch
    waits for another epoch.

    A function of seed and epoch alone, so that a resumed training asks what the one that was broken off would have.

    >>> order = PromptOrder(3, 2, 2, 1, seed=0)
    >>> len(order), len(list(order)), len(set(order))
    (4, 4, 2)
    """

    def __init__(self, prompts: int, batch: int, group: int, parts: int, seed: int) -> None:
        self.prompts, self.batch, self.group, self.parts, self.seed = prompts, batch, group, parts, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.prompts // self.batch * self.batch * self.group * self.parts

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.prompts)
        for start in range(0, self.prompts - self.batch + 1, self.batch):
            for _ in range(self.parts):
                yield from np.repeat(order[start : start + self.batch], self.group).tolist()


def rewarded(
    kind: Any, asked: Sequence[Asked], rows: Sequence[Mapping[str, Any]], reward: Reward, chat: ChatFormat
) -> Any:
    """TRL's trainer on prompts that are tokens already, whose answers a reward scores with the rows that they answer.
    Its data set names each prompt by its number. What has no reward teaches nothing, and is counted with its reason."""

    class Rewarded(kind):  # type: ignore[misc]
        eos_token_ids: list[int]

        def __init__(self, *args: Any, **given: Any) -> None:
            super().__init__(*args, **given)
            self.eos_token_ids = sorted({*chat.end_ids, *self.eos_token_ids} - {None})
            self.generation_config.eos_token_id = self.generation_kwargs["eos_token_id"] = self.eos_token_ids

        def _get_train_sampler(self, dataset: Any = None) -> PromptOrder:
            group, parts = self.num_generations, self.num_iterations * self.args.steps_per_generation
            batch = self.args.generation_batch_size // group
            return PromptOrder(len(asked), batch, group, parts, self.args.seed)

        def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
            return [asked[int(prompt)].prompt for prompt in prompts], None, {}

        def _calculate_rewards(self, inputs: Any, prompts: list[str], completions: Any, ids: list[list[int]]) -> Any:
            import torch

            places = [int(prompt) for prompt in prompts]
            tokenizer = chat.tokenizer
            said = [written(tokenizer, one, asked[place].prompt) for one, place in zip(ids, places, strict=True)]
            marks = asked_marks(reward, said, [rows[place] for place in places], self.state.global_step)
            told = self._metrics["train" if self.model.training else "eval"]
            told[NONE].append(float(sum(mark.value is None for mark in marks)))
            told[JUDGED].append(float(sum(mark.value is not None for mark in marks)))
            for note, often in Counter(_short(mark.note) for mark in marks if mark.note).items():
                told[WHY + note].append(float(often))
            values = [float("nan") if mark.value is None else mark.value for mark in marks]
            return torch.tensor(values, dtype=torch.float32, device=self.accelerator.device)[:, None]

    return Rewarded


def _short(note: str) -> str:
    """What is counted of a note: its kind; of a user's function that failed also the error's and its line, but not its
    message, which may be another one for every answer."""
    failed = re.fullmatch(rf"({FAILED}: \w+).*?( \([^()]+, line \d+\))?", note, re.DOTALL)
    return failed[1] + (failed[2] or "") if failed else note.partition(":")[0]
