"""What a recipe will do and cost, checked before anything is computed or paid for."""

from __future__ import annotations

import glob
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import Cost, Signal, UsageError
from dataflywheel.models.learning_rate import Job
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.arms import arm_needs
from dataflywheel.recipe.asking import check_asking
from dataflywheel.recipe.check_turns import (
    check_pairs,
    check_preferring,
    check_proposing,
    check_rounds,
    unread_by_gates,
)
from dataflywheel.recipe.holding import holding
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.needs import model_kind, signals_of
from dataflywheel.recipe.on_policy_step import check_on_policy, on_policy_of
from dataflywheel.recipe.price import comparison_cost, flops, left_after, look, parameters, step_cost
from dataflywheel.recipe.price_more import more_lines
from dataflywheel.recipe.propose import Enhance, Generate
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.shown_rows import shown_pairs, shown_rows
from dataflywheel.recipe.steps import Step, build_steps
from dataflywheel.recipe.target_judge import check_judged
from dataflywheel.recipe.target_rows import check_target_rows
from dataflywheel.recipe.targeting import targeted
from dataflywheel.recipe.training import Distill, Prefer, Train, check_sampling, distilling_teacher
from dataflywheel.rows.containers.find import with_part

LOOKED_AT = 5000
"""Rows of each input whose form is checked against what the data set and the student can hold, its first."""


def plan(
    recipe: str | Path | Recipe, *, probe: int = 0, runs: Path = Path("runs"), home: Path = Path(".flywheel")
) -> dict[str, Any]:
    """Checks a recipe and estimates each step's rows, passes, tokens, dollars and seconds, without doing it.

    With `probe`, models behind endpoints are really asked about so many rows of the pool, and `probe` in the result
    says what all rows will cost, with intervals; the answers are kept in the store and not paid for again.

    Raises:
        UsageError: something the steps need is not there; the message says what and how to get it.
    """
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(Path(recipe))
    found = make_plan(loaded, build_steps(loaded), loaded.compare is not None)
    if probe:
        from dataflywheel.recipe.probe import probe as ask

        found["probe"] = ask(loaded, found["pool"]["rows"], probe, runs, home)
    return found


def make_plan(recipe: Recipe, steps: list[Step], comparison: bool) -> dict[str, Any]:
    """The content of `plan.json`."""
    check(recipe, steps, comparison)
    looked = look(recipe.pool, LOOKED_AT)
    pool = looked.size
    speed = flops()
    seen: set[str] = set()
    left = pool
    lines: list[dict[str, Any]] = []
    costs: list[Cost] = []
    for step in steps:
        check_pairs(step, left.pairs)
        cost = step_cost(recipe, step, left, speed, seen)
        left = left_after(step, left)
        line = {"round": 1, "index": step.index, "step": step.name, "params": step.parameters(), "rows": left.rows}
        lines.append({**line, "cost": cost.as_dict()})
        costs.append(cost)
    facts = {
        "name": recipe.name,
        "seed": recipe.seed,
        "pool": {
            "rows": pool.rows,
            "chars": pool.chars,
            "tokens": pool.tokens,
            "unread": looked.unread,
            "bad": looked.bad,
            "why_bad": looked.why,
        },
        "dataset": holding(recipe, looked.first),
        "notes": unread_by_gates(recipe, steps),
    }
    if any(step.name == "evaluate" for step in steps):
        facts["target"] = check_target_rows(recipe)
    taught = next((place for place, step in enumerate(steps) if isinstance(step.work, Train)), None)
    if taught is not None:
        work, before = steps[taught].work, [step.work for step in steps[:taught]]
        assert isinstance(work, Train)
        rewritten = any(isinstance(one, Enhance | Generate) for one in before)
        facts["shown"] = shown_rows(recipe, work, looked.first, rewritten)
    preferred = next((step.work for step in steps if isinstance(step.work, Prefer)), None)
    if preferred is not None:
        facts["shown_pairs"] = shown_pairs(recipe, preferred, looked.first)
    total = sum(costs, Cost())
    if comparison and recipe.compare:
        total += (trials := comparison_cost(recipe, lines))
        facts["comparison"] = {
            "arms": len(recipe.compare.arms) + 1,
            "seeds": recipe.compare.seeds,
            "cost": trials.as_dict(),
            "more": (more := more_lines(recipe, steps, pool, speed)),
        }
        total += sum((Cost(**line["cost"]) for line in more), Cost())
    return {**facts, "steps": lines, "total": total.as_dict()}


