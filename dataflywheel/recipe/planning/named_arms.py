"""What the arms that `compare` names ask for, known before any rows are."""

from __future__ import annotations

from typing import Any

from dataflywheel.contracts import UsageError, nearest
from dataflywheel.selection.order import LEARNED
from dataflywheel.selection.spec import TOKENS, Select


def arm_needs(entry: str | dict[str, Any]) -> tuple[str, ...]:
    """Columns that an arm reads.

    Raises:
        UsageError: it is no selector, nor one of `random_raw`, `full` and `one_round`.
    """
    return TOKENS if entry in ("random_raw", "full") else (*TOKENS, *_one_row(entry).needs())


def arm_targeted(entry: str | dict[str, Any]) -> bool:
    """Whether an arm compares rows with the target. Raises as `arm_needs` does."""
    return entry not in ("random_raw", "full") and _one_row(entry).targeted


def _one_row(entry: str | dict[str, Any]) -> Select:
    """An arm's selection, of a budget that does not matter."""
    if entry == "one_round":
        entry = "random"
    if entry == "length_matched_random":
        entry = {"length_matched_random": {"lengths": [1]}}
    spec = selection_of_arm(entry, 1)
    for selector in spec.selectors():
        if selector.begins:
            raise UsageError(
                f"compare: {selector.name} goes on from the rows that earlier rounds chose, and an arm is chosen once; "
                "name it in the recipe's own `select`"
            )
        if LEARNED in selector.needs():
            raise UsageError(
                f"compare: {selector.name} goes on from the rows that a `warm_up` learned, and an arm is chosen before "
                "any training; name it in the recipe's own `select`"
            )
    return spec


def selection_of_arm(by: Any, keep: int | float | str) -> Select:
    """The selection of an arm that is named by a selector, with this budget.

    Raises:
        UsageError: it is no selector.
    """
    try:
        return Select(by=by, keep=keep)
    except UsageError as error:
        raise UsageError(f"compare: {error}") from None
    except ValueError as error:
        known = ["random_raw", "full", "one_round", "random", "longest", "length_matched_random"]
        raise UsageError(f"compare: {by!r} is not an arm{nearest(str(by), known)} ({error})") from None
