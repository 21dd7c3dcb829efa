"""Kahneman-Tversky optimisation through TRL: answers that are wanted and answers that are not, in no need of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Card, UsageError
from dataflywheel.distillation.model.labelled import good_and_bad, labelled
from dataflywheel.distillation.model.mismatched import BalancedOrder, collator
from dataflywheel.distillation.model.preferring import Example, Loop, PreferenceTrainer
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.models.training.learning_rate import Job
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Beside, Learns
from dataflywheel.rows.schema import Row

MOST = 4 / 3
"""Weight of all good answers over that of all bad ones, at most; 1 at least (equation 8 of the paper)."""


class KTO(PreferenceTrainer):
    """For a good answer w (1 - sigmoid(beta (d - z))), for a bad one w' (1 - sigmoid(beta (z - d))): d is the answer's
    log-likelihood less that under the reference, summed over its tokens; z the mean of d over the prompts of the batch
    with answers of other prompts, 0 where it is below that, without a gradient.

    Learns from rows with `label` true or false, and from pairs, as a good and a bad answer each. Good and bad ones are
    spread over the batches in proportion, in whatever order they come."""

    card: ClassVar[Card] = Card(
        title="KTO: Model Alignment as Prospect Theoretic Optimization",
        authors="Ethayarajh et al.",
        year=2024,
        paper="2402.01306",
        category="distillation",
        subcategory="model",
        summary="Trains on single answers labelled as wanted or not, such as thumbs, held near where it starts.",
        needs=("model", "labels"),
        cost="$$",
        checked="loss by hand with its z and weights, and as TRL has it; planted labels, one in ten good too",
        pays="Thumbs and other yes-or-no labels on single answers, also one good in ten, where nobody made pairs.",
        fails="Its baseline is a mean over the batch, and in batches under 16 rows mostly noise; learn more epochs "
        "rather than at a higher rate.",
    )
    learns: ClassVar[Learns] = "labels"
    job: ClassVar[Job] = "labels"
    beside: ClassVar[Beside] = "reference"
    readings: ClassVar[int] = 3

    beta: float = Field(default=0.1, gt=0)
    """How strongly the model is held to the reference; the larger, the nearer it stays."""
    desirable_weight: float | None = Field(default=None, gt=0)
    """Of a good answer. Where none is given, so much that all good answers weigh as much as all bad ones."""
    undesirable_weight: float | None = Field(default=None, gt=0)
    """Of a bad answer, likewise."""

    def examples(self, chat: ChatFormat, rows: Sequence[Row], max_length: int) -> list[list[Example] | str]:
        return labelled(chat, rows, max_length)

    def weights(self, good: int, bad: int) -> tuple[float, float]:
        """Of a good and of a bad answer where there are so many; where neither is given the fewer are raised."""
        first, second = self.desirable_weight, self.undesirable_weight
        if first is None and second is None:
            return max(1.0, bad / good), max(1.0, good / bad)
        if first is None:
            assert second is not None
            return second * bad / good, second
        return first, first * good / bad if second is None else second

    def fits(self, settings: TrainSettings) -> None:
        if settings.batch_size < 2:
            raise UsageError(
                "kto: `batch_size` is 1, and prompts of a batch are held against one another's answers; take 16 to 128"
            )

    def loop(self, base: LanguageModel, examples: Sequence[Example], max_length: int) -> Loop:
        from trl import KTOConfig, KTOTrainer

        good, bad = counts(examples)
        if not good or not bad:
            raise UsageError(f"kto learns from good and bad answers, and {one_sided(good, bad)}")
        weights = self.weights(good, bad)
        own = {"beta": self.beta, "desirable_weight": weights[0], "undesirable_weight": weights[1]}
        together = collator(base.pad_id, base.tokenizer.bos_token_id, max_length)
        return Loop(balanced(KTOTrainer, [one["label"] for one in examples]), KTOConfig, own, together)

    def counted(self, examples: Sequence[Example]) -> dict[str, Any]:
        good, bad = counts(examples)
        weights = [round(weight, 4) for weight in self.weights(good, bad)]
        return {"answers": good + bad, "good": good, "bad": bad, "weights": weights}

    def remarks(self, rows: Sequence[Row]) -> list[str]:
        good, bad = good_and_bad(rows)
        if not good or not bad:
            return [f"kto learns from good and bad answers, and {one_sided(good, bad)}"] if good or bad else []
        first, second = self.weights(good, bad)
        told = f"{good:,} good and {bad:,} bad answers are weighted {first:.3g} and {second:.3g}"
        share = first * good / (second * bad)
        if 1 - 1e-9 <= share <= MOST + 1e-9:
            return [told]
        return [
            f"{told}: all good ones weigh {share:.3g} times as much as all bad ones, where the paper wants 1 to 1.33; "
            f"take `desirable_weight: {second * bad / good:.3g}`, or leave both weights out"
        ]


def counts(examples: Sequence[Example]) -> tuple[int, int]:
    """Good and bad answers."""
    good = sum(one["label"] for one in examples)
    return good, len(examples) - good


def one_sided(good: int, bad: int) -> str:
    kind = "good" if good else "bad"
    other = "learn them with `train`" if good else "there is nothing that is wanted"
    return f"all {good + bad:,} answers are {kind}: label some as the other kind, or {other}"


def balanced(kind: Any, labels: Sequence[bool]) -> Any:
    """TRL's trainer with good and bad answers in every batch."""

    class Balanced(kind):  # type: ignore[misc]
        def _get_train_sampler(self, train_dataset: Any = None) -> BalancedOrder:
            return BalancedOrder(labels, self.args.seed)

    return Balanced