def check(recipe: Recipe, steps: list[Step], comparison: bool) -> None:
    """Refuse what cannot work: missing files, targets, models, packages, steps in an impossible order."""
    names = ["train" if isinstance(step.work, Train) else step.name for step in steps]
    wanted = [need for step in steps for need in step.needs()]
    _check_files(recipe.pool, "pool")
    _check_files(recipe.target, "target")
    if not recipe.target and {"evaluate", "decontaminate"} & set(names):
        need = "evaluate" if "evaluate" in names else "decontaminate"
        raise UsageError(f"{need} needs a target: name evaluation rows under `target:`, or leave the step out")
    for method in [] if recipe.target else targeted(steps):
        raise UsageError(
            f"select: {method} compares rows with a target; name evaluation rows under `target:`, or choose a method "
            "that needs none"
        )
    check_rounds(recipe, names)
    check_judged(recipe, names, comparison)
    check_preferring(steps, comparison)
    proposals = [step for step in steps if isinstance(step.work, Enhance | Generate)]
    for step in proposals:
        check_proposing(recipe, step)
    first = next((i for i, name in enumerate(names) if name in ("select", "train")), len(names))
    if recipe.target and "train" in names and "decontaminate" not in names[:first]:
        raise UsageError(
            "the target must never be trained on: put a `decontaminate` step before the first `select` or `train`"
        )
    if comparison and not {"select", "train", "evaluate"} <= set(names):
        missing = sorted({"select", "train", "evaluate"} - set(names))
        raise UsageError(f"compare needs the steps select, train and evaluate; missing: {', '.join(missing)}")
    if comparison and recipe.compare:
        wanted += [need for entry in recipe.compare.arms for need in arm_needs(entry)]
    if "evaluate" in names and "train" not in names[: names.index("evaluate")]:
        raise UsageError("evaluate needs a `train` step before it")
    kinds = _signals(wanted)
    if "train" in names or any(model_kind(kind) in ("model", "embedder") for kind in kinds):
        _check_packages("torch", "transformers")
    for step in steps:
        if isinstance(step.work, Distill):
            _local(distilling_teacher(recipe, step.work), "teacher")
            check_on_policy(step.work, comparison)
        if isinstance(step.work, Train | Prefer):
            writes = on_policy_of(step.work) is not None
            job: Job = "pairs" if isinstance(step.work, Prefer) else "on_policy" if writes else "answers"
            step.work.settings().fitted(parameters(recipe.models.student), job)
        if isinstance(step.work, Train):
            check_sampling(step.work, bool(recipe.target))
    if "train" in names:
        _check_packages("trl")
        _local(recipe.models.student, "student")
    for kind in kinds:
        if kind.asks:
            _check_packages("openai", extra="llm")
            check_asking(recipe, kind)
    if any(model_kind(kind) == "model" for kind in kinds):
        _local(recipe.models.scorer or recipe.models.student, "scorer")
    if any(kind.name == "language" for kind in kinds):
        _check_packages("lingua", extra="language")
    if recipe.engine.ray:
        _check_packages("ray", extra="ray")


def _signals(needs: Iterable[str]) -> list[type[Signal]]:
    kinds = [catalog.get(name) for name in signals_of(needs)]
    return [kind for kind in kinds if issubclass(kind, Signal)]


def _check_files(sources: Any, field: str) -> None:
    for number, entry in enumerate(sources):
        if entry.path and not _exists(entry.path):
            raise UsageError(
                f"{field}[{number}].path: {entry.path} is not there (looked from {Path.cwd()}); "
                "give a file, a folder, or a data set name"
            )


def _exists(path: str) -> bool:
    path, _ = with_part(path)
    place = Path(path).expanduser()
    if any(sign in path for sign in "*?["):
        return place.exists() or any(glob.iglob(str(place), recursive=True))
    hub_name = path.count("/") == 1 and not path.startswith((".", "/", "~")) and not Path(path).suffix
    return place.exists() or hub_name


def _check_packages(*names: str, extra: str = "lm") -> None:
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise UsageError(f"the package {name} is needed and not installed; pip install 'dataflywheel[{extra}]'")


def _local(spec: ModelSpec, role: str) -> None:
    if spec.endpoint:
        raise UsageError(
            f"models.{role}: an endpoint cannot be trained or give likelihoods here; use `builtin: tiny` or `hf:`"
        )
    if spec.hf and spec.hf.startswith((".", "/", "~")) and not (Path(spec.hf).expanduser() / "config.json").exists():
        raise UsageError(
            f"models.{role}: {spec.hf} is not a model folder (no config.json); see transformers' save_pretrained"
        )
