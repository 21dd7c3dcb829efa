"""MoDS: quality, coverage and necessity, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from dataflywheel.contracts import Around, Budget, Card, Composite, Named, UsageError
from dataflywheel.contracts.method import one_method
from dataflywheel.models.training.train_settings import only_settings

PROMPTS, QUALITY, ANSWERS = "mods_prompts", "mods_quality", "mods_answers"
"""The names of its signals."""


class MoDS(Composite):
    """Rows whose answer is good, and of these a seed that covers the prompts, with what a model of the seed still
    answers badly.

    - `filter`: rows whose own answer has a reward of at least `quality` stay.
    - `warm_up`: the student learns `seed` of them, chosen by k-center over vectors of the prompts.
    - `select`: the seed stays; the model of the seed answers all others, those whose answer has a reward below
      `necessity` are necessary, and k-center takes as many of them as `keep` still holds.

    The recipe's own `train` learns what is kept, from the untrained student. Without `keep` the recipe's budget in rows
    is kept.
    """

    name: ClassVar[str] = "mods"
    card: ClassVar[Card] = Card(
        title="MoDS: Model-oriented Data Selection for Instruction Tuning",
        authors="Du et al.",
        year=2023,
        paper="2311.15653",
        category="selection",
        subcategory="static",
        summary="Good answers, a seed that covers the prompts, and what a model of the seed answers badly.",
        needs=("embedder", "model"),
        cost="$$",
        checked="an independent computation of its three stages; the same steps written out by hand",
        pays="Large instruction pools for a model that answers most of them already, with a reward that can be "
        "trusted: a few thousand rows are kept.",
        fails="It costs a training and an answer to every good row, and a reward that errs calls wrong rows necessary: "
        "where final answers are known, let them be the reward.",
    )

    reward: Named
    """What scores answers, the rows' own and the model's: a reward model (`{reward_model: {hf: FOLDER}}`), a function
    of yours (`{python: ./rewards.py:score}`), a metric (`final_answer`) or a gate (`executable_truth`)."""
    quality: float = 0.0
    """The least reward of a row's own answer; of what is 1 or 0, 1 is the bound."""
    necessity: float = 0.0
    """Rows that the model of the seed answers with less reward are necessary; of what is 1 or 0, 1 is the bound."""
    seed: int | str
    """Rows of the seed: `1000`, or `5%` of those that are good."""
    keep: int | str | None = None
    """Rows that are kept, the seed among them: `4000`, or `20%` of those that are good."""
    augment: Literal["k_center", "union"] = "k_center"
    """How necessary rows are added to the seed: those that cover them first, or those with the least reward."""
    training: dict[str, Any] = {}
    """How the seed is learned, as `train` takes it: `{epochs: 1, max_length: 512}`."""
    max_new_tokens: int = 128
    """Tokens of an answer of the seed's model, at most."""

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        only_settings(self.training, "training")
        try:
            seed = Budget.parse(self.seed)
            keep = None if self.keep is None else Budget.parse(self.keep)
        except UsageError as error:
            raise ValueError(str(error)) from None
        if "tokens" in (seed.unit, keep.unit if keep else ""):
            raise ValueError("seed and keep are numbers of rows, such as 500, or 5%")
        if keep is not None and keep.unit == seed.unit and keep.amount <= seed.amount:
            raise ValueError(f"a seed of {seed} leaves no room in `keep: {self.keep}` for necessary rows")
        return self

    def steps(self, around: Around) -> Sequence[dict[str, Any]]:
        if around.rounds > 1:
            raise UsageError(
                "mods chooses once, by a model of its own seed, and the recipe has rounds; write `rounds: 1`, or in "
                "rounds choose by a signal with `of: trained`"
            )
        cover = {"k_center": {"vector": f"{PROMPTS}.vector"}}
        necessary = {
            "reward": f"{ANSWERS}.reward",
            "below": self.necessity,
            "vector": f"{PROMPTS}.vector",
            "augment": self.augment,
        }
        kept = {} if self.keep is None else {"keep": self.keep}
        return [
            {"filter": {"bounds": {f"{QUALITY}.reward": [self.quality, None]}, "unmeasured": "drop"}},
            {"warm_up": {"by": cover, "keep": self.seed, **self.training}},
            {"select": {"by": {"necessary": necessary}, **kept}},
        ]

    def signals(self, around: Around) -> dict[str, dict[str, Any]]:
        reward = one_method(self.reward)
        answers = {"reward": reward, "max_new_tokens": self.max_new_tokens, "of": "trained"}
        return {
            PROMPTS: {"embedding": {"part": "prompt"}},
            QUALITY: {"answer_reward": {"reward": reward}},
            ANSWERS: {"own_answer": answers},
        }
