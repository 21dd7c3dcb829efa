"""How long a server asks to wait, in any of the forms that servers write."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Protocol


class Headers(Protocol):
    def get(self, name: str, /) -> str | None: ...


def retry_after(headers: Headers, now: float) -> float | None:
    """Seconds to wait from `retry-after-ms` or `Retry-After` (seconds or an HTTP date); None where it says nothing.

    `now` is Unix time, for dates.

    >>> retry_after({"retry-after": "1.5"}, 0.0), retry_after({"retry-after-ms": "20"}, 0.0), retry_after({}, 0.0)
    (1.5, 0.02, None)
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name) or "") / unit
        except ValueError:
            continue
        return max(seconds, 0.0) if seconds == seconds else None
    try:
        return max(parsedate_to_datetime(headers.get("retry-after") or "").timestamp() - now, 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
