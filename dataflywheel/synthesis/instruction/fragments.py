"""A random piece of a text: some lines of its code, or some of its sentences."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

from dataflywheel.signals.wording.fences import blocks
from dataflywheel.signals.wording.sentences import forms
from dataflywheel.synthesis.knowledge.sections import Span, sentences

Pieces = Literal["auto", "lines", "sentences"]

_CODE_LINE = re.compile(
    r"[;{})\],]\s*$|^\s*(?:def|class|import|from|return|if|else|for|while|try|with|public|private|static|const|let|var"
    r"|func|fn|package|using|SELECT|INSERT|UPDATE)\b.*[^.!?\w\s]\s*$|^\s*(?:#include|//|/\*|@\w)"
    r"|^\s*\w[\w.\[\]]* [-+*/]?= \S"
)
CODE = 0.5
"""Share of a text's lines that look like code from which all of it does."""


def fragment_of(text: str, rng: np.random.Generator, most: int, least_words: int, pieces: Pieces = "auto") -> str:
    """One to `most` neighbouring lines or sentences, drawn at random, and more where they have fewer than
    `least_words` words; "" where the whole text has fewer.

    `auto`: lines of the longest fenced block where there is one, or of a text that looks like code; else sentences.
    """
    code = _code(text) if pieces == "auto" else ""
    text = code or text
    spans = _lines(text) if code or pieces == "lines" else sentences(text, 0, len(text))
    if not spans or len(forms(text)) < least_words:
        return ""
    first = int(rng.integers(len(spans)))
    last = min(len(spans) - 1, first + int(rng.integers(most)))
    while len(forms(found := text[spans[first][0] : spans[last][1]])) < least_words:
        if last < len(spans) - 1:
            last += 1
        elif first:
            first -= 1
        else:
            return ""
    return found


def looks_like_code(text: str) -> bool:
    """Whether half of the lines of a text or more look like code.

    >>> looks_like_code("def f(x):\\n    return (x + 1)\\n"), looks_like_code("One line.\\nAnother, of prose")
    (True, False)
    """
    lines = [line for line in text.split("\n") if line.strip()]
    return bool(lines) and sum(bool(_CODE_LINE.search(line)) for line in lines) >= CODE * len(lines)


def _code(text: str) -> str:
    fenced = [block.body for block in blocks(text) if block.body.strip()]
    return max(fenced, key=len) if fenced else text if looks_like_code(text) else ""


def _lines(text: str) -> list[Span]:
    """Places of the lines that are not blank, with their margins."""
    found, at = [], 0
    for line in text.split("\n"):
        if line.strip():
            found.append((at, at + len(line.rstrip())))
        at += len(line) + 1
    return found
