"""One trial: train the student on a set of rows, score it on the target; each distinct trial is paid for once.

A trial is known by the content of its rows, the untrained student, the training settings (with the seed), what chooses
its rows or its loss, and the target. Its scores are kept; its model is not, unless a step had trained the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.contracts import Cost, Judge
from dataflywheel.distillation.model.fine_tuning import FineTuning
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores, score_rows
from dataflywheel.evolution.feedback.score_files import read_scores, write_scores
from dataflywheel.evolution.iteration.training_cost import training_cost
from dataflywheel.evolution.iteration.training_setup import PLAIN, TrainingSetup, short_digest, told_rows
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.meter import counted
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.models.training.reference import reference_losses
from dataflywheel.models.training.train_settings import Progress, TrainSettings
from dataflywheel.models.training.trainer import TrainingTask
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.weights import weighed
from dataflywheel.store.atomic import atomic_directory, write_json
from dataflywheel.store.lock import made_once, one_at_a_time
from dataflywheel.store.seal import forget_folder, is_there, seal_folder

LOSSES_KEPT = 300
SCORING = 2
"""Version of the scores: one more whenever equal models would be given other ones."""


@dataclass(frozen=True)
class EvalSet:
    """The target as a trial needs it: its rows, one metric, and each row's slice."""

    rows: Path
    metric: str
    slices: tuple[str, ...]
    settings: Evaluate
    judge: Judge | None = None
    """Who judges, where the metric asks a judge."""

    def digest(self) -> str:
        rows = read_rows(self.rows, ["id", "extra"])
        metric = metric_of(self.metric)
        extra = rows["extra"].to_pylist() if metric.reads_extra else []  # elsewhere no score reads it
        settings = self.settings.model_dump(include={"max_new_tokens", "samples", "k", "temperature"})
        told = (self.metric, metric.version, metric.contents() + metric.source, settings)
        return short_digest(SCORING, *told, *rows["id"].to_pylist(), *self.slices, *extra)


@dataclass(frozen=True)
class Trial:
    """What came out: scores by row, and what training cost."""

    scores: RowScores
    facts: dict[str, Any]

    @property
    def metric(self) -> float:
        return self.scores.metric()

    def cost(self, batch_size: int) -> Cost:
        """Of training and examination, whenever they were. Of an examination by an earlier version nothing is known but
        the rows."""
        examined = self.facts.get("examined") or {"passes": len(self.scores.ids), "tokens": 0}
        both = training_cost(self.facts, batch_size) + Cost(forward=examined["passes"], tokens=examined["tokens"])
        return replace(both, seconds=self.facts["trial_seconds"])


def training_digest(ids: Sequence[str], student: Path, settings: TrainSettings, teaching: TrainingSetup = PLAIN) -> str:
    """Identity of a trained model: the trainer's version, rows, untrained weights, settings, sampler and objective."""
    in_order = teaching.sampler is not None and teaching.sampler.follows_order
    taught = [teaching.digest()] if teaching.digest() else []
    rows = ids if in_order else sorted(ids)
    return short_digest(settings.version, folder_digest(student), settings.model_dump_json(), *taught, *rows)


def trained(
    home: Path,
    rows: Path,
    ids: Sequence[str],
    student: Path,
    settings: TrainSettings,
    progress: Progress | None = None,
    teaching: TrainingSetup = PLAIN,
) -> tuple[Path, dict[str, Any]]:
    """The model trained on these rows, from the store where it is there; with steps, tokens, seconds and losses.

    Where another run is training the same, it is waited for. The order of `ids` counts where the sampler follows it.
    """
    folder = _model_folder(home, told_rows(rows, ids, teaching), student, settings, teaching)
    with one_at_a_time(folder):
        return folder, _trained(folder, rows, ids, student, settings, progress, teaching)


def _model_folder(
    home: Path, ids: Sequence[str], student: Path, settings: TrainSettings, teaching: TrainingSetup
) -> Path:
    return home / "models" / f"sft-{training_digest(ids, student, settings, teaching)}"


def _trained(folder: Path, *training: Any) -> dict[str, Any]:
    """What `training.json` says of the folder's model, which nobody else works on."""
    if not (is_there(folder) and (folder / "training.json").exists()):
        _train(folder, *training)
        seal_folder(folder)
    facts: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return facts


