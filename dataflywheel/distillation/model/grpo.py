"""Group relative policy optimisation through TRL: a model answers prompts several times and learns from rewards."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card, Reward, UsageError
from dataflywheel.distillation.model.on_policy_lessons import Asked, lessons
from dataflywheel.distillation.model.prompted import PromptTrainer, beginnings, numbered
from dataflywheel.distillation.model.reward_curve import reward_curve
from dataflywheel.distillation.model.rollouts import rewarded
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.models.training.answer_trainer import trl_arguments
from dataflywheel.models.training.learning_rate import TINY, Job
from dataflywheel.models.training.trainer import Beside, TrainingTask, chats, row_list
from dataflywheel.models.training.training import TrainResult, loaded
from dataflywheel.models.training.trl_loop import checkpoints_of, finish, without_card
from dataflywheel.rows.schema import Row


class GRPO(PromptTrainer):
    """Each prompt is answered several times; an answer is made likelier by how far its reward lies above the mean of
    its group, and less likely below. An answer without a reward teaches nothing, nor does a group of equal rewards.

    `kl` of 0 holds the model to nothing, as is usual with rewards that are computed. A step is one generation and one
    update, so that a training that was broken off goes on with the same answers.
    """

    card: ClassVar[Card] = Card(
        title="DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models",
        authors="Shao et al.",
        year=2024,
        paper="2402.03300",
        category="distillation",
        subcategory="model",
        summary="Learns from rewards of its own answers, each against the others to the same prompt.",
        needs=("model",),
        cost="$$$",
        checked="a planted task that a small model gets right by chance: its reward rises, and a random one "
        "does not; broken off and resumed gives the same weights",
        pays="Tasks whose answers a program can check, with prompts that the model solves some times of eight, neither "
        "never nor always.",
        fails="Prompts that are always or never solved teach nothing, and a reward that can be deceived will be: "
        "fine-tune first, and watch a metric that the reward does not see.",
    )
    job: ClassVar[Job] = "rewards"
    beside: ClassVar[Beside] = "nothing"

    reward: Reward | None = Field(default=None, exclude=True)
    """What scores answers; the step `reinforce` gives it."""
    group: int = Field(default=8, ge=2, le=256)
    """Answers to each prompt."""
    scale: Literal["group", "batch", "none"] = "group"
    """What differences from the group's mean are divided by: the spread of the group, which makes prompts with one
    right answer of eight the loudest; that of the batch; or nothing, as Dr. GRPO."""
    loss: Literal["dapo", "grpo", "dr_grpo"] = "dapo"
    """What the sum over tokens is divided by: the tokens of the whole step, those of each answer, or a constant."""
    kl: float = Field(default=0.0, ge=0)
    """How strongly it is held to the model that it starts from."""
    cut: Literal["judged", "ignored"] = "judged"
    """Answers that met the limit of tokens: judged as they are, or left out of the loss."""
    temperature: float = Field(default=1.0, gt=0)
    """Of the answers."""
    max_new_tokens: int = Field(default=256, ge=1)
    """Tokens of an answer, at most."""

    def digest(self) -> str:
        """Of the method and of all that its reward depends on."""
        if self.reward is None:
            return super().digest()
        parts = f"{super().digest()}:{self.reward.digest()}:{self.reward.contents()}"
        return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()

    def learn(self, task: TrainingTask) -> TrainResult:
        """Train a model on its own answers to the prompts of rows. `batch_size` is prompts.

        Raises:
            UsageError: there is no reward, or no row has a prompt.
            OverBudgetError: a cap left answers unjudged; the same call goes on from the last checkpoint.
        """
        if self.reward is None:
            raise UsageError("grpo learns from a reward: give one as `reward`")
        from transformers import set_seed
        from trl import GRPOConfig, GRPOTrainer

        base, given = loaded(task.model), row_list(task.rows)
        settings = task.settings.fitted(base.parameters, self.job)
        asked, left_out = self.asked(self.lessons(base.chat, given, min(settings.max_length, base.context)))
        prompts = list(asked.values())
        checkpoints = checkpoints_of(task.output, self.digest(), settings.model_dump_json(), base.digest, prompts)
        arguments = GRPOConfig(**{
            **trl_arguments(base, checkpoints, settings),
            **self.batches(base, min(settings.batch_size, len(prompts))),
            "max_completion_length": self.max_new_tokens,
            "temperature": self.temperature,
            "top_p": 1.0,  # with less, the ratio would be to another distribution than was drawn from
            "top_k": 0,
            "beta": self.kl,
            "loss_type": self.loss,
            "scale_rewards": self.scale,
            "mask_truncated_completions": self.cut == "ignored",
            "disable_dropout": True,
        })  # fmt: skip
        set_seed(settings.seed)  # adapters are drawn before the trainer sets it
        kind = rewarded(without_card(GRPOTrainer), prompts, [given[i] for i in asked], self.reward, base.chat)
        made, history = finish(kind, base, arguments, numbered(asked), task, settings, reward_funcs=_scored_elsewhere)
        told = {"rows": len(prompts), **reward_curve(history)}
        return replace(made, left_out=left_out, cut=beginnings(asked), told=told)

    def batches(self, base: LanguageModel, prompts: int) -> dict[str, int]:
        """How the answers to so many prompts are learned: together by tiny models, else group by group."""
        together = prompts if base.parameters < TINY else 1
        return {
            "num_generations": self.group,
            "per_device_train_batch_size": together * self.group,
            "gradient_accumulation_steps": prompts // together,
        }

    def lessons(self, chat: ChatFormat, rows: Sequence[Row] | pa.Table, max_length: int) -> list[Asked | str]:
        return lessons(chat, chats(rows), max_length, self.max_new_tokens, answers=False)


def _scored_elsewhere(**given: object) -> list[float]:
    """TRL wants a function; answers are scored with their rows in `rewarded`."""
    raise AssertionError("answers are scored by the reward of the method")
