"""Peak learning rates that fit the model and the kind of training, and refusals of those that would ruin it."""

from __future__ import annotations

from typing import Literal

from dataflywheel.contracts import UsageError

Job = Literal["answers", "pairs", "pairs_alone", "labels", "on_policy", "rewards"]
"""What is learned from: answers (fine-tuning, distillation), pairs of answers with a reference (DPO) and without one
(SimPO), answers with a label (KTO), the model's own draws (GKD), or their rewards (GRPO)."""

TINY = 50_000_000
"""Models with fewer weights, such as the built-in ones, are trained from scratch and want larger steps."""
RATES: dict[Job, tuple[float, float, float]] = {
    "answers": (1e-3, 2e-5, 2e-4),
    "pairs": (1e-4, 5e-7, 5e-6),
    "pairs_alone": (1e-4, 6e-7, 6e-6),
    "labels": (1e-4, 1e-6, 5e-6),
    "on_policy": (1e-4, 1e-6, 1e-5),
    "rewards": (3e-4, 1e-6, 1e-5),
}
"""Of tiny models, of all weights of others, and of low-rank adapters: what the papers and their trainers take."""
TOO_MUCH = 10.0
"""Times the usual rate that are refused."""
TOO_MUCH_FOR_TINY = 1e-2
"""What is refused for tiny models, whatever they learn from; they bear more than ten times the usual rate of pairs."""


def usual_rate(job: Job, parameters: float, lora: bool) -> float:
    """The field's peak learning rate for AdamW.

    >>> usual_rate("answers", 7e9, lora=False), usual_rate("answers", 7e9, lora=True), usual_rate("pairs", 1e6, False)
    (2e-05, 0.0002, 0.0001)
    """
    tiny, full, adapters = RATES[job]
    return tiny if parameters < TINY else adapters if lora else full


def fitting_rate(given: float | None, job: Job, parameters: float, lora: bool, force: bool | None) -> float:
    """The rate that is given, or the usual one.

    Raises:
        UsageError: it is ten times the usual one or more (for tiny models 1e-2 or more), and nobody said so twice
            (`force`; None where it is no parameter).
    """
    usual = usual_rate(job, parameters, lora)
    most = TOO_MUCH_FOR_TINY if parameters < TINY else usual * TOO_MUCH
    if given is None:
        return usual
    if given >= most * (1 - 1e-9) and not force:
        again = "" if force is None else ", or write `force: true` beside it (on the command line `--force`)"
        how = "low-rank adapters" if lora else "all weights"
        raise UsageError(
            f"learning_rate: {given:g} is {given / usual:,.0f} times the usual {usual:g} for {how} of a model of "
            f"{parameters:,.0f} parameters, which mostly ruins it; lower it or leave it out{again}"
        )
    return given
