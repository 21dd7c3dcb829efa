"""What web pages are filtered by: words, lines, bullets, endings, repetition, and marks of code and filler."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal, Status
from dataflywheel.rows.text import part_of

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
TOP, REPEATED = (2, 3, 4), (5, 6, 7, 8, 9, 10)
"""Words of the n-grams of which the commonest is looked for, and of those that are looked for twice."""
SHORT = 30
"""Characters of a short line."""
FEWEST_WORDS = 5
"""Words of a line that C4 keeps."""
ENDINGS = (*".!?\"'", *"\u201d\u2019\u2026\u3002\uff01\uff1f\u300d\u061f\u0964")
"""Ends of sentences, among them those of Chinese, Arabic and Hindi, and quotes behind them."""
BULLETS = (*"-*", *"\u2022\u2023\u25aa\u25cf\u25cb\u25e6\u00b7\u2013")
_LETTER = re.compile(r"\S*[^\W\d_]\S*")
_SENTENCE = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s|$)|[\u3002\uff01\uff1f\u061f\u0964]+")
_PRIME = np.uint64(0x9E3779B97F4A7C15)


class Page(Signal):
    """Facts about the text of a document or an answer, by which the makers of web corpora keep or drop pages.

    - `words`, `mean_word_length`: of words between blanks; `letter_words`: the share of them with a letter.
    - `symbol_words`: signs `#` and ellipses over words; `stop_words`: how many of eight usual words stand in it.
    - `bullet_lines`, `ellipsis_lines`, `punctuated_lines`, `short_lines`: shares of the lines that are not blank: those
      that begin with a bullet, end in an ellipsis, end in the end of a sentence, have at most 30 characters; and
      `newlines`, line ends over words.
    - `repeated_lines`, `repeated_paragraphs`: the share of lines and paragraphs that stood before, and with `_chars`
      behind the name the share of characters in them.
    - `top_2grams` to `top_4grams`: the share of characters in the commonest n-gram of words; `repeated_5grams` to
      `repeated_10grams`: in n-grams that stood before.
    - `whole_sentences`: sentences in lines that end a sentence, have five words or more and do not speak of javascript;
      `braces` and `lorem_ipsum`: 1 where such stand in it.

    Status EMPTY, and no value, where there is no word.
    """

    card: ClassVar[Card] = Card(
        title="Scaling Language Models: Methods, Analysis & Insights from Training Gopher",
        authors="Rae et al.",
        year=2021,
        paper="2112.11446",
        category="signals",
        subcategory="text",
        summary="What web pages are filtered by: word and line shapes, stop words, repeated lines and n-grams, filler.",
        checked="an independent computation of each fact in plain Python on random texts; planted pages of each fault",
        pays="Documents scraped from the web, to see which rule would cost how many rows before `web_rules` drops "
        "them.",
        fails="Its bounds were made for English prose: lists, code, poems and languages without blanks break them, so "
        "look at what falls and give `stop` in your language.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {
        **dict.fromkeys(("words", "stop_words", "whole_sentences", "braces", "lorem_ipsum"), pa.int32()),
        **dict.fromkeys(
            (
                *("mean_word_length", "letter_words", "symbol_words", "bullet_lines", "ellipsis_lines"),
                *("punctuated_lines", "short_lines", "newlines", "repeated_lines", "repeated_line_chars"),
                *("repeated_paragraphs", "repeated_paragraph_chars"),
                *(f"top_{n}grams" for n in TOP),
                *(f"repeated_{n}grams" for n in REPEATED),
            ),
            pa.float32(),
        ),
    }

    part: Literal["answer", "all"] = "answer"
    """What of a row is looked at: its final answer, which is the text of a document, or all turns."""
    stop: tuple[str, ...] = STOP_WORDS
    """The words that `stop_words` counts, in small letters: eight of the pool's language."""

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        found = [self.facts(part_of(messages or [], self.part)) for messages in batch["messages"].to_pylist()]
        empty = np.array([one is None for one in found], dtype=bool)
        columns = {
            name: pa.array([None if one is None else one[name] for one in found], kind)
            for name, kind in self.columns.items()
        }
        return {**columns, "status": np.where(empty, Status.EMPTY, Status.OK).astype(np.uint8)}

    def facts(self, text: str) -> dict[str, float] | None:
        """Each column of one text; None where it has no word."""
        words = text.split()
        if not words:
            return None
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        counted = {
            "words": len(words),
            "mean_word_length": float(lengths.mean()),
            "letter_words": len(_LETTER.findall(text)) / len(words),
            "symbol_words": (text.count("#") + text.count("...") + text.count("…")) / len(words),
            "stop_words": len({word.lower() for word in words}.intersection(self.stop)),
            "newlines": text.strip().count("\n") / len(words),
            "braces": int("{" in text or "}" in text),
            "lorem_ipsum": int("lorem ipsum" in text.lower()),
        }
        return counted | _of_lines(lines) | _twice(text, lines) | _of_grams(words, lengths)


