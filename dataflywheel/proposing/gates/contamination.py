"""Does a proposal give away the evaluation set?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, FloatArray
from dataflywheel.errors import UsageError
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.parts import iter_batches, read_rows
from dataflywheel.rows.text import part_of, text_of, texts, texts_of_both
from dataflywheel.signals.model.model_based import embed_texts
from dataflywheel.signals.words.common_grams import CommonGrams
from dataflywheel.signals.words.leaked_rows import Common, LeakRules, TargetWords
from dataflywheel.signals.words.shingles import text_keys


@dataclass(frozen=True)
class Target:
    """The evaluation rows, ready to be looked for."""

    ids: list[str]
    wording: TargetWords
    common: Common
    vectors: FloatArray | None


class Contamination(LeakRules, Gate):
    """Rejects rows that hold an evaluation row, by its words or by its meaning: the rule by which pools are cleaned.

    What is common language is counted in the pool.
    """

    card: ClassVar[Card] = Card(
        title="Language Models are Few-Shot Learners",
        authors="Brown et al.",
        year=2020,
        paper="2005.14165",
        category="proposing",
        subcategory="gates",
        summary="New rows that hold evaluation rows, by shared 13- and 8-grams, near copies, and embeddings.",
        needs=("target",),
        checked="copies of evaluation sets, verbatim and with changed words; equal decisions to the cleaner of pools",
        pays="Every generator whose model may have read the evaluation set, and every one that is shown the student's "
        "errors.",
        fails="The same question in wholly other words or another language passes where the cosine does: renew the "
        "evaluation by `reworded`, and look at a sealed set.",
        evidence="benchmarks/gates.md, by words alone: all 1,107 prompts of bbh are found as they are and 0.963 with "
        "a changed word, of xquad.zh 0.750; of four pools at most 0.004 are false alarms.",
    )
    alone: ClassVar[bool] = False
    version: ClassVar[int] = 3

    semantic: float | None = Field(0.95, gt=0, le=1)
    """Cosine of embeddings from which a row is a leak; null switches it off and needs no embedder."""
    embedder: EmbedderSpec = Field(default=EmbedderSpec(builtin="minilm"))
    """What similarity is measured with."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        target = around.once(f"contamination:{self.digest()}", lambda: self.target(around))
        conversations = [p.row["messages"] if p.row is not None else [] for p in proposals]
        wholes = [part_of(messages, "all") for messages in conversations]
        keys = text_keys([part_of(m, "prompt") for m in conversations])
        worse = [proposal.row["rejected"] if proposal.row is not None else None for proposal in proposals]
        both = [f"{whole}\n\n{text_of(one)}" if one else whole for whole, one in zip(wholes, worse, strict=True)]
        found = target.wording.matches(target.wording.look(both), keys, target.common)
        checks = [PASSED] * len(proposals)
        for i, match in found.items():
            detail = f"{match.reason.removeprefix('leak: ')}, {target.ids[match.target]}"
            checks[i] = Check(False, "holds an evaluation row", detail, {"share": match.score})
        left = [i for i, check in enumerate(checks) if check.passed]
        if target.vectors is not None and self.semantic is not None and left:
            cosines, nearest = self.nearest(target.vectors, [wholes[i] for i in left])
            for i, cosine, k in zip(left, cosines.tolist(), nearest.tolist(), strict=True):
                if np.isfinite(cosine):
                    near = cosine >= self.semantic
                    detail = f"cosine {cosine:.3f} to {target.ids[k]}" if near else ""
                    reason = "means an evaluation row" if near else ""
                    checks[i] = Check(not near, reason, detail, {"target_cosine": cosine})
        return checks

    def target(self, around: Surroundings) -> Target:
        if around.target is None:
            raise UsageError("contamination has nothing to compare with: add a target to the recipe, or leave it out")
        rows = read_rows(around.target, ["id", "messages"])
        prompts, answers, wholes = (texts(rows["messages"], part) for part in ("prompt", "answer", "all"))
        wording = TargetWords.of(prompts, answers, self)
        vectors = None
        if self.semantic is not None and wholes:
            vectors = np.nan_to_num(embed_texts(self.embedder, wholes)[0])  # an empty row is near to nothing
        return Target(rows["id"].to_pylist(), wording, common_in(around.pool, wording), vectors)

    def nearest(self, vectors: FloatArray, wholes: Sequence[str]) -> tuple[AnyArray, AnyArray]:
        """Cosine to the nearest target row and which it is; NaN where a text could not be embedded."""
        near = embed_texts(self.embedder, wholes)[0] @ vectors.T
        best = near.argmax(axis=1)
        return near[np.arange(len(near)), best], best


def common_in(pool: Path | None, wording: TargetWords) -> Common:
    """The n-grams of the target that are common in the pool."""
    if pool is None:
        return {}
    keys: list[str | None] = []
    for batch in iter_batches(pool, ["messages"]):
        keys += text_keys(texts(batch["messages"], "prompt"))
    found = CommonGrams(wording, keys)
    for batch in iter_batches(pool, ["messages", "rejected"]):
        found.add(wording.look(texts_of_both(batch)))
    return found.common()
