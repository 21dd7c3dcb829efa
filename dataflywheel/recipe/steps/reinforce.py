"""The step `reinforce`: the model answers the rows' prompts itself, and learns from what its answers are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pydantic import Field

from dataflywheel import catalog
from dataflywheel.contracts import (
    Cost,
    Decisions,
    Judge,
    Method,
    Named,
    PoolStatistics,
    Reward,
    UsageError,
    method_spec,
)
from dataflywheel.distillation.model.grpo import GRPO
from dataflywheel.evolution.bridges.known_judge import judge_of, require_able
from dataflywheel.evolution.bridges.of_judge import OfJudge
from dataflywheel.evolution.bridges.reward_of import as_reward, reward_kind, reward_of
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.recipe.asking import check_asking
from dataflywheel.recipe.bill import asked_cost
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.helpers import Helper, helpers_of
from dataflywheel.recipe.inputs.looked import Looked
from dataflywheel.recipe.needs import asks
from dataflywheel.recipe.pricing import ANSWER_SECONDS, model_seconds
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.learned_once import Job, learned_once
from dataflywheel.recipe.steps.learning import Learning, Settings, student_folder
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.store.plan import Rewarded
from dataflywheel.store.record import StepRecord


class Reinforce(Settings):
    """The step `reinforce`: reinforcement learning on the prompts of the rows, from the model of the training before,
    or from the student where nothing was trained."""

    version: ClassVar[int] = 1

    by: Named = {"grpo": {}}
    """How it learns, with its parameters: `{grpo: {group: 16, max_new_tokens: 128}}`."""
    reward: Named
    """What an answer is worth: a gate (`executable_truth`), a metric (`final_answer`, `unit_tests`), a judge
    (`rubric`), or a function of yours (`{python: ./rewards.py:score}`). What cannot be judged has no reward."""
    judge: ModelSpec | None = None
    """The model that judges, where the reward is a judge; the recipe's teacher where none is named."""
    epochs: float = Field(default=1.0, gt=0)
    batch_size: int = Field(default=8, ge=1)
    """Prompts a step, each answered several times."""

    def method(self, reward: Reward | None = None) -> GRPO:
        """How it learns, from this reward."""
        made = catalog.made(self.by, Trainer)
        if not isinstance(made, GRPO):
            raise UsageError(f"reinforce: {made.name} learns from no rewards; there is grpo")
        return made.model_copy(update={"reward": reward})


