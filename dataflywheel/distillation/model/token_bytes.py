"""Tokens as the bytes of text that they stand for, and where two tokenizations of one text meet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, UsageError

END = b"\xff<end of turn>"
"""Stands for the end-of-turn token; no UTF-8 text holds its first byte."""


def token_bytes(tokenizer: Any, end_id: int | None = None) -> list[bytes | None]:
    """The bytes of every token, by id; `END` for the end-of-turn token (`end_id`, the tokenizer's own unless given),
    None for other special and unused ids.

    Byte-level vocabularies write each byte as one printable character, SentencePiece's a blank as U+2581 and lone bytes
    as <0x41>.

    Raises:
        UsageError: a tokenizer of neither kind, whose tokens do not spell the text (WordPiece drops blanks).
    """
    described = tokenizer.backend_tokenizer.to_str()
    spell = _byte_level if '"ByteLevel"' in described else _sentencepiece if "\u2581" in described else None
    if spell is None:
        raise UsageError(f"{tokenizer.name_or_path}: neither byte-level nor SentencePiece, so tokens spell no bytes")
    added = tokenizer.added_tokens_decoder
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    found: list[bytes | None] = [None] * (max(vocabulary.values()) + 1)
    end_id = tokenizer.eos_token_id if end_id is None else end_id
    for token, i in vocabulary.items():
        if i == end_id:
            found[i] = END
        elif i in added:
            found[i] = None if added[i].special else token.encode()
        else:
            found[i] = spell(token)
    return found


@lru_cache(maxsize=1)
def _byte_alphabet() -> dict[str, int]:
    """Printable Latin-1 characters stand for themselves, the other 68 bytes in order for U+0100 and on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(b): b for b in printable} | {chr(256 + n): b for n, b in enumerate(hidden)}


def _byte_level(token: str) -> bytes | None:
    alphabet = _byte_alphabet()
    return bytes(alphabet[c] for c in token) if all(c in alphabet for c in token) else None


def _sentencepiece(token: str) -> bytes:
    if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
        return bytes([int(token[3:5], 16)])
    return token.replace("\u2581", " ").encode()


def aligned(
    student: Sequence[int], teacher: Sequence[int], spelled: tuple[list[bytes | None], list[bytes | None]]
) -> tuple[AnyArray, AnyArray] | None:
    """Places (n,) in two answers whose prefixes end at the same UTF-8 byte; None where they do not spell one text.

    A blank that one tokenizer puts before the first word does not count. One answer may be cut earlier, and what a chat
    template writes before one of them, such as empty thoughts, is no part of the text: half of the shorter one or more
    must be the end of both.
    """
    (ours, our_starts), (theirs, their_starts) = _spell(student, spelled[0]), _spell(teacher, spelled[1])
    texts, starts = (ours, theirs), (our_starts, their_starts)
    leads = [len(text) - len(text.lstrip(b" ")) for text in texts]
    shifts = [lead - min(leads) for lead in leads]
    short, long = sorted((text[shift:] for text, shift in zip(texts, shifts, strict=True)), key=len)
    if long.startswith(short):
        at = [np.maximum(start - shift, 0) for start, shift in zip(starts, shifts, strict=True)]
        _, first, second = np.intersect1d(at[0], at[1], return_indices=True)
        return first, second
    ends = [text.rstrip() for text in texts]
    common = _common_end(*ends)
    if 2 * common < min(len(end.lstrip()) for end in ends):
        return None
    at = [start - len(end) for start, end in zip(starts, ends, strict=True)]
    _, first, second = np.intersect1d(at[0], at[1], return_indices=True)
    within = at[0][first] >= -common
    return first[within], second[within]


def _common_end(first: bytes, second: bytes) -> int:
    """Bytes at the end of both."""
    size = min(len(first), len(second))
    sides = [np.frombuffer(text, np.uint8)[len(text) - size :] for text in (first, second)]
    different = np.flatnonzero(sides[0] != sides[1])
    return size - 1 - int(different[-1]) if len(different) else size


def _spell(ids: Sequence[int], table: list[bytes | None]) -> tuple[bytes, AnyArray]:
    """The text of an answer without its end, and the byte at which each token begins."""
    pieces = [b"" if table[i] == END else table[i] or b"" for i in ids]
    return b"".join(pieces), np.cumsum([0, *(len(piece) for piece in pieces[:-1])])


def shared_ids(student: list[bytes | None], teacher: list[bytes | None]) -> tuple[AnyArray, AnyArray]:
    """Ids in both vocabularies (n,) of the strings that both have, bytes compared; of like tokens the first."""
    places: list[dict[bytes, int]] = [{}, {}]
    for table, place in zip((student, teacher), places, strict=True):
        for i, piece in enumerate(table):
            if piece is not None:
                place.setdefault(piece, i)
    common = [piece for piece in places[0] if piece in places[1]]
    return np.array([places[0][p] for p in common]), np.array([places[1][p] for p in common])