def _of_lines(lines: Sequence[str]) -> dict[str, float]:
    def share(of: Sequence[bool]) -> float:
        return sum(of) / len(lines)

    whole = [line for line in lines if _kept(line)]
    return {
        "bullet_lines": share([line.startswith(BULLETS) for line in lines]),
        "ellipsis_lines": share([line.endswith(("...", "…")) for line in lines]),
        "punctuated_lines": share([line.endswith(ENDINGS) for line in lines]),
        "short_lines": share([len(line) <= SHORT for line in lines]),
        "whole_sentences": sum(len(_SENTENCE.findall(line)) for line in whole),
    }


def _kept(line: str) -> bool:
    """Whether C4 keeps a line of a page."""
    ends = line.endswith(ENDINGS) and not line.endswith(("...", "…"))
    return ends and len(line.split()) >= FEWEST_WORDS and "javascript" not in line.lower()


def _twice(text: str, lines: Sequence[str]) -> dict[str, float]:
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    found = {}
    for name, parts in (("line", lines), ("paragraph", paragraphs)):
        seen = Counter(parts)
        again = {part: count - 1 for part, count in seen.items() if count > 1}
        found[f"repeated_{name}s"] = sum(again.values()) / len(parts)
        chars = sum(len(part) * count for part, count in again.items())
        found[f"repeated_{name}_chars"] = chars / max(1, sum(map(len, parts)))
    return found


def _of_grams(words: Sequence[str], lengths: AnyArray) -> dict[str, float]:
    """Shares of the characters of words; n-grams are told apart by 64-bit hashes of their words' numbers."""
    known: dict[str, int] = {}
    ids = np.fromiter((known.setdefault(word.lower(), len(known) + 1) for word in words), np.uint64, len(words))
    total, ends = int(lengths.sum()), np.concatenate([[0], np.cumsum(lengths)])
    found, grams = {}, ids
    for n in range(2, REPEATED[-1] + 1):
        name = f"{'top' if n in TOP else 'repeated'}_{n}grams"
        found[name] = 0.0
        if len(words) < n:
            continue
        grams = (grams[:-1] + np.uint64(1)) * _PRIME ^ ids[n - 1 :]
        _, first, group, counts = np.unique(grams, return_index=True, return_inverse=True, return_counts=True)
        if n in TOP and counts.max() > 1:
            sizes = ends[first + n] - ends[first]
            best = np.lexsort((-sizes, -counts))[0]
            found[name] = min(1.0, float(counts[best] * sizes[best]) / total)
        elif n in REPEATED:
            again = np.flatnonzero(first[group] < np.arange(len(grams)))
            covered = np.zeros(len(words), bool)
            for k in range(n):
                covered[again + k] = True
            found[name] = float(lengths[covered].sum()) / total
    return found
