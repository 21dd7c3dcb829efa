"""The thoughts of a turn: under their many names, in pieces, in an object within it; and those nobody can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any

from dataflywheel.rows.formats.draft import ReadError, Record, has_words
from dataflywheel.rows.formats.names import JUDGED, THOUGHTS, VERDICTS, by_name, folded, thinks
from dataflywheel.rows.formats.serialized import in_text
from dataflywheel.rows.thoughts import split_thoughts

PIECES = ("reasoning_details", "thinking_blocks")
"""The same in pieces (OpenRouter, LiteLLM), where no other name gives them as a whole."""
FEW = 3
"""A field that only sounds like thoughts holds some where it has so many words (`reasoning_effort: low` has not)."""
SAID = ("text", "thinking", "content", "summary")
"""Where an object holds its thoughts."""
THINKING = frozenset((*THOUGHTS, *PIECES))
ENCRYPTED = frozenset(("encrypted", "redacted", "opaque"))
"""Words in the names and types of thoughts that only who wrote them can read."""
DEEPEST = 4
"""How many objects deep thoughts are looked for within a turn."""
NAMED = re.compile("think|thought|reason|cot|scratchpad|monologue|encrypted", re.IGNORECASE)
"""What a name of thoughts has in it."""
SAYING = frozenset(("content", "value", "text", "message"))
"""Fields that hold what a turn says, perhaps in JSON."""
CALLED = frozenset(("tool_calls", "function_call", "function_calls", "arguments", "function", "tools", "functions"))
"""Fields of a turn in which a call of a tool may have an argument named as a thought."""


def read_thoughts(turn: Record, field: str, said: str = "", own: str | None = None) -> str | None:
    """The thoughts beside what a turn says; none where it says them itself, in its text or in blocks (`own`).

    Raises:
        ReadError: two fields give different ones, or nobody can read them.
    """
    if len(turn) == 2 and THINKING.isdisjoint(turn):
        return None
    found = named_thoughts(turn) | inner_thoughts(turn, field)
    first, longest = next(iter(found), ""), max(map(bare, found.values()), key=len, default="")
    other = next((key for key, thoughts in found.items() if bare(thoughts) not in longest), None)
    if other is not None:
        raise ReadError(f"{field}.{other}", "other thoughts than in another field of the turn; keep one of them")
    sealed = "" if found else next((key for key, value in turn.items() if is_sealed(key, value)), "")
    if not found and not sealed:
        return None
    own = own or split_thoughts(said)[0]
    if not found and not own:
        raise ReadError(f"{field}.{sealed}", UNREADABLE)
    if not own or not found:
        return found.get(first)
    if longest not in bare(own):
        raise ReadError(f"{field}.{first}", "other thoughts than those in the text of the turn; keep one of them")
    return None


def bare(text: str) -> str:
    """A text without its spaces and line ends, in which copies of it may differ."""
    return "".join(text.split())


def named_thoughts(turn: Record) -> dict[str, str]:
    """The thoughts of a turn by its fields that are named as such."""
    named = named_as_thoughts(frozenset(turn))
    if not named and THINKING.isdisjoint(turn):
        return {}
    found = {key: said for key in THOUGHTS if (said := thoughts_in(turn.get(key)))}
    found |= {key: said for key in named if has_words(said := thoughts_in(turn[key]), FEW)}
    return found or {key: said for key in PIECES if (said := pieces_of(turn.get(key)))}


@lru_cache(maxsize=4096)
def named_as_thoughts(keys: frozenset[str]) -> tuple[str, ...]:
    """Further fields of a turn that speak of thoughts by their name (`think_content`, `internalThoughts`)."""
    return tuple(sorted(key for key in keys if key not in THINKING and thinks(folded(key))))


def inner_thoughts(turn: Record, field: str) -> dict[str, str]:
    """The thoughts of a turn by the paths of its fields that hold them in an object (`info.think_content`).

    Raises:
        ReadError: they may be a judge's reasons.
    """
    found: dict[str, str] = {}
    for path, held in objects_in(turn):
        names = by_name(frozenset(held))
        for key, said in named_thoughts(held).items():
            if not has_words(said, FEW):
                continue
            if folded(key) == "reasoning" and not JUDGED.isdisjoint(names):
                raise ReadError(
                    f"{field}.{path}.{key}", "may be what the answer was thought of, or a judge's reasons; where the "
                    "first, write it into the turn as reasoning_content; where not, take it out",
                )  # fmt: skip
            found[f"{path}.{key}"] = said
    return found


def objects_in(turn: Record, before: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, Record]]:
    """The objects within a turn by their paths, but for those that speak about it, its calls and its content."""
    for key, value in turn.items():
        if type(value) is str and value[:1] == "{" and key not in SAYING and NAMED.search(value):
            value = in_text(value)
        if not isinstance(value, dict) or not depth or key in CALLED or key in THINKING:
            continue
        if VERDICTS.isdisjoint(folded(key).split("_")):
            yield f"{before}{key}", value
            yield from objects_in(value, f"{before}{key}.", depth - 1)


def thoughts_in(value: Any) -> str:
    """The thoughts in a text, an object that holds one, or a list of such; "" where there are none."""
    if isinstance(value, dict):
        return next((said for key in SAID if (said := thoughts_in(value.get(key)))), "")
    if isinstance(value, list):
        return "\n\n".join(filter(None, map(thoughts_in, value)))
    return value if isinstance(value, str) else ""


def pieces_of(value: Any) -> str:
    """The thoughts in pieces, which may be written as JSON; parts of one piece of a stream share an index."""
    value = in_text(value) if isinstance(value, str) else value
    if not isinstance(value, list):
        return thoughts_in(value) if isinstance(value, dict) else ""
    parts = [(part.get("index") if isinstance(part, dict) else None, thoughts_in(part)) for part in value]
    whole = (
        ("" if index is not None else "\n\n").join(said for _, said in same if said)
        for index, same in groupby(parts, key=lambda part: part[0])
    )
    return "\n\n".join(filter(None, whole))


UNREADABLE = (
    "thoughts that are encrypted or redacted: without them the answer would be learned as if nothing had been thought; "
    "take the field out where that is meant"
)


def is_sealed(key: str, value: Any, depth: int = DEEPEST) -> bool:
    """Whether a field holds thoughts that only who wrote them can read, and none besides."""
    name = frozenset(folded(key).split("_"))
    if folded(key) == "encrypted_content" or (not name.isdisjoint(ENCRYPTED) and thinks(folded(key))):
        return bool(value) and value is not True
    if isinstance(value, str) and folded(key) in PIECES:
        value = in_text(value)
    if isinstance(value, list):
        return any(is_sealed("", one, depth) for one in value)
    if not isinstance(value, dict) or not depth or key in CALLED:
        return False
    type = str(value.get("type")).replace(".", "_")
    if type in ("reasoning_encrypted", "redacted_thinking"):
        return any(held for name, held in value.items() if name not in ("type", "id", "format", "index"))
    if type == "thinking" and value.get("signature") and not value.get("thinking"):
        return True
    return any(is_sealed(name, held, depth - 1) for name, held in value.items() if isinstance(held, dict | list | str))
