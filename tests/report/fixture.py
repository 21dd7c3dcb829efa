"""A run directory like those the recipe writes, made of a few hundred rows in the manner of instruction pools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import Cost, Decisions
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.score_files import write_scores
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import Row, table
from dataflywheel.store.atomic import write_json
from dataflywheel.store.decisions import counts, write_decisions
from dataflywheel.store.ledger import Ledger

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x00\u202egnp.exe<!--"
TASKS = ["Explain {} to a child.", "Write a short poem about {}.", "List three facts about {}.", "Why does {} matter?"]
TOPICS = ["photosynthesis", "inflation", "the tides", "recursion", "vaccines", "jazz", "glaciers", "the printing press"]
WORDS = [
    "because",
    "light",
    "water",
    "people",
    "often",
    "change",
    "slowly",
    "every",
    "part",
    "of",
    "it",
    "depends",
    "time",
]

RECIPE = """name: {name}
pool:
  - {{path: data/alpaca.parquet, source: alpaca, license: cc-by-nc-4.0}}
target:
  - {{path: data/target.jsonl, metric: bits_per_byte}}
models:
  student: {{builtin: tiny}}
steps:
  - deduplicate: {{near: 0.8}}
  - filter: {{bounds: {{text.chars_answer: [60, null]}}}}
  - select: {{by: ifd, then: facility_location, keep: 100}}
  - train: {{epochs: 3}}
  - evaluate: {{}}
