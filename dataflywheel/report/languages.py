"""Languages of a sample of texts, as shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from dataflywheel.contracts import UsageError
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import table
from dataflywheel.signals.text.language import Language

SMALLEST_SHARE = 0.05
SURE_CHARACTERS = 40


def language_shares(texts: Sequence[str]) -> tuple[dict[str, float], int]:
    """ISO 639-1 codes with their share of the texts whose language can be told, and how many texts these are.

    The most frequent language comes first. Texts under 40 characters are passed over, and languages under 5 percent
    too: there the guesses of the small n-gram models are mostly mistakes. Empty where the language package is not
    installed or no text is long enough.
    """
    long = [text for text in texts if len(text) >= SURE_CHARACTERS]
    if not long:
        return {}, 0
    rows = table([prompt_answer_row("", text) for text in long])
    try:
        codes = pa.array(Language(accurate=False).measure(rows.to_batches()[0])["code"]).to_pylist()
    except UsageError:
        return {}, 0
    found = Counter(code for code in codes if code)
    total = sum(found.values())
    return {code: n / total for code, n in found.most_common() if n / total >= SMALLEST_SHARE}, total
