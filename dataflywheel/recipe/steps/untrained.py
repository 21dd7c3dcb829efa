"""The student before any training, on the rows that an evaluation scores: what training did is told beside it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataflywheel.contracts import Cost
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores, summarise
from dataflywheel.evolution.feedback.score_files import read_scores, write_scores
from dataflywheel.evolution.iteration.trial import EvalSet, examine
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.meter import counted
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.helpers import remember
from dataflywheel.recipe.steps.learning import student_folder
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.lock import made_once

UNTRAINED = "score untrained student"
FOLDER, SCORES = "untrained", "scores.parquet"
BILL = "untrained_bill"


@dataclass(frozen=True)
class Untrained:
    """Its scores, and where this run made them, their bill with its name in the ledger."""

    scores: RowScores
    bill: tuple[str, Cost] | None = None

    def details(self, metric: str, settings: Evaluate) -> dict[str, Any]:
        """What the step's record says of it."""
        told: dict[str, Any] = {"untrained": summarise(self.scores, metric, settings)}
        return told | ({BILL: {"name": self.bill[0], **self.bill[1].as_dict()}} if self.bill else {})


def enter_bill(context: Context, details: Mapping[str, Any]) -> None:
    """Enter what the record of a step says that it cost, where the ledger has lost it."""
    told = dict(details.get(BILL) or {})
    if (name := str(told.pop("name", ""))) and name not in context.run.ledger.steps:
        context.run.ledger.enter(name, Cost(**told))


def untrained(context: Context, exam: EvalSet, told: str) -> Untrained | None:
    """Its scores, from the store where they are there; then they cost nothing. None where a judge would be paid for
    them, or no hours are left. `told`: how a plan knows that they are there."""
    if exam.judge is not None or context.out_of_time():
        return None
    student = student_folder(context)
    folder = context.home / FOLDER / digest(FOLDER, folder_digest(student), exam.digest())
    bill: tuple[str, Cost] | None = None

    def make() -> None:
        nonlocal bill
        began = time.perf_counter()
        context.watcher.started(UNTRAINED)
        context.run.event("started", step=UNTRAINED)
        with counted() as read:
            scores = examine(student, exam)
        cost = Cost(round(time.perf_counter() - began, 3), forward=read.passes, tokens=read.tokens)
        with atomic_directory(folder) as aside:
            write_scores(aside / SCORES, scores)
        bill = (f"helpers/untrained-student-{folder.name}", cost)

    made_once(folder, make)
    if bill is not None:
        context.run.ledger.enter(*bill)
        context.run.event("finished step", step=UNTRAINED, seconds=bill[1].seconds)
        context.watcher.finished(UNTRAINED, f"{len(exam.slices):,} evaluation rows", False)
    remember(context.recipe, told, context.home, folder)
    return Untrained(read_scores(folder / SCORES), bill)
