"""Images, videos and sounds on their way to a trainer: where each stands in the turns, and its path or address."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from dataflywheel.rows.formats.draft import CannotHold, Record
from dataflywheel.rows.formats.media import mark, reference
from dataflywheel.rows.schema import MediaType, Medium, Message, Row

TYPES: Final[tuple[MediaType, ...]] = ("image", "video", "audio")
COLUMNS: Final = frozenset(f"{type}s" for type in TYPES)
NAMES: Final = {"image": "an image", "video": "a video", "audio": "a sound"}


def addresses(row: Row, known: Collection[MediaType] = TYPES) -> dict[MediaType, list[str]]:
    """The paths and addresses of a row's media by type, in the order of their marks.

    Raises:
        CannotHold: a type that is not `known`, a medium given by its bytes, or marks for more or fewer of them.
    """
    found: dict[MediaType, list[str]] = {}
    for medium in row["media"] or ():
        if medium["type"] not in known:
            raise CannotHold(NAMES[medium["type"]])
        found.setdefault(medium["type"], []).append(_address(medium))
    turns = [*row["messages"], *(row["rejected"] or ())]
    for type, held in found.items():
        if (places := marks(turns, type)) not in (0, len(held)):
            raise CannotHold(f"media that do not fit their marks ({len(held)} of {mark(type)} for {places} marks)")
    return found


def _address(medium: Medium) -> str:
    held = reference(medium)
    if isinstance(held, str):
        return held
    for key in ("path", "url"):
        if isinstance(held.get(key), str) and held[key] and held.get("bytes") is None:
            return str(held[key])
    raise CannotHold(f"{NAMES[medium['type']]} that is given by its bytes and not by a path or an address")


def marks(turns: Sequence[Message], type: MediaType) -> int:
    return sum(turn["content"].count(mark(type)) for turn in turns)


def remote(address: str) -> bool:
    """Whether the medium lies elsewhere, or in the address itself."""
    return address.startswith(("http://", "https://", "data:"))


def in_the_prompt(media: Collection[MediaType], answers: Sequence[Message]) -> None:
    """Check that answers to compare show nothing.

    Raises:
        CannotHold: one does.
    """
    for type in media:
        if marks(answers, type):
            raise CannotHold(f"{NAMES[type]} in an answer to compare")


def unmarked(turns: Sequence[Message], media: Collection[MediaType]) -> set[MediaType]:
    """The types of media that no mark places."""
    return {type for type in media if not marks(turns, type)}


def marked(turns: list[Message], media: dict[MediaType, list[str]]) -> list[Message]:
    """The turns with a mark for every medium; what had none is shown before the first question.

    Raises:
        CannotHold: there is no question.
    """
    head = "".join(mark(type) * len(media[type]) for type in TYPES if type in unmarked(turns, media))
    if not head:
        return turns
    first = first_question(turns)
    shown: Message = {**turns[first], "content": head + turns[first]["content"]}
    return [*turns[:first], shown, *turns[first + 1 :]]


def first_question(turns: Sequence[Message]) -> int:
    """The position of the first turn of the user.

    Raises:
        CannotHold: there is none.
    """
    for position, turn in enumerate(turns):
        if turn["role"] == "user":
            return position
    raise CannotHold("media without a question that shows them")


def parts(content: str, media: Collection[MediaType]) -> list[Record]:
    """A content as chat templates of models that see take it: texts, and places `{type}` where a mark stood."""
    pieces = _splitter(tuple(sorted(media))).split(content) if media else [content]
    return [
        {"type": piece[1:-1]} if at % 2 else {"type": "text", "text": piece}
        for at, piece in enumerate(pieces)
        if piece or len(pieces) == 1
    ]


@lru_cache(maxsize=8)
def _splitter(media: tuple[MediaType, ...]) -> re.Pattern[str]:
    return re.compile("(" + "|".join(re.escape(mark(type)) for type in media) + ")")
