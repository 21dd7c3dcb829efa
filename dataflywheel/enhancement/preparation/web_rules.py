"""The rules by which makers of web corpora keep pages, as one filter: Gopher's, C4's and FineWeb's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from dataflywheel.contracts import Card
from dataflywheel.contracts.composite import Around, Composite

Rules = Literal["gopher", "c4", "fineweb"]
Bounds = Mapping[str, tuple[float | None, float | None]]
SIGNAL = "web_rules_page"
RULES: Mapping[Rules, Bounds] = {
    "gopher": {
        "words": (50, 100_000),
        "mean_word_length": (3, 10),
        "symbol_words": (None, 0.1),
        "bullet_lines": (None, 0.9),
        "ellipsis_lines": (None, 0.3),
        "letter_words": (0.8, None),
        "stop_words": (2, None),
        "repeated_lines": (None, 0.3),
        "repeated_paragraphs": (None, 0.3),
        "repeated_line_chars": (None, 0.2),
        "repeated_paragraph_chars": (None, 0.2),
        **{f"top_{n}grams": (None, most) for n, most in ((2, 0.2), (3, 0.18), (4, 0.16))},
        **{f"repeated_{n}grams": (None, round(0.2 - 0.01 * n, 2)) for n in range(5, 11)},
    },
    "c4": {"whole_sentences": (3, None), "braces": (None, 0), "lorem_ipsum": (None, 0)},
    "fineweb": {"punctuated_lines": (0.12, None), "short_lines": (None, 0.67), "repeated_line_chars": (None, 0.1)},
}
"""Bounds by the columns of `page`, as the papers give them."""


class WebRules(Composite):
    """One `filter` with the bounds of a published corpus on the columns of the signal `page`.

    The rules are made for web pages of hundreds of words: answers of a sentence fail Gopher's first one. C4 also takes
    single lines out of pages; here a page stays whole, and its sentences are counted in the lines that C4 would keep,
    which in texts whose lines are broken at a width are few.
    Each dropped row names the rule that it failed, with its value.
    """

    card: ClassVar[Card] = Card(
        title="The FineWeb Datasets: Decanting the Web for the Finest Text Data at Scale",
        authors="Penedo et al.",
        year=2024,
        paper="2406.17557",
        category="enhancement",
        subcategory="preparation",
        summary="Keeps documents by the published rules of Gopher, C4 or FineWeb, as one filter.",
        checked="planted pages of each fault and real prose; bounds by the papers' own tables",
        pays="Documents scraped from the web, before anything costs a model's time.",
        fails="Short answers, code, poems and lists, which break the rules and may be good.",
        evidence="The FineWeb paper trains models with and without such rules; nothing was trained here.",
    )

    rules: list[Rules] = ["gopher"]
    """Whose rules; all of them must hold."""
    part: Literal["answer", "all"] = "answer"
    """What of a row is looked at."""

    def steps(self, around: Around) -> Sequence[Mapping[str, Any]]:
        bounds: dict[str, list[float | None]] = {}
        for name in self.rules:
            for column, (low, high) in RULES[name].items():
                least, most = bounds.get(f"{SIGNAL}.{column}", [None, None])
                lows, highs = ([b for b in pair if b is not None] for pair in ((least, low), (most, high)))
                bounds[f"{SIGNAL}.{column}"] = [max(lows, default=None), min(highs, default=None)]
        return [{"filter": {"bounds": bounds}}]

    def signals(self, around: Around) -> Mapping[str, Mapping[str, Any]]:
        return {SIGNAL: {"page": {"part": self.part}}}
