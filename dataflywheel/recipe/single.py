"""Rewriting, writing and distilling without a recipe file: one step on one pool."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import method_specs
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from

Parameters = Mapping[str, Any]
Method = str | Parameters
"""A method by its name, or `{name: parameters}`."""
MESSAGES = "messages"
Pool = str | Sequence[str | Parameters] | None
"""A path, or several, or entries as recipes write them."""


@dataclass(frozen=True)
class Around:
    """What the recipe of one step has beside the step and the pool.

    `columns` and `roles` name what the pool holds under other names. The run is named after the pool, as it is
    `called`, and the method where no `name` is given.
    """

    name: str | None = None
    called: str = ""
    seed: int = 0
    target: Pool = None
    models: Parameters = field(default_factory=dict)
    budget: Parameters = field(default_factory=dict)
    format: str = MESSAGES
    read: str | None = None
    """The format of the pool, where it is not told from what it holds."""
    origins: bool = True
    columns: Parameters = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Parameters) -> tuple[Around, dict[str, Any]]:
        """What of these settings belongs here, and the rest, which belongs to the run."""
        own = {one.name for one in fields(cls)} & given.keys()
        return cls(**{name: given[name] for name in own}), {name: given[name] for name in given.keys() - own}


def enhance(pool: Pool, by: Method, around: Around, *, gates: Sequence[Method] | None = None, **options: Any) -> Result:
    """Rewrite rows of a pool by a method; a proposal that passes its gates replaces its row, all others stay. A method
    that mends tables reads the pool's files as tables, and its result is one.

    Raises:
        UsageError: unknown method or gate, or a method that needs what is not there.
    """
    step = {"by": by, **_given(gates=gates)}
    if step_of(by) == "mend":
        return _run("mend", pool, by, step, _of_tables(around), options)
    return _run("enhance", pool, by, step, around, options)


def _of_tables(around: Around) -> Around:
    """Of a pool that is read as tables, and written as one where nothing else is said."""
    return replace(around, read="table", format="table" if around.format == MESSAGES else around.format)


def step_of(by: Method) -> str:
    """The step of a method that rewrites."""
    return "mend" if catalog.get(method_specs(by)[0][0], Proposer).mends else "enhance"


def generate(
    pool: Pool,
    by: Method,
    around: Around,
    rows: str | int = 100,
    *,
    gates: Sequence[Method] | None = None,
    visits: int | None = None,
    fill: str | None = None,
    **options: Any,
) -> Result:
    """Write new rows from those of a pool; the data set holds the pool's rows and the accepted new ones. What writes
    from nothing (`magpie`) needs no pool. A method that writes lines of a table reads the pool's files as tables.

    Raises:
        UsageError: unknown method or gate, or a method that needs what is not there.
    """
    step = {"by": by, "rows": rows, "visits": visits, **_given(gates=gates, fill=fill)}
    method, given = method_specs(by)[0]
    if catalog.get(method, Proposer).written_from(given) == "tables":
        around = _of_tables(around)
    return _run("generate", pool, by, step, around, options)


def distill(
    pool: Pool,
    teacher: Method,
    around: Around,
    *,
    by: Method = "dense_distillation",
    settings: Parameters | None = None,
    **options: Any,
) -> Result:
    """Train a student on a pool's answers with a local teacher heard at every token; the model is in `models/student`.

    Raises:
        UsageError: no such method, or the teacher is no local model or does not fit.
    """
    return _run("distill", pool, by, {"by": by, "teacher": teacher, **(settings or {})}, around, options)


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _entries(paths: Pool, columns: Parameters, roles: Parameters, read: str | None = None) -> list[Parameters]:
    """As recipes write them."""
    every = [paths] if isinstance(paths, str) else list(paths or [])
    entries = [one if isinstance(one, Mapping) else {"path": one, "columns": columns, "roles": roles} for one in every]
    return [
        {**one, "format": f"{one['format']}/{read}" if "format" in one else read} if read else one for one in entries
    ]


def _run(verb: str, pool: Pool, by: Method, step: Parameters, around: Around, options: Mapping[str, Any]) -> Result:
    method = method_specs(by)[0][0]
    entries = _entries(pool, dict(around.columns), dict(around.roles), around.read)
    called = [around.called] if around.called else [Path(entry["path"]).name.split(".")[0] for entry in entries[:1]]
    value = {
        "name": re.sub(r"[^A-Za-z0-9._-]+", "-", around.name or "-".join([verb, *called, method])),
        "seed": around.seed,
        "pool": entries,
        "target": _entries(around.target, {}, {}),
        "models": dict(around.models),
        "budget": dict(around.budget),
        "steps": [{verb: step}],
        "format": around.format,
        "origins": around.origins,
    }
    return run(recipe_from(value, verb), **options)
