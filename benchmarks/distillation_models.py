"""The data, tokenizers and models that every arm of `distillation.py` shares."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import AnswerPositions, Objective
from dataflywheel.distillation.model.divergences import cross_entropy, linear_loss
from dataflywheel.evolution.feedback.evaluate import Evaluate, score_rows
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny, train_tiny
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row, table

STUDENT_ROWS, EXAM_ROWS = 800, 300
LONGEST = 256
"""Tokens of a student's row."""


class LabelSmoothing(Objective):
    """Cross-entropy with a target that gives `share` to all tokens alike: what a teacher without knowledge gives."""

    share: float

    def loss(self, at: AnswerPositions, table: Any) -> Any:
        def chunk(logits: Any, where: slice) -> Any:
            flat = -logits.log_softmax(dim=1).mean(dim=1).sum()
            return (1 - self.share) * cross_entropy(logits, at.labels[where]) + self.share * flat

        return linear_loss(at.states, table, chunk)


def share_of_entropy(entropy: float, vocabulary: int) -> float:
    """The smoothing whose target has this entropy (nats), by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        rest = share / vocabulary
        right = 1 - share + rest
        made = -right * np.log(right) - (vocabulary - 1) * rest * np.log(max(rest, 1e-300))
        low, high = (share, high) if made < entropy else (low, share)
    return low


@dataclass
class Bench:
    """The data, tokenizers and models that all arms share; made once, then found again."""

    options: argparse.Namespace

    @cached_property
    def work(self) -> Path:
        given = self.options
        key = repr((given.steps, given.teacher_tokens, given.size, LONGEST, STUDENT_ROWS, EXAM_ROWS))
        return Path(given.work) / hashlib.blake2b(key.encode(), digest_size=6).hexdigest()

    @cached_property
    def sets(self) -> dict[str, list[Row]]:
        """Rows for teacher, students and evaluation, parted by topic."""
        with gzip.open(Path(self.options.data) / "medquad" / "medquad.jsonl.gz", "rt", encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
        parts: dict[str, list[Row]] = {"teacher": [], "student": [], "exam": []}
        seen = set()
        for row in found:
            if row["answer"] in seen or not row["answer"].strip():
                continue
            seen.add(row["answer"])
            place = hashlib.blake2b(row["focus"].lower().encode(), digest_size=2).digest()[0] / 256
            name = "teacher" if place < 0.6 else "student" if place < 0.88 else "exam"
            if name == "teacher" or 100 <= len(row["answer"]) <= 1500:
                parts[name].append(prompt_answer_row(row["question"], row["answer"]))
        limits = {"student": STUDENT_ROWS, "exam": EXAM_ROWS}
        return {name: sorted(rows, key=lambda r: r["id"])[: limits.get(name)] for name, rows in parts.items()}

    @cached_property
    def teacher(self) -> Path:
        rows = [row["messages"] for row in self.sets["teacher"]]
        tokens = self.options.teacher_tokens
        return train_tiny(rows, "5m", tokens=tokens, cache_dir=self.work / "models")

    @cached_property
    def other_tokenizer(self) -> Path:
        with gzip.open(Path(self.options.data) / "dolly" / "dolly_pool.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = [row["output"] for row in map(json.loads, lines) if row["output"].strip()]
        return pool_tokenizer(texts, cache_dir=self.work / "models")

    def student(self, other: bool, seed: int) -> Path:
        tokenizer = self.other_tokenizer if other else self.teacher
        return init_tiny(tokenizer, self.options.size, seed=seed, cache_dir=self.work / "models")

    @cached_property
    def untrained_teacher(self) -> Path:
        return init_tiny(self.teacher, "5m", seed=99, cache_dir=self.work / "models")

    @cached_property
    def smoothing(self) -> LabelSmoothing:
        """Of the entropy that the teacher's distributions have on the students' rows."""
        model = LanguageModel.load(ModelSpec(hf=str(self.teacher)))
        rows = model.encode([row["messages"] for row in self.sets["student"]], LONGEST)
        scores = model.answer_scores(rows, detail=True)
        entropy = float(np.nansum(scores.entropy * scores.tokens) / scores.tokens.sum())
        return LabelSmoothing(share=share_of_entropy(entropy, len(model.tokenizer)))

    def bits(self, folder: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Bits and bytes of each answer of the evaluation."""
        rows = table(self.sets["exam"])
        model = LanguageModel.load(ModelSpec(hf=str(folder)))
        scores = score_rows(model, rows, ["bits_per_byte"] * len(rows), [""] * len(rows), Evaluate())
        return scores.value, scores.weight
