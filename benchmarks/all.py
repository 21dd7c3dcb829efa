"""Runs every benchmark, one after the other, and keeps their tables in `benchmarks/results.md`.

    python benchmarks/all.py [NAME ...]

A benchmark that is not named keeps its table. Each speed is a ratio to its peers in one run on one machine.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DATA = Path(os.environ.get("FLYWHEEL_DATA", FOLDER.parents[1] / "shared" / "data"))
RESULTS = FOLDER / "results.md"
BENCHMARKS: dict[str, list[str]] = {
    "near_duplicates": [],
    "semantic_duplicates": ["--repeats", "1"],
    "facility_location": ["--timeout", "120"],
    "likelihood": [str(DATA / "alpaca_pool" / "alpaca_pool.parquet")],
    "ingest": [],
    "endpoint_overhead": [],
    "endpoints": [],
    "planted": [],
    "judges": [str(DATA)],
    "feedback": [],
    "collapse": [str(DATA)],
    "collapse_model": [str(DATA), "--rows", "300", "--steps", "120"],
    "dynamic": ["rho", "doremi", "folding"],
    "less": [],
    "enhancement": [str(DATA)],
}
HEAD = """# Results of the benchmarks

Made by `python benchmarks/all.py` (after `pip install 'dataflywheel[lm,bench]'`): each table comes from one run on one
machine, so that ratios mean something and single seconds little. Benchmarks with a page of their own are run by
themselves: `gates.py` (gates.md), `wheel.py` (wheel.md), `distillation.py` (distillation.md), `scale.py` (scale.md),
`tables.py` (tables.md).
"""


def main(names: list[str]) -> None:
    tables = read(RESULTS)
    for name in names or list(BENCHMARKS):
        print(f"{name} ...", file=sys.stderr)
        command = [sys.executable, str(FOLDER / f"{name}.py"), *BENCHMARKS[name]]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {date.today()}"
        tables[name] = f"{machine}\n\n{done.stdout.strip()}\n"
        ordered = [f"## {title}\n\n{tables[title]}" for title in BENCHMARKS if title in tables]
        RESULTS.write_text("\n".join([HEAD, *ordered]), encoding="utf-8")


def read(path: Path) -> dict[str, str]:
    """The tables that are there, by name."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() + "\n" for name, body in zip(parts[::2], parts[1::2], strict=True)}


if __name__ == "__main__":
    main(sys.argv[1:])