def _train(
    folder: Path,
    rows: Path,
    ids: Sequence[str],
    student: Path,
    settings: TrainSettings,
    progress: Progress | None,
    teaching: TrainingSetup,
) -> None:
    table = read_rows(rows, ["id", "messages", "source", "tools", "media", "label", "weight"])
    sampler, objective = teaching.sampler, teaching.objective
    if sampler is not None and sampler.follows_order:
        place = pc.index_in(pa.array(list(ids), pa.string()), value_set=table["id"])
        chosen = table.take(place.drop_null())
    else:
        chosen = table.filter(pc.is_in(table["id"], value_set=pa.array(list(ids), pa.string())))
        chosen = chosen.take(pc.sort_indices(chosen["id"]))  # the order in which rows were found must not matter
    if teaching.weights:
        chosen = weighed(chosen, teaching.weights)
    losses = None
    if teaching.reference:
        losses = reference_losses(chosen, teaching.reference, settings.max_length, settings.turns)
    base = LanguageModel.load(ModelSpec(hf=str(student)))
    if isinstance(objective, TaughtObjective) and teaching.teacher is not None:
        names, chats = chosen["id"].to_pylist(), chats_of(chosen)
        store, length = folder.parents[1], settings.max_length
        objective = objective.taught(names, chats, base, teaching.teacher, length, store, settings.turns)
    task = TrainingTask(chosen, base, folder, settings, progress=progress)
    made = FineTuning().guided(task, objective, sampler, losses, teaching.hints())
    names = ("steps", "passes", "tokens", "answer_tokens", "seconds")
    facts: dict[str, Any] = {name: getattr(made, name) for name in names}
    facts["learning_rate"] = settings.fitted(base.parameters).learning_rate
    if sampler is not None:
        facts |= {"candidates_tokens": made.candidates_tokens, "candidates": made.candidates, "sampler": made.sampler}
        facts |= {"asked": made.asked} if made.asked else {}
    facts |= {"weights": made.weights} if made.weights else {}
    if isinstance(objective, TaughtObjective):
        heard = objective.heard(len(chosen), made.passes, made.tokens)
        facts["taught"] = {"passes": heard.forward, "tokens": heard.tokens}
    every = max(1, len(made.losses) // LOSSES_KEPT)
    by_step = [[step + 1, round(loss, 4)] for step, loss in enumerate(made.losses) if step % every == 0]
    known = chosen["id"].to_pylist()
    facts |= {
        "rows": len(chosen),
        "left_out": [[known[row], reason] for row, reason in sorted(made.left_out.items())],
        "changed_rows": {known[row]: what for row, what in sorted(made.changed.items())},
        "cut_rows": {known[row]: what for row, what in sorted(made.cut.items())},
        "losses": by_step,
    }
    write_json(folder / "training.json", facts)


def run_trial(
    home: Path,
    rows: Path,
    ids: Sequence[str],
    student: Path,
    settings: TrainSettings,
    exam: EvalSet,
    teaching: TrainingSetup = PLAIN,
) -> Trial:
    """Train and score, or read what an equal trial left; its scores are kept, its model only if a step trained it."""
    told = told_rows(rows, ids, teaching)
    name = short_digest(training_digest(told, student, settings, teaching), exam.digest())
    folder = home / "trials" / name
    model = _model_folder(home, told, student, settings, teaching)

    def make() -> None:
        # To the end of the examination: an equal training elsewhere must neither run beside it nor lose its model.
        with one_at_a_time(model):
            began = time.perf_counter()
            of_a_step = (model / "training.json").exists()
            facts = _trained(model, rows, ids, student, settings, None, teaching)
            with counted() as read:
                scores = examine(model, exam)
            facts["examined"] = {"passes": read.passes, "tokens": read.tokens}
            with atomic_directory(folder) as aside:
                write_scores(aside / "scores.parquet", scores)
                write_json(aside / "facts.json", {**facts, "trial_seconds": round(time.perf_counter() - began, 3)})
            if not of_a_step:
                forget_folder(model)

    made_once(folder, make)
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return Trial(read_scores(folder / "scores.parquet"), facts)


def examine(model: Path, exam: EvalSet) -> RowScores:
    """Scores of a model folder on the target."""
    rows = read_rows(exam.rows)
    loaded = LanguageModel.load(ModelSpec(hf=str(model)))
    return score_rows(loaded, rows, [exam.metric] * len(rows), exam.slices, exam.settings, exam.judge)
