"""`text`: plain documents, each one assistant turn without a prompt."""

from __future__ import annotations

from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record, plain, text
from dataflywheel.rows.formats.lone_turns import TOGETHER
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.turns import ROLES
from dataflywheel.rows.schema import message


class Text(Shape):
    """A document."""

    name = "text"
    own = frozenset({"text"})

    def matches(self, keys: frozenset[str]) -> bool:
        return "text" in keys

    def parse(self, record: Record) -> Draft:
        if isinstance(role := record.get("role"), str) and role.strip().lower() in ROLES:
            raise ReadError("text", f"one turn, of the {role}; {TOGETHER}")
        return Draft([message("assistant", text(record, "text"))], extra=record)

    def render(self, draft: Draft) -> Record:
        if [m["role"] for m in draft.messages] != ["assistant"] or draft.rejected is not None:
            raise CannotHold("anything but one document (an assistant turn without a prompt)")
        return {"text": plain(draft.messages[0])}
