"""Which published methods a run rests on: its steps' own, those that they name, and the signals that they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import Card, Cleaner, FlywheelError, Selector, build, method_specs
from dataflywheel.recipe.asked_signals import in_one_form, own_names
from dataflywheel.report.rundir import Run, Step

NAMED = ("by", "then", "sampler", "judge", "reward")
"""Parameters of steps that name methods: one, or a list."""
OWN = {"prefer": "dpo", "distill": "dense_distillation"}
"""The method of a step that names none."""
USERS = "python"
"""A function of the user's is no published method."""
MEASURED = ("where", "bounds")
"""Parameters of steps whose keys are columns of signals."""


def _specs(step: Step) -> list[tuple[str, dict[str, Any]]]:
    """(method, parameters) of everything that a step names, itself first."""
    found: list[tuple[str, dict[str, Any]]] = []
    if step.name not in OWN or not step.params.get("by"):
        found.append((OWN.get(step.name, step.name), step.params))
    for entry in (step.params.get(name) for name in NAMED):
        found += method_specs(entry)
    found += [*method_specs(step.params.get("gates")), *((name, {}) for name in step.details.get("gates") or ())]
    if step.name == "evaluate":
        found.append((str(step.details.get("metric") or "").partition(":")[0], {}))
    within = [method_specs(given.get(name)) for _, given in found[1:] for name in NAMED]
    return found + [spec for specs in within for spec in specs]


def methods_of(step: Step, named: Mapping[str, str]) -> list[str]:
    """Names in the catalogue, in order of use; steps that are no published method (train) give what they name.

    `named` are the signals behind names that are the recipe's own.
    """
    known = set(catalog.names())
    names: list[str] = []
    for name, parameters in _specs(step):
        if name not in known or name == USERS:
            continue
        names.append(name)
        try:
            method = build(catalog.get(name), parameters)
        except FlywheelError:
            continue  # of another version, or with models of the recipe's: the name stays
        if isinstance(method, Cleaner | Selector):
            names += _signals(method.needs(), known, named)
    columns = [column for name in MEASURED for column in step.params.get(name) or ()]
    columns += step.details.get("read") or ()
    return list(dict.fromkeys([*names, *_signals(columns, known, named)]))


def _signals(columns: Any, known: set[str], named: Mapping[str, str]) -> list[str]:
    found = [str(column).partition(".")[0] for column in columns]
    return [signal for name in found if (signal := named.get(name, name)) in known]


def named_signals(run: Run) -> dict[str, str]:
    """The names of signals that are the recipe's own, and what stands behind each."""
    try:
        return own_names(in_one_form({**run.plan.signals, **(run.recipe_values.get("signals") or {})}))
    except ValueError:
        return {}  # of another version


def methods_of_run(run: Run) -> list[str]:
    """All methods that took part in a run, in order of use: procedures, then what its steps name, and what shared out
    its rounds; those of plugins last."""
    named = named_signals(run)
    procedures = [name for line in run.plan.steps for name in line.of]
    policies = [name for name, _ in method_specs(run.recipe_values.get("feedback")) if name in catalog.names()]
    used = [*procedures, *(name for step in run.steps for name in methods_of(step, named)), *policies]
    own = [name for name, one in run.plugged.items() if one.methods[name]]
    return list(dict.fromkeys([*(name for name in used if name not in run.plugged), *own]))


def card_in(run: Run, name: str) -> Card:
    """The card of a method that took part: of a plugin's as it was then."""
    held = run.plugged.get(name)
    return Card.model_validate(held.methods[name]) if held else catalog.card_of(name)


def paper_link(card: Card) -> str:
    """The paper's address, "" where the method has none."""
    if not card.paper or "://" in card.paper:
        return card.paper
    return f"https://doi.org/{card.paper}" if card.paper.startswith("10.") else f"https://arxiv.org/abs/{card.paper}"
