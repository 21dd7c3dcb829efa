"""Is a proposal complete, of a sensible length, and more than a copy?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field, model_validator

from dataflywheel.contracts import Card
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.endings import Ending, ending_of
from dataflywheel.rows.text import answer_said, part_of
from dataflywheel.signals.wording.fences import blocks
from dataflywheel.signals.wording.marked import prose
from dataflywheel.signals.words.shingles import text_keys

CLOSED = re.compile(r"\n[ \t]*(?:`{3,}|~{3,})[ \t]*$")
UNFINISHED = re.compile(r"(?:[:,;(\[{=]|\b(?i:and|or|the|an|of|to|with|because|such as)|(?<=[a-z,] )a)$")
FAREWELL = re.compile(
    r"\b(?:sincerely|regards|yours|truly|faithfully|respectfully|wishes|love|cheers|best|thanks),$", re.I
)
END_MARKS = frozenset(".!?…\"'`)]}>*|\u201d\u3002\uff01\uff1f")
INTERVAL = ({"(", "]"}, {"[", ")"})
BRACKETS = {")": "(", "]": "[", "}": "{"}
SHORT = 100
"""Characters that a text counts for at least where lengths are compared: a short one may grow at will."""


class FormatAndLength(Gate):
    """Rejects what is empty, cut short, a copy of itself or of the row it replaces, or out of the bounds of length."""

    version: ClassVar[int] = 3
    card: ClassVar[Card] = Card(
        title="Self-Instruct: Aligning Language Models with Self-Generated Instructions",
        authors="Wang et al.",
        year=2023,
        paper="2212.10560",
        category="proposing",
        subcategory="gates",
        summary="Complete answers within bounds of length that are no copy of the prompt or of the row they replace.",
        checked="planted cuts, copies and empty answers; false rejects on human-written rows",
        pays="Every method that writes: what is empty, cut short or copied is found at no cost before a model reads "
        "it.",
        fails="A text that was cut at a word which could be its last passes unless the endpoint told of its limit: "
        "raise `max_tokens`; it knows nothing of whether an answer is right.",
        evidence="benchmarks/gates.md: 0.002 of 3,205 rows of dolly are rejected; cut behind `and the` all of 1,362 "
        "are, cut at any word 0.294.",
    )

    prompt: tuple[int, int] = (1, 20_000)
    """Fewest and most characters of the prompt. From 0, rows without a prompt pass."""
    answer: tuple[int, int] = (1, 20_000)
    """Fewest and most characters of the answer."""
    ratio: tuple[float, float] | None = Field((0.1, 10.0))
    """Least and largest length of the answer to that of the row it replaces, both counted as 100 characters or more;
    null switches it off. Where there was no answer there is nothing to compare with."""
    complete: bool = True
    """Whether an answer must be whole: code fences and brackets closed, no end in the middle of a sentence, not stopped
    at the limit of tokens."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> FormatAndLength:
        for name in ("prompt", "answer", "ratio"):
            bounds = getattr(self, name)
            if bounds is not None and not 0 <= bounds[0] <= bounds[1]:
                raise ValueError(f"{name}: expected bounds [least, most] from 0, got [{bounds[0]:g}, {bounds[1]:g}]")
        return self

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        return [self.one(proposal) for proposal in proposals]

    def one(self, proposal: Proposal) -> Check:
        row, before = proposal.row, proposal.before
        messages = row["messages"] if row is not None else []
        prompt, answer = part_of(messages, "prompt").strip(), answer_said(messages).strip()
        for name, text, (least, most) in (("answer", answer, self.answer), ("prompt", prompt, self.prompt)):
            if least and not text:
                return Check(False, f"{name} empty")
            if not least <= len(text) <= most:
                word = "short" if len(text) < least else "long"
                return Check(False, f"{name} too {word}", f"{len(text)} characters, allowed {least} to {most}")
        if answer and prompt and len(set(text_keys([prompt, answer]))) == 1:
            return Check(False, "answer repeats the prompt")
        if before is not None:
            old = [part_of(before["messages"], "prompt").strip(), answer_said(before["messages"]).strip()]
            if [" ".join(t.split()) for t in old] == [" ".join(t.split()) for t in (prompt, answer)]:
                return Check(False, "unchanged copy")
            check = self.length_against(len(old[1]), len(answer))
            if not check.passed:
                return check
        reason = cut_short(answer, [reply.finish for reply in proposal.replies]) if self.complete else ""
        return Check(False, "answer cut short", reason) if reason else PASSED

    def length_against(self, before: int, after: int) -> Check:
        if self.ratio is None or not before:
            return PASSED
        ratio = max(after, SHORT) / max(before, SHORT)
        if self.ratio[0] <= ratio <= self.ratio[1]:
            return PASSED
        detail = f"{after} characters replace {before}"
        return Check(False, "answer shrank" if ratio < 1 else "answer grew", detail, {"ratio": ratio})


def cut_short(text: str, finishes: Sequence[str] = ()) -> str:
    """Why a text looks cut short, "" where it looks whole.

    >>> cut_short("It is as follows:"), cut_short("A list (see below"), cut_short("Done (see below).")
    ('ends in the middle of a sentence', 'a bracket is open', '')
    """
    if any(ending_of(finish) is Ending.CUT for finish in finishes):
        return "stopped at the limit of tokens"
    fenced = blocks(text)
    if fenced and fenced[-1].end == len(text) and not CLOSED.search(text[fenced[-1].start :].rstrip()):
        return "a code fence is open"
    plain = prose(text).strip()
    if not plain or text.rstrip().endswith(("```", "~~~")) or plain[-1] in END_MARKS or FAREWELL.search(plain):
        return ""
    if UNFINISHED.search(plain):
        return "ends in the middle of a sentence"
    return "a bracket is open" if open_bracket(plain) else ""


def open_bracket(text: str) -> bool:
    """Whether the last line leaves a bracket open; brackets that close without one before (`a)`) do not count, and
    half-open intervals are closed."""
    open_ones: list[str] = []
    for c in text.rpartition("\n")[2]:
        if c in "([{":
            open_ones.append(c)
        elif c in BRACKETS and open_ones and (open_ones[-1] == BRACKETS[c] or {open_ones[-1], c} in INTERVAL):
            open_ones.pop()
    return bool(open_ones)
