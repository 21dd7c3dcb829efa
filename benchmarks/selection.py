"""What choosing rows for a target is worth on a mixed pool, beside random rows and at what cost.

    python benchmarks/selection.py [--only CASE] [--rows N] [--tokens N] [--seeds N] [--runs FOLDER]

Runs `recipes/domain.yaml` and the same with another target. `FLYWHEEL_DATA` is the folder with the data. What was
done is kept in FOLDER, so that the same command goes on where it was ended. Writes `benchmarks/selection.md` of the
cases that are finished; a try, with rows, tokens or seeds of its own, only prints its page.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import dataflywheel as fw
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.progress import Silent
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Target
from dataflywheel.store.atomic import write_json, write_text
from dataflywheel.store.scoreboard import ArmScore, Scoreboard

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "domain.yaml"
TABLE = ROOT / "benchmarks" / "selection.md"
RUNS = ROOT / "runs" / "benchmark-selection"
PUBMEDQA: dict[str, Any] = {
    "source": "pubmedqa",
    "metric": "bits_per_byte",
    "columns": {"prompt": "QUESTION", "answer": "LONG_ANSWER"},
}
EMBEDDINGS = "rds_plus {'vector': 'embedding.vector'}"
ARMS: dict[str, tuple[str, str]] = {
    "selection": ("`dsir`: words and pairs of words distributed as the target's", "hashed_ngrams"),
    "bm25": ("`bm25`: the target's rare words", ""),
    "rds_plus": ("`rds_plus`: hidden states near the target's", "hidden_state"),
    EMBEDDINGS: ("`rds_plus`, embeddings near the target's", "embedding"),
    "less": ("`less`: gradients along the target's", "gradient_projection"),
    "ifd": ("`ifd`: answers that their prompt hardly helps with", "likelihood"),
    "longest": ("`longest`: longest answers", ""),
    "random": ("random rows of the same cleaned pool", ""),
}
"""What arms are called, and the signal that each reads beside the lengths that all are filtered by."""
SCORER = "train scorer"
SCORED = ("rds_plus", "less", "ifd")
"""Arms that read signals of the scorer, a model that is trained on the pool once for all of them."""
HEAD = """# What choosing is worth on a mixed pool

Made by `python benchmarks/selection.py`. The first case is `recipes/domain.yaml`, the second the same with another
target. All arms choose from one cleaned pool, as many tokens each, and the built-in student of half a million weights
learns them from nothing, with the same settings and seeds. Two fifths of the target's rows guide the choice; the
score is bits per byte of the other rows, lower is better: mean over seeds. *Better than random by* is the paired
difference over seeds with its 95 % Student interval; above 0 the choice is better. A choice that depends on no chance
is the same in every seed, which then differ in training alone. Seconds are those of processors, for measuring all
rows that were offered and those of the target, by this process; forward and backward passes are over rows. What
`ifd`, `rds_plus` and `less` need first, a model trained on 300,000 tokens of the pool, is told below each table;
`less` has its own warm-up in its seconds, and embeddings are those of the whole pool as it came, since
decontamination reads them. So small a student says little of what a large one prefers.
"""


class Meter(Silent):
    """Adds up processor seconds between one piece of news and the next, by step and signal, in a file."""

    def __init__(self, file: Path) -> None:
        self.file, self.since, self.written = file, time.process_time(), 0.0
        self.spent: dict[str, float] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def enter(self, what: str, seconds: float | None = None) -> None:
        now = time.process_time()
        self.spent[what] = self.spent.get(what, 0.0) + (now - self.since if seconds is None else seconds)
        self.since = now
        if time.monotonic() > self.written + 5:
            self.write()

    def write(self) -> None:
        write_json(self.file, {what: round(seconds, 2) for what, seconds in self.spent.items()})
        self.written = time.monotonic()

    def started(self, step: str) -> None:
        self.enter("between")
        _say(f"{step} ...")

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        self.enter(step if what.startswith("steps") else f"{step}: {what}")
        _say(f"{step}: {what} {done:,}" + (f" of {total:,}" if total else ""))

    def finished(self, step: str, note: str, reused: bool) -> None:
        self.enter(step)
        _say(f"{step}: {note}")

    def of(self, signal: str) -> float:
        """Processor seconds of measuring a signal, in whichever step."""
        return sum(seconds for what, seconds in self.spent.items() if what.partition(": ")[2] == signal)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def cases(rows: int | None, tokens: int | None, seeds: int | None) -> dict[str, Recipe]:
    """The shipped recipe by its target's name, and the same for another target."""
    found = load_recipe(RECIPE)
    steps = [dict(step) for step in found.steps]
    for by, keep in (("source_balanced_random", rows), ("dsir", tokens and f"{tokens} tokens")):
        place = next(i for i, step in enumerate(steps) if step.get("select", {}).get("by") == by)
        if keep is not None:
            steps[place] = {"select": {**steps[place]["select"], "keep": keep}}
    assert found.compare is not None
    compare = found.compare if seeds is None else found.compare.model_copy(update={"seeds": seeds})
    found = found.model_copy(update={"steps": steps, "compare": compare})
    path = Path(str(found.target[0].path)).parents[1] / "pubmedqa" / "pubmedqa_labelled.jsonl.gz"
    other = found.model_copy(update={"name": "domain-pubmedqa", "target": [Target(path=str(path), **PUBMEDQA)]})
    return {"gsm8k": found, "pubmedqa": other}


