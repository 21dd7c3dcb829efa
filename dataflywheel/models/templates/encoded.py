"""Tokens of a row with what is learned of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dataflywheel.contracts import Status, UsageError


@dataclass(frozen=True)
class Span:
    """Tokens `start` to `end` that an assistant's turn is learned by, its end of turn included."""

    turn: int
    start: int
    end: int


@dataclass(frozen=True)
class EncodedRow:
    """Tokens of one conversation up to an answer, its last. `ids[start:]` is that answer with its end-of-turn token,
    `ids[header:start]` its header ("### Assistant:"). `ended` says whether the last token is the end of turn: not where
    the answer was cut, or the template has none.

    `spans` are the turns that are learned, in order. `row` is the position of the conversation among those given. A row
    without tokens says in `reason` why.
    """

    ids: list[int]
    header: int
    start: int
    bos: bool
    status: Status
    ended: bool = False
    spans: tuple[Span, ...] = ()
    row: int = 0
    reason: str = ""
    changed: str = ""
    """What the template makes of the learned text that is not as the row has it."""
    cut: str = ""
    """What of the answers is not learned since the row is longer than was allowed."""

    @property
    def answer_tokens(self) -> int:
        return len(self.ids) - self.start

    @property
    def learned(self) -> list[int]:
        """Positions of the tokens that are learned."""
        return [place for span in self.spans for place in range(span.start, span.end)]

    @property
    def learned_ids(self) -> list[int]:
        """The tokens that are learned."""
        return [token for span in self.spans for token in self.ids[span.start : span.end]]

    def sequence(self, alone: bool) -> tuple[list[int], Sequence[int]]:
        """Tokens and the answer's positions among them: after the prompt, or after BOS and header, where there are any;
        nothing where there are none, since a first token has nothing that it could be predicted from."""
        if not alone:
            return self.ids, range(self.start, len(self.ids))
        bos = self.ids[:1] if self.bos else []
        ids = bos + self.ids[self.header :]
        if not bos and self.start == self.header:
            return [], range(0)
        return ids, range(len(bos) + self.start - self.header, len(ids))


def nothing(status: Status, reason: str, row: int = 0) -> EncodedRow:
    """A row without tokens."""
    return EncodedRow([], 0, 0, False, status, row=row, reason=reason)


def example_ids(ids: Sequence[str], examples: Sequence[EncodedRow]) -> list[str]:
    """A name for each example: its row's id, with a number behind it from the second of a row on."""
    seen: Counter[int] = Counter()
    names = []
    for one in examples:
        names.append(f"{ids[one.row]}#{seen[one.row]}" if seen[one.row] else ids[one.row])
        seen[one.row] += 1
    return names


def fitted(row: EncodedRow, max_length: int) -> EncodedRow:
    """Keep BOS, the header, the answer as far as it goes, and of the prompt the last tokens that still fit.

    Earlier turns that lose their beginning are not learned.

    Raises:
        UsageError: not even the header fits.
    """
    if len(row.ids) <= max_length:
        return row
    lead = row.bos + row.start - row.header
    if max_length <= lead:
        raise UsageError(f"max_length {max_length} leaves no room for an answer: its header alone takes {lead} tokens")
    answer = min(row.answer_tokens, max_length - lead)
    prompt = max_length - lead - answer
    first = row.header - prompt
    ids = row.ids[: row.bos] + row.ids[first : row.start + answer]
    moved = first - row.bos
    if not any(s.start >= first for s in row.spans):
        return nothing(Status.FAILED, f"none of its answers is whole within max_length {max_length}", row.row)
    spans = [replace(s, start=s.start - moved, end=min(s.end - moved, len(ids))) for s in row.spans if s.start >= first]
    lost = [f"{gone} earlier answers" for gone in (len(row.spans) - len(spans),) if gone]
    lost += ["the end of its answer"] if answer < row.answer_tokens else []
    return replace(
        row,
        cut=" and ".join(lost) or "the beginning of its prompt",
        ids=ids,
        header=row.bos + prompt,
        start=row.start - moved,
        status=Status.TRUNCATED,
        ended=row.ended and answer == row.answer_tokens,
        spans=tuple(spans),
    )
