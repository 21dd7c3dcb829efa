"""A gate at work: what it says of each proposal, and what becomes of those at which it fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dataflywheel.contracts import FlywheelError
from dataflywheel.plugins.place import named, place
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings

BROKEN = "the gate failed"
"""Of a proposal that a gate could not check: it is not known to be good."""


def checks_of(gate: Gate, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
    """What a gate says of each proposal; one at which it fails is turned away, and the others are checked without it.

    What the text of a proposal cannot have caused goes on as an error: what the user can mend, a missing package or
    file, and a gate that fails at every one of several proposals.
    """
    try:
        return _checks(gate, proposals, around)
    except (FlywheelError, MemoryError, ImportError, OSError):
        raise
    except Exception as error:
        failed = {i: check for i, p in enumerate(proposals) if (check := _failure(gate, p, around)) is not None}
        if len(failed) == len(proposals) > 1:
            who = named(gate, "check")
            raise FlywheelError(f"gate {who} fails at every proposal; the first: {_told(error)}") from error
        left = [proposal for i, proposal in enumerate(proposals) if i not in failed]
        if len(left) == len(proposals):  # together they cannot be checked, each alone can
            return [check for proposal in left for check in _checks(gate, [proposal], around)]
        good = iter(_checks(gate, left, around) if left else [])
        return [failed[i] if i in failed else next(good) for i in range(len(proposals))]


def _checks(gate: Gate, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
    """Raises TypeError where a gate gives anything but one check a proposal."""
    given: Any = gate.check(proposals, around)
    found = list(given) if isinstance(given, Iterable) else [given]
    if len(found) != len(proposals) or not all(isinstance(check, Check) for check in found):
        wrong = next((f" ({type(one).__name__})" for one in found if not isinstance(one, Check)), "")
        raise TypeError(f"{len(found)} answers{wrong} to {len(proposals)} proposals, where one Check each is wanted")
    return found


def _failure(gate: Gate, proposal: Proposal, around: Surroundings) -> Check | None:
    try:
        _checks(gate, [proposal], around)
    except (FlywheelError, MemoryError, ImportError, OSError):
        raise
    except Exception as error:
        return Check(False, BROKEN, _told(error), decided=False)
    return None


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}{place(error)}"[:200]
