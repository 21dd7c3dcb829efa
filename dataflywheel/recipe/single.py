"""Rewriting, writing and distilling without a recipe file: one step on one pool."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dataflywheel.contracts import method_specs
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from

Method = str | dict[str, Any]


def enhance(
    pool: str | list[str],
    by: Method,
    *,
    gates: list[Method] | None = None,
    target: str | None = None,
    models: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    name: str | None = None,
    seed: int = 0,
    format: str = "messages",
    columns: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
    **options: Any,
) -> Result:
    """Rewrite rows of a pool by a method; a proposal that passes its gates replaces its row, all others stay.

    Raises:
        UsageError: unknown method or gate, or a method that needs what is not there.
    """
    step = {"by": by, **({"gates": gates} if gates is not None else {})}
    return _run("enhance", entries(pool, columns, roles), by, step, target, models, budget, name, seed, format, options)


def generate(
    pool: str | list[str] | None,
    by: Method,
    rows: str | int = 100,
    *,
    gates: list[Method] | None = None,
    visits: int | None = None,
    target: str | None = None,
    models: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    name: str | None = None,
    seed: int = 0,
    format: str = "messages",
    columns: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
    **options: Any,
) -> Result:
    """Write new rows from those of a pool; the data set holds the pool's rows and the accepted new ones. What writes
    from nothing (`magpie`) needs no pool.

    Raises:
        UsageError: unknown method or gate, or a method that needs what is not there.
    """
    step = {"by": by, "rows": rows, "visits": visits, **({"gates": gates} if gates is not None else {})}
    held = entries(pool, columns, roles)
    return _run("generate", held, by, step, target, models, budget, name, seed, format, options)


def distill(
    pool: str | list[str],
    teacher: str | dict[str, Any],
    *,
    student: str | dict[str, Any] = "tiny",
    by: Method = "dense_distillation",
    settings: dict[str, Any] | None = None,
    name: str | None = None,
    seed: int = 0,
    columns: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
    **options: Any,
) -> Result:
    """Train a student on a pool's answers with a local teacher heard at every token; the model is in `models/student`.

    Raises:
        UsageError: no such method, or the teacher is no local model or does not fit.
    """
    step = {"by": by, "teacher": teacher, **(settings or {})}
    return _run(
        "distill",
        entries(pool, columns, roles),
        by,
        step,
        None,
        {"student": student},
        None,
        name,
        seed,
        "messages",
        options,
    )


def entries(
    pool: str | list[str] | None, columns: dict[str, Any] | None, roles: dict[str, str] | None
) -> list[dict[str, Any]]:
    """The pool as recipes write it."""
    paths = [pool] if isinstance(pool, str) else list(pool or [])
    return [{"path": path, "columns": columns or {}, "roles": roles or {}} for path in paths]


def _run(
    verb: str,
    pool: list[dict[str, Any]],
    by: Method,
    step: dict[str, Any],
    target: str | None,
    models: dict[str, Any] | None,
    budget: dict[str, Any] | None,
    name: str | None,
    seed: int,
    format: str,
    options: dict[str, Any],
) -> Result:
    method = method_specs(by)[0][0]
    title = name or "-".join([verb, *(Path(entry["path"]).name.split(".")[0] for entry in pool[:1]), method])
    value = {
        "name": re.sub(r"[^A-Za-z0-9._-]+", "-", title),
        "seed": seed,
        "pool": pool,
        "target": [{"path": target}] if target else [],
        "models": models or {},
        "budget": budget or {},
        "steps": [{verb: step}],
        "format": format,
    }
    return run(recipe_from(value, verb), **options)
