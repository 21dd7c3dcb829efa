"""What lies beside the rows and was not read, in lines for people."""

from __future__ import annotations

import os
from collections.abc import Iterable

NAMES = 6
LINES = 8


def unread_lines(unread: Iterable[tuple[str, str]]) -> list[str]:
    """One line a reason, the longest lists cut short.

    >>> unread_lines([("d/README.md", "no data"), ("d/a.py", "no data"), ("d/t.csv", "of the split test")])
    ['not read: README.md, a.py (no data)', 'not read: t.csv (of the split test)']
    """
    by_reason: dict[str, list[str]] = {}
    for path, reason in unread:
        by_reason.setdefault(reason, []).append(os.path.basename(path) or path)
    lines = []
    for reason, names in by_reason.items():
        more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
        lines.append(f"not read: {', '.join(names[:NAMES])}{more} ({reason})")
    if len(lines) > LINES:
        lines = [*lines[:LINES], f"not read for other reasons: {len(lines) - LINES:,} more; --json names all"]
    return lines