@dataclass(frozen=True)
class Reinforcing(Learning, keyword="reinforce"):
    """Training on rewards of the answers that the model in training writes."""

    Work = Reinforce

    work: Reinforce

    def trained_by(self) -> Trainer:
        return self.work.method()

    def scored_by(self) -> type[Method]:
        """What answers are scored by."""
        return reward_kind(method_spec(self.work.reward)[0])

    def proposes(self, target: bool) -> list[type[Method]]:
        return [GRPO, self.scored_by()]

    def asked(self, recipe: Recipe) -> ModelSpec | None:
        """The model that judges, where one does.

        Raises:
            UsageError: none is named.
        """
        kind = self.scored_by()
        if not (issubclass(kind, Judge) or asks(kind)):
            return None
        spec = self.work.judge or recipe.models.teacher
        if spec is None:
            raise UsageError(
                f"{self.title}: {kind.name} asks a model that judges: name one as `models.teacher` or as `judge`"
            )
        return spec

    def check(self, recipe: Recipe, comparison: bool) -> None:
        """Raises UsageError: there is no reward of that name, no model to begin with, or nobody to judge in time."""
        super().check(recipe, comparison)
        spec, kind = self.asked(recipe), self.scored_by()
        if spec is not None:
            check_asking(recipe, kind, {"model": spec.model_dump(exclude_none=True)} if self.work.judge else {})
            if spec.batch:
                raise UsageError(
                    f"{self.title}: a judge that answers in batches keeps all steps waiting; leave `batch` out"
                )
        reward_of(self.work.reward, spec or ModelSpec(builtin="tiny"))
        before = {name for name, _ in recipe.named_steps()[: self.index - 1]}
        if recipe.models.student.builtin and not {"train", "distill"} & before:
            raise UsageError(
                f"{self.title}: a model that was never trained has no right answer to learn from: put a `train` step "
                "before it, or name a trained one (`models: {student: {hf: FOLDER}}`)"
            )
        if comparison:
            raise UsageError("compare trains its arms on rows and not on rewards; leave `compare` or `reinforce` out")

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        """Every prompt is answered as often as a group is large, with half of the tokens that an answer may have; each
        answer is written, read and learned, and judged where a judge scores."""
        by = self.work.method()
        answers = round(pool.rows * self.passes(pool.rows)) * by.group
        tokens = round(answers * (pool.tokens / max(1, pool.rows) + by.max_new_tokens / 2))
        seconds = model_seconds(recipe.models.student, 2 + 6 + (2 if by.kl else 0), tokens, speed)
        learned = Cost(seconds=seconds, forward=2 * answers, backward=answers, tokens=tokens)
        spec = self.asked(recipe)
        if spec is None:
            return learned
        judged = reward_of(self.work.reward, spec).estimate(PoolStatistics(answers, 4 * tokens, tokens))
        waiting = round(judged.calls * ANSWER_SECONDS / spec.concurrency, 2)
        return learned + Cost(seconds=waiting, calls=judged.calls, tokens=judged.tokens, usd=judged.usd)

    def foreseen(self, recipe: Recipe, looked: Looked, before: Sequence[Step]) -> Mapping[str, object]:
        """Of the rows that are looked at, how many have nothing that their answers could be scored by.

        Raises:
            UsageError: most of them, and no step writes others.
        """
        reward = reward_of(self.work.reward, self.asked(recipe) or ModelSpec(builtin="tiny"))
        lacking = Counter(reward.lacks(row) for rows in looked.first for row in rows)
        scored, rows = lacking.pop("", 0), sum(map(len, looked.first))
        if scored * 2 < rows and not any(step.writes for step in before):
            why = ", ".join(f"{n:,}: {reason}" for reason, n in lacking.most_common())
            raise UsageError(
                f"{self.title}: {self.scored_by().name} cannot score answers to {rows - scored:,} of {rows:,} rows "
                f"({why}); give rows that hold what it needs, or another `reward`"
            )
        return {"rewarded": Rewarded(rows=rows, not_scored=dict(lacking))}

    def helpers(self, recipe: Recipe, trained: bool) -> list[Helper]:
        spec, kind = self.asked(recipe), self.scored_by()
        if spec is not None:
            found = [Helper(spec, "judge")] if spec.builtin else []
        else:
            found = helpers_of(recipe, (), {}, [(kind, method_spec(self.work.reward)[1])], trained)
        return [*super().helpers(recipe, trained), *found]

    def reward(self, context: Context) -> Reward:
        """What scores, with the models that it needs; a judge has to get the known pairs right.

        Raises:
            FlywheelError: it does not.
        """
        (_, given), kind = method_spec(self.work.reward), self.scored_by()
        spec = self.asked(context.recipe)
        if not issubclass(kind, Judge):
            return as_reward(context.made(kind, {"model": spec, **given} if spec else given))
        assert spec is not None
        judge = judge_of(self.work.reward, context.usable(spec, "judge"))
        require_able(judge)
        return OfJudge(judge=judge)

    def do(self, given: Given) -> StepRecord:
        context, rows = given.context, given.state.rows
        reward = self.reward(context)
        table: list[Row] = read_rows(rows).to_pylist()
        lacks = {row["id"]: reward.lacks(row) for row in table}
        ids = [id for id, why in lacks.items() if not why]
        if not ids:
            why = ", ".join(f"{n:,}: {reason}" for reason, n in Counter(lacks.values()).most_common())
            raise UsageError(f"{self.title}: answers to none of {len(table):,} rows can be scored ({why})")
        start = given.state.model or student_folder(context)
        job = Job(rows, ids, start, self.seeded(context), self.work.method(reward))
        made, facts = learned_once(context.home, job, partial(self.advanced, context))
        left_out, cut = dict(facts.pop("left_out")), facts.pop("cut_rows")
        facts.pop("changed_rows")
        cost = Cost(facts["seconds"], 2 * facts["answers"], facts["answers"], facts["tokens"])
        cost += asked_cost(context, given.output)
        details = {**facts, "by": self.work.method().name, "reward": self.scored_by().name, "cut": len(cut)}
        return self.leave(given, made, cost, details, _decisions(lacks, left_out, cut))

    def note(self, record: StepRecord) -> str:
        first, last = (record.details[name] for name in ("first", "last"))
        if first is None:
            why = next(iter(record.details["reasons"]), "")  # the most frequent
            said = f"no answer of {record.details['answers']:,} could be scored{f' ({why})' if why else ''}"
            return f"{said}: nothing was learned"
        learned = "; all answers to each prompt scored the same" if record.details["level_groups"] == 1 else ""
        return f"reward {first:.3g} to {last:.3g} over {record.details['answers']:,} answers{learned}"


def _decisions(lacks: Mapping[str, str], left_out: Mapping[str, str], cut: Mapping[str, str]) -> Decisions:
    """What became of every row."""
    decisions = Decisions()
    for id, lacking in lacks.items():
        why = f"its answers cannot be scored, {lacking}" if lacking else left_out.get(id, "")
        told = f", without {cut[id]}" if id in cut else ""
        decisions.add(id, "dropped" if why else "kept", f"not trained, {why}" if why else f"trained{told}")
    return decisions
