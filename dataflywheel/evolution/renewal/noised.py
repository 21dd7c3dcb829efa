"""Benchmark Self-Evolving, noise: the same question with slips of the keyboard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.evolution.renewal.variant import Variant, Written
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.proposing.rewritten import exchange_of
from dataflywheel.rows.fences import fenced
from dataflywheel.rows.schema import Row

SHORTEST = 5
"""Letters of a word that a slip leaves readable."""
_WORD = re.compile(rf"(?<![^\W_])(?<![\\@/.#'\u2019-])[^\W\d_]{{{SHORTEST},}}(?![\w\\@/#'\u2019-])(?!\.\w)")
_KEPT = re.compile(
    r"`[^`\n]*`|\$[^$\n]*\$|\\\([^\n\\]*+(?:\\(?![()])[^\n\\]*+)*+\\\)|\\\[[^\n\\]*+(?:\\(?![\[\]])[^\n\\]*+)*+\\\]"
    r"|https?://\S+|\"[^\"\n]*\"|\u201c[^\u201d\n]*\u201d"
)
"""Code, formulas, addresses and quotations within a line: what must be there to the letter."""
_OPTION = re.compile(r"[ \t]*\(?[A-Ja-j0-9]{1,2}[.):]")
"""How lines begin that hold an option."""


class Noised(Variant):
    """Evaluation rows whose question has typing errors in a share of its words, each verified before it is used.

    Two letters within a word change places, one is missing, or one is there twice. Names, short words (negations,
    units), numbers, options, quotations, formulas and code stay. The same row gets the same errors.
    """

    card: ClassVar[Card] = Card(
        title="Benchmark Self-Evolving: A Multi-Agent Framework for Dynamic LLM Evaluation",
        authors="Wang et al.",
        year=2024,
        paper="2402.11443",
        category="evolution",
        subcategory="renewal",
        summary="Adds typing errors to evaluation questions, and uses those alone whose answer is the same.",
        needs=("endpoint", "target"),
        cost="$",
        checked="numbers, names, formulas, code, options and quotations stay to the letter in questions of real sets",
        pays="Evaluation sets that models may have read, and students whose users mistype; short results cost a call "
        "each.",
        fails="It shows how a student takes misspelt words more than what it learned by heart, and hard questions "
        "fail the check and are left out: name a stronger `verifier`.",
        evidence="benchmarks/real_model.md: with a 135M model as verifier 2 of 4 variants were not verified.",
    )

    share: float = Field(default=0.2, gt=0, le=1)
    """Of the words that may be misspelt, those that are; at least one."""

    def varied(self, writer: Asks, rows: Sequence[Row], turns: Sequence[int]) -> list[Written]:
        found = []
        for row, turn in zip(rows, turns, strict=True):
            before = exchange_of(row).instruction
            text = misspelt(before, self.share, np.random.default_rng([int(row["id"][:12], 16), turn]))
            found.append(Written(text, "" if text != before else "no word that may be misspelt"))
        return found


def misspelt(text: str, share: float, rng: np.random.Generator) -> str:
    """The text with a slip in a share of its words, in lower case and of five letters or more; at least in one.

    >>> misspelt("What is NASA?", 1.0, np.random.default_rng(0))
    'What is NASA?'
    """
    there = {word.lower() for word in re.findall(r"[^\W\d_]+", text)}
    able = np.ones(len(text), dtype=bool)
    for start, end in kept(text):
        able[start:end] = False
    places = [found.span() for found in _WORD.finditer(text) if found[0].islower() and able[found.start()]]
    if not places:
        return text
    chosen = rng.choice(len(places), max(1, round(share * len(places))), replace=False)
    pieces, at = [], 0
    for number in sorted(chosen.tolist()):
        start, end = places[number]
        slip = _slip(text[start:end], rng)
        pieces += [text[at:start], text[start:end] if slip in there else slip]
        at = end
    return "".join([*pieces, text[at:]])


def kept(text: str) -> list[tuple[int, int]]:
    """Where a text must stay to the letter, in order of the beginnings."""
    spans = [(block.start, block.end) for block in fenced(text)]
    at = 0
    for line in text.split("\n"):
        if _OPTION.match(line):
            spans.append((at, at + len(line)))
        else:
            spans += [(at + found.start(), at + found.end()) for found in _KEPT.finditer(line)]
        at += len(line) + 1
    return sorted(spans)


def _slip(word: str, rng: np.random.Generator) -> str:
    """One slip within the word; its first and last letters stay."""
    at, kind = int(rng.integers(1, len(word) - 2)), int(rng.integers(3))
    if kind == 0 and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :] if kind == 1 else word[:at] + word[at] + word[at:]
