"""Seconds of processor time and peak memory a row of every step of a run, at growing sizes of the pool.

    python benchmarks/scale.py [ROWS ...]

Prints a Markdown table. The rows are short chats: sentences of the instruction pool in `../shared/data`, put together
anew by a seed, one in fifty a copy and one in fifty a copy with a changed word. Each size runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
KEEP = 500
STEPS: list[dict[str, Any]] = [
    {"deduplicate": {"near": 0.8}},
    {"decontaminate": {"semantic": None}},
    {"filter": {"bounds": {"text.tokens_answer": [3, 1024]}}},
    {"select": {"by": "random", "keep": "95%"}},
    {"select": {"by": "longest", "keep": "95%"}},
    {"select": {"by": "dsir", "keep": "95%"}},
    {"select": {"by": "k_center", "keep": KEEP}},
]


def sentences(data: Path = DATA) -> tuple[list[str], list[str]]:
    """Prompts and sentences of answers of the instruction pool."""
    import pyarrow.parquet as pq

    rows = pq.read_table(data / "alpaca_pool/alpaca_pool.parquet").to_pylist()
    said = [text for row in rows for text in row["output"].replace("\n", " ").split(". ") if len(text) > 20]
    return [row["instruction"] for row in rows], said


def write_pool(path: Path, rows: int, data: Path = DATA) -> None:
    """Chats of about 300 bytes."""
    rng = random.Random(0)
    prompts, said = sentences(data)
    question = answer = ""
    with path.open("wb") as file:
        for i in range(rows):
            if i % 50 == 49:
                words = answer.split()
                words[rng.randrange(len(words))] = rng.choice(("indeed", "perhaps", "always"))
                answer = " ".join(words)
            elif i % 50 != 25:
                question = f"{rng.choice(prompts)} {rng.choice(said)}"
                answer = ". ".join(rng.choices(said, k=rng.randint(1, 3)))
            turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            file.write(orjson.dumps({"messages": turns}) + b"\n")


def recipe(pool: Path, data: Path = DATA) -> str:
    return json.dumps(
        {
            "name": "scale",
            "pool": [{"path": str(pool)}],
            "target": [{"path": str(data / "self_instruct/user_oriented_instructions.jsonl")}],
            "models": {"embedder": {"builtin": "static"}},
            "steps": STEPS,
        }
    )


class Meter:
    """Watches a run: processor seconds (workers included) and peak memory in MB by step."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[float, float]] = {}
        self.begin()

    def begin(self) -> None:
        reset_peak()
        self.since = spent()

    def end(self, step: str) -> None:
        seconds, peak = self.found.get(step, (0.0, 0.0))
        self.found[step] = seconds + spent() - self.since, max(peak, peak_memory())
        self.begin()

    def planned(self, steps: list[str]) -> None:
        self.end("plan")

    def started(self, step: str) -> None:
        return None

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        return None

    def asking(self, progress: object) -> None:
        return None

    def finished(self, step: str, note: str, reused: bool) -> None:
        self.end(step)


def spent() -> float:
    """Processor seconds of this process and of its children that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def reset_peak() -> None:
    """Let the peak begin anew; Linux only."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> float:
    """Peak resident memory in MB since `reset_peak`."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(rows: int, folder: Path, data: Path = DATA) -> dict[str, tuple[float, float]]:
    """Processor seconds and peak MB by step of one run over so many rows."""
    import dataflywheel as fw

    pool = folder / f"{rows}.jsonl"
    write_pool(pool, rows, data)
    text = folder / "recipe.yaml"
    text.write_text(recipe(pool, data))
    meter = Meter()
    fw.run(text, runs=folder / "runs", home=folder / ".flywheel", watcher=meter)
    meter.end("report")
    return meter.found


def warm(folder: Path) -> None:
    """Compile and load all that is compiled and loaded once."""
    folder.mkdir()
    measure(1000, folder)


def child(rows: int, run: Callable[[int, Path], dict[str, tuple[float, float]]] = measure) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        warm(folder / "warm")
        reset_peak()
        base = peak_memory()
        print(json.dumps({"base": base, "steps": run(rows, folder)}))


def main(sizes: list[int]) -> None:
    results = {}
    for rows in sizes:
        done = subprocess.run(
            [sys.executable, __file__, "--only", str(rows)], stdout=subprocess.PIPE, text=True, check=True
        )
        results[rows] = json.loads(done.stdout.splitlines()[-1])
        print(rows, results[rows], file=sys.stderr)
    write_table(results)


def write_table(results: dict[int, dict[str, Any]]) -> None:
    sizes = list(results)
    bases = ", ".join(f"{found['base']:,.0f}" for found in results.values())
    print("# What a run costs by rows\n")
    print(
        "Made by `python benchmarks/scale.py`: processor seconds for a million rows (those spent, divided by the rows)"
    )
    print(f"and peak memory in MB, on {os.cpu_count()} cores. Before the run the process holds {bases} MB, most of it")
    print("libraries that are loaded once.\n")
    print("| step | " + " | ".join(f"{rows:,} rows: s/10^6 | MB" for rows in sizes) + " |")
    print("| --- |" + " ---: | ---: |" * len(sizes))
    for step, name in zip(next(iter(results.values()))["steps"], named(), strict=True):
        cells = []
        for rows, found in results.items():
            seconds, peak = found["steps"][step]
            cells.append(f"{seconds / rows * 1e6:,.0f} | {peak:,.0f}")
        print(f"| {name} | " + " | ".join(cells) + " |")


def named() -> list[str]:
    """The steps with what tells them from each other."""
    told = [name if name != "select" else f"select by {given['by']}" for step in STEPS for name, given in step.items()]
    return ["plan", "ingest: pool", "ingest: target", *told, "data set, card and report"]


if __name__ == "__main__":
    started = time.perf_counter()
    if sys.argv[1:2] == ["--only"]:
        child(int(sys.argv[2]))
    else:
        main([int(size) for size in sys.argv[1:]] or [10_000, 100_000, 1_000_000])
        print(f"{time.perf_counter() - started:.0f} s in all", file=sys.stderr)
