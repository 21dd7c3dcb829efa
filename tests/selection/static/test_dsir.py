"""DSIR: weights by the formula, bit for bit where the authors' package is repeated, and sets nearer to the target."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import Columns, UsageError
from dataflywheel.selection.static.dsir import DSIR, log_ratio, log_weights
from dataflywheel.signals.text.hashed_ngrams import HashedNgrams, bucket_counts
from tests.selection.columns import generator, make_columns
from tests.signals.rows import Pair, alpaca, batch, json_lines

POOL = ["The cat sat on the mat.", "Add two numbers: a + b.", "Return the sum of a list, e.g. add(a, b)."]
TARGET = ["def add(a, b):\n    return a + b", "Add two numbers."]
FROM_THE_PACKAGE = (-174.52253852097147, -50.4656291101966, -267.05339876306834)
"""What data-selection 1.0.3 gives for these texts with all its defaults but the minimum length."""


def columns(pairs: list[Pair], target: list[Pair] | None = None, **signal: Any) -> Columns:
    found = HashedNgrams(**signal).measure(batch(pairs))
    values = {"hashed_ngrams.buckets": found["buckets"].to_numpy(zero_copy_only=False)}  # type: ignore[union-attr]
    values["hashed_ngrams.status"] = np.asarray(found["status"])
    ids = np.array([f"r{i:06d}" for i in range(len(pairs))])
    return Columns(ids, values, None if target is None else columns(target, **signal))


def texts(*answers: str) -> list[Pair]:
    return [("", text) for text in answers]


def test_weights_of_the_authors_package() -> None:
    given = columns(texts(*POOL), texts(*TARGET), hash="sha256")
    selection = DSIR(weight="sum", pseudo_count=0, noise=0).rank(given, 3, generator())
    assert selection.order.tolist() == [1, 0, 2]
    assert selection.gain == pytest.approx([FROM_THE_PACKAGE[i] for i in (1, 0, 2)], rel=1e-13)


@pytest.mark.parametrize("pseudo_count", [0.0, 0.1, 2.0])
def test_weights_are_those_of_the_formula(pseudo_count: float) -> None:
    given = columns(texts(*POOL), texts(*TARGET))
    assert given.target is not None
    rows, wanted = (
        [Counter(np.frombuffer(v, "<u2").tolist()) for v in side["hashed_ngrams.buckets"]]
        for side in (given, given.target)
    )
    pool, target = sum(rows, Counter()), sum(wanted, Counter())
    added = 10_000 * pseudo_count
    expected = []
    for row in rows:
        weight = 0.0
        for bucket, count in row.items():
            share = pool[bucket] / pool.total()
            likeness = (target[bucket] + added * share) / (target.total() + added)
            weight += count * (math.log(likeness + 1e-8) - math.log(share + 1e-8))
        expected.append(weight)
    found = DSIR(weight="sum", pseudo_count=pseudo_count, noise=0).rank(given, 3, generator())
    assert found.gain[np.argsort(found.order)] == pytest.approx(expected, rel=1e-10)
    size = np.array([row.total() for row in rows])
    mean = DSIR(weight="mean", pseudo_count=pseudo_count, noise=0).rank(given, 3, generator())
    assert mean.gain[np.argsort(mean.order)] == pytest.approx(np.array(expected) / size * size.mean(), rel=1e-10)


def test_the_draw_follows_the_weights() -> None:
    """The first of two rows is drawn in proportion to exp(weight)."""
    given = columns(texts("a a a b", "a b b b"), texts("a a b"))
    weight = DSIR(weight="sum", pseudo_count=1.0, noise=0).rank(given, 2, generator())
    share = 1 / (1 + math.exp(weight.gain[1] - weight.gain[0]))
    first = [DSIR(weight="sum", pseudo_count=1.0).rank(given, 1, generator(s)).order[0] for s in range(2000)]
    assert np.mean(np.array(first) == weight.order[0]) == pytest.approx(share, abs=0.04)


def test_a_word_that_the_target_lacks_does_not_decide() -> None:
    """With a pseudo-count a row like the target but for one word comes before one unlike it."""
    pool = ["add two numbers and a zebra", "zebra giraffe", "add", "the cat sat there"]
    given = columns(texts(*pool), texts("add two numbers", "and a number"))
    with_it, without = (DSIR(weight="sum", pseudo_count=p, noise=0).rank(given, 4, generator()) for p in (0.1, 0.0))
    worst = {p: s.gain[list(s.order).index(0)] for p, s in (("with", with_it), ("without", without))}
    assert worst["without"] < 0 < worst["with"] + 30
    assert worst["with"] > worst["without"] + 20


def divergence(target: Any, chosen: Any) -> float:
    """KL(target || chosen) over buckets, one count added to each of the chosen ones."""
    p, q = target / target.sum(), (chosen + 1) / (chosen + 1).sum()
    seen = p > 0
    return float((p[seen] * np.log(p[seen] / q[seen])).sum())


@pytest.mark.parametrize("weight", ["sum", "mean"])
def test_selected_rows_are_nearer_to_a_code_target_than_random_ones(data: Path, weight: str) -> None:
    medical = [(r["question"], r["answer"]) for r in json_lines(data / "medquad" / "medquad.jsonl.gz")]
    code = [
        ("\n\n".join(filter(None, (r["instruction"], r["input"]))), r["output"])
        for r in json_lines(data / "code_alpaca" / "code_alpaca_2k.jsonl.gz")
    ]
    given = columns(alpaca(data)[::8] + medical[::8], code[::2])
    assert given.target is not None
    grams = given["hashed_ngrams.buckets"]
    target = bucket_counts(list(given.target["hashed_ngrams.buckets"]))

    def of(order: Any) -> float:
        return divergence(target, bucket_counts([grams[i] for i in order[:200]]))

    found = [of(DSIR.model_validate({"weight": weight}).rank(given, 200, generator(s)).order) for s in range(3)]
    random = [of(generator(s).permutation(len(given))) for s in range(10)]
    assert max(found) < 0.6 * min(random)


def test_length_has_no_say_in_the_mean() -> None:
    """The same text twice over weighs the same by mean and twice as much by sum."""
    ratio = log_ratio(bucket_counts([b"\1\0" * 4 + b"\2\0"]), bucket_counts([b"\1\0\2\0"]))
    values = np.array([b"\1\0\2\0\2\0", b"\1\0\2\0\2\0" * 2], dtype=object)
    weight, size = log_weights(values, ratio)
    assert weight[1] == 2 * weight[0]
    assert (weight / size)[0] == (weight / size)[1]


def test_without_a_target_it_refuses() -> None:
    columns = make_columns(20)
    columns.target = None
    with pytest.raises(UsageError, match="target"):
        DSIR().rank(columns, 5, generator())
    assert DSIR.targeted
