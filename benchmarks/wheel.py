"""What a wheel is worth: beside random rows, one round with the whole budget, and the same wheel without feedback.

    python benchmarks/wheel.py [DATA] [--seeds N] [--first SEED] [--only NAME] [--runs FOLDER]

`DATA` is the folder that holds p3_multitask; that case is left out without it. All arms of a seed are scored on the
sealed tier of the wheel's target, which none of them saw; differences are paired by seed. Every seed of a case is kept
as a JSON file in FOLDER, so that the same command goes on where it was ended. Writes `benchmarks/wheel.md` of all seeds
that are kept, two or more of a case.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.first_run import section_of, with_section
from benchmarks.wheel_cases import NONE, Case, cases
from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.evolution.feedback.score_files import read_scores
from dataflywheel.evolution.iteration.trial import EvalSet, examine
from dataflywheel.recipe.comparing.scoreboard import mean_interval
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.atomic import write_json, write_text
from tests.evolution.planted_wheels import Outcome, planted_method, turn

TABLE = Path(__file__).resolve().parent / "wheel.md"
SEEDS = 20
"""Seeds that are looked for, at most."""
RUNS = Path(__file__).resolve().parents[1] / "runs" / "benchmark-wheel"
ARMS = {
    "wheel": "the wheel with feedback",
    "proportional": "the wheel, shares of the target in place of feedback",
    "one_round": "one round with the whole budget, the same steps",
    "random": "as many rows of the pool at random",
}
HEAD = """# What the wheel is worth

Made by `python benchmarks/wheel.py DATA`. Bits per byte of the sealed tier, lower is better: mean over seeds. *The
wheel is better by* is the paired difference over seeds with its 95 % Student interval; above 0 the wheel is better.
Tokens are those of training: of the last training, which is what an arm of one training costs, and of all rounds. Every
round trains anew on all rows so far: a wheel of three rounds trains on about twice the tokens of one round.
"""


def of_seed(case: Case, seed: int, name: str, feedback: Mapping[str, Any]) -> Recipe:
    return case.make(seed, f"{case.name.replace('_', '-')}-{name}", dict(feedback))


def kept(case: Case, seed: int, folder: Path) -> Path:
    """Where the outcomes of a seed's arms are, or will be."""
    wheel = of_seed(case, seed, "wheel", case.feedback)
    return folder / "results" / f"{wheel.name}-{digest(wheel.model_dump_json())}.json"


def held(case: Case, folder: Path) -> list[dict[str, Any]]:
    """The outcomes of all seeds that are there, by seed."""
    files = {seed: path for seed in range(SEEDS) if (path := kept(case, seed, folder)).exists()}
    return [{"seed": seed, **json.loads(path.read_text(encoding="utf-8"))} for seed, path in files.items()]


def one_seed(case: Case, seed: int, folder: Path) -> None:
    """Run all arms, and keep what came out."""
    output, folder = kept(case, seed, folder), folder / case.name  # several cases may run side by side
    if output.exists():
        return
    wheel = of_seed(case, seed, "wheel", case.feedback)
    found = {"wheel": turn(wheel, folder)}
    found["proportional"] = turn(of_seed(case, seed, "proportional", NONE), folder)
    exam = sealed_exam(wheel, folder / "runs" / wheel.name)
    found["one_round"] = single(in_one_round(wheel), folder, exam)
    if case.from_pool:
        found["random"] = single(at_random(wheel, found["wheel"].rows), folder, exam)
    write_json(output, {name: asdict(outcome) for name, outcome in found.items()})
    shutil.rmtree(folder / "runs")


def sealed_exam(wheel: Recipe, path: Path) -> EvalSet:
    """The wheel's sealed tier, for models of other runs."""
    rows, scores = path / "tiers" / "sealed", read_scores(path / "sealed" / "scores.parquet")
    slices = dict(zip(scores.ids, scores.slices, strict=True))
    ids = read_rows(rows, ["id"])["id"].to_pylist()
    return EvalSet(rows, wheel.target[0].metric, tuple(str(slices[id]) for id in ids), Evaluate())


