"""The student before any training, on the rows that an evaluation scores: what training did is told beside it."""

from __future__ import annotations

import json
import time

from dataflywheel.contracts import Cost
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.score_files import read_scores, write_scores
from dataflywheel.evolution.iteration.trial import EvalSet, examine
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.meter import counted
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.helpers import remember
from dataflywheel.recipe.steps.learning import student_folder
from dataflywheel.store.atomic import atomic_directory, write_json
from dataflywheel.store.lock import made_once

UNTRAINED = "score untrained student"
FOLDER = "untrained"


def untrained(context: Context, exam: EvalSet, told: str) -> RowScores | None:
    """Its scores, from the store where they are there; then they cost nothing. None where a judge would be paid for
    them, or no hours are left. `told`: how a plan knows that they are there."""
    if exam.judge is not None or context.out_of_time():
        return None
    student = student_folder(context)
    folder = context.home / FOLDER / digest(FOLDER, folder_digest(student), exam.digest())
    made = False

    def make() -> None:
        nonlocal made
        began, made = time.perf_counter(), True
        context.watcher.started(UNTRAINED)
        context.run.event("started", step=UNTRAINED)
        with counted() as read:
            scores = examine(student, exam)
        cost = Cost(round(time.perf_counter() - began, 3), forward=read.passes, tokens=read.tokens)
        with atomic_directory(folder) as aside:
            write_scores(aside / "scores.parquet", scores)
            write_json(aside / "cost.json", cost.as_dict())

    made_once(folder, make)
    if made:
        cost = Cost(**json.loads((folder / "cost.json").read_text(encoding="utf-8")))
        context.run.ledger.enter(f"helpers/untrained-student-{folder.name}", cost)
        context.run.event("finished step", step=UNTRAINED, seconds=cost.seconds)
        context.watcher.finished(UNTRAINED, f"{len(exam.slices):,} evaluation rows", False)
    remember(context.recipe, told, context.home, folder)
    return read_scores(folder / "scores.parquet")
