"""Quarantine: rows that must not be learned are held apart with their reason, in place of only leaving the data set."""

from __future__ import annotations

from typing import ClassVar

from dataflywheel.contracts import Card, Columns, Decisions, TargetView, Texts
from dataflywheel.enhancement.preparation.filter import Filter
from dataflywheel.store.run import HELD_APART


class Quarantine(Filter):
    """Takes rows out as `filter` does, and has them written to `quarantine/` of the run, each with its reason.

    Nothing reads them from there but who names that folder: the data set, its card, `convert` and `push` have none of
    them. They are rows to look at, to train a detector on, or to give back.
    """

    card: ClassVar[Card] = Card(
        title="Rows held apart with a reason",
        year=2026,
        category="enhancement",
        subcategory="toxicity",
        summary="Holds rows out of bounds (toxic, say) apart with their reason, never exported by default.",
        checked="no id of a held row in any file that a verb reads or writes without being told to, on random bounds",
        pays="Where somebody must be able to see what was taken out and why, or gets it back.",
        fails="It is no better than the signal it goes by: look at the detector's audit first.",
        evidence="The share of rows held depends on the signal alone; nothing is claimed of it.",
    )

    def decide(self, columns: Columns, texts: Texts, target: TargetView | None) -> Decisions:
        found = super().decide(columns, texts, target)
        found.reason = [
            f"{HELD_APART}{why}" if action == "dropped" else why
            for action, why in zip(found.action, found.reason, strict=True)
        ]
        return found
