"""Special tokens that a row's text spells out (`<|im_end|>`, `</s>`): they are data, and must not end a turn.

A template gives one string in which data and structure look alike. So the data is marked before it is rendered: a
break behind the first character of every special token in it. The tokenizer then finds only the special tokens that
the template wrote, and takes the breaks out before it looks at the text: data becomes the tokens of plain text, as
`split_special_tokens` would give them, and the offsets are those in the marked string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# Private-use characters: no template changes them and no sensible text holds them side by side.
BREAK = "\ue0f4\ue0f5\ue0f6"


class SpelledOut:
    """Marks the special tokens in data, for one tokenizer; so are added tokens in the `frame` that its template writes
    around turns, whether the tokenizer calls them special or not."""

    def __init__(self, tokenizer: Any, frame: str = "") -> None:
        added = tokenizer.added_tokens_decoder.values()
        self.special = [token for token in added if token.special or (token.content.strip() and token.content in frame)]
        self.texts = {token.content for token in self.special}
        self.pattern = _beginnings(self.texts)
        self.whole = re.compile("|".join(map(re.escape, sorted(self.texts, key=len, reverse=True))) or r"(?!)")

    def found(self, text: str) -> list[str]:
        """The special tokens that a text spells out whole, in order."""
        return self.whole.findall(text)

    def mark(self, value: Any) -> Any:
        """A text, or every text within plain JSON data, with its special tokens broken."""
        if isinstance(value, str):
            return self.pattern.sub(lambda found: found[0] + BREAK, value)
        if isinstance(value, list):
            return [self.mark(inner) for inner in value]
        if isinstance(value, dict):
            return {self.mark(key): self.mark(inner) for key, inner in value.items()}
        return value

    def teach(self, backend: Any) -> None:
        """Let a fast tokenizer take the breaks out again; ordinary text gives the tokens that it gave before."""
        from tokenizers import normalizers, pre_tokenizers

        if any(token.normalized for token in self.special):
            # Such tokens are looked for behind the normaliser, so the breaks must last until then and part the text.
            parts = [pre_tokenizers.Split(BREAK, "removed"), backend.pre_tokenizer]
            backend.pre_tokenizer = pre_tokenizers.Sequence([part for part in parts if part is not None])
        else:
            parts = [normalizers.Replace(BREAK, ""), backend.normalizer]
            backend.normalizer = normalizers.Sequence([part for part in parts if part is not None])


def _beginnings(texts: Iterable[str]) -> re.Pattern[str]:
    """Matches the first character of each of the texts, wherever one stands, overlapping others or not."""
    rests: dict[str, list[str]] = {}
    for text in sorted(texts):
        if len(text) > 1:
            rests.setdefault(text[0], []).append(re.escape(text[1:]))
    return re.compile("|".join(f"{re.escape(c)}(?={'|'.join(found)})" for c, found in rests.items()) or r"(?!)")
