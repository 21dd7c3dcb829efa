"""Words of the user's own list in a row: how many, which share of its words, and where."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal, Status, UsageError, UserPath
from dataflywheel.rows.text import Part, texts

_WORD = re.compile(r"\w+")


class Lexicon(Signal):
    """Words and phrases of a file of one's own, found as whole words, in any capitals and with any blanks between.

    - `hits`: how many stand in the row; of two that overlap the longer.
    - `score`: the share of the row's words that belong to them.
    - `spans`: `start:end` of each, in characters of the text that is read.

    The file has one entry a line; blank lines and those that begin with `#` are none. No list comes with the package.
    `bounds: {lexicon.hits: [null, 0]}` in `filter` drops every row with a hit. Status EMPTY, and no value, for a row
    without a letter or digit.
    """

    card: ClassVar[Card] = Card(
        title="Automated Hate Speech Detection and the Problem of Offensive Language",
        authors="Davidson et al.",
        year=2017,
        paper="1703.04009",
        category="signals",
        subcategory="safety",
        summary="Counts and places of the words and phrases in the user's own list.",
        checked="planted words, phrases, overlaps and look-alikes inside of other words",
        pays="Names, products or terms that must not appear, whoever says them: exact, instant, and plain to explain.",
        fails="It reads no meaning: it fires on quotations and counter-speech and misses whatever is said in other "
        "words; measure it beside others by `flywheel profile LABELLED --detector`.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {
        "hits": pa.int32(),
        "score": pa.float32(),
        "spans": pa.list_(pa.string()),
    }

    words: UserPath
    """The file of words and phrases, one a line, from the working directory."""
    part: Part = "all"
    """Text to read: the whole row, the prompt or the final answer."""

    def ready(self) -> None:
        entries(self.words)

    def model_digest(self) -> str:
        return hashlib.blake2b("\n".join(entries(self.words)).encode(), digest_size=8).hexdigest()

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        read, pattern = texts(batch["messages"], self.part), _pattern(entries(self.words))
        found = [[match.span() for match in pattern.finditer(text)] for text in read]
        empty = np.array([not any(map(str.isalnum, text)) for text in read], dtype=bool)
        score = np.array([_share(text, spans) for text, spans in zip(read, found, strict=True)], dtype=np.float32)
        spans = [None if e else [f"{a}:{b}" for a, b in one] for e, one in zip(empty, found, strict=True)]
        return {
            "hits": pa.array(np.array([len(one) for one in found], dtype=np.int32), mask=empty),
            "score": np.where(empty, np.float32(np.nan), score),
            "spans": pa.array(spans, pa.list_(pa.string())),
            "status": np.where(empty, Status.EMPTY, Status.OK).astype(np.uint8),
        }


def entries(path: Path) -> tuple[str, ...]:
    """The words and phrases of a file, in small letters, each once, in alphabetical order.

    Raises:
        UsageError: there is no such file of text, or no word in it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"words: {path} cannot be read ({error}); give a text file with one word or phrase a line"
        ) from None
    found = {" ".join(line.casefold().split()) for line in lines if not line.lstrip().startswith("#")}
    kept = tuple(sorted(entry for entry in found if any(map(str.isalnum, entry))))
    if not kept:
        raise UsageError(f"words: {path} holds no word; write one word or phrase a line")
    return kept


@lru_cache(maxsize=4)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """The longest first, so that of two that begin alike the longer is found."""
    longest = sorted(words, key=lambda word: (-len(word), word))
    either = "|".join(r"\s+".join(map(re.escape, word.split())) for word in longest)
    return re.compile(rf"(?i)(?<!\w)(?:{either})(?!\w)")


def _share(text: str, spans: list[tuple[int, int]]) -> float:
    """Words within the spans, of all words."""
    words = len(_WORD.findall(text))
    return sum(max(1, len(_WORD.findall(text[a:b]))) for a, b in spans) / max(words, 1)
