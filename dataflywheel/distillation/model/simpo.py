"""Simple preference optimisation: pairs without a reference, each answer by its mean log-likelihood a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.distillation.model.pairs import PairTrainer
from dataflywheel.distillation.model.preferring import Example, Loop
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.losses import IGNORED
from dataflywheel.models.training.learning_rate import Job


class SimPO(PairTrainer):
    """-log sigmoid(beta (a(good) - a(bad)) - gamma), a the mean log-probability of an answer's tokens. No second model
    is held, and a longer answer has no advantage by its length. The paper's further loss on the good answer is none of
    it: `cpo_alpha` is 0 in TRL's words."""

    name: ClassVar[str] = "simpo"
    card: ClassVar[Card] = Card(
        title="SimPO: Simple Preference Optimization with a Reference-Free Reward",
        authors="Meng et al.",
        year=2024,
        paper="2405.14734",
        category="distillation",
        subcategory="model",
        summary="Trains on pairs by mean log-likelihoods and a margin, without a reference model.",
        needs=("model",),
        cost="$$",
        checked="loss by hand and as TRL's CPOTrainer has it; margins on planted preferences",
        pays="Pairs whose better answers are mostly the longer ones, or a student beside which no reference fits into "
        "memory.",
        fails="Nothing holds the model to where it began, and in a public trial on an 8 B base it lost to `dpo`: tune "
        "the rate first, then gamma / beta.",
    )
    job: ClassVar[Job] = "pairs_alone"

    beta: float = Field(default=2.5, gt=0)
    """Scale of the mean log-likelihoods; those are small, so that it is twenty times what `dpo` takes."""
    gamma: float = Field(default=1.375, ge=0)
    """By how much the better answer is to be ahead, in units of beta times the mean. What its authors tune is gamma /
    beta, 0.55 here; TRL's `simpo_gamma` is gamma itself."""

    def loop(self, base: LanguageModel, examples: Sequence[Example], max_length: int) -> Loop:
        from trl import DPOConfig, DPOTrainer

        # With likelihoods of the reference that are said to be there already, the loop loads no second model.
        own = {"beta": self.beta, "precompute_ref_log_probs": True}
        return Loop(reference_free(DPOTrainer, self.beta, self.gamma), DPOConfig, own)


def reference_free(kind: Any, beta: float, gamma: float) -> Any:
    """TRL's trainer on pairs with this loss in the place of its own."""

    class ReferenceFree(kind):  # type: ignore[misc]
        def _precompute_ref_logps(self, dataset: Any, *given: Any) -> Any:
            return dataset

        def _compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False) -> Any:
            from torch.nn.functional import logsigmoid

            learned = inputs["completion_mask"]
            found = model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                labels=inputs["input_ids"].masked_fill(learned == 0, IGNORED),
                fused_lm_head=True,
                use_cache=False,
            )
            good, bad = (found.log_probs.sum(dim=1) / learned.sum(dim=1)).chunk(2)
            ahead = beta * (good - bad)
            self._total_train_tokens += int(inputs["attention_mask"].sum())
            self._metrics["train"]["num_tokens"] = [self._total_train_tokens]
            self._metrics["train"]["rewards/margins"].append(float(ahead.detach().mean()))
            return -logsigmoid(ahead - gamma).mean()

    return ReferenceFree
