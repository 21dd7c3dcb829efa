"""The gate of novelty on real instructions: agreement with published marks, and speed against comparing with all."""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from gates_common import Line, Section, records

from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.gates.novelty import Novelty
from dataflywheel.proposing.kinds import Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.signals.words.rouge import indexed
from dataflywheel.signals.words.rouge_kernels import common_subsequences
from dataflywheel.signals.words.shingles import word_hashes
from tests.proposing.gates.proposals import new as new_row
from tests.proposing.gates.proposals import pool_of
from tests.signals.words import rouge_l

THRESHOLD = 0.7
ROWS = 5000
PLAIN_ROWS = 40
"""Rows that are compared in plain Python, which is slow."""


def novelty(data: Path) -> Section:
    note = (
        "Rows that a Self-Instruct run (alpaca_libre) marked as too similar to one that it had written before, kept or "
        "not. Not all that its marks name are repeats in other words, and not all that it kept are none."
    )
    return Section("Novelty", note, marks(data), speed(data))


def seeds(data: Path) -> list[str]:
    return [str(r["instruction"]) for r in records(data / "self_instruct" / "seed_tasks.jsonl")]


def marks(data: Path) -> list[Line]:
    lines: list[Line] = []
    for version in ("v1", "v3"):
        rows = records(data / "alpaca_libre" / f"alpaca_libre_tasks_{version}.jsonl.gz")
        kept = [str(r["instruction"]) for r in rows if r["status"] == "ok"]
        similar = [str(r["instruction"]) for r in rows if r["status"] == "too similar"]
        others = [str(r["instruction"]) for r in rows if r["status"] != "too similar"]
        for title, gate in (
            ("ROUGE-L of 0.7", Novelty(rouge_l=THRESHOLD)),
            ("cosine of 0.8 (static)", Novelty(rouge_l=None, cosine=0.8, embedder=EmbedderSpec(builtin="static"))),
        ):
            found = rejected(gate, similar, [*seeds(data), *others, *similar])
            alone = gate.check([new_row(text, "") for text in kept], Surroundings())
            again = sum(not check.passed for check in alone)
            lines.append(Line(f"{version}, marked as too similar: {title}", "recall", len(similar), found))
            lines.append(Line(f"{version}, kept, among themselves: {title}", "false alarms", len(kept), again))
    return lines


def rejected(gate: Novelty, new: list[str], known: list[str]) -> int:
    """How many texts are rejected beside known ones; of these, one that is the text itself does not count."""
    last = {text: k for k, text in enumerate(known)}
    pool = [prompt_answer_row(text, str(k)) for k, text in enumerate(known)]
    with tempfile.TemporaryDirectory() as folder:
        around = Surroundings(pool=pool_of(Path(folder), pool))
        proposals = [new_row(text, "", before=pool[last[text]] if text in last else None) for text in new]
        found = [gate.check([proposal], around)[0] for proposal in proposals]
    return sum(not check.passed for check in found)


def speed(data: Path) -> str:
    """Decisions and time of the index beside comparing with every row, compiled and in plain Python."""
    pool = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet")["instruction"].to_pylist()[:ROWS]
    start_words, start_offsets = word_hashes(seeds(data))
    words, offsets = word_hashes(pool)
    rows = [words[a:b] for a, b in pairwise(offsets.tolist())]
    known = [start_words[a:b] for a, b in pairwise(start_offsets.tolist())]
    compiled = indexed(["a"], *word_hashes(["warm up"]), THRESHOLD)
    compiled.above(compiled.words(word_hashes(["warm up"])[0]))
    start = time.perf_counter()
    index = indexed([str(k) for k in range(len(known))], start_words, start_offsets, THRESHOLD)
    ours = []
    for row in rows:
        one = index.words(row)
        ours.append(index.above(one) is None)
        if ours[-1]:
            index.add("", one)
    fast = time.perf_counter() - start
    start = time.perf_counter()
    theirs = exhaustive(known, rows)
    slow = time.perf_counter() - start
    start = time.perf_counter()
    for row in rows[:PLAIN_ROWS]:
        max(rouge_l(row.tolist(), other.tolist()) for other in known)
    comparisons = sum(len(known) + k for k in np.cumsum(theirs).tolist())
    plain = (time.perf_counter() - start) / (PLAIN_ROWS * len(known)) * comparisons
    lines = (
        f"| index with prefix filter | {fast:.2f} | 1 | {index.compared:,} |",
        f"| every row, compiled | {slow:.2f} | {slow / fast:.1f} | {comparisons:,} |",
        f"| every row, plain Python (from {PLAIN_ROWS * len(known):,} comparisons) | {plain:.0f} | {plain / fast:.0f} "
        f"| {comparisons:,} |",
    )
    equal = sum(a == b for a, b in zip(ours, theirs, strict=True))
    return (
        f"### Novelty: {ROWS:,} instructions one by one after 175 seeds\n\nEqual decisions: {equal:,} of {len(rows):,} "
        f"({ours.count(False)} rejected).\n\n| way | seconds | times the index | compared in full |\n"
        "| --- | ---: | ---: | ---: |\n" + "\n".join(lines)
    )


def exhaustive(known: list[np.ndarray], rows: list[np.ndarray]) -> list[bool]:
    """Whether each row is new, compared with the seeds and all rows that were new before."""
    flat = np.zeros(sum(map(len, known)) + sum(map(len, rows)), dtype=np.uint64)
    ends, kept = [0], []

    def add(row: np.ndarray) -> None:
        flat[ends[-1] : ends[-1] + len(row)] = row
        ends.append(ends[-1] + len(row))

    for row in known:
        add(row)
    for row in rows:
        bounds = np.asarray(ends)
        common, sizes = np.zeros(len(ends) - 1, dtype=np.int64), np.diff(bounds)
        common_subsequences(row, flat, bounds[:-1], bounds[1:], common)
        kept.append(bool((2 * common / (sizes + len(row))).max() <= THRESHOLD + 1e-9))
        if kept[-1]:
            add(row)
    return kept
