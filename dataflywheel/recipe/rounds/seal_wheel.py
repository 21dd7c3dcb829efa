"""The end of a wheel: its best model is looked at on rows that nothing was chosen by, once."""

from __future__ import annotations

import time
from dataclasses import replace

from dataflywheel.contracts import Cost
from dataflywheel.evolution.feedback.evaluate import summarise
from dataflywheel.evolution.feedback.score_files import write_scores
from dataflywheel.evolution.feedback.tiers import SealedLooks
from dataflywheel.evolution.iteration.trial import examine
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.meter import counted
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.ingest import eval_set
from dataflywheel.recipe.inputs.renewed import of_renewed
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.rounds.round import Memory
from dataflywheel.recipe.steps.learning import copy_model
from dataflywheel.recipe.steps.state import State
from dataflywheel.store.atomic import atomic_directory, finite
from dataflywheel.store.evaluation import Evaluation
from dataflywheel.store.seal import write_sealed


def seal(context: Context, state: State, memory: Memory, result: Result) -> State:
    """Look at the sealed tier with the model of the best round, once, and count the look; `result` gets the model and
    its scores, and the state the wheel as what is compared with simple choices."""
    assert memory.kept is not None
    assert state.scoring is not None
    result.model = context.run.path / "models" / "student"
    if not result.model.is_dir() or folder_digest(result.model) != folder_digest(memory.kept.model):
        copy_model(memory.kept.model, result.model)
    model, output = folder_digest(result.model), context.run.path / "sealed"
    release = digest(context.recipe.model_dump_json(), context.target_digest, state.fingerprint)
    known = digest("sealed@1", release, model)
    metrics = context.run.finished(output, known, tell=True)
    if metrics is None:
        SealedLooks(context.run.path / "sealed-looks.json").look(release, model, "the wheel's result")
        exam = eval_set(context, state.scoring, memory.sealed)
        began = time.perf_counter()
        with counted() as read:
            scores = examine(result.model, exam)
            renewed = of_renewed(context, result.model, state.scoring, scores, exam.metric)
        context.run.bill(output, Cost(round(time.perf_counter() - began, 3), read.passes, tokens=read.tokens))
        metrics = finite({"fingerprint": known, **summarise(scores, exam.metric, state.scoring), **renewed})
        with atomic_directory(output) as aside:
            write_scores(aside / "scores.parquet", scores)
            write_sealed(aside, metrics)
    told = {name: value for name, value in metrics.items() if name != "fingerprint"}
    result.evaluation = Evaluation.model_validate(told)
    if state.chosen is None:
        return state
    label = f"the wheel, {result.rounds} rounds"
    return replace(state, chosen=replace(state.chosen, before=memory.prepared, trained=memory.kept.rows, label=label))
