"""The step `train`: the student learns the rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflywheel import catalog
from dataflywheel.contracts import Cost, Decisions, Named, PoolStatistics, Sampler, Status, UsageError
from dataflywheel.distillation.model.fine_tuning import FineTuning
from dataflywheel.evolution.iteration.training_cost import training_cost
from dataflywheel.evolution.iteration.training_setup import TrainingSetup
from dataflywheel.evolution.iteration.trial import trained
from dataflywheel.models.templates.encoded import EncodedRow, nothing
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.helpers import made, remember
from dataflywheel.recipe.inputs.looked import Looked, statistics
from dataflywheel.recipe.inputs.steering import asked_cost, check_validating, steering, told
from dataflywheel.recipe.pricing import model_seconds
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.learning import Learning, Settings, row_ids, student_folder
from dataflywheel.recipe.steps.shown_rows import PAIR, shown_rows
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import Row

if TYPE_CHECKING:
    from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.store.record import StepRecord


class Train(Settings):
    """The step `train`."""

    sampler: Named | None = None
    """What chooses the rows of every batch while the model learns: `rho_loss`, `{doremi: {step_size: 1}}`; all rows in
    turn where none is named."""
    pairs: bool = True
    """Learn the better answers of preference pairs too; `false` leaves rows that are pairs to the step `prefer`."""

    def sampling(self) -> Sampler | None:
        return None if self.sampler is None else catalog.made(self.sampler, Sampler)


REFERENCE = "train reference"


@dataclass(frozen=True)
class Training(Learning, keyword="train"):
    """Fine-tuning on the rows' answers, from the student as it was before any training."""

    Work = Train

    work: Train

    @property
    def role(self) -> str:
        return "train"

    @property
    def counts_alike(self) -> bool:
        return False

    @property
    def leaves_pairs(self) -> bool:
        return not self.work.pairs

    def guided_by(self) -> list[str]:
        sampler = self.work.sampling()
        if sampler is None:
            return []
        by_target = sampler.validates or (sampler.needs_reference and sampler.reference_of == "target")
        return [sampler.name] if by_target else []

    def needs(self) -> tuple[str, ...]:
        sampler = self.work.sampling()
        return () if sampler is None else sampler.needs()

    def check(self, recipe: Recipe, comparison: bool) -> None:
        super().check(recipe, comparison)
        if (sampler := self.work.sampling()) is not None:
            check_validating(sampler, recipe)
        if not recipe.target:
            for name in self.guided_by():
                raise UsageError(f"{name} compares with a model of the target; name evaluation rows under `target:`")

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        passes = self.passes(pool.rows)
        tokens, rows = int(pool.tokens * passes), int(pool.rows * passes)
        seconds = model_seconds(recipe.models.student, 6, tokens, speed)
        plain = Cost(seconds=seconds, forward=rows, backward=rows, tokens=tokens)
        sampler, batch = self.work.sampling(), self.work.batch_size
        if sampler is None:
            return plain
        return plain + asked_cost(sampler, recipe, pool, self.work.max_steps or -(-rows // batch), batch, speed)

    def foreseen(self, recipe: Recipe, looked: Looked, before: Sequence[Step]) -> Mapping[str, object]:
        rewritten = any(step.writes for step in before)
        return {"shown": shown_rows(recipe, self.work.max_length, self.encoded, looked.first, rewritten)}

    def trained_by(self) -> Trainer:
        return FineTuning()

    def encoded(self, chat: ChatFormat, rows: Sequence[Row], longest: int) -> list[EncodedRow]:
        found = super().encoded(chat, rows, longest)
        pairs = {place for place, row in enumerate(rows) if row["rejected"] and not self.work.pairs}
        return [nothing(Status.FAILED, PAIR, one.row) if one.row in pairs else one for one in found]

    def model_name(self, given: Given) -> str:
        """What a later step trains takes this model's place, and this one stays beside it: `student-02-train` where
        another training follows, `student-sft` where `prefer` or `reinforce` does."""
        later = {step.role for step in given.steps if step.index > self.index}
        beside = f"-{self.place}" if "train" in later else "-sft" if {"prefer", "reinforce"} & later else ""
        return super().model_name(given) + beside

    def do(self, given: Given) -> StepRecord:
        context, rows = given.context, given.state.rows
        ids = row_ids(rows, pairs=None if self.work.pairs else False)
        if not ids:
            raise UsageError(
                f"{self.place}: every row is a pair, and `pairs: false` leaves pairs to `prefer`; leave it out"
            )
        made, facts = self.learn(context, rows, ids, student_folder(context), self.seeded(context))
        cost = training_cost(facts, self.work.batch_size)
        cost += self.beside(cost)
        left_out, changed = dict(facts.pop("left_out")), facts.pop("changed_rows")
        cut = facts.pop("cut_rows", {})
        decisions = of_training(row_ids(rows), set(ids), left_out, changed, cut)
        facts |= {"not_trained": decisions.action.count("dropped"), "changed": len(changed), "cut": len(cut)}
        return self.leave(given, made, cost, facts, decisions)

    def beside(self, learned: Cost) -> Cost:
        """What is written and read beside what the trainer counts as `learned`."""
        return Cost()

    def learn(
        self, context: Context, rows: Path, ids: Sequence[str], student: Path, settings: TrainSettings
    ) -> tuple[Path, dict[str, Any]]:
        """The model that these rows make of the student, and steps, tokens, seconds, losses and rows left out."""
        taught = told(context, self.teaching(context, student), rows, self.title)
        return trained(context.home, rows, ids, student, settings, partial(self.advanced, context), taught)

    def trainer(self) -> TrainSettings:
        return self.work.settings()

    def teaching(self, context: Context, student: Path) -> TrainingSetup:
        """What takes part in the training besides rows and settings; a reference is trained on the steering rows, or on
        the pool without what shares text with the target."""
        sampler = self.work.sampling()
        reference = None
        if sampler is not None and sampler.needs_reference:
            rows = context.guide if sampler.reference_of == "target" else context.clean_pool()
            assert rows is not None, "the plan refuses a sampler that compares with the target where there is none"
            reference = self._reference(context, rows, student)
        checked = None if sampler is None else steering(context, sampler)
        return TrainingSetup(sampler, None, reference, validation=checked)

    def _reference(self, context: Context, rows: Path, student: Path) -> Path:
        """The model that a sampler compares with, trained on these rows; its cost is entered by itself."""
        ids = read_rows(rows, ["id"])["id"].to_pylist()

        def make(told: Callable[[int, int, float], None]) -> tuple[Path, Cost]:
            found, facts = trained(context.home, rows, ids, student, self.work.settings(), told)
            return found, training_cost(facts, self.work.batch_size)

        folder, there = made(context.run, context.watcher, REFERENCE, make)
        if not there:
            of = "on the target" if rows == context.guide else "on the pool without what shares text with the target"
            context.watcher.finished(REFERENCE, of, False)
        remember(
            context.recipe, self.learned_first_as(context.recipe, context.scored is not None), context.home, folder
        )
        return folder

    def learned_first(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Mapping[str, Cost]:
        sampler = self.work.sampling()
        if sampler is None or not sampler.needs_reference:
            return {}
        size = statistics(recipe.target) if sampler.reference_of == "target" else pool
        times = self.passes(size.rows)
        rows, tokens = round(size.rows * times), round(size.tokens * times)
        return {REFERENCE: Cost(model_seconds(recipe.models.student, 6, tokens, speed), rows, rows, tokens)}

    def after(self, given: Given, record: StepRecord) -> State:
        state = super().after(given, record)
        chosen = None if state.chosen is None else replace(state.chosen, trained=state.rows)
        return replace(state, training=self, chosen=chosen)

    def note(self, record: StepRecord) -> str:
        details = record.details
        left_out = details.get("not_trained", 0)
        said = f"; {left_out:,} of {record.rows_in:,} rows not trained" if left_out else ""
        if weights := details.get("weights"):
            said += f"; rows count by their weights, as {weights['effective_rows']:,.0f} alike would"
        if asked := details.get("asked"):
            said += f"; {asked['rehearsal_steps']:,} steps before it to choose by" if asked["rehearsal_steps"] else ""
            said += f"; validation rows read {asked['validations']:,} times"
        return f"{details['tokens']:,} tokens in {details['steps']:,} steps{said}"


def of_training(
    ids: Sequence[str],
    taught: Collection[str],
    left_out: Mapping[str, str],
    changed: Mapping[str, str],
    cut: Mapping[str, str],
) -> Decisions:
    """What became of every row that a training was given: learned, with what the chat template changed of it and what
    `max_length` cut off, or left out with the reason."""
    decisions = Decisions()
    for id in ids:
        if id not in taught:
            decisions.add(id, "dropped", f"not trained, {PAIR}")
        elif id in left_out:
            decisions.add(id, "dropped", f"not trained, {left_out[id]}")
        else:
            told = [f"trained, the chat template {changed[id]}" if id in changed else "trained"]
            told += [f"without {cut[id]}, since it is longer than max_length"] if id in cut else []
            decisions.add(id, "kept", ", ".join(told))
    return decisions
