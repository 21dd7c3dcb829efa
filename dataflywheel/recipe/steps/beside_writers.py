"""What lies beside the rows of a step that writes: what its methods lean on, and fields that its rows keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from dataflywheel.contracts import Method, PoolStatistics, build, method_specs
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.writers_price import placeholder


def place_of(kind: type[Proposer]) -> str:
    """What a method does, and the step under which it stands."""
    if kind.mends:
        return "mends the cells of tables; name it under `mend`"
    return "rewrites rows; name it under `enhance`" if kind.rewrites else "writes new rows; name it under `generate`"


def asks_all(title: str, kind: type[Proposer], given: Mapping[str, Any], rows: str | int) -> list[str]:
    """That a method asks all that it has to ask, however few rows are wanted; nothing where so many are."""
    if not (kind.whole and kind.asks and kind.writes_from == "nothing" and isinstance(rows, int)):
        return []
    method = build(kind, {**placeholder(kind), **given})
    asked = round(method.calls_a_seed())
    if asked <= rows:
        return []
    return [f"{title}: {kind.name} asks all of its {asked:,} questions, and at most {rows:,} rows are kept of them"]


def leaning(made_with: Sequence[tuple[type[Method], Mapping[str, Any]]]) -> list[str]:
    """Identities of what these methods lean on beside rows, models and parameters: part of their step's fingerprint."""
    made = [build(kind, {**placeholder(kind), **given}) for kind, given in made_with if _leans(kind)]
    return [identity for method in made if (identity := method.leans_on())]


def _leans(kind: type[Method]) -> bool:
    return kind.leans_on is not Method.leans_on


def reading_seconds(made_with: Sequence[tuple[type[Method], Mapping[str, Any]]], pool: PoolStatistics) -> float:
    """What models of packages take to read these rows for all of these methods."""
    reading = [spec for spec in made_with if spec[0].reading_seconds is not Method.reading_seconds]
    return sum(build(kind, {**placeholder(kind), **given}).reading_seconds(pool) for kind, given in reading)


@runtime_checkable
class Unpriced(Protocol):
    """A method that cannot price all of its work beforehand."""

    def unpriced(self) -> str:
        """What the estimate leaves out since it is known only when it runs; "" where there is nothing."""


def not_priced(title: str, kind: type[Proposer], given: Mapping[str, Any]) -> list[str]:
    """What a method leaves out of its estimate, where there is such a thing."""
    if not issubclass(kind, Unpriced):
        return []
    made = build(kind, {**placeholder(kind), **given})
    said = made.unpriced() if isinstance(made, Unpriced) else ""
    return [f"{title}: {kind.name}: {said}"] if said else []


def lost_beside(title: str, kind: type[Proposer], given: Mapping[str, Any], format: str) -> list[str]:
    """That the data set's format does not hold a field which the method's rows keep, where that is so."""
    if format == "messages" or kind.keeps_beside is Proposer.keeps_beside:
        return []
    field = build(kind, {**placeholder(kind), **given}).keeps_beside()
    if not field:
        return []
    told = f"{format} holds no field {field!r} beside a row; it stays in the rows of this step in the run"
    return [f"{title}: {kind.name}: {told}, and `format: messages` holds it"]


def no_seals(recipe: Recipe, index: int) -> list[str]:
    """Says that new rows carry no seals of the rows they are made from, where a step before this one seals rows."""
    earlier = method_specs([step["by"] for _, step in recipe.named_steps()[: index - 1] if "by" in step])
    return ["no seals"] if any("key" in given for _, given in earlier) else []
