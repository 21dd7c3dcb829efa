"""GRAPE: of several answers to one prompt, the one that the base model finds likeliest."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from dataflywheel.contracts import Card, Columns, Selection, Selector
from dataflywheel.selection.order import Rejected, counts, eligible

KEY, LOSS = "prompt_group.key", "likelihood.loss_answer_given_prompt"


class GRAPE(Selector):
    """One row a prompt: the answer with the highest log-probability a token; ties go to the smaller row id.

    The rows chosen are ordered by that log-probability, their gain. The scorer should be the base model that is to be
    trained, since the point is what fits that one. A prompt of which no answer could be scored keeps no row and is
    counted, never guessed at.
    """

    card: ClassVar[Card] = Card(
        title="The Best Instruction-Tuning Data are Those That Fit",
        authors="Zhang et al.",
        year=2025,
        paper="2502.04194",
        category="selection",
        subcategory="static",
        summary="Keeps, of all answers to a prompt, the one most likely under the model that is to be trained.",
        needs=("model",),
        cost="$",
        checked="brute force over groups with ties and failed scores",
        pays="Several answers to each prompt, from several teachers, and a base model that can be run over all of them "
        "once.",
        fails="What the model finds likely need not be right, and a prompt with one answer keeps it whatever it is: "
        "check final answers first.",
        evidence="The authors, Llama-3.1-8B: up to +13.8 % over distilling from the strongest teacher, +17.3 % over "
        "three times the data; not measured here.",
    )

    def needs(self) -> tuple[str, ...]:
        return (KEY, LOSS)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, KEY, LOSS)
        loss = columns[LOSS][rows].astype(np.float64)
        ordered = np.argsort(loss, kind="stable")
        _, first, group = np.unique(columns[KEY][rows][ordered].astype(str), return_index=True, return_inverse=True)
        best = np.sort(first)
        winner = rows[ordered[first[group]]]
        rejected = {
            int(row): Rejected("another answer to the same prompt is likelier", int(near), -float(value))
            for row, near, value in zip(rows[ordered], winner, loss[ordered], strict=True)
            if row != near
        }
        notes = counts(columns, rows, LOSS) | {"prompts": len(first), "rejected": rejected}
        return Selection(
            rows[ordered[best]], -loss[ordered[best]], "log-probability a token of its answer", notes=notes
        )

    def remarks(self, columns: Columns) -> dict[str, Any]:
        keyed = columns.ok(KEY)
        names = set(columns[KEY][keyed].astype(str).tolist())
        scored = set(columns[KEY][keyed & columns.ok(LOSS)].astype(str).tolist())
        return {"prompts_without_a_score": len(names - scored)}
