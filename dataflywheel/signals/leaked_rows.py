"""Rows that give away an evaluation set by their words: what cleaning drops and what new rows are checked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dataflywheel.signals.leaks import GramIndex
from dataflywheel.signals.shingles import keys_of, word_hashes

SHORT, LONG = 8, 13
WHOLE_PROMPT = range(5, SHORT)  # words of a short prompt that is looked for inside longer rows
TRIVIAL_WORDS = 3


class Match(NamedTuple):
    """Why a row is a leak: the check, which target row, how strongly."""

    reason: str
    target: int
    score: float


@dataclass(frozen=True)
class TargetWords:
    """The wording of target rows, ready to be looked for in many texts.

    A text holds a target row when it contains a given share of the distinct word 8-grams or 13-grams of the row's
    prompt or answer; when it holds all of a prompt of 5 to 7 words in one piece; when its prompt, or all of it, equals
    that of a target row with a prompt of under 8 words.
    """

    rows: int
    indices: tuple[tuple[GramIndex, float], ...]
    """N-grams of all prompts and then all answers, each with the share from which a text holds a row."""
    by_prompt: dict[str, int]
    """Key of a short prompt -> target row."""
    by_whole: dict[str, int]
    """Key of prompt and answer together, where the prompt is short -> target row."""

    @classmethod
    def of(
        cls, prompts: Sequence[str], answers: Sequence[str], share_8: float | None, share_13: float | None, exact: bool
    ) -> TargetWords:
        """Of target rows given by prompt and answer. A share of None switches that length off, `exact` short prompts.

        Raises:
            ValueError: there are not as many answers as prompts.
        """
        if len(prompts) != len(answers):
            raise ValueError(f"{len(prompts)} prompts and {len(answers)} answers")
        found = []
        for size, share in ((LONG, share_13), (SHORT, share_8)):
            if share is not None:
                found.append((GramIndex.of([*prompts, *answers], size), share))
        if exact:
            words = np.diff(word_hashes(prompts)[1])
            for size in sorted(set(words.tolist()) & set(WHOLE_PROMPT), reverse=True):
                of_size = [p if n == size else "" for p, n in zip(prompts, words, strict=True)]
                found.append((GramIndex.of(of_size, size), 1.0))
        return cls(len(prompts), tuple(found), *(short_keys(prompts, answers) if exact else ({}, {})))

    def matches(self, texts: Sequence[str], prompt_keys: Sequence[str | None]) -> dict[int, Match]:
        """Text -> its match, for texts of whole rows and the `text_keys` of their prompts."""
        found: dict[int, Match] = {}
        words, offsets = word_hashes(texts)
        if self.by_prompt or self.by_whole:
            for i, (prompt, whole) in enumerate(zip(prompt_keys, keys_of(words, offsets), strict=True)):
                if prompt in self.by_prompt:
                    found[i] = Match("leak: equal to a target prompt", self.by_prompt[prompt], 1.0)
                elif whole in self.by_whole:
                    found[i] = Match("leak: equal to a target row", self.by_whole[whole], 1.0)
        for index, least in self.indices:
            for i, leak in index.strongest(words, offsets, least).items():
                side = "prompt" if leak.target < self.rows else "answer"
                reason = f"leak: holds {leak.share:.0%} of the {index.size}-grams of a target {side}"
                found.setdefault(i, Match(reason, leak.target % self.rows, leak.share))
        return found


def short_keys(prompts: Sequence[str], answers: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Keys of the target rows whose prompt has fewer than 8 words: of the prompt, and of prompt and answer together."""
    prompt_words = word_hashes(prompts)
    whole_words = word_hashes([f"{p}\n\n{a}" if p else a for p, a in zip(prompts, answers, strict=True)])
    by_prompt: dict[str, int] = {}
    by_whole: dict[str, int] = {}
    sizes = zip(np.diff(prompt_words[1]), np.diff(whole_words[1]), strict=True)
    keys = zip(keys_of(*prompt_words), keys_of(*whole_words), sizes, strict=True)
    for row, (prompt, whole, (prompt_size, whole_size)) in enumerate(keys):
        if prompt is not None and prompt_size < SHORT:
            by_prompt.setdefault(prompt, row)
        if whole is not None and prompt_size < SHORT and whole_size >= TRIVIAL_WORDS:
            by_whole.setdefault(whole, row)
    return by_prompt, by_whole
