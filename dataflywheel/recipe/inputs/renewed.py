"""Variants of evaluation rows: where they lie, in which tier they stand, and what a model makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores, summarise
from dataflywheel.evolution.feedback.paired import improvement
from dataflywheel.evolution.iteration.trial import examine
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context, Renewed
from dataflywheel.recipe.inputs.ingest import eval_set
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.seal import is_whole, write_sealed

__all__ = ["Renewed", "admit", "of_renewed"]


def admit(context: Context, renewed: Renewed, against: Path) -> Context:
    """Evaluations score these variants from now on, and guards keep away from the rows `against`, them among these."""
    ids = read_rows(renewed.rows, ["id"])["id"].to_pylist()
    known = digest(context.target_digest, "renewed@1", renewed.place, *ids)
    return replace(context, renewed=(*context.renewed, renewed), against=against, target_digest=known)


def of_renewed(context: Context, model: Path, settings: Evaluate, scores: RowScores, metric: str) -> dict[str, Any]:
    """What the model makes of the variants of the evaluation rows that have these `scores`, by the way in which they
    were written: a summary as of any evaluation, and `change`, the paired difference from the rows that they are
    variants of, above 0 where the model does better on the variants. Nothing where no step renews."""
    told: dict[str, Any] = {}
    for renewed in context.renewed:
        name = renewed.by if renewed.by not in told else f"{renewed.by} ({renewed.place})"
        at = _among(context, renewed, scores.ids.tolist())
        parents = dict(_parents(at))
        if not parents:
            told[name] = {"rows": 0}
            continue
        exam = eval_set(context, settings, at)
        found = examine(model, exam)
        after = replace(found, ids=np.array([parents[id] for id in found.ids.tolist()], dtype=object))
        change = improvement(scores, after, metric)
        told[name] = {"rows": len(parents), **summarise(found, metric, settings), "change": change.model_dump()}
    return {"renewed": told} if told else {}


def _among(context: Context, renewed: Renewed, ids: list[str]) -> Path:
    """The variants of the rows with these ids alone: those of one tier."""
    known = digest("renewed@1", renewed.place, *ids, *read_rows(renewed.rows, ["id"])["id"].to_pylist())
    output = context.run.path / "renewed" / f"{renewed.by}-{known}"
    if not is_whole(output):
        rows, wanted = read_rows(renewed.rows), set(ids)
        mask = [parents[0] in wanted for parents in rows["parents"].to_pylist()]
        with atomic_directory(output) as aside:
            with PartWriter(aside / "rows") as writer:
                writer.write(rows.filter(pa.array(mask, pa.bool_())))
            write_sealed(aside, {"fingerprint": known})
    return output / "rows"


def _parents(rows: Path) -> Mapping[str, str]:
    table = read_rows(rows, ["id", "parents"])
    return {id: above[0] for id, above in zip(table["id"].to_pylist(), table["parents"].to_pylist(), strict=True)}
