"""Transcripts whose turns are marked `\\n\\nHuman:` and `\\n\\nAssistant:` (Anthropic's HH data)."""

from __future__ import annotations

import re
from typing import Any

from dataflywheel.rows.formats.draft import ReadError
from dataflywheel.rows.schema import Message, message

MARK = re.compile(r"\n\n(Human|Assistant):")


def split(transcript: str) -> list[Message]:
    """Turns of a transcript; one space after the mark belongs to the mark.

    Raises:
        ReadError: the text does not begin with a mark.
    """
    first, *parts = MARK.split(transcript)
    if first or not parts:
        raise ReadError("chosen", "expected a transcript that begins with '\\n\\nHuman:'")
    roles = {"Human": "user", "Assistant": "assistant"}
    return [message(roles[who], said.removeprefix(" ")) for who, said in zip(parts[::2], parts[1::2], strict=True)]


def waits(value: Any) -> bool:
    """Whether a text is a transcript that ends where the assistant is to speak."""
    return (
        isinstance(value, str)
        and value[:1] == "\n"
        and MARK.match(value) is not None
        and value.rstrip().endswith("\n\nAssistant:")
    )
