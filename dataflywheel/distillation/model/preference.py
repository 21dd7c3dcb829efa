"""Preference rows: direct preference optimisation through TRL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card, Method, UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import Chat, ChatFormat, EncodedRow
from dataflywheel.models.training.answer_trainer import adapters, trl_arguments, watch
from dataflywheel.models.training.train_settings import Progress, TrainSettings
from dataflywheel.models.training.training import TrainResult, loaded
from dataflywheel.models.training.trl_loop import checkpoints_of, finish, without_card
from dataflywheel.rows.schema import Message, Row
from dataflywheel.rows.text import split_answer

UNBOUNDED = 1 << 30


@dataclass(frozen=True)
class Preferred:
    """A model that was trained on pairs. `margins` is beta times how much further than under the reference the good
    answer's log-likelihood is above the bad one's: its mean over the pairs of each step."""

    trained: TrainResult
    margins: list[float]
    left_out: dict[str, str]
    """Rows that were not trained on, by id, each with its reason."""


class Preference(Method):
    """-log sigmoid(beta (log p(good) / p0(good) - log p(bad) / p0(bad))), p0 the model before training."""

    card: ClassVar[Card] = Card(
        title="Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
        authors="Rafailov et al.",
        year=2023,
        paper="2305.18290",
        category="distillation",
        subcategory="model",
        summary="Trains on pairs of a better and a worse answer, held near the model that it starts from.",
        needs=("model",),
        cost="$$",
        checked="loss from plain log-likelihoods, margins on planted preferences over seeds",
    )

    beta: float = Field(default=0.1, gt=0)
    """How strongly the model is held to the reference; the larger, the nearer it stays."""

    def train(
        self,
        rows: Sequence[Row] | pa.Table,
        model: Path | ModelSpec | LanguageModel,
        output: Path,
        settings: TrainSettings | None = None,
        *,
        reference: Path | ModelSpec | LanguageModel | None = None,
        progress: Progress | None = None,
    ) -> Preferred:
        """Train `model` on rows with a rejected answer; `reference` is what it starts from unless given.

        Raises:
            UsageError: no row is a pair.
        """
        from datasets import Dataset
        from transformers import set_seed
        from trl import DPOConfig, DPOTrainer

        base = loaded(model)
        settings = (settings or TrainSettings()).fitted(base.parameters, "pairs")
        given = rows.to_pylist() if isinstance(rows, pa.Table) else list(rows)
        pairs = pairs_of(base.chat, given, min(settings.max_length, base.context))
        left_out = {row["id"]: pair for row, pair in zip(given, pairs, strict=True) if isinstance(pair, str)}
        examples = [pair for pair in pairs if not isinstance(pair, str)]
        if not examples:
            why = "; ".join(f"{n} rows: {reason}" for reason, n in Counter(left_out.values()).most_common(3))
            raise UsageError(f"none of {len(given)} rows gives a pair to learn from: {why or 'there is none'}")
        # With adapters the model without them is the reference, and no second copy is held.
        held = None if settings.lora and reference is None else loaded(reference or model)
        origin = base.digest, "" if held is None else held.digest
        set_seed(settings.seed)  # adapters are drawn before the trainer sets it
        checkpoints = checkpoints_of(output, self.digest(), settings.model_dump_json(), origin, examples)
        arguments = DPOConfig(
            **trl_arguments(base, checkpoints, settings),
            activation_checkpointing=False,
            beta=self.beta,
            max_length=None,
        )
        trainer = _tokenised(without_card(DPOTrainer))(
            model=base.model,
            ref_model=None if held is None else held.model,
            args=arguments,
            train_dataset=Dataset.from_list(examples),
            processing_class=base.tokenizer,
            callbacks=[watch(progress)],
            peft_config=adapters(settings.lora),
        )
        made = finish(trainer, base, checkpoints, output, settings)
        margins = [float(one["rewards/margins"]) for one in trainer.state.log_history if "rewards/margins" in one]
        return Preferred(made, margins, left_out)


def pairs_of(format: ChatFormat, rows: Sequence[Any], max_length: int) -> list[dict[str, list[int]] | str]:
    """Tokens of each pair, the prompt cut from its left to fit the longer answer, or why a row gives none."""
    prompts = [split_answer(row["messages"])[0] for row in rows]

    def chat(row: Any, turns: Sequence[Message]) -> Chat:
        return Chat(turns, row.get("tools"), bool(row.get("media")))

    good = format.encode([chat(row, row["messages"]) for row in rows], UNBOUNDED)
    worse = [[*p, *row["rejected"]] if row["rejected"] else [] for p, row in zip(prompts, rows, strict=True)]
    bad = format.encode([chat(row, turns) for row, turns in zip(rows, worse, strict=True)], UNBOUNDED)
    return [
        _unfit(row) or _pair(format, chosen, rejected, max_length)
        for row, chosen, rejected in zip(rows, good, bad, strict=True)
    ]


def _unfit(row: Any) -> str:
    if not row["rejected"]:
        return "it has no worse answer"
    if len(row["rejected"]) > 1:
        return f"its worse answer has {len(row['rejected'])} turns, and one is learned"
    return "its better answer is marked as not to be learned" if row["messages"][-1].get("learn") is False else ""


def _pair(format: ChatFormat, chosen: EncodedRow, rejected: EncodedRow, max_length: int) -> dict[str, list[int]] | str:
    for which, one in (("better", chosen), ("worse", rejected)):
        if not one.ids:
            return f"its {which} answer cannot be learned: {one.reason}"
    # A blank that ends the header may be a token of its own before one answer, and part of the other's first word.
    prompts = chosen.ids[: chosen.start], rejected.ids[: rejected.start]
    start = next((i for i, (a, b) in enumerate(zip(*prompts, strict=False)) if a != b), min(map(len, prompts)))
    if any(format.tokenizer.decode(one[start:]).strip() for one in prompts):
        return "the chat template shows its prompt otherwise before the worse answer"
    prompt, answers = chosen.ids[:start], (chosen.ids[start:], rejected.ids[start:])
    if answers[0] == answers[1]:
        return "its answers are the same"
    room = max_length - max(map(len, answers))
    lead = chosen.bos + start - chosen.header
    if not room >= lead > 0:
        return f"its answers leave no room for the prompt in {max_length} tokens"
    kept = prompt if len(prompt) <= room else prompt[: chosen.bos] + prompt[len(prompt) - room + chosen.bos :]
    return {"prompt_ids": kept, "chosen_ids": answers[0], "rejected_ids": answers[1]}


def _tokenised(kind: Any) -> Any:
    """TRL's trainer on tokens that are ready: by the same template and cut as everywhere else."""

    class Tokenised(kind):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *given: Any) -> Any:
            return dataset

    return Tokenised
