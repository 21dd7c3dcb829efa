"""No personal data: proposals that hold what has its form are rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import beside, text_of
from dataflywheel.signals.safety.personal_data_patterns import PRIVATE, TYPES, Type, find


class NoPersonalData(Gate):
    """Rejects a row whose messages, rejected answer, tools or cells hold personal data by form and checksum.

    Reasons name the type, details how many there are; values are never shown. Names and postal addresses have no form
    and are not found.
    """

    version: ClassVar[int] = 3
    card: ClassVar[Card] = Card(
        title="Presidio: Data Protection and De-identification SDK",
        authors="Microsoft",
        year=2018,
        paper="https://github.com/microsoft/presidio",
        category="proposing",
        subcategory="gates",
        summary="Rejects proposals with e-mail addresses, telephone, card or account numbers, keys and the like.",
        checked="labelled synthetic text by type; false rejections among rows written by people",
    )

    types: tuple[Type, ...] = Field(default=PRIVATE, min_length=1)
    """What is looked for. Dates of birth are not unless named: texts tell mostly those of the famous."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        return [self._check(proposal) for proposal in proposals]

    def _check(self, proposal: Proposal) -> Check:
        assert proposal.row is not None
        text = f"{text_of(proposal.row['messages'])}\n\n{beside(proposal.row)}"
        counts = Counter(span.type for span in find(text, self.types))
        if not counts:
            return PASSED
        first = next(name for name in TYPES if counts[name])
        detail = ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))
        return Check(False, f"personal data: {first}", detail, {"personal_data": sum(counts.values())})
