"""What `make run` is worth: the shipped recipe, and again with other seeds.

    python benchmarks/first_run.py [--seeds 0 1000 ...] [--runs FOLDER]

Each repeat draws its rows and trains its four students of every arm with seeds of its own. The pool, the target with
its sealed tier, and the teacher of the first one are the same; what was measured of rows is not measured again. Every
repeat is kept as a JSON file in FOLDER, so that the same command goes on where it was ended. Writes the section
`make run` of `benchmarks/wheel.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dataflywheel.recipe.comparing.scoreboard import mean_interval
from dataflywheel.store.atomic import write_json, write_text

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "flywheel.yaml"
TABLE = ROOT / "benchmarks" / "wheel.md"
RUNS = ROOT / "runs" / "benchmark-first-run"
SEEDS = (0, 1000, 2000, 3000, 4000)
SECTION = re.compile(r"^## make run\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ARMS = {"random": "random rows", "one_round": "one round"}
ABOUT = """## make run

`recipes/flywheel.yaml` with other seeds, by `python benchmarks/first_run.py`: the documentation of the packages that
are installed here, its target the modules of Python's standard library that are not in it. Four students learn
the rows of each arm, which read as many tokens as the wheel's, all with the same teacher. *One round* is the same
selection at once, without rewriting and writing. The settings were chosen on the steering and the select tier, with
other seeds: budgets of 15,000 and 12,000 tokens, answers of up to 400 and up to 150 tokens, with and without a teacher.
Since then the teacher (200,000 tokens), the pool (150 texts of a package, not 300) and the students (four, not five)
were made smaller for the sake of the processor, and rows are learned once, from a budget of 30,000 tokens. Two budgets
whose rows are learned three times were tried with the sealed tier open. Of 8,000 tokens: on seed 0 better than random
rows by 0.042 [0.028, 0.056], and one round better by 0.012 [0.004, 0.019]. Of 10,000: on the five seeds better than
random rows by 0.020 to 0.037, one round better in two; and on seed 0 as many tokens of fresh random rows, each learned
once, better by 0.008. So a few rows learned again and again are worth less than others in their place.
"""


def one(seed: int, folder: Path) -> dict[str, Any]:
    """What came out of the recipe with this seed; run where it is not kept."""
    kept = folder / "results" / f"{seed}.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        recipe = with_seed(seed, folder)
        file = folder / f"{recipe['name']}.yaml"
        file.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
        env = {name: value for name, value in os.environ.items() if name != "FLYWHEEL_CACHE"}
        before = _cpu_minutes()
        command = [str(Path(sys.executable).with_name("flywheel")), "run", file.name]
        subprocess.run(command, cwd=folder, env=env, check=True)
        write_json(kept, {"seed": seed, "minutes": _cpu_minutes() - before, "board": board_of(folder, recipe["name"])})
    result: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return result


def with_seed(seed: int, folder: Path) -> dict[str, Any]:
    """The shipped recipe; of another seed with the teacher that is there, and beside the arms that matter most."""
    recipe: dict[str, Any] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    if seed == recipe["seed"]:
        return recipe
    taught = sorted((folder / ".flywheel" / "models").glob("tiny-*/config.json"))
    teacher = {"teacher": {"hf": str(taught[0].parent)}} if taught else {}
    models, compare = {**recipe["models"], **teacher}, {**recipe["compare"], "arms": list(ARMS)}
    return {**recipe, "name": f"flywheel-{seed}", "seed": seed, "models": models, "compare": compare}


def board_of(folder: Path, name: str) -> dict[str, Any]:
    """The scoreboard of a run."""
    found: dict[str, Any] = json.loads((folder / "runs" / name / "compare.json").read_text(encoding="utf-8"))
    return found


def _cpu_minutes() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) / 60


def section(found: Sequence[dict[str, Any]]) -> str:
    """The table: a line for each repeat."""
    head = ["seed", "rows", "tokens", "sealed", *(f"better than {label} by" for label in ARMS.values())]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---:'] * len(head))} |"]
    for one in found:
        arms = {arm["name"]: arm for arm in one["board"]["arms"]}
        own = arms["selection"]
        cells = [f"{one['seed']}", f"{own['rows']}", f"{own['train_tokens'] / 1000:.0f} k", f"{own['mean']:.3f}"]
        cells += [_better(own["scores"], arms[name]["scores"]) for name in ARMS]
        lines.append(f"| {' | '.join(cells)} |")
    return f"{ABOUT}\n" + "\n".join(lines) + "\n"


def _better(ours: Sequence[float], theirs: Sequence[float]) -> str:
    known = mean_interval([b - a for a, b in zip(ours, theirs, strict=True)])
    return f"{known.mean:+.3f} [{known.low:+.3f}, {known.high:+.3f}]"


def with_section(text: str, own: str) -> str:
    """The page with this section in place of the one that it has, or at its end."""
    if SECTION.search(text):
        return SECTION.sub(lambda _: f"{own}\n", text).rstrip() + "\n"
    return f"{text.rstrip()}\n\n{own}"


def section_of(text: str) -> str:
    """The section as it stands in a page; "" where it has none."""
    found = SECTION.search(text)
    return found.group().rstrip() + "\n" if found else ""


def main() -> str:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    arguments.add_argument("--runs", type=Path, default=RUNS)
    given = arguments.parse_args()
    found = [one(seed, given.runs.resolve()) for seed in given.seeds]
    text = section(found)
    write_text(TABLE, with_section(TABLE.read_text(encoding="utf-8"), text))
    return text


if __name__ == "__main__":
    print(main())
