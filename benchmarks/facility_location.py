"""Facility location: this package beside apricot and submodlib on the same vectors.

Each contestant runs in a process of its own: similarities of all pairs, then greedy selection; compilation is warmed
up on a few rows first and not counted. Every selection is valued by one function, `sum_i max_{j in S} max(0, cos(i,
j))`.

    python benchmarks/facility_location.py            # 20,000 choose 1,000 and 5,000 choose 500
    python benchmarks/facility_location.py --quick    # 2,000 choose 200

Prints a Markdown table and the ratios to this package.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, CENTRES = 384, 300
CONTESTANTS = {"dataflywheel": "dataflywheel", "apricot": "apricot-select", "submodlib": "submodlib-py"}


def pool(rows: int) -> Any:
    """Unit vectors of a seeded Gaussian mixture, float32 (rows, 384)."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((CENTRES, WIDTH)) / np.sqrt(WIDTH)
    vectors = centres[rng.integers(0, CENTRES, rows)] + rng.standard_normal((rows, WIDTH)) / np.sqrt(WIDTH)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def objective(vectors: Any, chosen: Any) -> float:
    blocks = (vectors[i : i + 2048] @ vectors[chosen].T for i in range(0, len(vectors), 2048))
    return float(sum(np.maximum(block.max(axis=1), 0).sum(dtype=np.float64) for block in blocks))


def with_dataflywheel(vectors: Any, budget: int) -> tuple[Any, float, float]:
    from dataflywheel.selection.greedy_cover import lazy_greedy, similarities

    return timed(lambda: similarities(vectors), lambda gram: lazy_greedy(gram, budget)[0])


def with_apricot(vectors: Any, budget: int) -> tuple[Any, float, float]:
    """Its fastest way: precomputed similarities (it computes in float64) and the lazy optimizer.

    It compiles its loops anew in every `fit`; that time is its users' time too, and is counted.
    """
    from apricot import FacilityLocationSelection

    def gram() -> Any:
        result = (vectors @ vectors.T).astype(np.float64)
        return np.maximum(result, 0, out=result)

    def greedy(similarity: Any) -> Any:
        return FacilityLocationSelection(budget, metric="precomputed", optimizer="lazy").fit(similarity).ranking

    return timed(gram, greedy)


def with_submodlib(vectors: Any, budget: int) -> tuple[Any, float, float]:
    """Its dense mode with the lazy optimizer; the kernel is computed by the library."""
    from submodlib import FacilityLocationFunction

    def kernel() -> Any:
        return FacilityLocationFunction(n=len(vectors), mode="dense", data=vectors, metric="cosine", separate_rep=False)

    def greedy(function: Any) -> Any:
        picks = function.maximize(budget=budget, optimizer="LazyGreedy", show_progress=False, verbose=False)
        return [row for row, _ in picks]

    return timed(kernel, greedy)


def timed(gram: Callable[[], Any], greedy: Callable[[Any], Any]) -> tuple[Any, float, float]:
    start = time.perf_counter()
    similarity = gram()
    middle = time.perf_counter()
    chosen = greedy(similarity)
    return chosen, middle - start, time.perf_counter() - middle


def work(name: str, rows: int, budget: int, answer: Path) -> None:
    """Body of a contestant's process."""
    contestant = {"dataflywheel": with_dataflywheel, "apricot": with_apricot, "submodlib": with_submodlib}[name]
    contestant(pool(64), 4)
    chosen, gram, greedy = contestant(pool(rows), budget)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    result = {"chosen": [int(row) for row in chosen], "gram": gram, "greedy": greedy, "peak": peak}
    answer.write_text(json.dumps(result))


def run(name: str, rows: int, budget: int, timeout: float) -> dict[str, Any] | str:
    """The contestant's result, or in words why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, __file__, "--work", name, str(rows), str(budget), str(answer)]
        try:
            done = subprocess.run(command, timeout=timeout, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            return f"> {timeout:.0f} s"
        if done.returncode:
            return f"failed: {(done.stderr.strip().splitlines() or [f'exit {done.returncode}'])[-1][:80]}"
        result: dict[str, Any] = json.loads(answer.read_text())
        return result


def setting(rows: int, budget: int, timeout: float) -> None:
    vectors = pool(rows)
    print(f"\n### {rows:,} x {WIDTH} choose {budget:,}\n")
    print("| | similarities s | greedy s | total s | peak GB | objective | total / ours | greedy / ours |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    ours: dict[str, Any] = {}
    for name, package in CONTESTANTS.items():
        result = run(name, rows, budget, timeout)
        label = f"{name} {importlib.metadata.version(package)}"
        if isinstance(result, str):
            print(f"| {label} | | | {result} | | | | |", flush=True)
            continue
        ours = ours or result
        total, own = result["gram"] + result["greedy"], ours["gram"] + ours["greedy"]
        ratios = f"{total / own:.1f} | {result['greedy'] / ours['greedy']:.1f}"
        print(
            f"| {label} | {result['gram']:.1f} | {result['greedy']:.1f} | {total:.1f} | {result['peak']:.1f} "
            f"| {objective(vectors, result['chosen']):.1f} | {ratios} |",
            flush=True,
        )
    draws = [np.random.default_rng(seed).choice(rows, budget, replace=False) for seed in range(5)]
    print(f"| random, mean of 5 | | | | | {np.mean([objective(vectors, draw) for draw in draws]):.1f} | | |")


def main() -> None:
    parser = argparse.ArgumentParser(description="Facility location beside its peers.")
    parser.add_argument("--quick", action="store_true", help="one small setting")
    parser.add_argument("--timeout", type=float, default=420, help="seconds a contestant may take")
    parser.add_argument("--work", nargs=4, metavar=("NAME", "ROWS", "BUDGET", "ANSWER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        name, rows, budget, answer = options.work
        work(name, int(rows), int(budget), Path(answer))
        return
    print(f"{os.cpu_count()} cores, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}")
    for rows, budget in [(2000, 200)] if options.quick else [(20_000, 1000), (5000, 500)]:
        setting(rows, budget, options.timeout)


if __name__ == "__main__":
    main()
