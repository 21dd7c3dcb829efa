"""How failing instructions are looked for: the parameters that the method and the procedure share."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from dataflywheel import catalog
from dataflywheel.contracts import Metric, Named, UsageError, method_spec
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.rows.identity import prompt_answer_row

INSTEAD = "write final_answer, exact_match or a function of yours"
SHOWN = 3
"""Instructions of the pool that a proposer is shown."""


class Seeking(BaseModel):
    """What counts as a failure, how often is tried, and how the proposer learns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Named = {"final_answer": {}}
    """What compares two answers: `final_answer`, `exact_match`, or a function of yours. The target fails where it gives
    its answer less than `least` against the teacher's. An answer that it cannot read is no failure: there is no
    verdict."""
    least: float = 1.0
    """The least score of an answer that is right."""
    entropy: float | None = Field(default=None, ge=0)
    """If given, the target fails where the entropy of `samples` answers, in nats, is so much or more (1.193 in the
    paper), whether they are right or not; answers that `metric` holds for the same count as one."""
    samples: int = Field(default=10, ge=2, le=100)
    """Answers of the target, where entropy is looked at."""
    agree: int = Field(default=1, ge=0, le=8)
    """Further answers of the teacher that must come to the same before its first one is a reference; 0 trusts it."""
    rounds: int = Field(default=3, ge=1, le=20)
    """Rounds of attempts. Before each but the first, the proposer of the first learns anew from what failed in all
    rounds so far."""
    attempts: int = Field(default=128, ge=1)
    """Instructions that are written in each round."""
    draws: int = Field(default=4, ge=1)
    """Of these, so many for the same three instructions shown."""
    most_alike: float = Field(default=0.7, gt=0, lt=1)
    """ROUGE-L with an instruction of the pool, or with one that was written before, over which one is a copy: it is not
    looked at any further."""
    lessons: int = Field(default=1000, ge=1)
    """Rows of the pool whose instruction the proposer learns to write before the first round, at most."""
    warm_up: TrainSettings = TrainSettings()
    """How it learns that."""
    prefer: Named = {"dpo": {}}
    """How it learns to write failing instructions rather than others: a trainer on pairs."""
    training: TrainSettings = TrainSettings(epochs=1)
    """Settings of that."""
    partners: int = Field(default=4, ge=1)
    """Instructions that did not fail which each failing one is preferred to."""
    creativity: float = Field(default=1.0, gt=0, le=2)
    """Temperature at which the proposer writes."""
    instruction_tokens: int = Field(default=256, ge=4)
    """Tokens of an instruction, at most."""
    answer_tokens: int = Field(default=256, ge=4)
    """Tokens of an answer of the target, at most."""
    max_chars: int = Field(default=2000, ge=10)
    """Longer instructions of the pool are not shown."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    """At which the teacher answers."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of an answer of the teacher, at most."""
    instructions: str | None = None
    """System text for the teacher. Not given: under `final_answer` it is asked to work the answer out and to mark it,
    else for nothing."""
    target: ModelSpec | None = None
    """The model that is to fail; a recipe's student as it was trained last, where none is named."""
    proposer: ModelSpec | None = None
    """The model that learns to write instructions, a local one; the student before any training where none is named."""
    _metric: Metric = PrivateAttr()
    _prefer: Trainer = PrivateAttr()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            self._metric, self._prefer = comparing(self.metric), learning(self.prefer)
        except UsageError as error:
            raise ValueError(str(error)) from None
        if self.agree and not self.temperature:
            raise ValueError("agree: at temperature 0 the teacher says the same again; write `agree: 0`, or raise it")
        if self.proposer is not None and self.proposer.endpoint is not None:
            raise ValueError(
                f"proposer: it is trained, and {self.proposer.model} is behind an endpoint; give a folder (hf)"
            )
        if self.attempts < self.draws:
            raise ValueError(f"attempts: {self.attempts} in a round cannot be {self.draws} `draws` of one kind or more")
        return self

    @property
    def compares(self) -> Metric:
        """What says whether two answers come to the same."""
        return self._metric

    @property
    def learner(self) -> Trainer:
        """What the proposer learns by."""
        return self._prefer

    def given(self) -> dict[str, Any]:
        """The parameters that were written, as a recipe has them."""
        named = set(Seeking.model_fields) & self.model_fields_set
        found: dict[str, Any] = self.model_dump(mode="json", include=named, exclude_unset=True)
        for name in ("target", "proposer"):
            spec: ModelSpec | None = getattr(self, name)
            if spec is not None:
                found[name] = as_given(spec)
        return found


def as_given(spec: ModelSpec) -> dict[str, Any]:
    """What was given of a model, as a recipe would have it: with its price and pace, which digests leave out, and
    without its key.

    >>> as_given(ModelSpec(endpoint="http://localhost/v1", model="m", usd_per_mtok={"in": 2}, concurrency=3))
    {'endpoint': 'http://localhost/v1', 'model': 'm', 'usd_per_mtok': {'in': 2.0}, 'concurrency': 3}
    """
    found: dict[str, Any] = spec.model_dump(mode="json", exclude_unset=True)
    if spec.usd_per_mtok is not None:
        found["usd_per_mtok"] = spec.usd_per_mtok.model_dump(mode="json", by_alias=True, exclude_unset=True)
    paced = (name for name in ("concurrency", "timeout", "patience", "batch") if name in spec.model_fields_set)
    return found | {name: getattr(spec, name) for name in paced}


def comparing(named: dict[str, dict[str, Any]]) -> Metric:
    """The metric of that name.

    Raises:
        UsageError: it cannot compare two answers to a question without anything else.
    """
    made = catalog.made(named, Metric)
    name = method_spec(named)[0]
    if not (made.alone and made.better == "higher"):
        raise UsageError(f"metric: {name} does not say of one answer whether it is right; {INSTEAD}")
    lacking = made.lacks(prompt_answer_row("1 + 1?", "2"))
    if lacking:
        raise UsageError(f"metric: {name} needs more than the teacher's answer ({lacking}); {INSTEAD}")
    return made


def learning(named: dict[str, dict[str, Any]]) -> Trainer:
    """The trainer of that name.

    Raises:
        UsageError: it learns from anything but pairs, or by a teacher.
    """
    made = catalog.made(named, Trainer)
    if made.learns != "pairs" or made.beside == "teacher":
        raise UsageError(f"prefer: {made.name} learns from {made.learns}; write dpo or simpo, which learn from pairs")
    return made
