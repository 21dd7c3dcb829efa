"""Rows that give away an evaluation set by their words: what cleaning drops and what new rows are checked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, Field

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.leaks import GramIndex, Hits, Shared
from dataflywheel.signals.words.shingles import gram_sets, keys_of, offsets_of, word_hashes

SHORT, LONG, NEAR = 8, 13, 4
WHOLE_PROMPT = range(5, SHORT)  # words of a short prompt that is looked for inside longer rows
NEAR_WORDS = 64
"""Longer texts of which an eighth was changed still share an 8- or 13-gram."""
TRIVIAL_WORDS = 3
SIDES, WHOLE = ("prompt", "answer", "row"), 2
"""What a target text is; a prompt that is too short by itself is looked for together with its answer."""
FEW_GRAMS = 4
Common = Mapping[int, AnyArray]
"""For each length of n-grams a mask of those of the target that are common language, or the wording of a template."""


class LeakRules(BaseModel):
    """By which words that it shares with a target row a row gives that away."""

    share_13: float | None = Field(0, ge=0, le=1)
    """Share of a target text's word 13-grams above which a row that contains them goes: 0 for any one of them; null
    switches the check off."""
    share_8: float | None = Field(0.5, gt=0, le=1)
    """Share of a target text's word 8-grams from which a row that contains them goes; null switches the check off."""
    changed: float | None = Field(0.125, gt=0, le=0.25)
    """Share of the words of a target text of 8 to 64 words that may be changed, dropped or added in a row that still
    goes; one word always may. Null switches the check off."""
    common: int | None = Field(10, ge=1)
    """N-grams that more prompts of the pool hold than this are common language and no trace of a target row, unless all
    of that is there; null lets every n-gram count."""
    exact: bool = True
    """Look for equal prompts, and for target prompts of 5 to 7 words as a whole."""


class Match(NamedTuple):
    """Why a row is a leak: the check, which target row, how strongly."""

    reason: str
    target: int
    score: float


class Look(NamedTuple):
    """Texts of whole rows, and the n-grams of the target that they hold, for each index."""

    words: AnyArray
    offsets: AnyArray
    hits: tuple[Hits, ...]


