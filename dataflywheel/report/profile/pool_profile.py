"""What is in a pool, as one value: what `profile` gives and its page shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dataflywheel.report.profile.pool_facts import PoolFacts

NEAR = 0.8
LENGTHS = ("tokens_prompt", "tokens_answer", "chars_prompt", "chars_answer")
EXACT = {"prompt": "prompt", "answer": "answer", "whole": "whole row as the model reads it"}
"""Lengths by a tokenizer that was named, as `exact_prompt` and so on, and how they are told."""
NOT_MEASURED = {
    "toxicity": "it takes labels of what counts as toxic (--toxicity LABELS); without them nothing is said about it",
    "names and postal addresses": "personal data is looked for by form: emails, numbers, keys, addresses of machines",
}


@dataclass
class Profile:
    """What is in a pool; `as_dict` gives all of it but the arrays as plain values."""

    pool: str
    files: list[dict[str, Any]]
    rows: int
    merged: int
    quarantined: int
    quarantine_reasons: dict[str, int]
    unread: list[tuple[str, str]]
    """What lies beside the rows and was not read, with the reason."""
    facts: PoolFacts = field(repr=False)
    lengths: dict[str, dict[str, float]]
    """By column: percentiles 5 to 99, mean and max."""
    languages: dict[str, float]
    """Shares of `language_rows` sampled rows, those long enough to tell; empty without the language package."""
    language_rows: int
    near_copies: int
    """Rows that a keep-first pass at Jaccard 0.8 would drop, among `near_rows` rows."""
    near_rows: int
    near_examples: list[tuple[str, str, float]]
    same_prompt: int
    """Rows whose prompt stood before with another answer."""
    outliers: dict[str, int]
    leaks: dict[str, int] | None
    """Rows that match the target, by reason; None where no target was given."""
    toxicity: dict[str, Any] | None
    """Of `rows` that have text those that are `toxic` to a classifier of the `labels`, at its `false_positive_rate`;
    and `false_alarms`, by what makes them look so, on built-in sentences that are not hateful. None without labels."""
    tokenizer: str | None = None
    """By which `lengths` has `exact_prompt`, `exact_answer` and, where it has a chat template, `exact_whole`."""
    not_measured: dict[str, str] = field(default_factory=lambda: dict(NOT_MEASURED))

    def as_dict(self) -> dict[str, Any]:
        own = ["pool", "files", "rows", "merged", "quarantined", "quarantine_reasons", "unread"]
        own += ["lengths", "languages"]
        own += [
            "language_rows",
            "near_copies",
            "near_rows",
            "same_prompt",
            "outliers",
            "leaks",
            "toxicity",
            "tokenizer",
            "not_measured",
        ]
        facts = self.facts
        counted = {name: dict(getattr(facts, name).most_common()) for name in ("sources", "roles", "kinds", "answers")}
        return {
            **{name: getattr(self, name) for name in own},
            **counted,
            "turns": {str(turns): n for turns, n in sorted(facts.turns.items())},
            "tags": dict(facts.tags.most_common(50)),
            "personal_data": {kind: vars(hints) for kind, hints in facts.hints.items()},
        }
