"""No personal data: proposals that hold what has its form are rejected, and names where a model looks for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, get_args

from dataflywheel.contracts import Card
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import beside, speakers, text_of
from dataflywheel.signals.safety.names_found import names_in
from dataflywheel.signals.safety.personal_data_options import AnyType, PersonalDataOptions
from dataflywheel.signals.safety.personal_data_patterns import find
from dataflywheel.signals.safety.texts_with_names import placed


class NoPersonalData(PersonalDataOptions, Gate):
    """Rejects a row whose messages, speakers' names, rejected answer, tools or cells hold personal data by form.

    With `names` also one that holds the name of a person, place or organisation, outside of code and of the
    specifications of tools. Reasons name the type, details how many there are; values are never shown. Postal addresses
    have no form and are not found.
    """

    version: ClassVar[int] = 5
    card: ClassVar[Card] = Card(
        title="Presidio: Data Protection and De-identification SDK",
        authors="Microsoft",
        year=2018,
        paper="https://github.com/microsoft/presidio",
        category="proposing",
        subcategory="gates",
        summary="Rejects proposals with e-mail addresses, telephone, card or account numbers, keys and the like.",
        checked="labelled synthetic text by type; false rejections among rows written by people",
        pays="Generators that have read private rows, and models that make up lifelike addresses and numbers.",
        fails="Postal addresses pass, names too without `names`, and an example number in a manual is rejected; where "
        "the row is wanted, `redact_personal_data`.",
        evidence="benchmarks/gates.md: all of 92 telephone numbers and 0.993 of 136 card numbers are found, in 21 "
        "surroundings 0.784 of telephone numbers; of 7,473 rows of gsm8k 0.000 are rejected.",
    )

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        rows = [proposal.row for proposal in proposals]
        counts = [Counter[str]() if row is None else self._by_form(row) for row in rows]
        if self.names is not None:
            texts = [[] if row is None else [one.text for one in placed(row)] for row in rows]
            found = iter(names_in([text for of_row in texts for text in of_row], self.names, self.sought))
            for count, of_row in zip(counts, texts, strict=True):
                count.update(span.type for _ in of_row for span in next(found))
        return [_check(count) for count in counts]

    def _by_form(self, row: Row) -> Counter[str]:
        read = "\n\n".join((text_of(row["messages"]), beside(row), speakers(row)))
        return Counter(span.type for span in find(read, self.sought))


def _check(counts: Counter[str]) -> Check:
    if not counts:
        return PASSED
    first = next(name for name in get_args(AnyType) if counts[name])
    detail = ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))
    return Check(False, f"personal data: {first}", detail, {"personal_data": sum(counts.values())})
