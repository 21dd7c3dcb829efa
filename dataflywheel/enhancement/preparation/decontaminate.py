"""Drop rows that give away the evaluation set."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Cleaner, Columns, Decisions, TargetView, Texts, UsageError
from dataflywheel.signals.cells import directions
from dataflywheel.signals.leaked_rows import Match, TargetWords

ROWS_AT_ONCE = 4096
PROMPT_KEY, VECTOR = "text.prompt_key", "embedding.vector"


class Decontaminate(Cleaner):
    """Drops pool rows that hold a target row: by its words, or by its meaning.

    A row goes when it contains the given share of the distinct word 8-grams or 13-grams of a target row's prompt or
    answer (anywhere in the row); when it holds all of a target prompt of 5 to 7 words in one piece; when its prompt, or
    the row as a whole, equals that of a target row with a prompt of under 8 words; or when the cosine of the embeddings
    reaches `semantic`. Case, spacing, punctuation and Unicode forms do not matter. A short answer alone ("yes") is
    never a leak, and a prompt of under 5 words only where it is all of the row's prompt.
    """

    card: ClassVar[Card] = Card(
        title="Language Models are Few-Shot Learners",
        authors="Brown et al.",
        year=2020,
        paper="2005.14165",
        category="enhancement",
        subcategory="preparation",
        summary="Leaked evaluation rows by 8- and 13-gram containment, exact match of short prompts, and embeddings.",
        needs=("target",),
        checked="verbatim, case and whitespace copies of six evaluation sets planted in an instruction pool",
    )

    share_8: float | None = Field(0.7, gt=0, le=1)
    """Share of a target text's word 8-grams from which a row that contains them goes; null switches the check off."""
    share_13: float | None = Field(0.5, gt=0, le=1)
    """The same for 13-grams, which are so rarely shared by chance that half of them is enough."""
    exact: bool = True
    """Look for target prompts of fewer than 8 words as a whole."""
    semantic: float | None = Field(0.95, gt=0, le=1)
    """Cosine of embeddings from which a row goes; null switches the check off and needs no embedder."""

    def needs(self) -> tuple[str, ...]:
        return (*((PROMPT_KEY,) if self.exact else ()), *((VECTOR,) if self.semantic is not None else ()))

    def decide(self, columns: Columns, texts: Texts, target: TargetView | None) -> Decisions:
        if target is None:
            raise UsageError("decontaminate has nothing to compare with: add a target to the recipe, or leave it out")
        matches: dict[int, Match] = {}
        if len(target.columns):
            self._by_words(matches, columns, texts, target)
            if self.semantic is not None:
                by_meaning(matches, columns, target, self.semantic)
        decisions = Decisions()
        for i, id in enumerate(columns.ids.tolist()):
            if i in matches:
                match = matches[i]
                decisions.add(id, "dropped", match.reason, str(target.columns.ids[match.target]), match.score)
            else:
                decisions.add(id, "kept", "no match in the target")
        return decisions

    def _by_words(self, matches: dict[int, Match], columns: Columns, texts: Texts, target: TargetView) -> None:
        wording = TargetWords.of(target.prompts, target.answers, self.share_8, self.share_13, self.exact)
        keys = columns[PROMPT_KEY] if self.exact else np.full(len(columns), None, dtype=object)
        for start in range(0, len(columns), ROWS_AT_ONCE):
            block = texts([str(id) for id in columns.ids[start : start + ROWS_AT_ONCE]])
            found = wording.matches(block, keys[start : start + ROWS_AT_ONCE].tolist())
            matches.update((start + row, match) for row, match in found.items())


def by_meaning(matches: dict[int, Match], columns: Columns, target: TargetView, threshold: float) -> None:
    """Enter the rows whose embedding reaches the threshold with a target row, the nearest of which is named."""
    theirs, target_rows = directions(target.columns[VECTOR])
    if not len(target_rows):
        return
    vectors: AnyArray = columns[VECTOR]
    for start in range(0, len(columns), ROWS_AT_ONCE):
        ours, rows = directions(vectors[start : start + ROWS_AT_ONCE])
        near = ours @ theirs.T
        best = near.argmax(axis=1)
        cosine = near[np.arange(len(near)), best]
        for k in np.flatnonzero(cosine >= threshold):
            reason = f"leak: cosine {cosine[k]:.3f} >= {threshold:g} to a target row"
            match = Match(reason, int(target_rows[best[k]]), float(cosine[k]))
            matches.setdefault(start + int(rows[k]), match)
