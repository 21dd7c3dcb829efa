"""The step `prefer`: the model of the step before learns which answers are the better ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, SerializerFunctionWrapHandler, model_serializer, model_validator

from dataflywheel import catalog
from dataflywheel.contracts import Cost, Decisions, Named, PoolStatistics, UsageError, method_spec
from dataflywheel.models.files import folder_digest
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.recipe.inputs.looked import Looked
from dataflywheel.recipe.pricing import model_seconds
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.learned_once import Job, learned_once
from dataflywheel.recipe.steps.learning import Learning, Settings
from dataflywheel.recipe.steps.pair_writers import opponent, preferences_to_learn
from dataflywheel.recipe.steps.shown_rows import shown_answers
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.parts import count_rows
from dataflywheel.store.record import StepRecord

NOTHING = {
    "pairs": "prefer: {there} holds a worse answer beside the good one; write pairs (`generate: {{by: spin}}`, "
    "`syn_po`), take them from a pool (`chosen` and `rejected`), or leave the step out",
    "labels": "prefer: {there} says of its answer whether it is wanted, or holds a worse one; bring rows with `label` "
    "true and false, such as thumbs, or pairs (`chosen` and `rejected`), or leave the step out",
}
"""What is said where there is nothing to learn, by what would be learned."""
OF_ANSWERS = ("answer_tokens", "changed_rows", "cut_rows")
"""What is told of trainings on rows' own answers alone."""
DPO: dict[str, dict[str, Any]] = {"dpo": {}}


