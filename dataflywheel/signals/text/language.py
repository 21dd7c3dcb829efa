"""The language of a row."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal, Status, UsageError
from dataflywheel.rows.text import Part, texts


class Language(Signal):
    """ISO 639-1 code of a row's language, out of 75, and how sure that is (0 to 1, relative to the other 74).

    Uses the n-gram models of lingua. Only the first `max_chars` characters are read (status TRUNCATED). Status EMPTY,
    and no code, for a text without a letter.
    """

    card: ClassVar[Card] = Card(
        title="Lingua: natural language detection for short and mixed-language text",
        authors="Stahl",
        year=2023,
        paper="https://github.com/pemistahl/lingua-rs",
        category="signals",
        subcategory="text",
        summary="Language of the text as ISO 639-1 code, with its confidence.",
        checked="parallel paragraphs in English, German and Chinese; equal in batches of any size",
        pays="Pools in several languages, to bound, balance or rake by them; with all models (`accurate`) short chats "
        "too.",
        fails="Code and names of things mislead it, and a language beyond its 75 becomes a neighbour of it: bound "
        "`confidence` too, and look at what falls.",
        evidence="Here (`benchmarks/gates.md`), the same models in `language_kept`: 159 of 160 passages of xquad told "
        "apart in each of four pairs, 0.4 % false alarms in revisions.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"code": pa.string(), "confidence": pa.float32()}

    part: Part = "all"
    """Text to read: the whole row, the prompt or the final answer."""
    accurate: bool = True
    """Use all n-gram models (1.3 GB of memory, loaded once) and not the trigrams alone (0.2 GB, 1.3 times as fast). Of
    short English questions, all models know 98.5% and the trigrams 93.5%; of instruction rows of 130 characters or more
    99.5% and 98.4%."""
    max_chars: int = 400
    """Characters read from the start of the text; more hardly change the language and cost time in proportion."""

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        found = texts(batch["messages"], self.part)
        guesses = detector(self.accurate).compute_language_confidence_values_in_parallel(
            [text[: self.max_chars] for text in found]
        )
        codes: list[str | None] = []
        confidence = np.full(len(found), np.nan, dtype=np.float32)
        status = np.full(len(found), Status.EMPTY, dtype=np.uint8)
        for i, (text, guess) in enumerate(zip(found, guesses, strict=True)):
            # Rounded, since the sums behind it are taken in no fixed order.
            value = round(guess[0].value, 3) if guess and has_letter(text[: self.max_chars]) else 0.0
            codes.append(guess[0].language.iso_code_639_1.name.lower() if value else None)
            if value:
                confidence[i] = value
                status[i] = Status.TRUNCATED if len(text) > self.max_chars else Status.OK
        return {"code": pa.array(codes, pa.string()), "confidence": confidence, "status": status}


def has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


@lru_cache(maxsize=1)
def detector(accurate: bool) -> Any:
    try:
        from lingua import LanguageDetectorBuilder
    except ImportError:
        raise UsageError("the signal language needs lingua: pip install 'dataflywheel[language]'") from None
    builder = LanguageDetectorBuilder.from_all_languages()
    return builder.build() if accurate else builder.with_low_accuracy_mode().build()
