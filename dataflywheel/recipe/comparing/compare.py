"""The scoreboard: the recipe's selection against simple choices at the same cost, over several seeds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import Cost, FlywheelError, OverBudgetError, UsageError
from dataflywheel.evolution.iteration.training_setup import PLAIN, TrainingSetup
from dataflywheel.evolution.iteration.trial import EvalSet, Trial
from dataflywheel.evolution.metrics.named import better as better_way
from dataflywheel.models.files import folder_digest
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.plugins.named import code_of
from dataflywheel.recipe.bill import asked_cost
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.comparing.arms import Arm, build_arms
from dataflywheel.recipe.comparing.leave_out import LeftOut
from dataflywheel.recipe.comparing.next_rows import curve_arms, next_rows
from dataflywheel.recipe.comparing.reading import reader
from dataflywheel.recipe.comparing.scoreboard import against, jaccard, length_shift, mean_interval, slice_intervals
from dataflywheel.recipe.comparing.trials import Job, run_trials, side_by_side
from dataflywheel.recipe.comparing.worth import step_worths, without_arms
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.selection.spec import TOKENS
from dataflywheel.store.scoreboard import ArmScore, Scoreboard, costs_beside


def run_comparison(
    context: Context,
    chosen: Chosen,
    student: Path,
    settings: TrainSettings,
    exam: EvalSet,
    before: str,
    teaching: TrainingSetup = PLAIN,
    without: Sequence[LeftOut] = (),
) -> Scoreboard:
    """Train and score every arm with every seed, all in the same way; gives the board, as `compare.json` holds it.

    What is measured beside the arms (`without`: the recipe less a step; the learning curve) is trained after them, so
    that hours which end early cost them nothing.
    """
    plan = context.recipe.compare
    if plan is None:
        raise UsageError("compare: the recipe names no arms; write `compare: [random, longest, full]`")
    seeds = [context.recipe.seed + i for i in range(plan.seeds)]
    output, place = context.run.path / "compare.json", context.run.path / "compare"
    parts = (plan.model_dump_json(), settings.model_dump_json(), exam.digest(), folder_digest(student))
    rows = [(left.step.place, sorted(left.ids), left.needed, left.stopped) for left in without]
    fingerprint = digest(before, *parts, teaching.digest(), rows, *code_of(plan.arms))
    if (held := _held(context, output, fingerprint)) is not None:
        return held
    context.run.ledger.unbilled.add(place)
    watch = context.run.stopwatch(place, fingerprint)
    with watch:
        arms = build_arms(context, chosen, seeds, settings, reader(context, student, settings))
        divided = curve_arms(arms[0], seeds) if plan.curve else []
        every = [*arms, *without_arms(without, len(seeds)), *divided]
        done: dict[Job, Trial] = {}
        jobs = [(a, s) for s in range(len(seeds)) for a in range(len(arms))]
        jobs += [(a, s) for s in range(len(seeds)) for a in range(len(arms), len(every))]
        for job, trial in run_trials(context, every, seeds, jobs, student, settings, exam, teaching):
            done[job] = trial
            context.watcher.advanced("compare", "trials", len(done), len(jobs))
    cost = bill_of(done.values(), settings, watch.seconds, side_by_side(context)) + asked_cost(context, place)
    context.run.bill(place, cost)
    if len(done) == len(jobs):
        watch.forget()
    complete = [s for s in range(len(seeds)) if all((a, s) in done for a in range(len(arms)))]
    if len(complete) < 2:
        raise OverBudgetError(f"{_ended(context, every, seeds, jobs, done)}; two seeds of every arm say something")
    board = _board(context, chosen, arms, [seeds[s] for s in complete], complete, done, exam)
    facts: dict[str, Any] = {"fingerprint": fingerprint, "of": before, "untrained": len(jobs) - len(done), "cost": cost}
    ended = _ended(context, every, seeds, jobs, done) if len(done) < len(jobs) else ""
    unknown = [f"without {left.step.place}: {left.stopped}" for left in without if left.stopped]
    facts["stopped"] = "; ".join(filter(None, [ended, *unknown])) or None
    by_arm = {arm.name: {s: trial for (at, s), trial in done.items() if at == a} for a, arm in enumerate(every)}
    if plan.leave_one_out:
        facts["steps"] = step_worths(context.run, without, arms[0], by_arm, board.better)
    if plan.curve:
        facts["curve"] = next_rows(context.run.ledger, arms[0], divided, by_arm, board.metric, board.better)
    board = board.model_copy(update=facts)
    board.write(output)
    context.watcher.finished("compare", _summary(board), False)
    return board


def _held(context: Context, output: Path, fingerprint: str) -> Scoreboard | None:
    """The board of an earlier run of the same comparison, whole."""
    held = Scoreboard.read(output)
    if held is None or held.fingerprint != fingerprint or held.untrained:
        return None
    if held.cost is not None:  # a damaged ledger may have lost it
        context.run.ledger.enter("compare", held.cost)
    context.watcher.finished("compare", _summary(held), True)
    return held


def _ended(
    context: Context, arms: Sequence[Arm], seeds: Sequence[int], jobs: Sequence[Job], done: Collection[Job]
) -> str:
    """That the hours did not suffice, and what was trained with which seeds."""
    there = []
    for a, arm in enumerate(arms):
        trained = [str(seed) for s, seed in enumerate(seeds) if (a, s) in done]
        named = "this recipe" if arm.name == "selection" else arm.name.replace("_", " ")
        there.append(f"{named} ({'seeds ' + ', '.join(trained) if trained else 'no seed'})")
    return (
        f"the {context.recipe.budget.hours or 0:g} hours were used up with {len(jobs) - len(done):,} of {len(jobs):,} "
        f"trainings not done; there are {', '.join(there)}; raise `budget: {{hours: ...}}` and run again"
    )


def bill_of(trials: Iterable[Trial], settings: TrainSettings, taken: float, beside: int) -> Cost:
    """Passes and tokens of all trials, each once, whenever they were made; the seconds that they take with so many at a
    time, or what the comparison has `taken` where that is more."""
    each = {id(trial): trial for trial in trials}  # arms that chose the same rows share one
    total = sum((trial.cost(settings.batch_size) for trial in each.values()), Cost())
    return replace(total, seconds=round(max(total.seconds / beside, taken), 3))


def _board(
    context: Context,
    chosen: Chosen,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    at: Sequence[int],
    done: dict[Job, Trial],
    exam: EvalSet,
) -> Scoreboard:
    better = better_way(exam.metric)
    offered = context.measured(chosen.before, TOKENS, "compare")
    lengths = {
        path: dict(zip(c.ids, c["text.tokens_answer"], strict=True))
        for path in {arm.rows for arm in arms}
        for c in [context.measured(path, TOKENS, "compare")]
    }
    scores = {arm.name: [done[a, s].metric for s in at] for a, arm in enumerate(arms)}
    for name, found in scores.items():
        if not np.isfinite(found).all():
            raise FlywheelError(f"compare: {name}: no target row could be scored, so no arm can be judged")
    lines = []
    for a, arm in enumerate(arms):
        trials = [done[a, s] for s in at]
        answers = np.array([lengths[arm.rows][i] for i in arm.ids[at[0]]], dtype=float)
        seconds = float(np.mean([t.facts["seconds"] for t in trials]))
        lines.append(
            ArmScore(
                name=arm.name,
                label=arm.label,
                role=arm.role,
                rows=round(float(np.mean([len(arm.ids[s]) for s in at]))),
                answer_tokens=int(np.mean([t.facts["answer_tokens"] for t in trials])),
                train_tokens=int(np.mean([t.facts["tokens"] for t in trials])),
                scores=scores[arm.name],
                **dict(mean_interval(scores[arm.name])),
                **dict(against(scores[arm.name], None if arm.name == "random" else scores["random"], better)),
                raw=None if "random_raw" not in scores else against(scores[arm.name], scores["random_raw"], better),
                select_cost=arm.select_cost,
                train_seconds=round(seconds, 2),
                costs_more_than_training=arm.select_cost.seconds > seconds,
                length_shift=length_shift(answers, offered["text.tokens_answer"].astype(float)),
                overlap={o.name: round(jaccard(arm.ids[at[0]], o.ids[at[0]]), 4) for o in arms if o is not arm},
                slices=slice_intervals([_slice_metrics(t, exam) for t in trials]),
            )
        )
    return Scoreboard(
        metric=exam.metric,
        better=better,
        budget=str(chosen.select.keep),
        seeds=list(seeds),
        rows_offered=len(offered),
        arms=lines,
    )


def _slice_metrics(trial: Trial, exam: EvalSet) -> dict[str, float]:
    groups = trial.scores.by_slice(exam.settings.smallest_slice)
    return {name: trial.scores.metric(at) for name, at in groups.items()}


def forget_comparison(path: Path, steps: str) -> None:
    """Remove a scoreboard of other steps than those with this fingerprint: it says nothing of this run."""
    held = Scoreboard.read(path)
    if held is not None and held.of != steps:
        path.unlink()


def _summary(board: Scoreboard) -> str:
    own, random = board.arms[0], board.random
    cost = f" ({costs_beside(own, random)})" if random else ""
    return f"{own.verdict}{cost}, over {len(board.seeds)} seeds"
