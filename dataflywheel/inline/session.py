"""A run of one method on rows that were handed over: its models, its account, and the rows as they were read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import Method, Signal, UsageError, build, method_spec
from dataflywheel.contracts.method import one_method
from dataflywheel.inline.given import Given
from dataflywheel.recipe.asked_signals import asked_signal
from dataflywheel.recipe.asking import check_asking
from dataflywheel.recipe.bill import account_of
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.ingest import ingest_pool
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.machine import check_files, check_packages
from dataflywheel.recipe.needs import asks
from dataflywheel.recipe.planning.checks import check_models
from dataflywheel.recipe.progress import Silent, Watcher
from dataflywheel.store.lock import only_here
from dataflywheel.store.run import RunDirectory

NEVER_RUN = {"select": {"by": "random", "keep": 1}}
"""A recipe has a step; here none is taken."""


def named(by: object) -> tuple[str, dict[str, Any]]:
    """A method as its name and parameters, from `"ifd"` or `{"ifd": {...}}`.

    Raises:
        UsageError: it is neither.
    """
    try:
        found = one_method(by)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not isinstance(found, dict):
        raise UsageError(
            f"a method is named as 'refusal' or {{'refusal': {{'words': 40}}}}, not by a {type(by).__name__}"
        )
    return method_spec(found)


@contextmanager
def session(
    verb: str,
    rows: Given,
    method: str,
    parameters: Mapping[str, Any],
    home: Path,
    *,
    of: type[Method] = Method,
    models: Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    seed: int = 0,
    runs: str | Path = "runs",
    watcher: Watcher | None = None,
) -> Iterator[Context]:
    """Within, models may be asked on the account of this run, under `budget`; the rows lie in `context.pool`. `of` is
    the kind of the method.

    Raises:
        UsageError: a model or a package that the method needs is not there; nothing was spent.
        FlywheelError: not one row could be read, or another process is in the run.
    """
    kind = catalog.get(method, of)
    signals = issubclass(kind, Signal)
    value = {
        "name": re.sub(r"[^A-Za-z0-9._-]+", "-", f"{verb}-{rows.name}-{method}"),
        "seed": seed,
        "pool": rows.entries,
        "models": dict(models or {}),
        "budget": dict(budget or {}),
        "steps": [NEVER_RUN],
        "signals": {method: dict(parameters)} if signals else {},
    }
    recipe = recipe_from(value, verb)
    check_files(recipe.pool, "pool")
    if not asks(kind):  # parameters are refused before rows are read
        required = "model" in kind.model_fields and kind.model_fields["model"].is_required()
        build(kind, {**({"model": "tiny"} if required else {}), **parameters})
    if signals:
        check_models(recipe, [asked_signal(recipe.signals, method)], False)
    elif asks(kind):
        check_packages("openai", extra="llm")
        check_asking(recipe, kind, parameters)
    with only_here(Path(runs) / recipe.name):
        context = Context(recipe, RunDirectory(Path(runs) / recipe.name), home, watcher or Silent())
        with account_of(context, asks(kind)) as context:
            yield ingest_pool(context)[0]
