"""Rows as they were before a redaction, for whoever has its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.convert import convert
from dataflywheel.rows.schema import Row
from dataflywheel.rows.sealed import Secret, is_sealed, sealed_by, secret, unsealed
from dataflywheel.rows.set_aside import Origin
from dataflywheel.rows.text import fields_of

COLUMN = "redacted"


def restore(
    input: str,
    output: str,
    key: str,
    to: str = "canonical",
    *,
    column: str = COLUMN,
    progress: Callable[[int], None] | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    roles: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Read `input` in any format and write its rows as they were before `redact_personal_data` with this `key`.

    `key` is `env:NAME` or `file:PATH`; `column` the field of a row that holds what it was. Rows without one, and those
    that another key redacted, are written as they are. What steps behind the redaction did to a row is not in what it
    was. Other arguments are those of `convert`; the default form of rows holds all of them, byte for byte.

    Returns:
        What `convert` gives, and `restored`; `changed` (of these, rows that a later step changed, whose changes are
        gone), `other_key` and `not_sealed` (rows that stay as they are, for another key redacted them, or because what
        they hold in `column` is no sealed row) as counts.

    Raises:
        UsageError: there is no such key.
        FlywheelError: a sealed row was changed; names file and line. Or the key opens no row; what was written then is
            what was read.
    """
    opening = _Opening(secret(key), column)
    done = convert(
        input, output, to, lineage=True, progress=progress, columns=columns, roles=roles, change=opening.opened
    )  # fmt: skip
    if not opening.restored:
        other = (
            f"{opening.other:,} are sealed by another key" if opening.other else f"none has a sealed field {column!r}"
        )
        raise FlywheelError(f"{input}: the key opens none of {done['rows']:,} rows, of which {other}")
    counts = {"changed": opening.changed, "other_key": opening.other, "not_sealed": opening.not_sealed}
    return {**done, "restored": opening.restored, **counts}


class _Opening:
    """Opens rows, and counts what came of them."""

    def __init__(self, by: Secret, column: str) -> None:
        self.by, self.column = by, column
        self.restored = self.changed = self.other = self.not_sealed = 0

    def opened(self, origin: Origin) -> Row:
        """A row as it was first, where it was redacted several times."""
        row, held = origin.row, self._held(origin.row)
        self.not_sealed += not held and fields_of(row).get(self.column) not in (None, "")
        while held and sealed_by(held) == self.by.digest:
            try:
                was, became = unsealed(held, self.by)
            except FlywheelError as error:
                raise FlywheelError(f"{origin.file}, line {origin.line}, {self.column}: {error}") from None
            self.restored += row is origin.row
            self.changed += row is origin.row and became != row["id"]
            row, held = was, self._held(was)
        self.other += bool(held)
        return row

    def _held(self, row: Row) -> str:
        value = fields_of(row).get(self.column)
        return str(value) if is_sealed(value) else ""
