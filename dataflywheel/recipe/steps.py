"""The steps of a recipe as checked objects, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from dataflywheel import catalog
from dataflywheel.contracts import Budget, Cleaner, Method, UsageError, build, explain, nearest
from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.evolution.iteration.trial import SCORING
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.propose import Enhance, Generate
from dataflywheel.recipe.schema import Limits, Recipe
from dataflywheel.recipe.training import Distill, Prefer, Train
from dataflywheel.selection.combine import Select

Work = Cleaner | Select | Enhance | Generate | Train | Prefer | Evaluate

OWN: dict[str, type[Select] | type[Enhance] | type[Generate] | type[Train] | type[Prefer] | type[Evaluate]] = {
    "select": Select,
    "enhance": Enhance,
    "generate": Generate,
    "train": Train,
    "distill": Distill,
    "prefer": Prefer,
    "evaluate": Evaluate,
}


@dataclass(frozen=True)
class Step:
    """One step: its place (from 1), its name in the recipe, and the checked parameters."""

    index: int
    name: str
    work: Work
    round: int = 1
    amounts: Mapping[str, int] = field(default_factory=dict)
    """Of a generator in a wheel: rows wanted of each slice."""

    @property
    def place(self) -> str:
        return f"{self.index:02d}-{self.name}"

    @property
    def title(self) -> str:
        return self.place if self.round == 1 else f"round {self.round}, {self.place}"

    def needs(self) -> tuple[str, ...]:
        """Columns that the step reads."""
        return tuple(self.work.needs()) if isinstance(self.work, Cleaner | Select | Enhance | Generate) else ()

    def proposes(self, target: bool) -> list[type[Method]]:
        """The method that writes and the gates behind it, where the step has any; `target`: whether there is one."""
        return [*self.work.methods(target)] if isinstance(self.work, Enhance | Generate) else []

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        """What the step wants of its signals, beyond the recipe."""
        return self.work.signal_parameters() if isinstance(self.work, Cleaner) else {}

    def parameters(self) -> dict[str, Any]:
        return self.work.model_dump(mode="json")

    def identity(self) -> str:
        """Name, parameters, and the versions of all methods involved: what a fingerprint takes of the step itself."""
        version = SCORING if isinstance(self.work, Evaluate) else getattr(self.work, "version", 1)
        selectors = [catalog.get(name) for part in self._selectors() for name in part]
        signals = [catalog.get(name) for name in signals_of(self.needs())]
        methods = [*selectors, *signals, *self.proposes(target=True)]
        parts = "".join(f" {method.name}@{method.version}" for method in methods)
        amounts = f":{dict(self.amounts)}" if self.amounts else ""
        return f"{self.name}@{version}{parts}:{self.work.model_dump_json()}{amounts}"

    def _selectors(self) -> list[dict[str, Any]]:
        return [*self.work.by, *([self.work.then] if self.work.then else [])] if isinstance(self.work, Select) else []


def build_steps(recipe: Recipe) -> list[Step]:
    """All steps with their parameters checked.

    Raises:
        UsageError: unknown step or parameter, with the nearest right name.
    """
    return [Step(i, name, _work(i, name, given, recipe)) for i, (name, given) in enumerate(recipe.named_steps(), 1)]


def _work(index: int, name: str, given: dict[str, Any], recipe: Recipe) -> Work:
    if name in OWN:
        return _own(index, name, _with_budget(name, given, recipe))
    cleaners = [c for c in catalog.names() if issubclass(catalog.get(c), Cleaner)]
    if name not in cleaners:
        raise UsageError(f"step {index}: there is no step {name!r}{nearest(name, [*OWN, *cleaners])}")
    work = build(catalog.get(name), given)
    assert isinstance(work, Cleaner)
    return work


def _own(index: int, name: str, given: dict[str, Any]) -> Work:
    kind = OWN[name]
    try:
        return kind(**given)
    except ValidationError as error:
        raise UsageError(explain(error, f"step {index}, {name}", list(kind.model_fields))) from None


def capped(select: Select, limits: Limits, offered: int) -> Select:
    """The selection with its `keep` held to the recipe's budget in rows, once it is known how many are offered."""
    if limits.rows is None or select.budget().unit == "tokens":
        return select
    return select.model_copy(update={"keep": min(limits.rows, select.budget().rows(offered))})


def _with_budget(name: str, given: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """A `select` without `keep` takes the recipe's budget in rows or tokens; one with it stays below the budget.

    Raises:
        UsageError: nothing says how much to keep, or `keep` and the budget are in units that cannot be compared.
    """
    limits = recipe.budget
    if name != "select":
        return given
    if "keep" in given:
        keep = Budget.parse(given["keep"])
        if limits.tokens is not None and keep.unit != "tokens":
            raise UsageError(
                f"select: the budget is in tokens and `keep: {given['keep']}` is not; write it in tokens too"
            )
        if limits.rows is not None and keep.unit == "tokens":
            raise UsageError(f"select: the budget is in rows and `keep: {given['keep']}` is not; write it in rows too")
        if limits.tokens is not None and keep.amount > limits.tokens:
            return {**given, "keep": f"{limits.tokens} tokens"}
        return given
    if limits.rows is not None:
        return {**given, "keep": limits.rows}
    if limits.tokens is not None:
        return {**given, "keep": f"{limits.tokens} tokens"}
    raise UsageError("select: say how much to keep, with `keep: 10%` in the step or `budget: {rows: 1000}`")
