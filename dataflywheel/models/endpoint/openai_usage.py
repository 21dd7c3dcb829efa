"""What a reply says that it took: tokens read and written, in the spellings of endpoints."""

from __future__ import annotations

import json
from typing import Any

MOST_TOKENS = 10**8
"""A usage above it is a mistake: no model reads or writes so much."""


def tokens_used(usage: Any, wrote: bool = False) -> tuple[int, int] | None:
    """Tokens in and out; None where they are not told, or cannot be: negative, without bounds, no number, no prompt,
    or nothing written where there is an answer.

    xAI, Gemini and gateways before them leave thoughts out of `completion_tokens`, though they are paid for: what
    the total holds beyond the prompt was written, and so were thoughts that are more than all that is called written.

    >>> tokens_used({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 107})
    (5, 102)
    """
    if not isinstance(usage, dict):
        return None
    read, written = _count(usage, "prompt_tokens", "input_tokens"), _count(usage, "completion_tokens", "output_tokens")
    total, thought = _count(usage, "total_tokens"), 0
    for name in ("completion_tokens_details", "output_tokens_details"):
        details = usage.get(name)
        thought = thought or (_count(details, "reasoning_tokens") or 0 if isinstance(details, dict) else 0)
    if not read or (written is None and not total):
        return None
    written = written or 0
    apart = written + thought if thought > written else written
    written = max(apart, (total or 0) - read)
    return (read, written) if written >= int(wrote) and written <= MOST_TOKENS else None


def _count(told: dict[str, Any], *names: str) -> int | None:
    """The first count that is one, past zeros where a later name has more."""
    counts = [told.get(name) for name in names]
    found = [int(c) for c in counts if isinstance(c, int | float) and not isinstance(c, bool) and c == c // 1]
    return max((c for c in found if 0 <= c <= MOST_TOKENS), default=None)


NAMES = ("usage", "prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens")


def told_twice(content: bytes) -> bool:
    """Whether a name of the usage stands twice in one object of a reply: nobody knows which of the two holds.

    >>> told_twice(b'{"usage": {"prompt_tokens": 900, "prompt_tokens": 1}}')
    True
    """
    if all(content.count(f'"{name}"'.encode()) < 2 for name in NAMES):
        return False
    twice = False

    def seen(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        names = [name for name, _ in pairs if name in NAMES]
        twice = twice or len(names) > len(set(names))
        return dict(pairs)

    json.loads(content.decode("utf-8-sig", "replace"), object_pairs_hook=seen)
    return twice
