"""Planted truth: how much damage the default cleaning finds, and what training on the rest is worth.

    python benchmarks/planted.py [--pool python_docs | FILE] [--rows 2000] [--seeds 8] [--runs FOLDER]

Four tenths of a clean pool are damaged (see `damage.py`), the steps of `recipes/cleaning.yaml` are run on it, and a
small model is trained on the selection (a fifth of the pool), on random fifths, on random rows of as much text as the
selection has, and on the whole damaged pool. Prints precision and recall by kind of damage, the paired differences to
random choice in bits per byte of held-out clean answers, and how near the selection comes to the full pool.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.damage import KINDS, Damaged, answer, damage, prompt
from benchmarks.planted_trials import arms, gain, trials
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.ingest import read_file
from dataflywheel.rows.python_docs import python_docs
from dataflywheel.rows.schema import Row
from dataflywheel.store.decisions import read_decisions

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "cleaning.yaml"
MEANT_FOR = {"copy": "01-deduplicate", "swapped": "02-filter", "boilerplate": "02-filter", "cut": "03-filter"}
NATURAL_COPY = 0.6
LONGEST = 2000
"""Characters of an answer: longer ones would be trained on in part only."""


@dataclass(frozen=True)
class Found:
    """What one step made of one kind of damage. Precision counts this kind against clean rows that the step dropped;
    where a step is meant for two kinds, the same clean rows count against both."""

    kind: str
    step: str
    planted: int
    met: int
    """Planted rows that had not been dropped by a step before."""
    found: int
    wrong: int
    gone: int
    """Planted rows that any step of the cleaning dropped."""
    step_precision: float
    """Share of damaged rows of whatever kind among those that the step dropped."""

    @property
    def recall(self) -> float:
        return self.found / max(1, self.met)

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.wrong)


def clean_rows(pool: str, rows: int, held_out: int, seed: int = 0) -> tuple[list[Row], list[Row]]:
    """Rows for the pool and for evaluation, all with answers of their own: near copies that a source has are left out,
    so that what is planted is all that there is to find."""
    from dataflywheel.enhancement.preparation.near_copies import near_duplicates

    found: list[Any] = list(python_docs()) if pool == "python_docs" else read_file(pool)[0].to_pylist()
    found = [row for row in found if prompt(row).strip() and 0 < len(answer(row)) <= LONGEST]
    random.Random(seed).shuffle(found)
    kept = near_duplicates([answer(row) for row in found], NATURAL_COPY).kept
    seen: set[str] = set()
    distinct = []
    for row, first in zip(found, kept, strict=True):
        key = " ".join(answer(row).lower().split())
        if first and key not in seen:
            seen.add(key)
            distinct.append(row)
    if len(distinct) < rows + held_out:
        raise SystemExit(f"{pool} has {len(distinct)} rows with answers of their own; {rows + held_out} were asked for")
    return distinct[:rows], distinct[rows : rows + held_out]


def clean(damaged: Damaged, folder: Path, steps: int | None = None) -> Result:
    """The recipe's steps on the damaged pool, keeping a fifth of it; its first `steps` where not all are wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    pool = folder / "pool.jsonl"
    with pool.open("w", encoding="utf-8") as file:
        for row in damaged.rows:
            file.write(json.dumps({"prompt": prompt(row), "completion": answer(row)}) + "\n")
    recipe = load_recipe(RECIPE).model_dump(mode="json")
    recipe["pool"] = [{"path": str(pool)}]
    recipe["name"] = "planted"
    for step in recipe["steps"]:
        if "select" in step:
            step["select"]["keep"] = len(damaged.rows) // 5
    recipe["steps"] = recipe["steps"][:steps]
    return run(Recipe.model_validate(recipe), runs=folder / "runs", home=folder / "store")


