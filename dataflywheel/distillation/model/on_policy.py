"""On-policy distillation through TRL: the student writes, the teacher weighs every token that it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card, UsageError
from dataflywheel.distillation.model.on_policy_lessons import Asked, lessons, taught_by_lessons
from dataflywheel.distillation.model.prompted import PromptTrainer, beginnings, numbered
from dataflywheel.distillation.model.teacher import check_same_vocabulary, load_teacher
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.models.training.answer_trainer import trl_arguments
from dataflywheel.models.training.learning_rate import Job
from dataflywheel.models.training.trainer import Beside, TrainingTask, chats
from dataflywheel.models.training.training import TrainResult, loaded, spec_of
from dataflywheel.models.training.trl_loop import checkpoints_of, finish, without_card
from dataflywheel.rows.schema import Row


class OnPolicy(PromptTrainer):
    """Generalised knowledge distillation: a divergence from the teacher at every token of an answer, which the student
    wrote itself or, where `student_share` is less than 1, which the row has. Of the other rows only prompts are read.
    `beta` is as in `divergences`, but undivided: 0 is forward KL, 1 reverse KL, and what lies between is smaller than
    either. The paper has no cross-entropy in it: `dense_distillation` mixes that."""

    card: ClassVar[Card] = Card(
        title="On-Policy Distillation of Language Models: Learning from Self-Generated Mistakes",
        authors="Agarwal et al.",
        year=2023,
        paper="2306.13649",
        category="distillation",
        subcategory="model",
        summary="The student answers the prompts itself and learns from the teacher's distribution at every token.",
        needs=("model",),
        cost="$$$",
        checked="a student that starts as its teacher stays there; one that does not comes nearer",
        pays="A student that writes sensible answers already and a teacher of its vocabulary, which tells it at every "
        "token what `grpo` tells once an answer.",
        fails="A student that writes nonsense gets the teacher's opinion of nonsense, and reverse KL drops rarer ways "
        "to answer: `fine_tuning` first, or a smaller `student_share`.",
    )

    writer: ClassVar[str] = "student"
    job: ClassVar[Job] = "on_policy"
    beside: ClassVar[Beside] = "teacher"
    readings: ClassVar[int] = 1

    student_share: float = Field(default=1.0, ge=0, le=1)
    """Share of batches that the student answers, the paper's lambda; the others are learned from the rows' answers. For
    those of the teacher, have it answer first (`enhance: {by: sequence_level}`)."""
    beta: float = Field(default=1.0, ge=0, le=1)
    """0 is forward KL, 1 reverse KL."""
    temperature: float = Field(default=1.0, gt=0)
    """Of the student's draws and of both distributions."""
    max_new_tokens: int = Field(default=128, ge=1)
    """Tokens that the student writes to a prompt, at most."""

    def learn(self, task: TrainingTask) -> TrainResult:
        """Train a model on the prompts of rows; `reference` is its teacher.

        Raises:
            UsageError: no row has a prompt, there is no teacher, or it has another vocabulary.
        """
        from trl import DistillationConfig, DistillationTrainer

        if task.reference is None:
            raise UsageError("on_policy learns from a teacher: give a local model as `reference`")
        base, taught = loaded(task.model), load_teacher(spec_of(task.reference))
        settings = task.settings.fitted(base.parameters, self.job)
        check_same_vocabulary(base, taught)
        sizes = [one.model.config.get_text_config().vocab_size for one in (base, taught)]
        if sizes[0] != sizes[1]:
            raise UsageError(f"on_policy: {sizes[0]} and {sizes[1]} tokens with padding; use dense_distillation")
        asked, left_out = self.asked(self.lessons(base.chat, task.rows, min(settings.max_length, base.context)))
        prompts = list(asked.values())
        base.tokenizer.padding_side = "left"
        origin = base.digest, taught.digest
        checkpoints = checkpoints_of(task.output, self.digest(), settings.model_dump_json(), origin, prompts)
        arguments = DistillationConfig(
            **trl_arguments(base, checkpoints, settings),
            activation_checkpointing=False,
            beta=self.beta,
            temperature=self.temperature,
            max_completion_length=self.max_new_tokens,
        )
        kind = taught_by_lessons(without_card(DistillationTrainer), prompts, self.student_share, base.chat.end_ids)
        made, _ = finish(kind, base, arguments, numbered(asked), task, settings, teacher_model=taught.model)
        return replace(made, left_out=left_out, cut=beginnings(asked), told={"rows": len(asked)})

    def lessons(self, chat: ChatFormat, rows: Sequence[Row] | pa.Table, max_length: int) -> list[Asked | str]:
        return lessons(chat, chats(rows), max_length, self.max_new_tokens, self.student_share < 1)
