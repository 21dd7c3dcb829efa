"""How an answer came to its end, as endpoints say it in a reply or beside an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.endings import Ending, ending_of
from dataflywheel.rows.formats.draft import ReadError

ENDS = ("finish_reason", "finishReason", "done_reason", "stop_reason", "stopReason", "finish_reasons")
"""Fields whose words are those of `ending_of`; the first decides, for beside it vLLM's `stop_reason` is a text of the
user's own."""
LIMITS = {"stop_type": "limit", "stopped_limit": True}
"""How llama.cpp says that an answer was cut."""
INNER = ("details", "meta_info", "response_metadata")
"""Where TGI, SGLang and LangChain hold them."""
BESIDE = frozenset((*ENDS, *LIMITS, *INNER))
"""What may say it in a record that is no reply."""
FAILED = frozenset(("error", "failed", "cancelled", "canceled", "expired", "in_progress", "queued"))
"""Other words of the field `status` for an answer that did not come."""


def whole(reply: Mapping[str, Any], field: str) -> None:
    """Check that an answer was not cut off or withheld, where its end is told.

    Raises:
        ReadError: it was, or its end is a word that nobody knows.
    """
    details, status = reply.get("incomplete_details"), reply.get("status")
    key, word = end_of(reply)
    failed = isinstance(status, str) and (status in FAILED or ending_of(status) not in (None, Ending.WHOLE))
    cut(field, "incomplete_details", details.get("reason") if isinstance(details, dict) else None, True)
    cut(field, "status", status, failed)
    cut(field, key, word, isinstance(word, str) and ending_of(word) is not Ending.WHOLE)
    for key, limit in LIMITS.items():
        cut(field, key, "limit" if reply.get(key) == limit else None, True)


def end_of(reply: Mapping[str, Any]) -> tuple[str, Any]:
    """The field that tells how an answer ended, and its word."""
    key, word = next(((key, reply[key]) for key in ENDS if reply.get(key)), ("", None))
    word = word[0] if isinstance(word, list) and len(word) == 1 else word  # of a list of one answer
    return key, word.get("type") if isinstance(word, dict) else word


def cut(field: str, key: str, word: Any, bad: bool) -> None:
    if isinstance(word, str) and bad:
        where = f"{field}.{key}" if field else key
        raise ReadError(where, f"the answer did not come to its end ({word[:40]}); ask again with a higher limit")


def whole_beside(record: Mapping[str, Any], where: str = "") -> None:
    """The same of a record or a turn that holds an answer, where what stands beside it is a word known for a cut.

    Raises:
        ReadError: it was cut off or withheld.
    """
    inner = (name for name in INNER if name in record)
    held = ((where, record), *((f"{where}.{name}" if where else name, record[name]) for name in inner))
    for field, told in held:
        if not isinstance(told, dict):
            continue
        key, word = end_of(told)
        known = ending_of(word) if isinstance(word, str) else None
        cut(field, key, word, known not in (None, Ending.WHOLE) or word in FAILED)
        for key, limit in LIMITS.items():
            cut(field, key, "limit" if told.get(key) == limit else None, True)
