"""Which of a target's n-grams are common in a pool: idioms, quotations, the wording of templates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.leaked_rows import WHOLE_PROMPT, Common, Look, TargetWords


class CommonGrams:
    """Counts, text by text of a pool, how many different prompts hold each n-gram of the target.

    GPT-3 ignored n-grams that more than ten training documents held, since most of these were idioms and boilerplate.
    Here rows of one prompt count as one, so that many answers to a leaked question do not hide it, and rows that hold
    all of a target text do not count for its n-grams, so that copies of it do not. The order of rows plays no part.
    """

    def __init__(self, wording: TargetWords, prompt_keys: Sequence[str | None]) -> None:
        """`prompt_keys`: of all rows of the pool, in their order; None for a row that has no prompt."""
        self.wording = wording
        self.counts = [np.zeros(len(index.grams)) for index in wording.indices]
        keys = np.array([key or f"#{i}" for i, key in enumerate(prompt_keys)], dtype=object).astype(str)
        _, group, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        self.weights: AnyArray = 1 / sizes[group] if len(keys) else np.zeros(0)
        self.rows = 0

    def add(self, look: Look) -> None:
        """Count the next rows of the pool."""
        weights = self.weights[self.rows : self.rows + len(look.offsets) - 1]
        self.rows += len(weights)
        for index, hits, counts in zip(self.wording.indices, look.hits, self.counts, strict=True):
            if len(hits.rows):
                counted = hits if index.size in WHOLE_PROMPT else index.parts(hits)
                counts += np.bincount(counted.grams, weights=weights[counted.rows], minlength=len(counts))

    def common(self) -> Common:
        """The masks of what is common, for `TargetWords.matches`."""
        limit = self.wording.rules.common
        if limit is None:
            return {}
        return {
            index.size: counts > limit + 1e-6 for index, counts in zip(self.wording.indices, self.counts, strict=True)
        }
