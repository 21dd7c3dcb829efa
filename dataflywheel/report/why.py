"""The life of one row of a run: where it came from, what was measured, what each step decided, what it points at."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.contracts import UsageError
from dataflywheel.report.reading import read_typed
from dataflywheel.report.why_written import (
    cells_told,
    is_evaluation,
    is_final,
    proposals_of,
    rounds_taken_back,
    row_directories,
    text_of_row,
    weight_of,
)
from dataflywheel.rows.origins import origins_of
from dataflywheel.rows.parts import iter_batches
from dataflywheel.store.answers import AnswerStore
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.plan import FILE, Plan, PlannedPlugin
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import names_damage, step_directories

WITHOUT = {"left": "left as it was", "failed": "a proposal gave no row"}
"""What is said of a proposal without a row, by its fate."""
OTHERS = 5
"""Further rows with the text that are named."""


@names_damage
def why(run: str | Path, row: str, home: str | Path = ".flywheel") -> dict[str, Any]:
    """Everything a run knows of a row, given its id, the beginning of one, or a part of its text: the first row that
    holds it, and under `others` the ids of the further ones.

    What a model was asked about it comes from the store in `home`.

    Raises:
        UsageError: no such run or row, or a beginning that fits several rows.
        FlywheelError: a file of the run is damaged.
    """
    path, home = Path(run), Path(home)
    pool = path / "round-1" / "00-pool"
    if not pool.is_dir():
        raise UsageError(f"{path} is not a run directory; give one such as runs/<name>")
    record, others = _find([pool / "rows", *row_directories(path), path / "target" / "rows"], row)
    record["weight"] = weight_of(path, record["id"])
    life: dict[str, Any] = {"row": record, "others": others, "origin": _origins(pool, record["id"]), "steps": []}
    for step in step_directories(path):
        if (step / "decisions.parquet").exists():
            life["steps"] += [line | _asked(step, record["id"], home) for line in _step(path, step, record["id"])]
    own = read_typed(path / FILE, Plan).plugged()
    for line in life["steps"] if own else ():
        line["plugins"] = _plugins(path, line, own)
    life["parents"] = [
        {"id": id, "text": text_of_row(path, id), "origin": _origins(pool, id)} for id in record["parents"] or ()
    ]
    life["written"] = _written(path, record["id"], home)
    life["rounds"] = rounds_taken_back(path, life["steps"])
    changed = [line["other"]["id"] for line in life["steps"] if line["action"] == "changed"]
    life["outcome"] = (
        "in the final data set"
        if is_final(path, record["id"])
        else f"rewritten as {changed[-1]}"
        if changed
        else "an evaluation row, which nothing is trained on"
        if not life["origin"] and is_evaluation(path, record["id"])
        else "dropped"
    )
    return life


def _written(run: Path, id_: str, home: Path) -> list[dict[str, Any]]:
    """Proposals that became the row or were made from it, by step."""
    there = (home / "answers.db").exists()
    with closing(AnswerStore(home / "answers.db")) if there else nullcontext() as answers:
        return [
            {"step": f"{step.parent.name}/{step.name}", **line}
            for step in step_directories(run)
            for line in proposals_of(step, id_, answers)
        ]


def _holding(batch: pa.RecordBatch, wanted: str) -> pa.Array:
    """Places of the rows of which a turn holds the text, however its letters are written."""
    turns = batch["messages"]
    hits = pc.match_substring(turns.flatten().field("content"), wanted, ignore_case=True)
    return pc.unique(pc.list_parent_indices(turns).filter(hits.fill_null(False)))


def _find(places: Sequence[Path], wanted: str) -> tuple[dict[str, Any], list[str]]:
    """The row that is meant, and the ids of the others that hold the text."""
    found: dict[str, dict[str, Any]] = {}
    first: dict[str, Any] | None = None
    holds: dict[str, None] = {}
    for batch in (batch for rows in places for batch in iter_batches(rows)):
        mask = pc.starts_with(batch["id"], wanted)
        found |= {row["id"]: row for row in batch.filter(mask).to_pylist()}
        if len(inside := _holding(batch, wanted)):
            first = first or batch.slice(inside[0].as_py(), 1).to_pylist()[0]
            holds |= dict.fromkeys(batch["id"].take(inside).to_pylist())
    if len(found) > 1:
        raise UsageError(f"{wanted!r} is the beginning of {len(found)} row ids; give more of it")
    if found:
        return next(iter(found.values())), []
    if first is None:
        raise UsageError(f"no row with id or text {wanted!r} in {places[0]}; ids are in decisions.parquet of each step")
    return first, [id for id in holds if id != first["id"]]


def _origins(pool: Path, id_: str) -> list[dict[str, Any]]:
    """File and line of every copy of the row."""
    return [{"file": file, "line": line} for file, line in origins_of(pool, id_)]


def _step(run: Path, step: Path, id_: str) -> list[dict[str, Any]]:
    table = read_decisions(step / "decisions.parquet")
    became = pc.and_(pc.equal(table["action"], "changed"), pc.equal(table["other"], id_))
    mine = pc.or_kleene(pc.equal(table["id"], id_), became if not (step / "proposals.parquet").exists() else False)
    decisions: list[dict[str, Any]] = table.filter(mine).to_pylist()
    lines = []
    for decision in decisions:
        line = {"step": f"{step.parent.name}/{step.name}", **{k: decision[k] for k in ("action", "reason", "score")}}
        if decision["id"] != id_:
            line |= {"action": "made", "other": {"id": decision["id"], "text": text_of_row(run, decision["id"])}}
        elif decision["other"]:
            line["other"] = {"id": decision["other"], "text": text_of_row(run, decision["other"])}
        lines.append(line | {"values": _values(step / "columns.parquet", id_)})
    return lines


def _plugins(run: Path, line: dict[str, Any], own: dict[str, PlannedPlugin]) -> list[dict[str, str]]:
    """The methods of plugins that had a say in a step: those that it names, and those whose values it read."""
    record = StepRecord.read(run / line["step"])
    said = set(
        re.findall(r"\w+", json.dumps([record.step, record.params, record.details.get("gates"), [*line["values"]]]))
    )
    return [
        {"method": name, "plugin": one.plugin, "summary": str((one.methods[name] or {}).get("summary", ""))}
        for name, one in own.items()
        if name in said
    ]


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
    if others := life["others"]:
        shown = ", ".join(others[:OTHERS]) + (", ..." if len(others) > OTHERS else "")
        lines.append(f"1 of {len(others) + 1:,} rows with this text; others: {shown}")
    lines += [f"counts {row['weight']:.3g} times where it is learned"] if row["weight"] is not None else []
    lines += [f"read from {o['file']}, line {o['line']}" for o in life["origin"][:5]]
    lines += [f"  {m['role']}: {_cut(m['content'])}" for m in row["messages"]]
    for parent in life["parents"]:
        lines.append(f"made from {parent['id']}: {_cut(parent['text'])}")
        lines += [f"    read from {o['file']}, line {o['line']}" for o in parent["origin"][:5]]
    for step in life["steps"]:
        score = "" if step["score"] is None else f" (score {step['score']:.4g})"
        lines.append(f"{step['step']}: {step['action']}, {step['reason']}{score}")
        if "other" in step:
            lines.append(f"    {step['other']['id']}: {_cut(step['other']['text'])}")
        values = {k: round(v, 4) if isinstance(v, float) else v for k, v in step["values"].items()}
        if values:
            lines.append(f"    measured: {json.dumps(values, ensure_ascii=False)}")
        for one in step.get("plugins", ()):
            lines.append(f"    {one['method']}, of {one['plugin']}: {one['summary']}".removesuffix(": "))
        for asked in step.get("asked", ()):
            lines += _conversation(asked)
    lines += [f"round {one['round']} was taken back, and what it added with it: {one['why']}" for one in life["rounds"]]
    for one in life["written"]:
        lines += _proposal(one, row["id"])
    return "\n".join(lines)


def _proposal(one: dict[str, Any], id_: str) -> list[str]:
    became = "this row" if one["id"] == id_ else f"row {one['id']}" if one["id"] else ""
    reason = "" if one["detail"].startswith(one["reason"]) else one["reason"]
    why = ": ".join(part for part in (one["gate"], reason, one["detail"]) if part)
    told = f"a proposal for {became} was {one['fate']}" if became else WITHOUT.get(one["fate"], one["fate"])
    lines = [f"{one['step']}: {told}{f', {why}' if why else ''}"]
    if failed := one["facts"].get("failed"):
        lines.append(f"    because the student got row {failed['row']} wrong: {failed['metric']} {failed['score']:.4g}")
    lines += [f"    {line}" for line in cells_told(one["facts"].get("cells") or ())]
    if sought := one["facts"].get("sought"):
        said = f", to which the model that was to fail said: {_cut(sought['answer'])}" if sought["answer"] else ""
        lines.append(f"    an attempt of round {sought['round']}{said}")
    return lines + [line for answer in filter(None, one["answers"]) for line in _answer(answer)]


def _conversation(asked: dict[str, Any]) -> list[str]:
    lines = [f"    {asked['signal']}: {asked['calls']} calls, {asked['tokens']:,} tokens, ${asked['usd']:.6f}"]
    for answer in filter(None, asked.get("answers", ())):
        lines += _answer(answer)
    return lines


def _answer(answer: dict[str, Any]) -> list[str]:
    question = answer["request"]["prompt"] or answer["request"]["messages"][-1]["content"]
    thought = [f"      thought: {_cut(answer['reasoning'])}"] if answer.get("reasoning") else []
    return [f"      asked: {_cut(question)}", *thought, f"      {answer['outcome']}: {_cut(answer['text'])}"]


def _cut(text: str, length: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[:length]}... ({len(text):,} characters)"
