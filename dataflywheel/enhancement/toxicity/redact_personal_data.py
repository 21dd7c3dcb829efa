"""Redaction: personal data give way to stand-ins that are consistent within a row and tell nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import orjson
from pydantic import BeforeValidator, Field

from dataflywheel.contracts import Card, PoolStatistics, UsageError
from dataflywheel.enhancement.toxicity.changed import changed
from dataflywheel.enhancement.toxicity.stand_ins import StandIns
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.proposing.rewritten import replaced, unchanged
from dataflywheel.rows.schema import Row
from dataflywheel.rows.sealed import Secret, check_reference, is_sealed, seal, secret
from dataflywheel.rows.text import fields_of
from dataflywheel.signals.safety.names_found import names_in
from dataflywheel.signals.safety.personal_data_options import PersonalDataOptions
from dataflywheel.signals.safety.personal_data_patterns import Span
from dataflywheel.signals.safety.texts_with_names import leaves, placed

NOTHING = "nothing to redact"


def _refers(key: object) -> object:
    if key is not None:
        check_reference(key)
    return key


class RedactPersonalData(PersonalDataOptions, Proposer):
    """Proposes each row with its personal data replaced by stand-ins of the same kind that belong to nobody.

    The same value has the same stand-in wherever it stands in a row (messages and their speakers, rejected answer,
    tools and their calls, other fields) and another one in every other row. A stand-in is made from the row's id and
    the value's place in the order of first appearance. Stand-ins lie where no real value can (the domain `.invalid`,
    the unassigned country code +999, cards that begin with 0000, `Person-Kelodira`, ...), and are not found again:
    redacting twice changes nothing more. Postal addresses have no form and stay; so do the source, tags and label of a
    row, the names of its fields and the paths of its media, by which rows are told apart, grouped and found.

    With `names`, names of persons, places and organisations are replaced too, and looked for until no more are found. A
    part of the name of one person or organisation of the row has the stand-in of the whole. A name that was found once
    is replaced wherever it stands, one of several words also in capitals, with other blanks or underscores between; a
    single word not in code and not where the row has it in small letters as well.

    With `key` each row that is changed keeps what it was in the field `column`, as text that only the key opens:
    `flywheel restore` gives it back. Without one, whoever can guess all of a row but a short number can try which
    number gives its stand-ins.
    """

    version: ClassVar[int] = 3
    card: ClassVar[Card] = Card(
        title="Presidio: Data Protection and De-identification SDK",
        authors="Microsoft",
        year=2018,
        paper="https://github.com/microsoft/presidio",
        category="enhancement",
        subcategory="toxicity",
        summary="Replaces personal data by stand-ins that are consistent within a row and lead nowhere.",
        checked="no labelled value is left that the patterns find; redacting twice equals once; no link across rows",
        pays="Chats, mails and tickets of customers before they are shared or learned: patterns cost no model, and "
        "stand-ins keep who is who within a row.",
        fails="Postal addresses have no form and stay, names are found with `names` alone, and bare telephone numbers "
        "are often missed; have people read a sample.",
        evidence="benchmarks/gates.md: all of 49 e-mail addresses and 0.993 of 136 card numbers are found, but of "
        "telephone numbers in 21 surroundings 0.784 of 1,932; 0.009 of 330 spans found are none.",
    )
    rewrites: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True
    hides_before: ClassVar[bool] = True
    gates: ClassVar[tuple[str, ...]] = ("no_personal_data",)

    key: Annotated[str | None, BeforeValidator(_refers)] = None
    """Where the secret is that opens the rows again, `env:NAME` or `file:PATH`, never the secret itself; 32 characters
    or more."""
    column: str = Field(default="redacted", min_length=1)
    """With `key`, the field beside a row that holds what it was."""

    def ready(self) -> None:
        super().ready()
        if self.key is not None:
            secret(self.key)

    def leans_on(self) -> str:
        return ":".join(filter(None, (super().leans_on(), secret(self.key).digest if self.key else "")))

    def reading_seconds(self, pool: PoolStatistics) -> float:
        """Rows with names are read twice or more, until none is left."""
        return 2 * super().reading_seconds(pool)

    def keeps_beside(self) -> str:
        return self.column if self.key else ""

    def propose(self, demand: Demand) -> list[Proposal]:
        by = None if self.key is None else secret(self.key)
        works = [_Work(row, self, by) for row in demand.seeds]
        left = works
        while left:
            # What is replaced changes what a model reads around it; every pass leaves fewer letters to read.
            self._look(left)
            left = [work for work in left if work.replace() and self.names is not None]
        return [work.proposal() for work in works]

    def _look(self, works: Sequence[_Work]) -> None:
        """Find the names in all texts of rows that were not read before."""
        if self.names is None:
            return
        unread = {text: None for work in works for text in work.unread()}
        found = dict(zip(unread, names_in([*unread], self.names, self.sought), strict=True))
        for work in works:
            work.meet({text: found[text] for text in work.unread()})


class _Work:
    """A row on its way."""

    def __init__(self, row: Row, method: RedactPersonalData, by: Secret | None) -> None:
        self.before, self.method, self.by = row, method, by
        self.counts: dict[str, int] = {}
        fields = fields_of(row)
        self.sealed = fields.get(method.column) if is_sealed(fields.get(method.column)) else None
        if by is not None and method.column in fields and self.sealed is None:
            raise UsageError(
                f"{method.name}: row {row['id']} has a field {method.column!r} of its own; name another one to hold "
                f"what a row was: `column: {method.column}_before`"
            )
        # What was sealed is no text: it must come through unchanged.
        self.row: Row = row if self.sealed is None else {**row, "extra": _written(fields, without=method.column)}
        self.stand_ins = StandIns(by.of_row(row["id"]) if by else row["id"], method.sought, self.counts)
        self.read: set[str] = set()

    def unread(self) -> list[str]:
        """The texts in which names may stand and were not looked for."""
        texts = [one.text for one in placed(self.row)] + list(leaves(fields_of(self.row)))
        return [text for text in dict.fromkeys(texts) if text not in self.read]

    def meet(self, found: Mapping[str, Sequence[Span]]) -> None:
        """Learn what was found in texts of the row."""
        self.read |= found.keys()
        self.stand_ins.meet(found)

    def replace(self) -> bool:
        """Replace what is known; whether there was anything to replace."""
        before = sum(self.counts.values())
        self.row = changed(self.row, self.method.name, self.stand_ins.redacted, everything=True)
        return sum(self.counts.values()) > before

    def proposal(self) -> Proposal:
        if not self.counts:
            return unchanged(self.before, NOTHING)
        fields, column = fields_of(self.row), self.method.column
        if self.by is not None:
            fields[column] = seal(self.before, self.row["id"], self.by)
        elif self.sealed is not None:
            fields[column] = self.sealed
        made: Row = {**self.row, "parents": [self.before["id"]], "extra": _written(fields)}
        facts = {f"redacted_{name}": n for name, n in sorted(self.counts.items())}
        return replaced(self.before, made, facts=facts)


def _written(fields: Mapping[str, object], without: str = "") -> str:
    held = {name: value for name, value in fields.items() if not without or name != without}
    return orjson.dumps(held, option=orjson.OPT_SORT_KEYS).decode()
