"""What a selection cannot do in a recipe: go on from rounds that there are not, mean two things by one signal, or take
for vectors what are none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from dataflywheel import catalog
from dataflywheel.contracts import Signal, UsageError, nearest
from dataflywheel.recipe.asked_signals import asked_signal, own_names
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.reading import stem
from dataflywheel.rows.schema import Row
from dataflywheel.selection.spec import Select


def check_rounds_before(spec: Select, recipe: Recipe) -> None:
    """Raises UsageError: a selector goes on from earlier rounds, and there are none."""
    for selector in spec.selectors() if recipe.rounds == 1 else ():
        if selector.begins:
            raise UsageError(
                f"select: {selector.name} goes on from the rows that earlier rounds chose, and the recipe has one "
                "round; write `rounds: 3`, or choose a method that needs none"
            )


def check_signals(spec: Select, recipe: Recipe) -> None:
    """Raises UsageError: a selector wants a signal measured in its own way, and the recipe or another selector of the
    step means the signal of that name otherwise."""
    for selector in spec.selectors():
        for name, wanted in selector.signal_parameters().items():
            said = recipe.signals.get(name, {})
            other = next((key for key in wanted if key in said and said[key] != wanted[key]), "")
            others = [s for s in spec.selectors() if s.signal_parameters().get(name) != wanted]
            reads = [s.name for s in others if name in signals_of(s.needs())]
            if not other and not reads:
                continue
            who = f"the recipe says `{name}: {{{other}: {said[other]}}}`" if other else f"{reads[0]} reads it too"
            raise UsageError(
                f"select: {selector.name} measures {name} with {dict(wanted)}, and {who}; put one of the two under a "
                f"name of your own, `signals: {{mine: {{{name}: {{}}}}}}`, and name its column in the selector"
            )


def check_vectors(spec: Select, recipe: Recipe) -> None:
    """Raises UsageError: a selector reads its vectors from a column that holds none."""
    for selector in spec.selectors():
        for field in ("vector", "vectors"):
            name = getattr(selector, field, None)
            if not isinstance(name, str):
                continue
            signal, _, column = name.partition(".")
            kind = asked_signal(recipe.signals, signal).kind
            held = kind.columns if issubclass(kind, Signal) else {}
            if column not in held or not is_vector(held[column]):
                raise UsageError(
                    f"select: {selector.name}: {field}: {name} holds no vectors{nearest(name, vector_columns(recipe))}"
                )


def check_sources(spec: Select, recipe: Recipe, first: Sequence[Sequence[Row]]) -> None:
    """Raises UsageError: a margin names a source that no file of the pool is. Where rows may say their own source, or a
    folder holds several files, only the run knows."""
    names = [
        entry.source or stem(Path(entry.path)) for entry in recipe.pool if entry.path and Path(entry.path).is_file()
    ]
    by_file = all(row["source"] == name for name, rows in zip(names, first, strict=False) for row in rows)
    if len(names) < len(recipe.pool) or len(names) != len(first) or not by_file:
        return
    for selector in spec.selectors():
        margins = getattr(selector, "margins", {})
        wanted = margins.get("row.source", {}) if isinstance(margins, dict) else {}
        lacking = [name for name, share in wanted.items() if share > 0 and name not in names]
        if lacking:
            raise UsageError(
                f"select: {selector.name}: no row has row.source {', '.join(lacking)}; there are "
                f"{', '.join(sorted(names))}{nearest(lacking[0], names)}"
            )


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column of that type holds as many numbers for every row."""
    listed = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(listed and pa.types.is_floating(kind.value_type))


def vector_columns(recipe: Recipe) -> list[str]:
    """Columns of vectors of all signals, those under the recipe's own names among them."""
    names = {name: name for name in catalog.names(Signal)} | own_names(recipe.signals)
    kinds = {name: catalog.get(kind) for name, kind in names.items()}
    return [
        f"{name}.{column}"
        for name, kind in kinds.items()
        if issubclass(kind, Signal)
        for column, type in kind.columns.items()
        if is_vector(type)
    ]