@dataclass(frozen=True)
class TargetWords:
    """The wording of target rows, ready to be looked for in many texts: prompts, then answers, then whole rows.

    A text holds a target row when it holds any 13-gram or half of the distinct 8-grams of the row's prompt or answer,
    or one of these (both, where the prompt has under 8 words) of 8 to 64 words but for an eighth of the words; when it
    holds all of a prompt of 5 to 7 words in one piece; when its prompt equals that of the row; or when all of it equals
    a row with a prompt of under 8 words.
    """

    rows: int
    rules: LeakRules
    words: AnyArray
    offsets: AnyArray
    indices: tuple[GramIndex, ...]
    """N-grams of 13, 8 and 4 words of prompts and answers, and the prompts of 7, 6 and 5 words."""
    by_prompt: dict[str, int]
    """Key of a prompt -> target row."""
    by_whole: dict[str, int]
    """Key of prompt and answer together, where the prompt is short -> target row."""

    @classmethod
    def of(cls, prompts: Sequence[str], answers: Sequence[str], rules: LeakRules) -> TargetWords:
        """Of target rows given by prompt and answer.

        Raises:
            ValueError: there are not as many answers as prompts.
        """
        if len(prompts) != len(answers):
            raise ValueError(f"{len(prompts)} prompts and {len(answers)} answers")
        words, offsets = distinct_texts([*prompts, *answers, *wholes(prompts, answers)])
        sizes = np.diff(offsets)
        side = np.arange(len(sizes)) // max(len(prompts), 1)
        found = []
        for size, wanted in ((LONG, rules.share_13), (SHORT, rules.share_8), (NEAR, rules.changed)):
            if wanted is not None:
                near = varied(words, offsets) & (sizes <= NEAR_WORDS)
                fitting = near if size == NEAR else (sizes >= size) & (side < WHOLE)
                found.append(GramIndex.of(*only(words, offsets, fitting), size))
        if rules.exact:
            lengths = sorted(set(sizes[side == 0].tolist()) & set(WHOLE_PROMPT), reverse=True)
            found += [GramIndex.of(*only(words, offsets, (side == 0) & (sizes == size)), size) for size in lengths]
        keys = short_keys(prompts, answers) if rules.exact else ({}, {})
        return cls(len(prompts), rules, words, offsets, tuple(found), *keys)

    def look(self, texts: Sequence[str]) -> Look:
        words, offsets = word_hashes(texts)
        return Look(words, offsets, tuple(index.hits(words, offsets) for index in self.indices))

    def index_of(self, size: int) -> int | None:
        """Place of the index of n-grams of this length; None where they are not looked at."""
        return next((k for k, index in enumerate(self.indices) if index.size == size), None)

    def suspects(self, look: Look) -> set[int]:
        """Texts that hold an 8- or 13-gram of the target: what is common decides what becomes of them."""
        long = (hits.rows for index, hits in zip(self.indices, look.hits, strict=True) if index.size >= SHORT)
        return set(np.concatenate([np.zeros(0, dtype=np.int64), *long]).tolist())

    def matches(self, look: Look, prompt_keys: Sequence[str | None], common: Common | None = None) -> dict[int, Match]:
        """Text -> its match, for texts of whole rows and the `text_keys` of their prompts."""
        found: dict[int, Match] = {}
        if self.by_prompt or self.by_whole:
            for i, (prompt, whole) in enumerate(zip(prompt_keys, keys_of(look.words, look.offsets), strict=True)):
                if prompt in self.by_prompt:
                    found[i] = Match("leak: equal to a target prompt", self.by_prompt[prompt], 1.0)
                elif whole in self.by_whole:
                    found[i] = Match("leak: equal to a target row", self.by_whole[whole], 1.0)
        for index, hits in zip(self.indices, look.hits, strict=True):
            if len(hits.rows):
                given = None if common is None else common.get(index.size)
                shared = index.shared(hits, given)
                if index.size == NEAR:
                    shared = shared.without(found)
                    found.update(self._near(index, shared, given, look))
                else:
                    found = dict(self._held(index, shared, given)) | found
        return found

    def _held(self, index: GramIndex, shared: Shared, common: AnyArray | None) -> Iterator[tuple[int, Match]]:
        """Texts that hold enough of a target text's n-grams, each with the target text of which it holds most."""
        provable = index.provable(common)[shared.targets]
        totals = index.totals[shared.targets]
        share = shared.proving / np.maximum(np.maximum(provable, np.minimum(totals, FEW_GRAMS)), 1)
        least = {LONG: self.rules.share_13, SHORT: self.rules.share_8}.get(index.size, 1.0)
        enough = (shared.proving > 0) & (share >= (least or 0) - 1e-9)
        if index.size >= SHORT:  # all of a text is a leak, however often the pool has it
            enough |= shared.held == totals
        held = shared.held / np.maximum(totals, 1)
        for row, k in strongest(shared, held, totals, enough):
            side = SIDES[shared.targets[k] // self.rows]
            reason = f"leak: holds {held[k]:.0%} of the {index.size}-grams of a target {side}"
            yield row, Match(reason, int(shared.targets[k]) % self.rows, float(held[k]))

    def _near(
        self, index: GramIndex, shared: Shared, common: AnyArray | None, look: Look
    ) -> Iterator[tuple[int, Match]]:
        """Texts that hold a target text with a few of its words changed."""
        from dataflywheel.signals.words.leak_kernels import edits_of_pairs

        assert self.rules.changed is not None
        sizes = np.diff(self.offsets)[shared.targets]
        allowed = np.maximum((sizes * self.rules.changed + 1e-9).astype(np.int64), 1)
        provable = index.provable(common)[shared.targets]
        likely = shared.proving >= np.maximum(provable - NEAR * allowed, 1)
        likely &= shared.held >= np.maximum(index.totals[shared.targets] - NEAR * allowed, 1)
        edits = np.full(len(sizes), NEAR_WORDS, dtype=np.int64)
        pairs = np.stack([shared.targets[likely], shared.rows[likely]], axis=1)
        found = np.empty(len(pairs), dtype=np.int64)
        edits_of_pairs(self.words, self.offsets, look.words, look.offsets, pairs, found)
        edits[likely] = found
        score = 1 - edits / np.maximum(sizes, 1)
        for row, k in strongest(shared, score, sizes, edits <= allowed):
            side = SIDES[shared.targets[k] // self.rows]
            reason = f"leak: holds a target {side} with {edits[k]} of {sizes[k]} words changed"
            yield row, Match(reason, int(shared.targets[k]) % self.rows, float(score[k]))


def strongest(shared: Shared, score: AnyArray, size: AnyArray, enough: AnyArray) -> Iterator[tuple[int, int]]:
    """For each text its best pair among those that are enough; of equal ones the longer target text, then the first."""
    order = np.lexsort((shared.targets, -size, -score, shared.rows))
    order = order[enough[order]]
    rows, first = np.unique(shared.rows[order], return_index=True)
    return zip(rows.tolist(), order[first].tolist(), strict=True)


def wholes(prompts: Sequence[str], answers: Sequence[str]) -> list[str]:
    """Prompt and answer as one text where the prompt has under 8 words, and where it has more nothing."""
    short = np.diff(word_hashes(prompts)[1]) < SHORT
    return [f"{p}\n\n{a}" if p and a and s else "" for p, a, s in zip(prompts, answers, short, strict=True)]


def distinct_texts(texts: Sequence[str]) -> tuple[AnyArray, AnyArray]:
    """`word_hashes` of the texts; one whose words stood before has none."""
    words, offsets = word_hashes(texts)
    first = {key: k for k, key in reversed(list(enumerate(keys_of(words, offsets))))}
    kept = np.zeros(len(texts), dtype=bool)
    kept[list(first.values())] = True
    return only(words, offsets, kept)


def varied(words: AnyArray, offsets: AnyArray) -> AnyArray:
    """Mask of the texts of 8 words or more most of which are different: others are near to too much."""
    sizes = np.diff(offsets)
    different = np.diff(gram_sets(words, offsets, 1)[1])
    return (sizes >= SHORT) & (2 * different > sizes)


def only(words: AnyArray, offsets: AnyArray, kept: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Word hashes of all texts, of which those that are not kept have none."""
    sizes = np.diff(offsets)
    return words[np.repeat(kept, sizes)], offsets_of(np.where(kept, sizes, 0))


def short_keys(prompts: Sequence[str], answers: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Keys of the target rows: of each prompt, and of prompt and answer together where the prompt has under 8 words."""
    prompt_words = word_hashes(prompts)
    whole_words = word_hashes([f"{p}\n\n{a}" if p else a for p, a in zip(prompts, answers, strict=True)])
    by_prompt: dict[str, int] = {}
    by_whole: dict[str, int] = {}
    sizes = zip(np.diff(prompt_words[1]), np.diff(whole_words[1]), strict=True)
    keys = zip(keys_of(*prompt_words), keys_of(*whole_words), sizes, strict=True)
    for row, (prompt, whole, (prompt_size, whole_size)) in enumerate(keys):
        if prompt is not None:
            by_prompt.setdefault(prompt, row)
        if whole is not None and prompt_size < SHORT and whole_size >= TRIVIAL_WORDS:
            by_whole.setdefault(whole, row)
    return by_prompt, by_whole
