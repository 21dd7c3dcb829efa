"""On-policy distillation through TRL: the student writes, the teacher weighs every token that it wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card, Method, UsageError
from dataflywheel.distillation.model.teacher import check_same_vocabulary, load_teacher
from dataflywheel.distillation.model.trl_loop import checkpoints_of, finish, without_card
from dataflywheel.models.answer_trainer import Progress, adapters, trl_arguments, watch
from dataflywheel.models.chat import Chat, chats_of
from dataflywheel.models.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training import TrainResult, TrainSettings, loaded
from dataflywheel.rows.text import split_answer, text_of


class OnPolicy(Method):
    """Only the prompts of rows are read. `beta` is as in `divergences`, but undivided: 0 is forward KL, 1 reverse KL,
    and what lies between is smaller than either."""

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

    beta: float = Field(default=1.0, ge=0, le=1)
    temperature: float = Field(default=1.0, gt=0)
    """Of the student's draws and of both distributions."""
    max_new_tokens: int = Field(default=128, ge=1)

    def train(
        self,
        rows: pa.Table,
        student: Path | ModelSpec | LanguageModel,
        teacher: ModelSpec,
        output: Path,
        settings: TrainSettings | None = None,
        *,
        progress: Progress | None = None,
    ) -> TrainResult:
        """Train `student` on the prompts of `rows` and save it as `output`.

        Raises:
            UsageError: no row has a prompt, or student and teacher have different vocabularies.
        """
        from datasets import Dataset
        from trl import DistillationConfig, DistillationTrainer

        base, taught = loaded(student), load_teacher(teacher)
        settings = (settings or TrainSettings()).fitted(base.parameters, "on_policy")
        check_same_vocabulary(base, taught)
        sizes = [one.model.config.get_text_config().vocab_size for one in (base, taught)]
        if sizes[0] != sizes[1]:
            raise UsageError(f"on_policy: {sizes[0]} and {sizes[1]} tokens with padding; use dense_distillation")
        given = chats_of(rows)
        left_out = {i: why for i, chat in enumerate(given) if (why := _unfit(chat))}
        chats = [
            [{"role": turn["role"], "content": turn["content"]} for turn in split_answer(chat.messages)[0]]
            for i, chat in enumerate(given)
            if i not in left_out
        ]
        if not chats:
            raise UsageError(f"on_policy: none of {len(given)} rows has a prompt for the student to answer")
        base.tokenizer.padding_side, base.tokenizer.chat_template = "left", base.chat.template
        origin = base.digest, taught.digest
        checkpoints = checkpoints_of(output, self.digest(), settings.model_dump_json(), origin, chats)
        arguments = DistillationConfig(
            **trl_arguments(base, checkpoints, settings),
            activation_checkpointing=False,
            beta=self.beta,
            temperature=self.temperature,
            max_completion_length=self.max_new_tokens,
        )
        trainer = without_card(DistillationTrainer)(
            model=base.model,
            teacher_model=taught.model,
            args=arguments,
            train_dataset=Dataset.from_list([{"prompt": chat} for chat in chats]),
            processing_class=base.tokenizer,
            callbacks=[watch(progress)],
            peft_config=adapters(settings.lora),
        )
        return replace(finish(trainer, base, checkpoints, output, settings), left_out=left_out)


def _unfit(chat: Chat) -> str:
    """Why the student cannot answer a prompt here, or ""."""
    prompt, _ = split_answer(chat.messages)
    if not text_of(prompt).strip():
        return "it has no prompt"
    if chat.media:
        return "it shows images or sounds, and only text is read"
    if chat.tools or any(turn["tool_calls"] or turn["role"] == "tool" for turn in prompt):
        return "its prompt needs tools, which the trainer does not show"
    return ""
