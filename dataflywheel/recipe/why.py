"""The life of one row of a run: where it came from, what was measured, what each step decided, what it points at."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.contracts import UsageError
from dataflywheel.rows.origins import origins_of
from dataflywheel.rows.parts import iter_batches
from dataflywheel.store.answers import AnswerStore
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.run import step_directories


def why(run: str | Path, row: str, home: Path = Path(".flywheel")) -> dict[str, Any]:
    """Everything a run knows of a row, given its id, the beginning of one, or a part of its text (first match).

    What a model was asked about it comes from the store in `home`.

    Raises:
        UsageError: no such run or row, or a beginning that fits several rows.
    """
    path = Path(run)
    pool = path / "round-1" / "00-pool"
    if not pool.is_dir():
        raise UsageError(f"{path} is not a run directory; give one such as runs/<name>")
    record = _find(pool / "rows", row)
    life: dict[str, Any] = {"row": record, "origin": _origins(pool, record["id"]), "steps": []}
    for step in step_directories(path):
        if (step / "decisions.parquet").exists():
            life["steps"] += [line | _asked(step, record["id"], home) for line in _step(path, step, record["id"])]
    last = life["steps"][-1]["action"] if life["steps"] else "kept"
    life["outcome"] = "dropped" if last == "dropped" else "in the final data set"
    return life


def _find(rows: Path, wanted: str) -> dict[str, Any]:
    starts: list[dict[str, Any]] = []
    holds: dict[str, Any] | None = None
    for batch in iter_batches(rows):
        mask = pc.starts_with(batch["id"], wanted)
        starts += batch.filter(mask).to_pylist()
        if holds is None and len(wanted) > 3:
            holds = next((r for r in batch.to_pylist() if any(wanted in m["content"] for m in r["messages"])), None)
    if len(starts) > 1:
        raise UsageError(f"{wanted!r} is the beginning of {len(starts)} row ids; give more of it")
    found = starts[0] if starts else holds
    if found is None:
        raise UsageError(f"no row with id or text {wanted!r} in {rows}; ids are in decisions.parquet of each step")
    return found


def _origins(pool: Path, id_: str) -> list[dict[str, Any]]:
    """File and line of every copy of the row."""
    return [{"file": file, "line": line} for file, line in origins_of(pool, id_)]


def _step(run: Path, step: Path, id_: str) -> list[dict[str, Any]]:
    table = read_decisions(step / "decisions.parquet")
    decisions: list[dict[str, Any]] = table.filter(pc.equal(table["id"], id_)).to_pylist()
    lines = []
    for decision in decisions:
        line = {"step": f"{step.parent.name}/{step.name}", **{k: decision[k] for k in ("action", "reason", "score")}}
        if decision["other"]:
            line["other"] = {"id": decision["other"], "text": _text(run, decision["other"])}
        lines.append(line | {"values": _values(step / "columns.parquet", id_)})
    return lines


def _asked(step: Path, id_: str, home: Path) -> dict[str, Any]:
    """What a model was asked about the row, what it said and what that cost."""
    if not (step / "asked.parquet").exists():
        return {}
    table = pq.ParquetFile(step / "asked.parquet").read()
    found: list[dict[str, Any]] = table.filter(pc.equal(table["id"], id_)).to_pylist()
    if (home / "answers.db").exists():
        with closing(AnswerStore(home / "answers.db")) as answers:
            for line in found:
                line["answers"] = [answers.explain(bytes.fromhex(key)) for key in line["keys"] or ()]
    return {"asked": found}


def _text(run: Path, id_: str) -> str:
    for rows in (run / "round-1" / "00-pool" / "rows", run / "target" / "rows"):
        for batch in iter_batches(rows, ["id", "messages"]) if rows.is_dir() else ():
            found = batch.filter(pc.equal(batch["id"], id_)).to_pylist()
            if found:
                return "\n\n".join(m["content"] for m in found[0]["messages"])
    return ""


def _values(path: Path, id_: str) -> dict[str, Any]:
    if not path.exists():
        return {}
    table = pq.ParquetFile(path).read()
    found = table.filter(pc.equal(table["id"], id_)).to_pylist()
    return {name: value for name, value in found[0].items() if name != "id"} if found else {}


def as_text(life: dict[str, Any]) -> str:
    """The life in plain lines."""
    row = life["row"]
    lines = [
        f"row {row['id']}: {life['outcome']}",
        f"source {row['source']!r}, tags {row['tags']}, {row['copies']} copies",
    ]
    lines += [f"read from {o['file']}, line {o['line']}" for o in life["origin"][:5]]
    lines += [f"  {m['role']}: {_cut(m['content'])}" for m in row["messages"]]
    for step in life["steps"]:
        score = "" if step["score"] is None else f" (score {step['score']:.4g})"
        lines.append(f"{step['step']}: {step['action']}, {step['reason']}{score}")
        if "other" in step:
            lines.append(f"    {step['other']['id']}: {_cut(step['other']['text'])}")
        values = {k: round(v, 4) if isinstance(v, float) else v for k, v in step["values"].items()}
        if values:
            lines.append(f"    measured: {json.dumps(values, ensure_ascii=False)}")
        for asked in step.get("asked", ()):
            lines += _conversation(asked)
    return "\n".join(lines)


def _conversation(asked: dict[str, Any]) -> list[str]:
    lines = [f"    {asked['signal']}: {asked['calls']} calls, {asked['tokens']:,} tokens, ${asked['usd']:.6f}"]
    for answer in filter(None, asked.get("answers", ())):
        request = answer["request"]
        question = request["prompt"] or request["messages"][-1]["content"]
        lines += [f"      asked: {_cut(question)}", f"      {answer['outcome']}: {_cut(answer['text'])}"]
    return lines


def _cut(text: str, length: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[:length]}... ({len(text):,} characters)"
