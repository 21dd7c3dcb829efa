"""A reward model: a classifier with one output that was trained on people's preferences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card, Reward, UsageError
from dataflywheel.models.files import folder_digest, resolve_folder
from dataflywheel.models.language.sequence_classifier import sequence_classifier
from dataflywheel.rows.schema import message
from dataflywheel.rows.text import split_answer, transcript
from dataflywheel.rows.thoughts import split_thoughts


class RewardModel(Reward):
    """The one output, a logit of any size and sign, of a classifier that reads a prompt with an answer, such as
    `OpenAssistant/reward-model-deberta-v3-large-v2`.

    A model with a chat template reads the conversation as its template shows it, any other the prompt and the answer as
    a pair of texts. Answers are read without their thoughts; what is longer than `max_length` is cut at its end. An
    empty answer has no reward.
    """

    card: ClassVar[Card] = Card(
        title="Training language models to follow instructions with human feedback",
        authors="Ouyang et al.",
        year=2022,
        paper="2203.02155",
        category="evolution",
        subcategory="judging",
        summary="Scores answers by a local reward model, in place of a judge that is asked.",
        needs=("model",),
        cost="$",
        checked="plain transformers, one pair at a time, of classifiers with and without a chat template",
        pays="Answers by the ten thousand, as in `best_of_n` or `grpo`, on a processor of one's own, where a judge's "
        "calls would cost too much.",
        fails="Scores have no zero and no common scale, texts beyond `max_length` are cut, and training against it "
        "finds its faults: compare within one model, and hold a gold set against it.",
    )

    hf: str
    """A folder or hub name of a sequence classifier with one output, in safetensors."""
    max_length: int = Field(default=512, ge=8)
    """Tokens that are read; never more than the model's own context."""
    batch_size: int = Field(default=16, ge=1)
    """Answers that are read at once."""

    def contents(self) -> str:
        return folder_digest(resolve_folder(self.hf))

    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        if not completions:
            return []
        model = sequence_classifier(self.hf)
        if len(model.labels) != 1:
            raise UsageError(
                f"reward_model: {self.hf} has {len(model.labels)} outputs, and a reward model has one; name another"
            )
        said = [split_thoughts(text)[1] for text in completions]
        prompts = [split_answer(row["messages"])[0] for row in rows]
        able = [i for i, text in enumerate(said) if text.strip()]
        answers = [said[i] for i in able]
        if model.reads_chats:
            shown = [model.shown([*prompts[i], message("assistant", said[i])]) for i in able]
            read = model.read(shown, None, self.max_length, self.batch_size, chats=True)
        else:
            asked = [transcript(prompts[i]) for i in able]
            read = model.read(asked, answers, self.max_length, self.batch_size, chats=False)
        found: list[float | None] = [None] * len(said)
        for i, value in zip(able, read.logits[:, 0].tolist(), strict=True):
            found[i] = value if np.isfinite(value) else None
        return found
