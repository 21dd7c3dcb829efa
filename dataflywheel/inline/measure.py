"""A signal of rows of any kind, in one line of Python."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import Cost, Selector, Signal, UsageError
from dataflywheel.inline.given import given
from dataflywheel.inline.line import lines_of
from dataflywheel.inline.measured import Measured, measured, ranked
from dataflywheel.inline.select import select
from dataflywheel.inline.session import named, session
from dataflywheel.recipe.bill import asked_cost


def measure(
    rows: object,
    by: str | dict[str, Any],
    *,
    columns: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
    home: str | Path = ".flywheel",
    **options: Any,
) -> Measured:
    """Measure a signal of rows: `fw.measure(rows, "text")["tokens_answer"]`.

    What was measured of a row is kept in `home` by its content, and never measured again.

    Args:
        rows: in any form that `select` takes.
        by: the signal, or `{signal: parameters}`; the columns are its own. Of a selector (`"ifd"`) there is one,
            `score`: what it ranks rows by.
        options: `models`, `budget`, `seed`, `runs`, `watcher`, as in a recipe; of a selector those of `select`.

    Raises:
        UsageError: no such signal, or what it needs is not there; nothing was spent.
        OverBudgetError: a cap was reached before all rows were asked about; what was answered is kept.
    """
    name, parameters = named(by)
    kind = catalog.get(name)
    if issubclass(kind, Selector):
        return ranked(select(rows, by, "100%", columns=columns, roles=roles, home=home, **options))
    if not issubclass(kind, Signal):
        raise UsageError(f"{name} is no signal but a {kind.card.category} method; `flywheel methods` lists signals")
    source = given(rows, Path(home), columns, roles)
    with session("measure", source, name, parameters, Path(home), **options) as context:
        assert context.pool is not None
        began, step = time.perf_counter(), context.run.step(1, "measure")
        wanted = [f"{name}.{column}" for column in kind.columns_by(parameters)]
        found = context.measured(context.pool, wanted, "measure")
        spent = asked_cost(context, step)
        context.run.bill(step, Cost(seconds=round(time.perf_counter() - began, 3)) + spent)
        return measured(name, source, lines_of(context.run.step(0, "pool"), source.position), found)
