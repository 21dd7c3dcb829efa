"""Drop rows that give away the evaluation set."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Cleaner, Columns, Decisions, TargetView, Texts, UsageError
from dataflywheel.enhancement.preparation.leak_settings import OtherSettings
from dataflywheel.signals.model.cells import directions
from dataflywheel.signals.words.common_grams import CommonGrams
from dataflywheel.signals.words.leaked_rows import LeakRules, Match, TargetWords

ROWS_AT_ONCE = 4096
PROMPT_KEY, VECTOR = "text.prompt_key", "embedding.vector"


class Decontaminate(LeakRules, Cleaner):
    """Drops pool rows that hold a target row: by its words, or by its meaning.

    A row goes when it contains any word 13-gram or half of the distinct word 8-grams of a target row's prompt or answer
    (anywhere in the row, the worse answer of a pair too), n-grams that are common in the pool aside; when it contains a
    prompt or answer of 8 to 64 words but for an eighth of the words (a prompt of under 8 words counts with its answer);
    when it holds all of a target prompt of 5 to 7 words in one piece; when its prompt equals that of a target row, or
    the row as a whole one with a prompt of under 8 words; or when the cosine of the embeddings reaches `semantic`. What
    a word is, in any script, says `signals/words.py`. A short answer alone ("yes") is never a leak, and a prompt of
    under 5 words only where it is all of the row's prompt. The report of a run says how many rows looser and stricter
    settings would let through.
    """

    guards: ClassVar[bool] = True
    card: ClassVar[Card] = Card(
        title="Language Models are Few-Shot Learners",
        authors="Brown et al.",
        year=2020,
        paper="2005.14165",
        category="enhancement",
        subcategory="preparation",
        summary="Leaked evaluation rows by shared 13- and 8-grams, near copies, equal prompts, and embeddings.",
        needs=("target",),
        checked="copies of six evaluation sets, verbatim and with changed words, planted in an instruction pool",
        pays="Any pool that is scraped or written by a model, before a figure on a public evaluation set is believed; "
        "it costs no model but the embedder.",
        fails="A translation, or a question put in wholly other words, is found by the cosine alone, and a changed "
        "word hides more in German or Chinese questions; keep a sealed set of your own.",
        evidence="benchmarks/gates.md, by words alone: all 675 prompts of gsm8k are found as they are and with one "
        "word in twenty changed, with a changed word 0.943 of math500 and 0.739 of xquad.de; of four pools at most "
        "0.004 go falsely.",
    )
    version: ClassVar[int] = 3
    text: ClassVar[Literal["all", "prompt", "answer", "both"]] = "both"

    semantic: float | None = Field(0.95, gt=0, le=1)
    """Cosine of embeddings from which a row goes; null switches the check off and needs no embedder."""

    def needs(self) -> tuple[str, ...]:
        return (*((PROMPT_KEY,) if self.exact else ()), *((VECTOR,) if self.semantic is not None else ()))

    def decide(self, columns: Columns, texts: Texts, target: TargetView | None) -> Decisions:
        if target is None:
            raise UsageError("decontaminate has nothing to compare with: add a target to the recipe, or leave it out")
        matches: dict[int, Match] = {}
        decisions = Decisions()
        if len(target.columns):
            matches, decisions.notes["settings"] = self._by_words(columns, texts, target)
            if self.semantic is not None:
                by_meaning(matches, columns, target, self.semantic)
        for i, id in enumerate(columns.ids.tolist()):
            if i in matches:
                match = matches[i]
                decisions.add(id, "dropped", match.reason, str(target.columns.ids[match.target]), match.score)
            else:
                decisions.add(id, "kept", "no match in the target")
        return decisions

    def _by_words(
        self, columns: Columns, texts: Texts, target: TargetView
    ) -> tuple[dict[int, Match], list[dict[str, Any]]]:
        """Rows by position with what they match, and what other settings would find."""
        wording = TargetWords.of(target.prompts, target.answers, self)
        keys = columns[PROMPT_KEY] if self.exact else np.full(len(columns), None, dtype=object)
        common, other = CommonGrams(wording, keys.tolist()), OtherSettings(wording, len(columns))
        matches: dict[int, Match] = {}
        suspects: list[int] = []
        for start in range(0, len(columns), ROWS_AT_ONCE):
            look = wording.look(texts([str(id) for id in columns.ids[start : start + ROWS_AT_ONCE]]))
            common.add(look)
            other.add(start, look)
            found = wording.matches(look, keys[start : start + ROWS_AT_ONCE].tolist())
            matches.update((start + row, match) for row, match in found.items())
            suspects += [start + row for row in sorted(wording.suspects(look) | set(found))]
        masks = common.common()
        if any(mask.any() for mask in masks.values()):  # what is common is known at the end only: suspects once more
            matches.clear()
            for start in range(0, len(suspects), ROWS_AT_ONCE):
                rows = suspects[start : start + ROWS_AT_ONCE]
                look = wording.look(texts([str(id) for id in columns.ids[rows]]))
                found = wording.matches(look, keys[rows].tolist(), masks)
                matches.update((rows[k], match) for k, match in found.items())
        return matches, other.table(matches)


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