class Prefer(Settings):
    """The step `prefer`: training on better and worse answers, from the model of the `train` or `distill` step before.
    `dpo` and `simpo` learn from the rows that are pairs, `kto` from rows with a label too."""

    version: ClassVar[int] = 2

    by: Named = Field(default=DPO)
    """`dpo`; `simpo`, which holds no second model and gives long answers no advantage; or `kto`, which learns from
    labels such as thumbs too; with its parameters."""
    epochs: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.1, gt=0)
    """Of `dpo`: how strongly the model is held to the reference; the larger, the nearer it stays."""
    reference: Literal["start", "writer"] = "writer"
    """What the model is held to: where the model in training wrote pairs of this round (`spin`, `self_rewarding`), that
    `writer` as it was then, which is the methods' own loss; elsewhere, or with `start`, what it starts from."""
    iterations: int = Field(default=2, ge=1)
    """Of pairs that the model in training wrote, those of so many last rounds are learned, as SPIN is published."""
    _method: Trainer = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def one_beta(cls, given: Any) -> Any:
        """`by: {dpo: {beta: 0.3}}` is `beta: 0.3`."""
        by = given.get("by") if isinstance(given, Mapping) else None
        own = by.get("dpo") if isinstance(by, Mapping) and len(by) == 1 else None
        if not isinstance(own, Mapping) or set(own) != {"beta"}:
            return given
        if "beta" in given and given["beta"] != own["beta"]:
            raise ValueError(f"beta is {given['beta']} here and {own['beta']} in `by`; leave one of them out")
        return {**given, "by": DPO, "beta": own["beta"]}

    @model_validator(mode="after")
    def resolved(self) -> Self:
        name, _ = method_spec(self.by)
        made = catalog.made(self.by, Trainer, {"beta": self.beta} if name == "dpo" else {})
        if made.learns not in NOTHING:
            raise ValueError(f"by: {name} learns from {made.learns}, not from preferences; there is dpo, kto and simpo")
        if name != "dpo" and "beta" in self.model_fields_set:
            raise ValueError(f"beta is that of dpo; write `by: {{{name}: {{beta: ...}}}}`")
        if made.beside != "reference" and "reference" in self.model_fields_set:
            raise ValueError(f"reference: {name} is held to none; leave it out")
        self._method = made
        return self

    @model_serializer(mode="wrap")
    def told(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what says nothing here, so that a step is known as it was before there was a choice."""
        silent = {"by"} if self.by == DPO else {"beta"}
        silent |= set() if self._method.beside == "reference" else {"reference"}
        whole: dict[str, Any] = handler(self)
        return {name: value for name, value in whole.items() if name not in silent}

    def method(self) -> Trainer:
        return self._method


@dataclass(frozen=True)
class Preferring(Learning, keyword="prefer"):
    """Training on better and worse answers, of the model that was trained last."""

    Work = Prefer

    work: Prefer

    def trained_by(self) -> Trainer:
        return self.work.method()

    def identity(self) -> str:
        by = self.trained_by()
        return super().identity() + ("" if by.name == "dpo" else f" {by.name}@{by.version}")

    def model_name(self, given: Given) -> str:
        """Beside the one that a later `reinforce` makes of it."""
        later = {step.role for step in given.steps if step.index > self.index}
        return super().model_name(given) + ("-preferred" if "reinforce" in later else "")

    def check_pool(self, pool: PoolStatistics) -> None:
        by = self.trained_by()
        if not by.examples_in(pool):
            raise UsageError(NOTHING[by.learns].format(there="no row of the pool, and none that a step before writes,"))

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        """All answers, each with its prompt, read by the model in training and as often as the method wants beside
        that; answers taken to be of average length."""
        by = self.trained_by()
        examples = by.examples_in(pool)
        passes = by.answers * examples * self.passes(examples)
        tokens = round(passes * pool.tokens / max(1, pool.rows))
        seconds = model_seconds(recipe.models.student, 6 + 2 * by.readings, tokens, speed)
        return Cost(seconds=seconds, forward=round((1 + by.readings) * passes), backward=round(passes), tokens=tokens)

    def foreseen(self, recipe: Recipe, looked: Looked, before: Sequence[Step]) -> Mapping[str, object]:
        by = self.trained_by()
        return {"shown_pairs": shown_answers(recipe, self.work.max_length, by, self.encoded, looked.first)}

    def do(self, given: Given) -> StepRecord:
        """Raises UsageError: no row can be learned, or the model that wrote them is gone."""
        context, rows, by = given.context, given.state.rows, self.trained_by()
        start = given.state.model
        assert start is not None, "the plan refuses `prefer` without a trained model"
        ids, older = preferences_to_learn(rows, self.round, self.work.iterations, by)
        if not ids:
            there = f"none of {count_rows(rows):,} rows"
            tried = "; what became of every pair that was tried is in `proposals.parquet` of the step that writes them"
            raise UsageError(NOTHING[by.learns].format(there=there) + tried)
        reference = self.reference(given)
        job = Job(rows, ids, start, self.seeded(context), by, reference)
        made, facts = learned_once(context.home, job, partial(self.advanced, context))
        left_out = dict(facts.pop("left_out"))
        examples = facts.get("pairs", facts.get("answers", len(ids) - len(left_out)))
        passes = by.answers * examples * self.passes(examples)
        cost = Cost(facts["seconds"], round((1 + by.readings) * passes), round(passes), facts["tokens"])
        details = {"pairs_of_earlier_iterations": older, **facts, "left_out": len(left_out)}
        if by.beside == "reference":
            details = {"reference": "start" if reference is None else folder_digest(reference), **details}
        for name in OF_ANSWERS:
            details.pop(name, None)
        decisions = Decisions()
        for id in ids:
            why = left_out.get(id)
            decisions.add(id, "dropped" if why else "kept", f"not trained, {why}" if why else "trained")
        return self.leave(given, made, cost, details, decisions)

    def reference(self, given: Given) -> Path | None:
        """The model that wrote this round's pairs, where the one in training is held to that; None for its start."""
        if self.trained_by().beside != "reference" or self.work.reference == "start":
            return None
        before = [step for step in given.steps if step.index < self.index]
        return opponent(given.context, [given.context.run.step(s.index, s.name, self.round) for s in before])

    def note(self, record: StepRecord) -> str:
        details = record.details
        if "pairs" in details:
            return f"{details['pairs']:,} pairs in {details['steps']:,} steps"
        kinds = f"{details['good']:,} good and {details['bad']:,} bad answers" if "good" in details else "answers"
        return f"{kinds} in {details['steps']:,} steps"
