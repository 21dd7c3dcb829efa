"""Models that a step leans on and that are trained first, on the pool or the target: which, and what that costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflywheel.contracts import Cost, Method, PoolStatistics
from dataflywheel.models.files import models_folder
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.asked_signals import Parameters, asked_signal
from dataflywheel.recipe.asking import judge, teacher, writes_itself
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.needs import asks, model_kind, signals_of
from dataflywheel.recipe.pricing import model_seconds
from dataflywheel.recipe.progress import Watcher
from dataflywheel.recipe.schema import Recipe
from dataflywheel.store.atomic import make_folder
from dataflywheel.store.run import RunDirectory

Methods = Iterable[tuple[type[Method], Mapping[str, Any]]]
"""Methods with the parameters that a step gives them."""


@dataclass(frozen=True)
class Helper:
    """A built-in model, and what for."""

    spec: ModelSpec
    role: str

    @property
    def title(self) -> str:
        return f"train {self.role}"

    @property
    def told(self) -> str:
        """All that it is, its rows apart."""
        return self.spec.model_dump_json()

    def cost(self, pool: PoolStatistics, speed: float) -> Cost:
        """Of training it on the pool, from nothing."""
        from dataflywheel.models.training.tiny import passes

        rows, tokens = passes(pool.tokens, self.spec.tokens)
        return Cost(model_seconds(self.spec, 6, tokens, speed), rows, rows, tokens)


def helpers_of(
    recipe: Recipe, needs: Iterable[str], wanted: Parameters, methods: Methods, trained: bool
) -> list[Helper]:
    """The built-in models behind columns and methods, each once; `trained`: whether a model is trained before, which
    then stands in for what follows it."""
    found = [*_of_signals(recipe, needs, wanted, trained), *_of_methods(recipe, methods, trained)]
    first: dict[ModelSpec, Helper] = {}
    for helper in found:
        if helper.spec.builtin is not None:
            first.setdefault(helper.spec, helper)
    return list(first.values())


def _of_signals(recipe: Recipe, needs: Iterable[str], wanted: Parameters, trained: bool) -> Iterator[Helper]:
    for name in signals_of(needs):
        asked = asked_signal(recipe.signals, name, wanted)
        kind, needed, own = asked.kind, model_kind(asked.kind), getattr(asked.kind, "own_model", None)
        if needed == "teacher":
            yield Helper(teacher(recipe, kind, asked.given), "teacher")
        elif needed == "model" and "model" not in asked.given:
            if own:
                yield from _own(recipe, own, trained)
            elif not (asked.trained and trained):
                yield scorer(recipe)


def _of_methods(recipe: Recipe, methods: Methods, trained: bool) -> Iterator[Helper]:
    for kind, given in methods:
        if asks(kind):
            if writes_itself(recipe, kind, given):
                yield from _own(recipe, getattr(kind, "own_model", None), trained)
            else:
                yield Helper(teacher(recipe, kind, given), "teacher")
            judging = judge(recipe, kind, given)
            yield from [Helper(judging, "judge")] if judging else []
        elif "model" in kind.model_fields and "model" not in given:
            yield scorer(recipe)


def _own(recipe: Recipe, own: str | None, trained: bool) -> Iterator[Helper]:
    if not (own == "trained" and trained):
        yield Helper(recipe.models.student, "first writer")


def scorer(recipe: Recipe) -> Helper:
    """The model that measures likelihoods."""
    return Helper(recipe.models.scorer or recipe.models.student, "scorer")


Making = Callable[[Callable[[int, int, float], None]], tuple[Path, Cost]]
"""Is given what to call at each training step, and gives the folder and what its training cost."""


def made(run: RunDirectory, watcher: Watcher, title: str, make: Making) -> tuple[Path, bool]:
    """A model's folder, and whether it was there before. Where it is trained now, the ledger of the run gets its cost,
    under a name of its own."""
    steps = 0

    def advanced(step: int, total: int, loss: float) -> None:
        nonlocal steps
        if not steps:
            watcher.started(title)
            run.event("started", step=title)
        steps += 1
        watcher.advanced(title, "steps", step, total)

    folder, cost = make(advanced)
    if steps:
        run.ledger.enter(f"helpers/{title.removeprefix('train ').replace(' ', '-')}-{folder.name}", cost)
        run.event("finished step", step=title, seconds=cost.seconds)
    return folder, not steps


def remember(recipe: Recipe, told: object, home: Path, folder: Path) -> None:
    """Note that what is `told` of was trained on this pool and lies in that folder, for plans."""
    if note := _note(recipe, told, home):
        note.write_text(str(folder.resolve()), encoding="utf-8")


def is_there(recipe: Recipe, told: object, home: Path) -> bool:
    """Whether it was trained before, on files that are as they were."""
    note = _note(recipe, told, home)
    return note is not None and note.is_file() and Path(note.read_text(encoding="utf-8")).is_dir()


def _note(recipe: Recipe, told: object, home: Path) -> Path | None:
    """Where it is noted: under a name that follows from all that its rows depend on, files by size and time of change.
    None where sources are no files, so that nobody knows whether they changed."""
    sources = [*recipe.pool, *recipe.target]
    paths = [Path(entry.path).expanduser() if entry.path else None for entry in sources]
    files: list[str] = []
    for path in paths:
        if path is None or not path.exists():
            return None
        files += _files(path)
    guards = [step for step in recipe.named_steps() if step[0] == "decontaminate"]
    entries = [entry.model_dump(mode="json") for entry in sources]
    all_of_it = [entries, guards, str(told), recipe.seed, recipe.tiers.model_dump(mode="json"), files]
    folder = make_folder(models_folder(home / "models"))
    return folder / f"helper-{digest('helper', json.dumps(all_of_it, default=str))}"


def _files(path: Path) -> list[str]:
    held = sorted(found for found in path.rglob("*") if found.is_file()) if path.is_dir() else [path]
    return [f"{file.resolve()}:{(at := file.stat()).st_size}:{at.st_mtime_ns}" for file in held]
