"""The rows of an input, one by one, with where each was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.parse import parse_block
from dataflywheel.rows.quarantine import first_reason
from dataflywheel.rows.reading import Input, open_input
from dataflywheel.rows.schema import Row
from dataflywheel.rows.set_aside import Origin, SetAside


@dataclass
class RowsRead:
    """Rows of an input, counted, and the shape that came first; what cannot be read is set aside."""

    given: Input
    aside: SetAside
    progress: Callable[[int], None] | None
    change: Callable[[Origin], Row] | None
    count: int = 0
    shape: str = ""
    unread: dict[tuple[str, str], None] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Origin]:
        for file in open_input(self.given):
            for block in file.blocks:
                parsed = parse_block(block, file.name, file.source, file.shape, file.mapping)
                self.aside.unreadable(parsed.quarantined)
                self.unread |= dict.fromkeys(parsed.unread)
                self.shape = self.shape or next(iter(parsed.shapes), "")
                self.count += len(parsed.rows)
                for row, line in zip(parsed.rows, parsed.lines, strict=True):
                    origin = Origin(row, file.name, line)
                    yield replace(origin, row=self.change(origin)) if self.change else origin
                if self.progress:
                    self.progress(self.count)
        if not self.count:
            why = f": {first_reason(self.aside.examples[0])}" if self.aside.unread else ""
            raise FlywheelError(f"{self.given.path}: no row could be read{why}")
