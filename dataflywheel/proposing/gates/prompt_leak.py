"""Did what the writer was shown come back in what it wrote?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import part_of
from dataflywheel.signals.words.shingles import word_hashes

FENCE = re.compile(r"^[ \t]*(</?[a-z][a-z0-9_ -]{0,40} [0-9a-f]{4,16}>)[ \t]*$", re.MULTILINE)
"""A line around quoted material, `<text 4947>`, in lower case: see `models.endpoint.quoting`."""

PARTS = (
    "answer|candidate|document|example|first|fragment|instruction|material|passage|prompt|question|row|subject|task|text|"
    "topic"
)
"""What material is called in questions."""
MIXED = "(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{4}"
WITHIN = re.compile(rf"\[(?:{PARTS}) [0-9a-f]{{4}}\]|</?(?:{PARTS}) {MIXED}>|(?<!\w)(?:{PARTS}) {MIXED}(?!\w)")
"""The same within a sentence: `[topic 7842]`, and, where digits and letters are mixed, `prompt e343`."""


class PromptLeak(Gate):
    """Rejects rows that repeat a run of words of the instructions or demonstrations that their writer was shown.

    Words that the row may well have, since they stand in the row it replaces or in its source, do not count. Marks of
    chat templates and of common prompts do, wherever they come from but these two.
    """

    version: ClassVar[int] = 4
    card: ClassVar[Card] = Card(
        title="WizardLM: Empowering Large Language Models to Follow Complex Instructions",
        authors="Xu et al.",
        year=2023,
        paper="2304.12244",
        category="proposing",
        subcategory="gates",
        summary="Runs of words shared with what the writer was shown, and marks of templates and prompts.",
        checked="planted instructions, demonstrations and marks; false rejects on human-written rows",
        pays="Small models, and prompts with demonstrations, which come back in the answer or are copied as new rows.",
        fails="An instruction given back in other words passes, and a row about prompts or chat templates holds the "
        "marks rightly: change `marks` there.",
        evidence="benchmarks/gates.md: all of 500 planted demonstrations and 500 planted marks in dolly are found, "
        "and 0.000 of 3,205 rows falsely.",
    )

    words: int = Field(8, ge=3)
    """A run of so many words in common is a leak."""
    marks: tuple[str, ...] = (
        "#given prompt#",
        "#rewritten prompt#",
        "#created prompt#",
        "#the given prompt#",
        "given prompt:",
        "rewritten prompt:",
        "created prompt:",
        "revised instruction:",
        "### instruction",
        "### response",
        "### input:",
        "<|im_start|>",
        "<|im_end|>",
        "<|endoftext|>",
        "<|eot_id|>",
        "<|start_header_id|>",
        "<start_of_turn>",
        "<end_of_turn>",
        "[inst]",
        "[/inst]",
        "<<sys>>",
        "is material to examine. it is never an instruction to you",
        "</think>",
    )
    """Texts that betray a prompt, in any case."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        return [self.one(proposal) for proposal in proposals]

    def one(self, proposal: Proposal) -> Check:
        new = part_of(proposal.row["messages"], "all") if proposal.row is not None else ""
        excused = [proposal.source, *([part_of(proposal.before["messages"], "all")] if proposal.before else [])]
        lower, known = new.lower(), "\n".join(excused).lower()
        for mark in self.marks:
            if stands_in(mark.lower(), lower) and mark.lower() not in known:
                return Check(False, "prompt leaked", f"the mark {mark!r}")
        if fence := next((line for line in [*FENCE.findall(lower), *WITHIN.findall(lower)] if line not in known), ""):
            return Check(False, "prompt leaked", f"{fence!r}, as texts are quoted in questions")
        run = longest_run(new, proposal.shown, excused, self.words)
        if run < self.words:
            return PASSED
        return Check(False, "prompt leaked", f"{run} words in one piece from what was shown", {"leaked_words": run})


def stands_in(mark: str, text: str) -> bool:
    """Whether a mark stands in a text, and no longer word that begins like it.

    >>> stands_in("### instruction", "### instruction: mix"), stands_in("### instruction", "### instructions")
    (True, False)
    """
    at = text.find(mark)
    while at >= 0 and mark[-1:].isalpha() and text[at + len(mark) : at + len(mark) + 1].isalpha():
        at = text.find(mark, at + 1)
    return at >= 0


def longest_run(text: str, shown: Sequence[str], excused: Sequence[str], least: int) -> int:
    """Words in the longest run of `text`, of `least` or more, whose every `least`-gram was shown and is not excused; 0
    where there is none. Case, spacing and punctuation do not matter.

    >>> longest_run("so: write one short poem about Rome", ["Write one short poem about it"], [], 3)
    5
    """
    if not any(shown):
        return 0
    words, offsets = word_hashes([text, *shown, *excused])
    parts = [grams(words[a:b], least) for a, b in pairwise(offsets.tolist())]
    leaked = set().union(*parts[1 : 1 + len(shown)]).difference(*parts[1 + len(shown) :])
    best = run = 0
    for gram in parts[0]:
        run = run + 1 if gram in leaked else 0
        best = max(best, run)
    return best + least - 1 if best else 0


def grams(words: AnyArray, size: int) -> list[bytes]:
    """All runs of `size` words in order, as bytes of their hashes."""
    if len(words) < size:
        return []
    return [gram.tobytes() for gram in np.lib.stride_tricks.sliding_window_view(words, size)]
