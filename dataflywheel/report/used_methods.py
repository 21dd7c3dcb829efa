"""Which published methods a step rests on: its own, and the signals that they read."""

from __future__ import annotations

from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import Card, Cleaner, FlywheelError, Selector, build
from dataflywheel.report.rundir import Run, Step


def _specs(step: Step) -> list[tuple[str, dict[str, Any]]]:
    """(method, parameters) of a step: a selection names its selectors in `by` and `then`."""
    if step.name != "select":
        return [(step.name, step.params)]
    by, then = step.params.get("by"), step.params.get("then")
    found: list[tuple[str, dict[str, Any]]] = []
    for entry in [*(by if isinstance(by, list) else [by]), then]:
        named = {entry: {}} if isinstance(entry, str) else entry or {}
        found += [(name, parameters or {}) for name, parameters in named.items()]
    return found


def methods_of(step: Step) -> list[str]:
    """Names in the catalogue, in order of use; steps that are no published method (train) give none."""
    known = set(catalog.names())
    names: list[str] = []
    for name, parameters in _specs(step):
        if name not in known:
            continue
        names.append(name)
        try:
            method = build(catalog.get(name), parameters)
        except FlywheelError:
            continue  # written by another version of the method: the name stays, its signals are not known
        if isinstance(method, Cleaner | Selector):
            names += [signal for column in method.needs() if (signal := column.partition(".")[0]) in known]
    return list(dict.fromkeys(names))


def methods_of_run(run: Run) -> list[str]:
    """All methods that the rows of a run passed through, in order of use."""
    return list(dict.fromkeys(name for step in run.row_steps for name in methods_of(step)))


def paper_link(card: Card) -> str:
    """The paper's address, "" where the method has none."""
    if not card.paper or "://" in card.paper:
        return card.paper
    return f"https://doi.org/{card.paper}" if card.paper.startswith("10.") else f"https://arxiv.org/abs/{card.paper}"
