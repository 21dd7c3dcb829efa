"""Distillation from a teacher that was asked once: its likeliest tokens at each position, the rest in a bucket."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnswerPositions, Card, Cost, FlywheelError
from dataflywheel.distillation.model.divergences import Tail, linear_loss
from dataflywheel.distillation.model.taught import MixedObjective, TeacherInput
from dataflywheel.distillation.model.teacher import check_same_vocabulary
from dataflywheel.distillation.model.teacher_cache import Identity, Taught, TeacherCache
from dataflywheel.distillation.model.top_logprobs import top_logprobs
from dataflywheel.models.templates.encoded import example_ids


class TopKDistillation(MixedObjective):
    """The teacher's k likeliest tokens from the store, where it has read every row once.

    With `alpha` 1, a cut distribution harms a student more than it teaches: leave room for cross-entropy.
    """

    card: ClassVar[Card] = Card(
        title="Sparse Logit Sampling: Accelerating Knowledge Distillation in LLMs",
        authors="Anshumann et al.",
        year=2025,
        paper="2503.16870",
        category="distillation",
        subcategory="model",
        summary="Cross-entropy mixed with a divergence over the teacher's k likeliest tokens, computed once and kept.",
        needs=("model",),
        cost="$",
        checked="dense distillation as k grows, exact round trips, shuffled rows, refusals of another teacher",
        pays="One teacher and several students, epochs or settings: it reads the rows once, and 32 tokens a position "
        "are 128 bytes.",
        fails="With `alpha: 1` what was cut harms more than the rest teaches, and renormalised most: leave room for "
        "cross-entropy and keep the `bucket`.",
        evidence="Here (`benchmarks/distillation.md`), bits a byte against cross-entropy at equal student tokens, "
        "lower is better: top 16 with it -0.0712 (bucket) and -0.0615 (renormalised), without it +0.0989 and +0.5494 "
        "(one seed each).",
    )

    k: int | None = Field(default=32, ge=1)
    """Tokens kept at each position, 4 bytes each (6 for large vocabularies); null keeps all, 2 bytes each: for small
    vocabularies."""
    tail: Tail = "bucket"
    """All other tokens: one entry on both sides, or as if there were none (`renormalise`)."""

    def heard(self, rows: int, passes: int, tokens: int) -> Cost:
        """Each row once, however often the student reads it."""
        once = min(1.0, rows / max(1, passes))
        return Cost(forward=round(passes * once), tokens=round(tokens * once))

    def bind(self, lesson: TeacherInput) -> Taught:
        check_same_vocabulary(lesson.student, lesson.teacher)
        identity = Identity.of(lesson.student, lesson.teacher, self.k, self.temperature, lesson.max_length)
        cache = TeacherCache.at(lesson.home, identity)
        ids = example_ids(lesson.ids, lesson.examples)
        cache.fill(lesson.teacher, ids, lesson.examples)
        # With the tail in a bucket and cross-entropy beside it nothing is left to advise, however little k tokens hold.
        advised = self.tail == "bucket" and self.alpha < 1
        return cache.load(ids, 0.0) if advised else cache.load(ids)

    def loss(self, at: AnswerPositions, table: Any) -> Any:
        import torch

        taught: Taught = self.bound
        places = taught.starts[at.rows.cpu().numpy()] + at.places.cpu().numpy()
        if not np.array_equal(taught.tokens[places], at.labels.cpu().numpy()):
            raise FlywheelError(f"{self.name}: the teacher read other tokens than the student is trained on")
        device = at.states.device
        logprobs = torch.from_numpy(taught.logprobs[places].astype(np.float32)).to(device)
        top = None if taught.top is None else torch.from_numpy(taught.top[places].astype(np.int64)).to(device)

        def chunk(logits: Any, where: slice) -> Any:
            scaled = logits[:, : taught.vocabulary] / self.temperature
            student = scaled.log_softmax(dim=1) if top is None else top_logprobs(scaled, top[where], self.tail)
            teacher = logprobs[where, : student.shape[1]].log_softmax(dim=1)
            return self.mixed(logits, at.labels[where], student, teacher)

        return linear_loss(at.states, table, chunk)