compare: [random, longest]
"""


def alpaca_like(n: int, seed: int = 0) -> list[tuple[str, str]]:
    """n prompts and answers; lengths are log-normal like those of real pools."""
    rng = np.random.default_rng(seed)
    pairs = []
    for i in range(n):
        topic = TOPICS[int(rng.integers(len(TOPICS)))]
        prompt = TASKS[int(rng.integers(len(TASKS)))].format(f"{topic} (part {i})")
        length = max(2, int(rng.lognormal(3.3, 0.9)))
        answer = f"{topic.capitalize()}: " + " ".join(rng.choice(WORDS, size=length))
        pairs.append((prompt, answer + "."))
    return pairs


class Builder:
    """Writes steps one after another; `rows` is what the last step let through."""

    def __init__(self, directory: Path, pairs: list[tuple[str, str]]) -> None:
        self.directory, self.index = directory, 0
        self.rows: list[Row] = list(
            {r["id"]: r for p, a in pairs for r in [prompt_answer_row(p, a, source="alpaca")]}.values()
        )
        self.planned: list[dict[str, Any]] = []
        self.unread: dict[str, int] = {}
        self.ledger = Ledger(directory / "ledger.json")

    def step(
        self,
        name: str,
        decisions: Decisions,
        cost: Cost,
        *,
        params: dict[str, Any] | None = None,
        details: dict[str, Any] | None = None,
        columns: dict[str, Any] | None = None,
    ) -> Path:
        folder = self.directory / "round-1" / f"{self.index:02d}-{name}"
        dropped = {i for i, a in zip(decisions.ids, decisions.action, strict=True) if a == "dropped"}
        entered = self.rows
        self.rows = [row for row in entered if row["id"] not in dropped]
        with PartWriter(folder / "rows") as writer:
            writer.write(table(self.rows))
        write_decisions(folder / "decisions.parquet", decisions)
        if columns is not None:
            pq.write_table(pa.table({"id": [r["id"] for r in entered], **columns}), folder / "columns.parquet")
        facts = {"step": name, "params": params or {}, "cost": cost.as_dict()}
        sizes = {"rows_in": len(entered) + sum(self.unread.values()), "rows_out": len(self.rows)}
        found = counts(decisions) | self.unread
        write_json(folder / "metrics.json", {**facts, **sizes, "counts": found, "details": details or {}})
        self.unread = {}
        self.ledger.enter(f"round-1/{self.index:02d}-{name}", cost)
        if name != "pool":
            self.planned.append({"round": 1, "index": self.index, **facts, "rows": len(entered)})
        self.index += 1
        return folder

    def keep_all(self) -> Decisions:
        decisions = Decisions()
        for row in self.rows:
            decisions.add(row["id"], "kept", "read")
        return decisions


def chars(rows: list[Row]) -> np.ndarray:
    return np.array([len(row["messages"][-1]["content"]) for row in rows], dtype=np.float64)


def _deduplicate(build: Builder, hostile: bool) -> None:
    decisions = Decisions()
    for i, row in enumerate(build.rows):
        if i % 9 == 8:
            reason = f"near copy: Jaccard 0.9{i % 10}" + (HOSTILE if hostile else "")
            decisions.add(row["id"], "dropped", reason, build.rows[i - 1]["id"], 0.9 + i % 10 / 100)
        else:
            decisions.add(row["id"], "kept", "no copy among the rows before it")
    build.step("deduplicate", decisions, Cost(2.31), params={"near": 0.8})


def _filter(build: Builder) -> None:
    lengths, decisions = chars(build.rows), Decisions()
    for row, n in zip(build.rows, lengths, strict=True):
        if n < 60:
            reason = f"text.chars_answer too small: {n:.0f} is below 60"
            decisions.add(row["id"], "dropped", reason, None, float(n))
        else:
            decisions.add(row["id"], "kept", "within bounds", None, float(n))
    symbols = np.random.default_rng(1).beta(2, 30, len(lengths))
    bounds = {"text.chars_answer": [60, None]}
    columns = {"text.chars_answer": lengths, "text.symbol_ratio": symbols}
    build.step("filter", decisions, Cost(1.5), params={"bounds": bounds}, columns=columns, details={"bounds": bounds})


def _select(build: Builder, budget: int) -> None:
    rng, decisions = np.random.default_rng(2), Decisions()
    scores = rng.normal(0.71, 0.12, len(build.rows))
    best = set(np.argsort(-scores)[:budget].tolist())
    for i, row in enumerate(build.rows):
        reason = f"ranked {i + 1} of {len(scores)} by ifd; {budget} kept"
        action = "kept" if i in best else "dropped"
        decisions.add(row["id"], action, reason, None, float(scores[i]))
    columns = {"likelihood.ifd": scores, "text.chars_answer": chars(build.rows)}
    details = {"by": [{"ifd": {}}], "budget": str(budget), "notes": {"by": "ifd > facility_location"}}
    params = {"by": "ifd", "then": "facility_location", "keep": budget}
    n = len(build.rows)
    build.step("select", decisions, Cost(12.4, 2 * n, 0, 180 * n), params=params, columns=columns, details=details)


def _train_and_evaluate(build: Builder, hostile: bool) -> None:
    details = {"model": "models/student", "steps": 38, "tokens": 61200, "losses": [[1, 6.1], [20, 3.2], [38, 2.4]]}
    n = len(build.rows)
    build.step("train", Decisions(), Cost(31.2, n * 3, n * 3, 61200), details=details, params={"epochs": 3})
    shifts = {"writing": 0.2, "facts": -0.1, "code": 0.05} | ({HOSTILE: 0.3} if hostile else {})
    slices = {name: {"value": 2.2 + d, "low": 2.1 + d, "high": 2.3 + d} for name, d in shifts.items()}
    overall = {"value": 2.31, "low": 2.27, "high": 2.35, "n": 252}
    found = {"metric": "bits_per_byte", "better": "lower", "overall": overall, "slices": slices}
    found["untrained"] = {"overall": {"value": 8.02, "low": 8.0, "high": 8.04, "n": 252}}
    folder = build.step("evaluate", Decisions(), Cost(4.2, 252), details=found)
    target = [prompt_answer_row(f"Target {i}?", HOSTILE if hostile else f"Answer {i}.", source="t") for i in range(24)]
    with PartWriter(build.directory / "target" / "rows") as writer:
        writer.write(table(target))
    ids, slices = (np.array(v, dtype=object) for v in ([r["id"] for r in target], ["facts"] * 20 + ["odd"] * 4))
    bytes_ = np.full(24, 10.0)
    write_scores(folder / "scores.parquet", RowScores(ids, slices, np.linspace(20, 43, 24), bytes_))
    write_scores(folder / "untrained.parquet", RowScores(ids, slices, np.full(24, 80.2), bytes_))


def _pool(build: Builder, read: int, hostile: bool) -> None:
    file = {"path": "data/alpaca.parquet", "source": "alpaca", "format": "alpaca", "rows": read, "quarantined": 2}
    details = {"files": [file], "merged": read - len(build.rows)}
    build.unread = {"dropped: cannot be read": 2, "dropped: identical row": read - len(build.rows)}
    folder = build.step("pool", build.keep_all(), Cost(0.8), details=details)
    bad = [
        {"line": 17, "reason": "not an object: found a list", "text": HOSTILE if hostile else "[1, 2]"},
        {"line": 90, "reason": "output is missing: instruction rows need it", "text": "{}"},
    ]
    lines = [json.dumps({"file": file["path"], **entry}) + "\n" for entry in bad]
    (folder / "quarantine.jsonl").write_text("".join(lines))


def build_run(
    directory: Path,
    *,
    compare: dict[str, Any] | None = None,
    pairs: list[tuple[str, str]] | None = None,
    hostile: bool = False,
    finished: bool = True,
    with_map: bool = True,
    budget: int = 100,
) -> Path:
    """Write a whole run (or one that a budget stopped after selection) and return its directory."""
    pairs = list(pairs or alpaca_like(400))
    if hostile:
        pairs[7], pairs[8] = (HOSTILE, "x" * 20 + HOSTILE), (HOSTILE + " again", HOSTILE * 30)
    directory.mkdir(parents=True)
    build = Builder(directory, pairs)
    everything = list(build.rows)
    _pool(build, len(pairs), hostile)
    _deduplicate(build, hostile)
    _filter(build)
    _select(build, budget)
    waiting = [{"round": 1, "index": 4 + i, "step": step, "rows": 0} for i, step in enumerate(("train", "evaluate"))]
    if finished:
        _train_and_evaluate(build, hostile)
    planned = build.planned + ([] if finished else waiting)
    write_json(directory / "plan.json", {"name": directory.name, "seed": 0, "steps": planned})
    (directory / "recipe.yaml").write_text(RECIPE.format(name=directory.name))
    (directory / "events.jsonl").write_text('{"event": "stopped", "reason": "the budget of 1 hour is spent"}\n{"cut')
    if compare is not None:
        write_json(directory / "compare.json", compare)
    if with_map:
        _map(directory, everything, {row["id"] for row in build.rows})
    return directory


def _map(directory: Path, rows: list[Row], kept: set[str]) -> None:
    rng = np.random.default_rng(4)
    centres = rng.normal(0, 4, (8, 2))
    points = centres[rng.integers(8, size=len(rows))] + rng.normal(0, 1, (len(rows), 2))
    ids = [row["id"] for row in rows]
    columns = {"id": ids, "x": points[:, 0], "y": points[:, 1], "kept": [i in kept for i in ids]}
    pq.write_table(pa.table(columns), directory / "map.parquet")
