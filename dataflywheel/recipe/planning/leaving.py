"""Which steps a comparison leaves out, one at a time, to see what each was worth."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.contracts import UsageError, nearest
from dataflywheel.recipe.sections import Compare
from dataflywheel.recipe.steps.step import Step


def title(step: Step) -> str:
    """The recipe without this step, as it is called everywhere."""
    return f"without {step.place}"


def left_out(steps: Sequence[Step], compare: Compare | None) -> list[Step]:
    """The steps to leave out, in order: all that change rows but decontamination, or those that are named.

    Raises:
        UsageError: no step has that name, or it must stay.
    """
    wanted = compare.leave_one_out if compare else False
    leavable = [step for step in steps if step.changes_rows and not step.guards]
    if isinstance(wanted, bool):
        return leavable if wanted else []
    for name in wanted:
        if not any(name in (step.name, step.place) for step in steps):
            known = [step.place for step in leavable]
            raise UsageError(f"compare.leave_one_out: the recipe has no step {name!r}{nearest(name, known)}")
        if not any(name in (step.name, step.place) for step in leavable):
            guards = any(step.guards and name in (step.name, step.place) for step in steps)
            why = "the target must never be trained on" if guards else "it changes no rows"
            raise UsageError(f"compare.leave_one_out: {name} cannot be left out: {why}")
    return [step for step in leavable if step.name in wanted or step.place in wanted]
