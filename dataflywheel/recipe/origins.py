"""Who made the rows of a run: what its data set tells of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.proposing.ledger import Fate
from dataflywheel.rows.formats.beside import origin_of
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.row_model import model_of
from dataflywheel.rows.schema import Row
from dataflywheel.rows.sealed import is_sealed
from dataflywheel.rows.text import fields_of
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import step_directories


def model_named(proposer: Proposer) -> str:
    """The model that writes, as others may read it: its name, or that of its folder; no address and no path. "" where
    none does."""
    spec = getattr(proposer, "model", None)
    if not isinstance(spec, ModelSpec):
        return ""
    if spec.endpoint is not None or spec.hf is None:
        return str(spec.model or spec.builtin or "")
    return Path(spec.hf).name if Path(spec.hf).expanduser().is_dir() else spec.hf


def models_of(run: Path) -> dict[str, str]:
    """The model that wrote each row which was written or changed in a run, by id; what is changed without a model was
    written by whoever wrote it before."""
    found: dict[str, str] = {}
    for step in step_directories(run):
        if (proposals := step / "proposals.parquet").exists():
            model = str(StepRecord.read(step).details.get("by_model") or "")
            for one in pq.read_table(proposals, columns=["id", "before", "fate"]).to_pylist():
                if one["fate"] == Fate.ACCEPTED and one["id"]:
                    found[one["id"]] = model or found.get(one["before"], "")
        elif found and (step / "decisions.parquet").exists():
            decided = read_decisions(step / "decisions.parquet").select(["id", "action", "other"]).to_pylist()
            found |= {
                one["other"]: found[one["id"]] for one in decided if one["action"] == "changed" and one["id"] in found
            }
    return found


def origins_in(run: Path) -> Callable[[Row], Record]:
    """What the data set of a run tells of a row; of a sealed one not what it was made from."""
    models = models_of(run)

    def told(row: Row) -> Record:
        # An id is a digest of the text, by which whoever knows most of a sealed row could try the rest.
        shown: Row = {**row, "parents": []} if any(map(is_sealed, fields_of(row).values())) else row
        return origin_of(shown, models.get(row["id"]) or model_of(row["extra"]))

    return told
