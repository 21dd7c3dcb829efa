"""Direct preference optimisation through TRL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.distillation.model.pairs import PairTrainer
from dataflywheel.distillation.model.preferring import Example, Loop
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.training.learning_rate import Job
from dataflywheel.models.training.trainer import Beside


class DPO(PairTrainer):
    """-log sigmoid(beta (log p(good) / p0(good) - log p(bad) / p0(bad))), p0 the reference."""

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
        pays="Pairs of a better and a worse answer that differ clearly, for a model that writes such answers already.",
        fails="Both likelihoods may fall together, mostly in pairs that are nearly alike, and long answers have an "
        "advantage: drop such pairs, match lengths, or take `simpo`.",
        evidence="2410.08847, a failure: preference training on refusals cut Llama-3-8B's refusal rate from 74.4 % to "
        "33.4 %; not measured here.",
    )
    known_as: ClassVar[str] = "preference"
    job: ClassVar[Job] = "pairs"
    beside: ClassVar[Beside] = "reference"
    readings: ClassVar[int] = 1

    beta: float = Field(default=0.1, gt=0)
    """How strongly the model is held to the reference; the larger, the nearer it stays."""

    def loop(self, base: LanguageModel, examples: Sequence[Example], max_length: int) -> Loop:
        from trl import DPOConfig, DPOTrainer

        return Loop(DPOTrainer, DPOConfig, {"beta": self.beta})
