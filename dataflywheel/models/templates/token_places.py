"""Turns that are located in a text by characters, located among its tokens."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dataflywheel.contracts import Status
from dataflywheel.models.templates.encoded import EncodedRow, Span, nothing
from dataflywheel.models.templates.shown import SPACE
from dataflywheel.models.templates.spelled_out import BREAK
from dataflywheel.models.templates.turn_places import OPENER, Placed


@dataclass(frozen=True)
class Parts:
    """Tokens of a text that was cut before it was tokenised, as `tokenizers` gives those of a whole one."""

    ids: list[int]
    offsets: list[tuple[int, int]]

    def token_to_chars(self, token: int) -> tuple[int, int]:
        return self.offsets[token]


class TokenPlaces:
    """Finds turns among the tokens of one tokenizer, and checks that these say what the text says."""

    def __init__(
        self, tokenizer: Any, backend: Any, headers: Sequence[str], framing: Collection[str], bos: str = ""
    ) -> None:
        """`bos`: what a text begins with before its first turn, as the template writes it; "" where that is nothing."""
        self.tokenizer, self.backend, self.bos = tokenizer, backend, bos
        self.headers = list(dict.fromkeys(form for one in headers for form in (one, OPENER.sub("", one))))
        added = tokenizer.added_tokens_decoder
        special = {i for i, token in added.items() if token.special or token.content in framing}
        self.special_ids = special | set(tokenizer.all_special_ids)
        names = sorted({str(tokenizer.convert_ids_to_tokens(i)) for i in self.special_ids}, key=len, reverse=True)
        self.special_text = re.compile("|".join(map(re.escape, names)) or r"(?!)")
        self.lead = next((name for name in names if self._is_one(name)), "")

    def parted(self, one: Placed, encoding: Any) -> Any:
        """The tokens of a text, anew and in parts where one runs from a header into what an answer says, or from that
        into what follows: the model is asked with the header alone, and all of the answer is to be learned, and nothing
        else."""
        cuts = [start for _, start, _ in one.turns if self._straddles(one.text, encoding, start)]
        cuts += [end for _, _, end in one.turns if self._runs_on(one.text, encoding, end)]
        if not cuts:
            return encoding
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        for begin, end in pairwise([0, *sorted(set(cuts)), len(one.text)]):
            # Behind a special token, or tokenizers that put a blank before a text would put one before every part.
            lead = self.lead if begin else ""
            part = self.backend.encode(lead + one.text[begin:end], add_special_tokens=False)
            ids += part.ids[bool(lead) :]
            moved = begin - len(lead)
            offsets += [(moved + first, moved + last) for first, last in part.offsets[bool(lead) :]]
        return Parts(ids, offsets)

    def _is_one(self, name: str) -> bool:
        """Whether a special token that a text begins with is one token there, and takes nothing of the text."""
        found = self.backend.encode(name + " a", add_special_tokens=False)
        return found.ids[0] in self.special_ids and tuple(found.offsets[0]) == (0, len(name))

    @staticmethod
    def _straddles(text: str, encoding: Any, start: int) -> bool:
        token = encoding.char_to_token(start)
        begins = encoding.token_to_chars(token)[0] if token is not None else start
        return bool(text[begins:start].strip())

    @staticmethod
    def _runs_on(text: str, encoding: Any, end: int) -> bool:
        token = encoding.char_to_token(end) if end < len(text) else None
        first, last = encoding.token_to_chars(token) if token is not None else (end, end)
        return bool(first < end and text[end:last].strip())

    def encoded(self, one: Placed, encoding: Any, row: int) -> EncodedRow:
        """The tokens of a text up to its last turn that is learned."""
        ids: list[int] = encoding.ids

        def begins(i: int) -> int:
            # Bytes of one character that fell into several tokens share its offset.
            first: int = encoding.token_to_chars(i)[0]
            return min(first, encoding.token_to_chars(i - 1)[1]) if i else first

        spans = []
        for turn, start, end in one.turns:
            span = self._span(one.text, ids, begins, turn, start, end)
            if span is None:
                return nothing(Status.FAILED, f"one token runs from the header into all of turn {turn + 1}", row)
            if not self._says(ids[span.start : span.end], one.text[begins(span.start) : end]):
                return nothing(Status.FAILED, f"the tokenizer has no tokens for the text of turn {turn + 1}", row)
            spans.append(span)
        last = spans[-1]
        header_text = next((h for h in self.headers if one.text[: one.turns[-1][1]].endswith(h)), "")
        header = bisect_left(range(len(ids)), one.turns[-1][1] - len(header_text), hi=last.start, key=begins)
        bos = bool(self.bos) and ids[0] == self.tokenizer.bos_token_id and header > 0
        ended = ids[last.end - 1] in self.special_ids
        return EncodedRow(
            ids[: last.end], header, last.start, bos, Status.OK, ended, tuple(spans), row, changed=one.changed
        )

    def _span(
        self, text: str, ids: list[int], begins: Callable[[int], int], turn: int, start: int, end: int
    ) -> Span | None:
        """The tokens of a turn, up to its end-of-turn token where it has one: white space behind it is not learned."""
        tokens = range(len(ids))
        first = bisect_left(tokens, start, key=begins)
        said_before = text[start : begins(first) if first < len(ids) else len(text)].strip()
        if first and said_before and not text[begins(first - 1) : start].strip():
            first -= 1  # the header ends in a blank that is one token with the answer's first word
        stop = bisect_left(tokens, end, lo=first, key=begins)
        last = stop
        while last > first and not text[begins(last - 1) : begins(last) if last < len(ids) else end].strip():
            last -= 1
        ended = last > first and ids[last - 1] in self.special_ids
        return Span(turn, first, last if ended else stop) if stop > first else None

    def _says(self, ids: list[int], text: str) -> bool:
        """Whether tokens decode to a text, white space and composition of characters aside."""
        words = [token for token in ids if token not in self.special_ids]
        said = self.tokenizer.decode(words, clean_up_tokenization_spaces=False)
        bare = self.special_text.sub("", text).replace(BREAK, "")
        return plain(said) == plain(bare)


def plain(text: str) -> str:
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return SPACE.sub("", folded)
