"""Records that are read and not taken apart: what a row was made of stays together, and is written as it stood."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from dataflywheel.rows.formats.draft import CannotHold, Draft, Record
from dataflywheel.rows.formats.shape import Shape


class Whole(Shape):
    """A shape without a plain spelling: only rows that were read from it, and are still the same, can be written."""

    by_keys = False

    @abstractmethod
    def content(self, record: Record) -> tuple[Draft, Iterable[str]]:
        """The row in a record, and the keys that it was made of.

        Raises:
            ReadError: the record cannot become a row.
        """

    def parse(self, record: Record) -> Draft:
        draft, keys = self.content(record)
        held = frozenset(keys)
        draft.whole = {key: value for key, value in record.items() if key in held}
        draft.extra = {key: value for key, value in record.items() if key not in held}
        return draft

    def render(self, draft: Draft) -> Record:
        if not draft.whole:
            raise CannotHold("a row that was not read in this form, or was changed since")
        again, _ = self.content({**draft.extra, **draft.whole})
        if (again.messages, again.rejected) != (draft.messages, draft.rejected):
            raise CannotHold("a row that was not read in this form, or was changed since")
        return dict(draft.whole)