def one(recipe: Recipe, runs: Path) -> tuple[Scoreboard, Meter]:
    """The scoreboard of a case, and what it cost; done where it is not there yet."""
    runs.mkdir(parents=True, exist_ok=True)
    meter, before = Meter(runs / f"{recipe.name}-seconds.json"), _children()
    board = fw.compare(recipe, runs=runs / "runs", home=runs / ".flywheel", watcher=meter)
    meter.enter("trainings", _children() - before)
    meter.write()
    return board, meter


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def section(name: str, recipe: Recipe, board: Scoreboard, meter: Meter) -> str:
    """A line for each arm, the best first, and in words what came of it."""
    head = ["rows chosen by", "rows", "tokens", "bits per byte", "better than random by", "verdict", "CPU s", "passes"]
    lines = [f"| {' | '.join(head)} |", "| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |"]
    arms = sorted(board.arms, key=lambda arm: arm.mean)
    lines += [f"| {' | '.join(_cells(arm, meter))} |" for arm in arms]
    target = Path(str(recipe.target[0].path)).parent.name
    seeds = ", ".join(map(str, board.seeds))
    about = f"Target `{target}`; {board.budget} of {board.rows_offered:,} rows. Seeds {seeds}."
    shared = ", ".join(f"`{name}`" for name in SCORED)
    scorer = f" The scorer that {shared} share took {meter.spent[SCORER]:.0f} s." if SCORER in meter.spent else ""
    return f"## {name}\n\n{about}\n\n" + "\n".join(lines) + f"\n\n{_said(arms)}{scorer}\n"


def _cells(arm: ArmScore, meter: Meter) -> list[str]:
    label, signal = ARMS[arm.name]
    known, verdict = arm.difference, arm.verdict
    gain = "" if known is None else f"{-known.mean:+.3f} [{-known.high:+.3f}, {-known.low:+.3f}]"
    cost = arm.select_cost
    passes = f"{cost.forward:,} + {cost.backward:,}" if cost.forward or cost.backward else ""
    tokens = f"{arm.train_tokens / 1000:.0f} k"
    seconds = f"{meter.of(signal):.0f}" if signal else ""
    return [label, f"{arm.rows:,}", tokens, f"{arm.mean:.3f}", gain, verdict, seconds, passes]


def _said(arms: list[ArmScore]) -> str:
    """Which choices were better than random rows, which no better, and which worse."""
    told = []
    for verdict in ("better than random", "no better than random", "worse than random"):
        names = [ARMS[arm.name][0].partition(":")[0] for arm in arms if arm.verdict == verdict]
        if names:
            told.append(f"{verdict[0].upper()}{verdict[1:]}: {'; '.join(names)}.")
    return " ".join(told)


Cases = Callable[[int | None, int | None, int | None], dict[str, Recipe]]


def main(cases: Cases = cases, head: str = HEAD, table: Path = TABLE, runs: Path = RUNS) -> str:
    """The page of these cases, written to `table` where it is whole."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--only", default="")
    arguments.add_argument("--rows", type=int)
    arguments.add_argument("--tokens", type=int)
    arguments.add_argument("--seeds", type=int)
    arguments.add_argument("--runs", type=Path, default=runs)
    given = arguments.parse_args()
    tried = (given.rows, given.tokens, given.seeds)
    found = [head]
    for name, recipe in cases(*tried).items():
        if given.only in ("", name):
            found.append(section(name, recipe, *one(recipe, given.runs.resolve())))
            if tried == (None, None, None) and not given.only:
                write_text(table, "\n".join(found))
    return "\n".join(found)


if __name__ == "__main__":
    print(main())
