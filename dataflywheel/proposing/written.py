"""A proposer at work: what it gives is checked before anything looks at it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.quoting import example_parts
from dataflywheel.plugins.place import named
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.rows.schema import ROW_SCHEMA

COLUMNS = frozenset(ROW_SCHEMA.names)


def proposed(proposer: Proposer, demand: Demand) -> list[Proposal]:
    """What the proposer writes.

    Raises:
        FlywheelError: it gave anything but proposals, or one whose row is none; names the proposer, and the line of a
            user's own.
    """
    given: Any = proposer.propose(demand)
    if not isinstance(given, Iterable) or isinstance(given, str | dict):
        raise FlywheelError(f"{named(proposer, 'propose')} gave {type(given).__name__}; wanted is a list of `Proposal`")
    found = list(given)
    for one in found:
        if not isinstance(one, Proposal):
            raise FlywheelError(
                f"{named(proposer, 'propose')} gave {type(one).__name__} among its proposals; wanted is "
                "`Proposal(parents, row)`"
            )
        if one.row is not None and (not isinstance(one.row, dict) or COLUMNS - one.row.keys()):
            lacking = ", ".join(sorted(COLUMNS - set(one.row))) if isinstance(one.row, dict) else "all"
            raise FlywheelError(
                f"{named(proposer, 'propose')} gave a row without columns of a row ({lacking}); make it with `child` "
                "of dataflywheel.proposing.child, or `prompt_answer_row` of dataflywheel.rows.identity"
            )
    return [with_examples(one) for one in found]


def with_examples(proposal: Proposal) -> Proposal:
    """The proposal with the examples that its writer was shown among what must not come back."""
    more = [text for told in proposal.shown for text in example_parts(told).values()]
    return replace(proposal, shown=(*proposal.shown, *more)) if more else proposal
