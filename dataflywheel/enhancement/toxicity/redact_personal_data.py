"""Redaction: personal data give way to stand-ins that are consistent within a row and tell nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.enhancement.toxicity.changed import changed
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.proposing.rewritten import replaced, unchanged
from dataflywheel.rows.schema import Row
from dataflywheel.signals.safety.personal_data_patterns import PRIVATE, Type, find

NOTHING = "nothing to redact"


class RedactPersonalData(Proposer):
    """Proposes each row with its personal data replaced by stand-ins of the same kind that belong to nobody.

    The same value has the same stand-in wherever it stands in a row (messages, rejected answer, tools and their
    calls, other fields) and another one in every other row. A stand-in is made from the row's id and the value's place
    in the order of first appearance, so that nothing of the value is in it. Stand-ins lie where no real value can (the
    domain `.invalid`, the unassigned country code +999, cards that begin with 0000, ...), and are not found again:
    redacting twice changes nothing more. Names and postal addresses have no form and stay.
    """

    card: ClassVar[Card] = Card(
        title="Presidio: Data Protection and De-identification SDK",
        authors="Microsoft",
        year=2018,
        paper="https://github.com/microsoft/presidio",
        category="enhancement",
        subcategory="toxicity",
        summary="Replaces personal data by stand-ins that are consistent within a row and lead nowhere.",
        checked="no labelled value is left that the patterns find; redacting twice equals once; no link across rows",
    )
    rewrites: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True
    hides_before: ClassVar[bool] = True
    gates: ClassVar[tuple[str, ...]] = ("no_personal_data",)

    types: tuple[Type, ...] = Field(default=PRIVATE, min_length=1)
    """What is replaced. Dates of birth are not unless named: texts tell mostly those of the famous."""

    def propose(self, demand: Demand) -> list[Proposal]:
        return [self._proposal(row) for row in demand.seeds]

    def _proposal(self, row: Row) -> Proposal:
        counts: dict[str, int] = {}
        made = changed(row, self.name, redactor(row["id"], self.types, counts), everything=True)
        if not counts:
            return unchanged(row, NOTHING)
        return replaced(row, made, facts={f"redacted_{name}": n for name, n in sorted(counts.items())})


def redactor(key: str, types: tuple[str, ...] = PRIVATE, counts: dict[str, int] | None = None) -> Callable[[str], str]:
    """A function that redacts texts of one document, known by `key`; `counts` gathers replacements by type.

    >>> redact = redactor("a")
    >>> one, two = redact("jane@example.org"), redact("Jane@Example.org and joe@example.org").split(" and ")
    >>> one == two[0], one == two[1], one.endswith("@redacted.invalid")
    (True, False, True)
    """
    known: dict[tuple[str, str], str] = {}
    counts = {} if counts is None else counts

    def redact(text: str) -> str:
        # What is replaced may uncover digits that it lay over; every pass leaves fewer.
        while (after := once(text)) != text:
            text = after
        return text

    def once(text: str) -> str:
        done, pieces = 0, []
        for span in find(text, types):
            value = span.type, re.sub(r"[\s().-]", "", text[span.start : span.end]).casefold()
            if value not in known:
                known[value] = surrogate(span.type, f"{key}:{span.type}:{len(known)}")
            pieces += [text[done : span.start], known[value]]
            done = span.end
            counts[span.type] = counts.get(span.type, 0) + 1
        return "".join([*pieces, text[done:]])

    return redact


def surrogate(type: str, seed: str) -> str:
    """A stand-in of a type; equal seeds, equal stand-ins."""
    digest = hashlib.blake2b(seed.encode(), digest_size=16).digest()
    word = digest[:4].hex()
    digits = f"{int.from_bytes(digest[4:]):024d}"[-16:]
    fours = " ".join(digits[i : i + 4] for i in (0, 4, 8, 12))
    return {
        "email": f"name-{word}@redacted.invalid",
        "phone": f"+999 {digits[:3]} {digits[3:6]} {digits[6:9]}",
        "card": f"0000 {fours[:14]}",
        "iban": f"ZZ00 {fours}",
        "ssn": f"000-{digits[:2]}-{digits[2:6]}",
        "ip": f"240.{digest[0]}.{digest[1]}.{digest[2]}",
    }.get(type, f"redacted-{word}")
