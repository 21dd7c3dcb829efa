"""Four skills over the same words, told apart only by what is asked and what is right."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa

from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import train_tiny
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from tests.models.copy_skill import WORDS, conversation

SKILLS = {
    "repeat": lambda words: " ".join(words),
    "spell": lambda words: ", ".join("-".join(word) for word in words),
    "count": lambda words: f"there are {sum(map(len, words))} letters in it",
    "say the first of": lambda words: f"{words[0]}, which comes before {words[1]}",
}


def skill_rows(skill: str, count: int, seed: int) -> pa.Table:
    """Rows of one skill; the source says which."""
    draw = random.Random(f"{seed} {skill}")
    made = []
    for _ in range(count):
        words = draw.sample(WORDS, draw.randint(2, 6))
        made.append(make_row(conversation(f"{skill}: {' '.join(words)}", SKILLS[skill](words)), source=skill))
    return table(made)


def mixed_pool(each: int, seed: int = 0) -> pa.Table:
    """All skills, shuffled."""
    whole = pa.concat_tables([skill_rows(skill, each, seed) for skill in SKILLS])
    return whole.take(pa.array(np.random.default_rng(seed).permutation(len(whole))))


def pool_model(pool: pa.Table, tokens: int = 60_000) -> ModelSpec:
    """A model of half a million weights that has begun to learn them."""
    rows = pool["messages"].to_pylist()
    return ModelSpec(hf=str(train_tiny(rows, "0.5m", tokens=tokens, cache_dir=None)))
