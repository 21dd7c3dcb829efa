"""Who wrote the pairs that `prefer` learns from: the model that they are told from, and which of them are too old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import UsageError
from dataflywheel.models.files import folder_digest
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.recipe.asking import writes_itself
from dataflywheel.recipe.context import Context
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.record import StepRecord
from dataflywheel.store.seal import RECORD


def written_by(context: Context, proposer: Proposer, given: Mapping[str, Any]) -> dict[str, str] | None:
    """The folder and digest of the student that wrote pairs, None where another model did, or none, or no pairs."""
    if not (proposer.makes_pairs or getattr(proposer, "pairs", False)):
        return None
    model = getattr(proposer, "model", None)
    if not (isinstance(model, ModelSpec) and model.hf and writes_itself(context.recipe, type(proposer), given)):
        return None
    folder = Path(model.hf)
    if not folder.is_dir():
        return None
    inside = folder.is_relative_to(context.run.path)
    place = folder.relative_to(context.run.path) if inside else folder.absolute()
    return {"folder": str(place), "digest": folder_digest(folder)}


def opponent(context: Context, outputs: Sequence[Path]) -> Path | None:
    """The student that wrote in the last of these steps in which one did, as it was then.

    Raises:
        UsageError: its folder is gone, or holds another model now.
    """
    for output in reversed(outputs):
        if not (output / RECORD).exists():
            continue
        writer = StepRecord.read(output).details.get("writer")
        if writer is None:
            continue
        folder = context.run.path / str(writer["folder"])
        if not folder.is_dir() or folder_digest(folder) != writer["digest"]:
            raise UsageError(
                f"prefer: the model that wrote the pairs of {output.name} is not in {folder} any more; remove "
                f"{context.run.path} and run again, or hold to the model trained here (`reference: start`)"
            )
        return folder
    return None


def preferences_to_learn(rows: Path, round: int, iterations: int, by: Trainer) -> tuple[list[str], int]:
    """Ids of the rows that this trainer learns from, in order, and how many are left out: those that the student wrote
    itself more than so many rounds ago, with this one. Rows of people and of other models stay."""
    kinds = {name: catalog.get(name, Proposer) for name in catalog.names(Proposer)}
    own = {
        name
        for name, kind in kinds.items()
        if issubclass(kind, Proposer) and kind.own_model == "trained" and kind.makes_pairs
    }
    table = read_rows(rows, ["id", "rejected", "label", "made_by", "round"])
    found = [row for row in table.to_pylist() if by.takes(row)]
    kept = [row["id"] for row in found if row["made_by"] not in own or row["round"] > round - iterations]
    return kept, len(found) - len(kept)
