"""On-policy distillation through TRL: the student writes, the teacher weighs every token that it wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card, Status, UsageError
from dataflywheel.distillation.model.on_policy_lessons import Asked, lessons, taught_by_lessons
from dataflywheel.distillation.model.teacher import check_same_vocabulary, load_teacher
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import Chat, ChatFormat
from dataflywheel.models.templates.encoded import EncodedRow, nothing
from dataflywheel.models.training.answer_trainer import adapters, trl_arguments, watch
from dataflywheel.models.training.learning_rate import Job
from dataflywheel.models.training.train_settings import Progress, TrainSettings
from dataflywheel.models.training.trainer import Beside, Learns, Trainer, chats
from dataflywheel.models.training.training import TrainResult, loaded, spec_of
from dataflywheel.models.training.trl_loop import checkpoints_of, finish, without_card
from dataflywheel.rows.schema import Row


class OnPolicy(Trainer):
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
    )

    learns: ClassVar[Learns] = "prompts"
    job: ClassVar[Job] = "on_policy"
    beside: ClassVar[Beside] = "teacher"
    readings: ClassVar[int] = 1

    student_share: float = Field(default=1.0, ge=0, le=1)
    """Share of batches that the student answers, the paper's lambda; the others are learned from the rows' answers. For
    those of the teacher, have it answer first (`enhance: {by: sequence_level}`)."""
    beta: float = Field(default=1.0, ge=0, le=1)
    temperature: float = Field(default=1.0, gt=0)
    """Of the student's draws and of both distributions."""
    max_new_tokens: int = Field(default=128, ge=1)

    def train(
        self,
        rows: Sequence[Row] | pa.Table,
        model: Path | ModelSpec | LanguageModel,
        output: Path,
        settings: TrainSettings | None = None,
        *,
        reference: Path | ModelSpec | LanguageModel | None = None,
        progress: Progress | None = None,
    ) -> TrainResult:
        """Train `model` on the prompts of `rows` and save it as `output`; `reference` is its teacher.

        Raises:
            UsageError: no row has a prompt, there is no teacher, or it has another vocabulary.
        """
        from datasets import Dataset
        from trl import DistillationConfig, DistillationTrainer

        if reference is None:
            raise UsageError("on_policy learns from a teacher: give a local model as `reference`")
        base, taught = loaded(model), load_teacher(spec_of(reference))
        settings = (settings or TrainSettings()).fitted(base.parameters, "on_policy")
        check_same_vocabulary(base, taught)
        sizes = [one.model.config.get_text_config().vocab_size for one in (base, taught)]
        if sizes[0] != sizes[1]:
            raise UsageError(f"on_policy: {sizes[0]} and {sizes[1]} tokens with padding; use dense_distillation")
        found = self.lessons(base.chat, chats(rows), min(settings.max_length, base.context))
        left_out = {i: one for i, one in enumerate(found) if isinstance(one, str)}
        asked = [one for one in found if not isinstance(one, str)]
        if not asked:
            why = "; ".join(f"{n} rows: {reason}" for reason, n in Counter(left_out.values()).most_common(3))
            raise UsageError(f"on_policy: none of {len(found)} rows has a prompt for the student to answer: {why}")
        base.tokenizer.padding_side = "left"
        origin = base.digest, taught.digest
        checkpoints = checkpoints_of(output, self.digest(), settings.model_dump_json(), origin, asked)
        arguments = DistillationConfig(
            **trl_arguments(base, checkpoints, settings),
            activation_checkpointing=False,
            beta=self.beta,
            temperature=self.temperature,
            max_completion_length=self.max_new_tokens,
        )
        kind = taught_by_lessons(without_card(DistillationTrainer), asked, self.student_share, base.chat.end_ids)
        trainer = kind(
            model=base.model,
            teacher_model=taught.model,
            args=arguments,
            train_dataset=Dataset.from_list([{"prompt": str(number)} for number in range(len(asked))]),
            processing_class=base.tokenizer,
            callbacks=[watch(progress)],
            peft_config=adapters(settings.lora),
        )
        cut = {i: "the beginning of its prompt" for i, one in enumerate(found) if isinstance(one, Asked) and one.cut}
        made = finish(trainer, base, checkpoints, output, settings)
        return replace(made, left_out=left_out, cut=cut, told={"rows": len(asked)})

    def shown(self, chat: ChatFormat, rows: Sequence[Row], settings: TrainSettings) -> list[EncodedRow]:
        return [
            nothing(Status.FAILED, one, place)
            if isinstance(one, str)
            else EncodedRow(one.prompt, 0, 0, False, Status.OK, True, row=place, cut="its beginning" if one.cut else "")
            for place, one in enumerate(self.lessons(chat, chats(rows), settings.max_length))
        ]

    def lessons(self, chat: ChatFormat, rows: Sequence[Chat], max_length: int) -> list[Asked | str]:
        """What is learned from each row, or why nothing is."""
        return lessons(chat, rows, max_length, self.max_new_tokens, self.student_share < 1)
