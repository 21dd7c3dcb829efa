"""Text that was decoded wrongly is made whole again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from dataflywheel.contracts import Card, Cleaner, Columns, Decisions, TargetView, Texts
from dataflywheel.enhancement.preparation.filter import state
from dataflywheel.rows.in_place import said_anew
from dataflywheel.signals.text.unicode_repair import repaired

BROKEN = "broken_unicode.texts"


class RepairUnicode(Cleaner):
    """Repairs text that was decoded in the wrong encoding (`donâ€™t`, `Ã©`), in all turns, thoughts and both answers
    of a pair.

    Nothing else of the text changes: curly quotes, ligatures, full-width letters, line ends and normal forms stay.
    Code within back-quotes and fenced blocks stays as it is, calls of tools and their specifications too, and a line
    where a byte is lost, since its repair would be a guess.
    """

    card: ClassVar[Card] = Card(
        title="ftfy: fixes text for you",
        authors="Speer",
        year=2019,
        paper="10.5281/zenodo.2591652",
        category="enhancement",
        subcategory="preparation",
        summary="Repairs text that was decoded in the wrong encoding, and changes nothing else.",
        checked="planted forms of broken text and texts that only look odd; all repairs in 55 real data sets read",
        pays="Text that went through several programs or encodings, as from old exports, spreadsheets and crawls, "
        "before words are counted or copies compared.",
        fails="Where a byte is lost, and within code, the text stays broken, and on a clean pool there is nothing to "
        "do: get the source in its own encoding, or drop such rows.",
    )

    entities: bool = False
    """Also turn HTML entities (`&amp;`, `&#8217;`) into their characters, in texts without a `<`; JSON stays."""

    def needs(self) -> tuple[str, ...]:
        return (BROKEN,)

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        return {"broken_unicode": {"entities": self.entities}}

    def decide(self, columns: Columns, texts: Texts, target: TargetView | None) -> Decisions:
        decisions = Decisions()
        known = columns.ok(BROKEN)
        for i, (id, broken) in enumerate(zip(columns.ids.tolist(), columns[BROKEN], strict=True)):
            if not known[i]:
                decisions.add(id, "kept", f"unmeasured: {state(columns, BROKEN, i)}")
            elif broken:
                decisions.add(id, "changed", f"repaired: {broken:.0f} of its texts", score=float(broken))
            else:
                decisions.add(id, "kept", "nothing to repair")
        return decisions

    def change(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        return said_anew(row, partial(repaired, entities=self.entities))
