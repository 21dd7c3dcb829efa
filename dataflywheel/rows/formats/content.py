"""What a turn says: a text, or a list of parts of which some are images, videos or sounds."""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.draft import ReadError, Record, kind, present
from dataflywheel.rows.formats.media import AWAITED, mark, medium
from dataflywheel.rows.schema import MediaType, Medium


def read_content(content: Any, field: str, missing_allowed: bool = False, media: list[Medium] | None = None) -> str:
    """Text, or a list of parts with their images and sounds; null only beside tool calls or thoughts.

    Raises:
        ReadError: the content holds anything else.
    """
    if isinstance(content, str):
        return content
    if content is None and missing_allowed:
        return ""
    if isinstance(content, list) and all(isinstance(part, dict | str) for part in content):
        found = [(part, None) if isinstance(part, str) else read_part(present(part), field, media) for part in content]
        return joined(found)
    raise ReadError(field, f"expected text, got {kind(content)}")


def joined(parts: list[tuple[str, MediaType | None]]) -> str:
    """One text: texts are parted by line ends, and a medium stands where it stood, with nothing around it.

    >>> joined([("<image>", "image"), ("Which", None), ("one?", None)])
    '<image>Which\\none?'
    """
    found = ""
    for at, (text, type) in enumerate(parts):
        parted = at > 0 and type is None and parts[at - 1][1] is None
        found += f"\n{text}" if parted else text
    return found


def read_part(part: Record, field: str, media: list[Medium] | None) -> tuple[str, MediaType | None]:
    """The text of one part, or the mark of its medium and its type.

    Raises:
        ReadError: a part of another type, or one without its content.
    """
    type = part.get("type", next((key for key in UNTYPED if isinstance(part.get(key), str)), None))
    if type in TEXTS and isinstance(part.get("text"), str):
        return str(part["text"]), None
    if type == "refusal" and isinstance(part.get("refusal"), str):
        return str(part["refusal"]), None
    if not isinstance(type, str) or type not in PARTS or media is None:
        got = f"of type {type!r}" if type is not None else f"with the fields {', '.join(list(part)[:6]) or 'none'}"
        raise ReadError(field, f"expected text, got a part {got}; only text is read")
    held = next((part[key] for key in (type, *HELD_IN) if part.get(key) is not None), None)
    if isinstance(held, dict) and isinstance(held.get("url"), str):
        held = held["url"]
    media.append(AWAITED[PARTS[type]] if held is None else medium(PARTS[type], held, field))
    return mark(PARTS[type]), PARTS[type]


TEXTS = frozenset({"text", "input_text", "output_text", "summary_text", None})
"""The types of a part that is text; Gemini and Bedrock give none."""
PARTS: dict[str, MediaType] = {
    "image": "image", "image_url": "image", "input_image": "image", "video": "video", "video_url": "video",
    "audio": "audio", "audio_url": "audio", "input_audio": "audio",
}  # fmt: skip
"""The types of a content part that stand for a medium."""
UNTYPED = ("image", "video", "audio")
"""The fields of a part without a type that hold a medium (DashScope)."""
HELD_IN = ("url", "path", "source", "image", "image_url", "video", "audio", "data")
"""Where a part holds its medium, after the name of its own type."""
