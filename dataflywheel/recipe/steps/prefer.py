"""The step `prefer`: the model of the step before learns which of two answers is the better one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from dataflywheel.contracts import Cost, Decisions, PoolStatistics, UsageError
from dataflywheel.distillation.model.preference import Preference
from dataflywheel.evolution.iteration.trial import LOSSES_KEPT
from dataflywheel.models.files import folder_digest
from dataflywheel.models.training.learning_rate import Job
from dataflywheel.models.training.train_settings import Progress, TrainSettings
from dataflywheel.recipe.context import digest
from dataflywheel.recipe.inputs.looked import Looked
from dataflywheel.recipe.pricing import model_seconds
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.learning import Learning, Settings
from dataflywheel.recipe.steps.pair_writers import opponent, pairs_to_learn
from dataflywheel.recipe.steps.shown_rows import shown_pairs
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.parts import count_rows, read_rows
from dataflywheel.store.atomic import write_json
from dataflywheel.store.lock import one_at_a_time
from dataflywheel.store.record import StepRecord

NO_PAIR = (
    "prefer: {there} holds a worse answer beside the good one; write pairs (`generate: {{by: spin}}`, `syn_po`), "
    "take them from a pool (`chosen` and `rejected`), or leave the step out"
)


class Prefer(Settings):
    """The step `prefer`: direct preference optimisation (arXiv 2305.18290) on the rows that are pairs, from the model
    of the `train` or `distill` step before."""

    version: ClassVar[int] = 2

    epochs: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.1, gt=0)
    """How strongly the model is held to the reference; the larger, the nearer it stays."""
    reference: Literal["start", "writer"] = "writer"
    """What the model is held to: where the model in training wrote pairs of this round (`spin`, `self_rewarding`), that
    `writer` as it was then, which is the methods' own loss; elsewhere, or with `start`, what it starts from."""
    iterations: int = Field(default=2, ge=1)
    """Of pairs that the model in training wrote, those of so many last rounds are learned, as SPIN is published."""

    def method(self) -> Preference:
        return Preference(beta=self.beta)


@dataclass(frozen=True)
class Preferring(Learning, keyword="prefer"):
    """Training on the rows that are pairs, of the model that was trained last."""

    Work = Prefer

    work: Prefer

    def job(self) -> Job:
        return "pairs"

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        """Both answers of every pair, each with its prompt, read by the model in training and by its reference; all
        answers taken to be of average length."""
        passes = 2 * pool.pairs * self.passes(pool.pairs)
        tokens = round(passes * pool.tokens / max(1, pool.rows))
        seconds = model_seconds(recipe.models.student, 6 + 2, tokens, speed)
        return Cost(seconds=seconds, forward=round(2 * passes), backward=round(passes), tokens=tokens)

    def foreseen(self, recipe: Recipe, looked: Looked, before: Sequence[Step]) -> dict[str, Any]:
        return {"shown_pairs": shown_pairs(recipe, self.work.max_length, looked.first)}

    def do(self, given: Given) -> StepRecord:
        """Raises UsageError: no row is a pair, or the model that wrote them is gone."""
        context, rows, start = given.context, given.state.rows, given.state.model
        assert start is not None, "the plan refuses `prefer` without a trained model"
        ids, older = pairs_to_learn(rows, self.round, self.work.iterations)
        if not ids:
            there = f"none of {count_rows(rows):,} rows"
            tried = "; what became of every pair that was tried is in `proposals.parquet` of the step that writes them"
            raise UsageError(NO_PAIR.format(there=there) + tried)
        writers = [context.run.step(s.index, s.name, self.round) for s in given.steps if s.index < self.index]
        reference = None if self.work.reference == "start" else opponent(context, writers)
        settings, report = self.seeded(context), partial(self.advanced, context)
        made, facts = preferred(context.home, rows, ids, start, settings, self.work.method(), report, reference)
        passes = 2 * facts["pairs"] * self.work.epochs
        cost = Cost(facts["seconds"], round(2 * passes), round(passes), facts["tokens"])
        left_out = dict(facts.pop("left_out"))
        held = "start" if reference is None else folder_digest(reference)
        details = {"reference": held, "pairs_of_earlier_iterations": older, **facts, "left_out": len(left_out)}
        decisions = Decisions()
        for id in ids:
            why = left_out.get(id)
            decisions.add(id, "dropped" if why else "kept", f"not trained, {why}" if why else "trained")
        return self.leave(given, made, cost, details, decisions)

    def note(self, record: StepRecord) -> str:
        return f"{record.details['pairs']:,} pairs in {record.details['steps']:,} steps"


def preferred(
    home: Path,
    rows: Path,
    ids: Sequence[str],
    start: Path,
    settings: TrainSettings,
    method: Preference,
    progress: Progress | None = None,
    reference: Path | None = None,
) -> tuple[Path, dict[str, Any]]:
    """The model that these pairs make of the one in `start`, from the store where it is there; with steps, tokens,
    seconds, losses and margins. Where another run is training the same, it is waited for. `reference` is the model that
    it is held to, `start` where none is given."""
    origin = [settings.version, method.digest(), folder_digest(start), settings.model_dump_json()]
    origin += [f"reference={folder_digest(reference)}"] if reference is not None else []
    folder = home / "models" / f"dpo-{digest(*origin, *sorted(ids))}"
    with one_at_a_time(folder):
        if not (folder / "training.json").exists():
            _train(folder, rows, ids, start, settings, method, progress, reference)
    facts: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return folder, facts


def _train(
    folder: Path,
    rows: Path,
    ids: Sequence[str],
    start: Path,
    settings: TrainSettings,
    method: Preference,
    progress: Progress | None,
    reference: Path | None,
) -> None:
    table = read_rows(rows, ["id", "messages", "rejected", "tools", "media"])
    pairs = table.filter(pc.is_in(table["id"], value_set=pa.array(list(ids), pa.string())))
    pairs = pairs.take(pc.sort_indices(pairs["id"]))  # the order in which rows were found must not matter
    made = method.train(pairs, start, folder, settings, reference=reference, progress=progress)
    done = made.trained
    facts = {
        "steps": done.steps,
        "tokens": done.tokens,
        "seconds": round(done.seconds, 3),
        "pairs": len(pairs) - len(made.left_out),
        "left_out": sorted(made.left_out.items()),
        "losses": _thinned(done.losses),
        "margins": _thinned(made.margins),
    }
    write_json(folder / "training.json", facts)


def _thinned(values: Sequence[float]) -> list[list[float]]:
    """(step, value), at most some hundreds of them."""
    every = max(1, len(values) // LOSSES_KEPT)
    return [[step + 1, round(value, 4)] for step, value in enumerate(values) if step % every == 0]
