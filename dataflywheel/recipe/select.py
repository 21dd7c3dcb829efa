"""One selection from a pool, without a recipe file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflywheel.contracts import method_specs
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from


def select(
    pool: str | Sequence[str | Mapping[str, Any]],
    by: str | dict[str, Any] = "random",
    keep: str | int = "10%",
    *,
    then: str | dict[str, Any] | None = None,
    per: str | None = None,
    target: str | Sequence[Mapping[str, Any]] | None = None,
    models: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    name: str | None = None,
    called: str = "",
    seed: int = 0,
    format: str = "messages",
    origins: bool = True,
    columns: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
    **options: Any,
) -> Result:
    """Select rows of a pool by a method, under a budget; the data set lies in the result's `path / "dataset"`.

    `target` holds the evaluation rows that targeted methods compare with; `budget` caps what is spent on models.
    Vectors are those of the static embedder, which takes seconds, unless `models` names another.

    The run is named after the pool (as it is `called`, else its file), the methods and the budget where no `name` is
    given; one of the same name replaces what the other left. `columns` and `roles` name what the pool holds under other
    names, as in a recipe. An entry of `pool` or `target` may be one of a recipe. `origins`: whether records tell where
    their rows come from.

    Raises:
        UsageError: unknown method, unreadable budget, or a method that needs what is not there.
    """
    sources = [pool] if isinstance(pool, str) else list(pool)
    named: list[Mapping[str, Any]] = [
        one if isinstance(one, Mapping) else {"path": one, "columns": columns or {}, "roles": roles or {}}
        for one in sources
    ]
    first = called or Path(named[0]["path"]).name.split(".")[0]
    step = {"by": by, "keep": keep, **({"then": then} if then else {}), **({"per": per} if per else {})}
    methods = [name for entry in (by, then) for name, _ in method_specs(entry)[:1]]
    size = str(keep).replace("%", "-percent")
    title = name or "-".join(["select", first, *methods, *([per] if per else []), size])
    value = {
        "name": re.sub(r"[^A-Za-z0-9._-]+", "-", title),
        "seed": seed,
        "pool": named,
        "target": [{"path": target}] if isinstance(target, str) else list(target or []),
        "models": {"embedder": "static", **(models or {})},
        "budget": budget or {},
        "steps": [{"select": step}],
        "format": format,
        "origins": origins,
    }
    return run(recipe_from(value, "select"), **options)
