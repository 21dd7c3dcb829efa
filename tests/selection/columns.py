"""Columns built by hand for the tests of selectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from dataflywheel.contracts import Columns, Status


def unit(vectors: Any) -> Any:
    vectors = np.asarray(vectors, dtype=np.float64)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def scored(scores: list[float]) -> Columns:
    """Rows with nothing but `x.score`, with ids in their order."""
    return Columns(np.array([f"row-{i}" for i in range(len(scores))]), {"x.score": np.array(scores)})


def make_columns(n: int, seed: int = 0, width: int = 8) -> Columns:
    """`n` rows with every column that a selector reads; ids are in random order."""
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {
        "text.tokens_prompt": rng.integers(1, 40, n),
        "text.tokens_answer": rng.integers(1, 200, n),
        "text.chars_answer": rng.integers(1, 900, n),
        "likelihood.loss_answer_given_prompt": rng.gamma(4, 0.3, n),
        "likelihood.loss_answer": rng.gamma(6, 0.3, n),
        "likelihood.answer_tokens": rng.integers(1, 200, n),
        "embedding.vector": unit(rng.standard_normal((n, width))) if n else np.zeros((0, width), np.float32),
        "row.source": rng.choice(["alpaca", "dolly", "flan"], n, p=[0.8, 0.15, 0.05]) if n else np.array([], dtype=str),
        "row.tags": np.array([["math"] if i % 3 else None for i in range(n)], dtype=object),
        "row.copies": np.ones(n, dtype=np.int32),
        "alpagasus.score": rng.integers(0, 11, n) / 2,
    }
    values["instag.tags"] = np.empty(n, dtype=object)
    values["instag.tags"][:] = [sorted(rng.choice(list("abcdefghij"), rng.integers(1, 4), False)) for _ in range(n)]
    cluster = rng.integers(0, 3, n)
    values["cluster.vector"] = unit(np.eye(3)[cluster] + rng.normal(0, 0.05, (n, 3))) if n else np.zeros((0, 3))
    values["ds2_rating.overall"] = 5.0 + np.where(rng.random(n) < 0.9, cluster, (cluster + 1) % 3)
    values["hidden_state.vector"] = rng.standard_normal((n, width)).astype(np.float32)
    values["gradient_projection.vector"] = unit(rng.standard_normal((n, width))) if n else np.zeros((0, width))
    values["prompt_group.key"] = np.array([f"{i:03d}" for i in rng.integers(0, max(n, 1), n)], dtype=object)
    values["trajectory.losses"] = rng.gamma(4, 0.3, (n, 5)).astype(np.float32)
    values["hashed_ngrams.buckets"] = ngrams(n, np.random.default_rng([n, 7]))
    values["row.text"] = worded(n, np.random.default_rng([n, 8]))
    values["own_answer.reward"] = rng.normal(0, 1, n).astype(np.float32)
    values["row.learned"] = rng.random(n) < 0.1
    for signal in {name.split(".")[0] for name in values} - {"row"}:
        values[f"{signal}.status"] = np.full(n, Status.OK, dtype=np.uint8)
    ids = np.array([f"row-{i:06d}" for i in rng.permutation(n)], dtype=str)
    return Columns(ids, values, make_target(width))


def make_target(width: int = 8, n: int = 12) -> Columns:
    """Evaluation rows of three slices, with what targeted selectors read."""
    rng = np.random.default_rng(99)
    names = ("hidden_state.vector", "gradient_projection.vector", "embedding.vector")
    values: dict[str, Any] = {name: unit(rng.standard_normal((n, width))) for name in names}
    values["hashed_ngrams.buckets"] = ngrams(n, np.random.default_rng([n, 7]))
    values["row.text"] = worded(n, np.random.default_rng([n, 8]))
    values["row.slice"] = np.array([f"slice-{i % 3}" for i in range(n)], dtype=object)
    return Columns(np.array([f"target-{i:02d}" for i in rng.permutation(n)], dtype=str), values)


def ngrams(n: int, rng: np.random.Generator) -> Any:
    """Hashed n-grams of `n` texts of 3 to 12 words."""
    found = np.empty(n, dtype=object)
    found[:] = [rng.integers(0, 10_000, 2 * rng.integers(3, 13) - 1).astype("<u2").tobytes() for _ in range(n)]
    return found


def worded(n: int, rng: np.random.Generator) -> Any:
    """`n` texts of 3 to 12 of a hundred words."""
    found = np.empty(n, dtype=object)
    found[:] = [" ".join(f"word{i}" for i in rng.integers(0, 100, rng.integers(3, 13))) for _ in range(n)]
    return found


def vectors_only(vectors: Any, ids: list[str] | None = None) -> Columns:
    vectors = np.asarray(vectors, dtype=np.float32)
    names = ids or [f"row-{i:06d}" for i in range(len(vectors))]
    return Columns(np.array(names), {"embedding.vector": vectors})


def likelihood(given: list[float], alone: list[float] | None = None) -> Columns:
    """Losses of the answer given its prompt, and alone; ids in order."""
    values = {"likelihood.loss_answer_given_prompt": np.array(given)}
    if alone is not None:
        values["likelihood.loss_answer"] = np.array(alone)
    return Columns(np.array([f"r{i}" for i in range(len(given))]), values)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)
