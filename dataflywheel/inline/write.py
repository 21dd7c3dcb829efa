"""Rewriting, writing and distilling with rows of any kind, in one line of Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflywheel.contracts import method_specs
from dataflywheel.inline.given import given
from dataflywheel.inline.written import Written
from dataflywheel.recipe import single
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.single import Around, Method
from dataflywheel.report.pages import write_pages

Names = Mapping[str, Any] | None


def enhance(
    pool: object,
    by: Method,
    *,
    gates: Sequence[Method] | None = None,
    target: object = None,
    columns: Names = None,
    roles: Names = None,
    home: str | Path = ".flywheel",
    **options: Any,
) -> Written:
    """Rewrite rows by a method; a proposal that passes its gates replaces its row, all others stay:
    `fw.enhance(rows, "redact_personal_data").rows`. A method that mends tables takes each record as a line of one:
    `fw.enhance(frame, "repair_table").to_pandas()`.

    Args:
        pool: a list of dicts in any shape that files may have, a `datasets.Dataset`, a DataFrame, a table of Arrow, or
            paths of files. Rows that Python holds are written to `home`, by their content.
        by: the method, or `{method: parameters}`.
        gates: what a proposal must pass; the method's own where none are named.
        target: evaluation rows that no rewritten row may give away, in any of these forms.
        options: `models`, `budget`, `seed`, `format`, `name`, `runs`, `watcher`.

    Raises:
        UsageError: unknown method or gate, rows in no form that is known, or a method that needs what is not there.
    """
    held, around, rest = _around(pool, target, columns, roles, Path(home), options)
    return Written(_name(by), single.enhance(held, by, around, gates=gates, **rest), single.step_of(by))


def generate(
    pool: object,
    by: Method,
    rows: str | int = 100,
    *,
    gates: Sequence[Method] | None = None,
    visits: int | None = None,
    fill: str | None = None,
    target: object = None,
    columns: Names = None,
    roles: Names = None,
    home: str | Path = ".flywheel",
    **options: Any,
) -> Written:
    """Write new rows from those of a pool: `fw.generate(documents, "grounded_rules", 50).added`.

    The data set holds the pool's rows and the accepted new ones.

    Args:
        pool: rows in any form that `enhance` takes; None where the method writes from nothing (`magpie`).
        by: the method, or `{method: parameters}`.
        rows: new rows wanted: 100, or "10%" of the pool.
        gates: what a new row must pass; the method's own where none are named.
        visits: how often one row is written from, at most.
        fill: `label`, `tag`, `source` or a field, whose smaller groups get as many rows as the largest has.
        target: evaluation rows that no new row may give away.
        options: `models`, `budget`, `seed`, `format`, `name`, `runs`, `watcher`.

    Raises:
        UsageError: unknown method or gate, rows in no form that is known, or a method that needs what is not there.
    """
    held, around, rest = _around(pool, target, columns, roles, Path(home), options)
    rest |= {"gates": gates, "visits": visits, "fill": fill}
    return Written(_name(by), single.generate(held, by, around, rows, **rest), "generate")


def distill(
    pool: object,
    teacher: str | Mapping[str, Any],
    *,
    student: str | Mapping[str, Any] = "tiny",
    by: Method = "dense_distillation",
    settings: Mapping[str, Any] | None = None,
    columns: Names = None,
    roles: Names = None,
    home: str | Path = ".flywheel",
    **options: Any,
) -> Result:
    """Train a student on the answers of rows, with a local teacher heard at every token; the model is in
    `models/student` of the run.

    Args:
        pool: rows in any form that `enhance` takes.
        teacher: a folder with a model, or `{"builtin": "tiny", "size": "5m"}`, which is trained on the pool.
        student: as `teacher`.
        settings: of the training: `epochs`, `learning_rate`, `max_length` and others of the step `distill`.
        options: `seed`, `name`, `runs`, `watcher`.

    Raises:
        UsageError: no such method, or the teacher is no local model or does not fit.
    """
    options["models"] = {**options.get("models", {}), "student": student}
    held, around, rest = _around(pool, None, columns, roles, Path(home), options)
    return single.distill(held, teacher, around, by=by, settings=settings, **rest)


def _around(
    pool: object, target: object, columns: Names, roles: Names, home: Path, options: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], Around, dict[str, Any]]:
    """The pool as recipes have it, what stands around the step, and what the run itself takes."""
    rows = None if pool is None else given(pool, home, columns, roles)
    against = None if target is None else given(target, home).entries
    called = {} if rows is None else {"called": rows.name}
    around, rest = Around.of({**options, **called, "target": against})
    return [] if rows is None else rows.entries, around, {"finish": write_pages, **rest, "home": home}


def _name(by: Method) -> str:
    return method_specs(by)[0][0]
