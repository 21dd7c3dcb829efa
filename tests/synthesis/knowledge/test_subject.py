"""The subject of a document, from many ways to ask about it."""

from __future__ import annotations

import pytest

from dataflywheel.synthesis.knowledge.subject import subject_of


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("What is the Python module `gc` for?", "the Python module `gc`"),
        ('Explain the term "marginal cost".', 'the term "marginal cost"'),
        ("What are the symptoms of Graves' disease ?", "the symptoms of Graves' disease"),
        ("How to diagnose Urinary Incontinence ?", "Urinary Incontinence"),
        ("What causes Beriberi?", "Beriberi"),
        ("Give me an overview of the French Revolution.", "the French Revolution"),
        ("Can you describe photosynthesis?", "photosynthesis"),
        ("Who was Ada Lovelace?", "Ada Lovelace"),
        ("Mitochondria", "Mitochondria"),
        ("", ""),
        ("Is it raining?", ""),
        ("First line.\nSecond line with the passage.", ""),
    ],
)
def test_subjects(prompt: str, subject: str) -> None:
    assert subject_of(prompt) == subject