def dropped(result: Result, step: str) -> dict[str, str | None]:
    """Rows that a step dropped, with the row that each decision points at."""
    decisions = read_decisions(result.path / "round-1" / step / "decisions.parquet").to_pylist()
    return {d["id"]: d["other"] for d in decisions if d["action"] == "dropped"}


def detection(damaged: Damaged, result: Result, meant_for: dict[str, str] = MEANT_FOR) -> list[Found]:
    """Each kind of damage under the step that is meant for it.

    Of an edited copy and its original, either may go: the pool is rid of the copy both times.
    """
    steps = sorted(set(meant_for.values()))
    gone = {step: dropped(result, step) for step in steps}
    sources = {original: copy for copy, original in damaged.originals.items()}
    lines = []
    for kind in (kind for kind in KINDS if kind in meant_for):
        step = meant_for[kind]
        here, before = gone[step], {id for earlier in steps if earlier < step for id in gone[earlier]}
        planted = {id for id, of in damaged.kinds.items() if of == kind}
        hits = planted & set(here)
        instead = {id for id, other in here.items() if id in sources and sources[id] == other}
        wrong = {id for id in here if id not in damaged.kinds} - instead
        paired = {sources[id] for id in instead} & planted
        everywhere = {id for rows in gone.values() for id in rows} | {sources[id] for id in instead}
        met, found, ever = len(planted - before), len(hits | paired), len(planted & everywhere)
        whole = 1 - len(wrong) / max(1, len(here))
        lines.append(Found(kind, step, len(planted), met, found, len(wrong), ever, whole))
    return lines


def print_detection(lines: Sequence[Found], result: Result, damaged: Damaged) -> None:
    print("| kind | planted | step | met | found | recall | precision | step's precision | dropped by any step |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for f in lines:
        print(
            f"| {f.kind} | {f.planted} | {f.step} | {f.met} | {f.found} | {f.recall:.2f} | {f.precision:.2f} "
            f"| {f.step_precision:.2f} | {f.gone / max(1, f.planted):.2f} |"
        )
    chosen = arms(result, 0)["selection"]
    shares = [f"{sum(damaged.kinds.get(id) == kind for id in chosen) / len(chosen):.1%} {kind}" for kind in KINDS]
    print(f"\nOf {len(chosen)} selected rows: {', '.join(shares)}; in the pool each kind is a tenth.")


def print_gain(found: dict[str, list[Any]]) -> None:
    told = gain(found)
    print("\n| trained on | rows | answer tokens | bits per byte |\n| --- | ---: | ---: | ---: |")
    for name, of in found.items():
        tokens = sum(trial.facts["answer_tokens"] for trial in of) // len(of)
        print(f"| {name} | {of[0].facts.get('rows', 0)} | {tokens:,} | {told['mean'][name]:.4f} |")
    for equal in ("rows", "text"):
        mean, low, high = (told[equal][name] for name in ("mean", "low", "high"))
        print(f"\nSelection minus random of equal {equal}: {mean:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}")
    print(f"\nA fifth of the pool reaches {told['share']:.0%} of the full damaged pool's gain over a random fifth,")
    print(f"and {told['quality']:.0%} of its quality (ratio of bits per byte).")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", default="python_docs")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--held-out", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--runs", type=Path, default=None, help="where to work; a temporary folder where not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.runs or Path(temporary)
        started = time.perf_counter()
        rows, held_out = clean_rows(given.pool, given.rows, given.held_out)
        damaged = damage(rows)
        result = clean(damaged, folder)
        cleaned = time.perf_counter()
        print(f"{given.pool}: {len(rows)} rows, {len(damaged.kinds)} of them damaged\n")
        print_detection(detection(damaged, result), result, damaged)
        print_gain(trials(result, held_out, given.seeds, given.epochs, folder / "store"))
        trained = time.perf_counter() - cleaned
        print(f"\nCleaning and selecting took {cleaned - started:.0f} s, training {trained:.0f} s")


if __name__ == "__main__":
    main()
