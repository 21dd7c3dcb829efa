"""Runs each contestant of a benchmark in a process of its own and prints what each took, as a Markdown table."""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Contestant:
    """One way to do the job: `prepare` (imports, compilation) is not timed; `run` is, and gives a mask of kept rows."""

    package: str
    prepare: Callable[[], None]
    run: Callable[[Any], Sequence[bool]]


def measure(contestant: Contestant, make_input: Callable[[], Any]) -> None:
    """In the child: do the job once and print seconds, processor seconds, peak memory and the kept rows as JSON."""
    given = make_input()
    contestant.prepare()
    before, cpu, started = memory(), time.process_time(), time.perf_counter()
    kept = contestant.run(given)
    found = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "peak_mb": memory(),
        "grown_mb": memory() - before,
        "kept": [i for i, k in enumerate(kept) if k],
    }
    print(json.dumps(found))


def memory() -> float:
    """Peak resident memory so far in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(script: Path, names: Sequence[str], arguments: Sequence[str], repeats: int) -> dict[str, dict[str, Any]]:
    """The median run (by seconds) of every contestant, taken turn by turn so that a busy machine is busy for all."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            command = [sys.executable, str(script), "--only", name, *arguments]
            out = subprocess.run(command, capture_output=True, text=True, check=False)
            if out.returncode:
                sys.exit(f"{name} failed:\n{out.stderr}")
            runs[name].append(json.loads(out.stdout.splitlines()[-1]))
            print(f"{name}: {runs[name][-1]['seconds']:.2f} s", file=sys.stderr)
    return {name: sorted(found, key=lambda r: r["seconds"])[len(found) // 2] for name, found in runs.items()}


def report(
    title: str,
    results: Mapping[str, dict[str, Any]],
    packages: Mapping[str, str],
    extra: Mapping[str, Mapping[str, str]],
) -> None:
    """Print the table; ratios are to the first contestant."""
    ours = next(iter(results.values()))
    columns = list(next(iter(extra.values()))) if extra else []
    print(f"\n{title}, {os.cpu_count()} processors\n")
    head = ["", "version", "seconds", "ratio", "CPU seconds", "peak memory (MB)", "grown by (MB)", "kept", *columns]
    print("| " + " | ".join(head) + " |")
    print("| --- | --- |" + " ---: |" * (len(head) - 2))
    for name, found in results.items():
        cells = [
            name,
            importlib.metadata.version(packages[name]),
            f"{found['seconds']:.2f}",
            f"{found['seconds'] / ours['seconds']:.1f}x",
            f"{found['cpu']:.2f}",
            f"{found['peak_mb']:,.0f}",
            f"{found['grown_mb']:,.0f}",
            f"{len(found['kept']):,}",
            *(extra[name][column] for column in columns),
        ]
        print("| " + " | ".join(cells) + " |")
