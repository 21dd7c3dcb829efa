"""What was written of a row and from it: the proposals of a run's rewriters and generators, with what was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.rows.parts import has_weights, iter_batches, read_rows
from dataflywheel.store.answers import AnswerStore
from dataflywheel.store.round_record import RoundRecord
from dataflywheel.store.run import step_directories

SHOWN = ["wave", "fate", "gate", "reason", "detail", "facts", "id", "parents", "keys", "calls", "tokens", "usd"]


def row_directories(run: Path) -> Iterator[Path]:
    """Where rows that the pool does not hold may be found: the outputs of the steps that write or change rows."""
    for step in step_directories(run):
        if (step / "variants").is_dir():
            yield step / "variants"
        elif (step / "proposals.parquet").exists() or changes(step):
            yield step / "rows"


def changes(step: Path) -> bool:
    """Whether rows were changed in the step."""
    record = step / "metrics.json"
    counts = json.loads(record.read_bytes()).get("counts") or {} if record.is_file() else {}
    return any(name.startswith("changed") for name in counts)


def weight_of(run: Path, id_: str) -> float | None:
    """How much the row counts after the last step that left it with a weight; None where none did."""
    for step in reversed(list(step_directories(run))):
        if has_weights(step / "rows"):
            held = read_rows(step / "rows", ["id", "weight"])
            for weight in held["weight"].filter(pc.equal(held["id"], id_)).to_pylist():
                return None if weight is None else float(weight)
    return None


def proposals_of(step: Path, id_: str, answers: AnswerStore | None) -> list[dict[str, Any]]:
    """Proposals of a step that became this row or were made from it, with what was asked for them."""
    path = step / "proposals.parquet"
    if not path.exists():
        return []
    table = pq.ParquetFile(path).read(columns=SHOWN)
    if not len(table):  # indices_nonzero ends the process on an empty array of no chunks
        return []
    parents = table["parents"].combine_chunks()
    near = pc.list_parent_indices(parents).filter(pc.equal(parents.flatten(), id_))
    mine = pc.indices_nonzero(pc.fill_null(pc.equal(table["id"], id_), False))
    at = sorted({*near.to_pylist(), *mine.to_pylist()})
    found: list[dict[str, Any]] = table.take(pa.array(at, pa.int64())).to_pylist()
    for line in found:
        keys = line.pop("keys") or []
        line["facts"] = json.loads(line["facts"])
        line["answers"] = [answers.explain(bytes.fromhex(key)) for key in keys] if answers is not None else []
    return found


def cells_told(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The changed cells of a table's row, a line each: what stood there, what stands there now, and why."""
    return [
        f"{one['column']}: {json.dumps(one['before'], ensure_ascii=False)} became "
        f"{json.dumps(one['after'], ensure_ascii=False)}: {one['reason']} (confidence {one['confidence']:.2f})"
        f"{'; it said: ' + one['said'] if one.get('said') else ''}"
        for one in changes
    ]


def final_rows(run: Path) -> Path | None:
    """The rows that the run ended with: those of the last round that was kept, or of its last step."""
    written = [step / "rows" for step in step_directories(run) if step.name.endswith("-dataset")]
    if written:  # some could not be written
        return written[-1]
    for one in reversed(RoundRecord.all(run)):
        rows = run / f"round-{one.round}" / one.rows.folder / "rows"
        if one.kept and rows.is_dir():  # where it is not, an earlier recipe of that name had more rounds
            return rows
    steps = [step / "rows" for step in step_directories(run) if (step / "rows").is_dir()]
    return steps[-1] if steps else None


def rounds_taken_back(run: Path, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rounds of a wheel that brought the row and did not stay, with the reason: a row of theirs that no later round
    took is not in the data set. `steps` are the decisions on the row."""
    brought = {str(one["step"]).partition("/")[0] for one in steps if one["action"] in ("added", "changed")}
    back = [one for one in RoundRecord.all(run) if not one.kept and f"round-{one.round}" in brought]
    return [{"round": one.round, "why": "; ".join(one.reasons)} for one in back]


def is_evaluation(run: Path, id_: str) -> bool:
    """Whether the row is one of the target, or a variant of one."""
    variants = [step / "variants" for step in step_directories(run) if (step / "variants").is_dir()]
    places = [rows for rows in (run / "target" / "rows", *variants) if rows.is_dir()]
    return any(id_ in read_rows(rows, ["id"])["id"].to_pylist() for rows in places)


def is_final(run: Path, id_: str) -> bool:
    """Whether the row is in the data set that the run ended with."""
    rows = final_rows(run)
    return rows is not None and id_ in read_rows(rows, ["id"])["id"].to_pylist()


def text_of_row(run: Path, id_: str) -> str:
    """A row's text, from wherever in the run it is."""
    for rows in (run / "round-1" / "00-pool" / "rows", run / "target" / "rows", *row_directories(run)):
        for batch in iter_batches(rows, ["id", "messages"]) if rows.is_dir() else ():
            found = batch.filter(pc.equal(batch["id"], id_)).to_pylist()
            if found:
                return "\n\n".join(m["content"] for m in found[0]["messages"])
    return ""