def in_one_round(wheel: Recipe) -> Recipe:
    """The same steps in one round; what would be written from the steering tier is written from the rows."""
    steps = [
        {name: {**given, "source": "rows"} if given.get("source") == "target" else given}
        for step in wheel.steps
        for name, given in step.items()
    ]
    return wheel.model_copy(update={"name": f"{wheel.name}-one", "rounds": 1, "feedback": {}, "steps": steps})


def at_random(wheel: Recipe, rows: int) -> Recipe:
    """The same cleaning and training, and so many rows of the pool at random in place of what brings rows."""
    one = in_one_round(wheel)
    steps = [step for step in one.steps if not {"select", "generate"} & set(step)]
    steps.insert(len(steps) - 2, {"select": {"by": "random", "keep": rows}})
    return one.model_copy(update={"name": f"{wheel.name}-random", "steps": steps})


def single(made: Recipe, folder: Path, exam: EvalSet) -> Outcome:
    """Run a recipe of one round and score its model."""
    with planted_method():
        result = run(made, runs=folder / "runs", home=folder / "store")
    assert result.model is not None
    scores = examine(result.model, exam)
    (told,) = (result.path / "round-1").glob("*-train/metrics.json")
    tokens = int(json.loads(told.read_text(encoding="utf-8"))["details"]["tokens"])
    slices = {name: scores.metric(at) for name, at in scores.by_slice(1).items()}
    return Outcome(scores.metric(), slices, result.rows_out, tokens, tokens, 1)


def section(case: Case, found: Sequence[dict[str, Any]]) -> str:
    """A case's table over the seeds that are there."""
    focus = f" {case.focus} |" if case.focus else ""
    seeds = ", ".join(str(one["seed"]) for one in found)
    lines = [
        f"## {case.name}\n\n{case.about[0].upper()}{case.about[1:]} Seeds {seeds}.\n",
        f"| rows from | rows | tokens, last | tokens, all | sealed |{focus} the wheel is better by | verdict |",
        f"| --- | ---: | ---: | ---: | ---: |{' ---: |' if focus else ''} ---: | --- |",
    ]
    for arm in (arm for arm in ARMS if arm in found[0]):
        own = [one[arm] for one in found]
        rows, last, every, sealed = (mean([o[n] for o in own]) for n in ("rows", "tokens", "all_tokens", "sealed"))
        mark = f" {mean([o['slices'][case.focus] for o in own]):.3f} |" if case.focus else ""
        told = "| |" if arm == "wheel" else difference([o[arm]["sealed"] - o["wheel"]["sealed"] for o in found])
        lines.append(
            f"| {ARMS[arm]} | {rows:.0f} | {last / 1000:.0f} k | {every / 1000:.0f} k | {sealed:.3f} |{mark} {told}"
        )
    return "\n".join(lines) + "\n"


def difference(by_seed: Sequence[float]) -> str:
    if not any(by_seed):
        return "0 | the same model in every seed |"
    known = mean_interval(by_seed)
    text = f"{known.mean:+.3f} [{known.low:+.3f}, {known.high:+.3f}]"
    verdict = "the wheel wins" if known.low > 0 else "the wheel loses" if known.high < 0 else "no difference shown"
    return f"{text} | {verdict} |"


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def main() -> str:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("data", nargs="?", type=Path)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--first", type=int, default=0)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--runs", type=Path, default=RUNS)
    given = arguments.parse_args()
    known = cases(given.data, given.runs)
    for case in known:
        for seed in range(given.first, given.first + given.seeds) if given.only in ("", case.name) else ():
            one_seed(case, seed, given.runs)
            print(f"{case.name}, seed {seed}: done", file=sys.stderr, flush=True)
    found = {case.name: held(case, given.runs) for case in known}
    text = "\n".join([HEAD, *(section(case, found[case.name]) for case in known if len(found[case.name]) > 1)])
    if first := section_of(TABLE.read_text(encoding="utf-8")):
        text = with_section(text, first)
    write_text(TABLE, text)
    return text


if __name__ == "__main__":
    print(main())
