"""ROUGE-L against its definition, and the index against comparing with every text."""

from __future__ import annotations

import gzip
import time
from functools import cache
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.synthesis.rouge_l import RougeIndex, rouge_l

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "D", "e!"]), max_size=12).map(" ".join)


def by_definition(one: str, other: str) -> float:
    first, second = (text.lower().replace("!", "").split() for text in (one, other))

    @cache
    def common(i: int, j: int) -> int:
        if not i or not j:
            return 0
        if first[i - 1] == second[j - 1]:
            return common(i - 1, j - 1) + 1
        return max(common(i - 1, j), common(i, j - 1))

    both = common(len(first), len(second))
    if not both:
        return 0.0
    precision, recall = both / len(first), both / len(second)
    return 2 * precision * recall / (precision + recall)


@given(TEXTS, TEXTS)
def test_it_is_the_harmonic_mean_of_precision_and_recall(one: str, other: str) -> None:
    assert rouge_l(one, other) == pytest.approx(by_definition(one, other))


@given(st.lists(TEXTS, max_size=8), TEXTS, st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]))
def test_the_index_decides_as_comparing_with_all_does(known: list[str], text: str, most: float) -> None:
    index = RougeIndex()
    for one in known:
        index.add(one)
    expected = next(((i, v) for i, one in enumerate(known) if (v := rouge_l(text, one)) > most), None)
    assert index.too_close(text, most) == expected


def test_decisions_on_real_instructions_are_those_of_the_exhaustive_filter(data: Path) -> None:
    """175 human seeds and what a model wrote from them, one by one as Self-Instruct adds them."""
    lines = (data / "self_instruct" / "seed_tasks.jsonl").read_bytes().splitlines()
    seeds = [orjson.loads(line)["instruction"] for line in lines]
    written = gzip.decompress((data / "alpaca_libre" / "alpaca_libre_tasks_v1.jsonl.gz").read_bytes()).splitlines()
    rows = [orjson.loads(line) for line in written[:600]]
    candidates = [row["instruction"] for row in rows]
    known = list(seeds)
    started = time.perf_counter()
    exhaustive = []
    for text in candidates:
        close = any(rouge_l(text, one) > 0.7 for one in known)
        exhaustive.append(close)
        if not close:
            known.append(text)
    slow = time.perf_counter() - started
    started = time.perf_counter()
    index = RougeIndex()
    for one in seeds:
        index.add(one)
    indexed = []
    for text in candidates:
        indexed.append(index.too_close(text, 0.7) is not None)
        if not indexed[-1]:
            index.add(text)
    fast = time.perf_counter() - started
    agree = sum((row["status"] == "too similar") == close for row, close in zip(rows, indexed, strict=True))
    print(
        f"{sum(indexed)} of {len(rows)} too close, {agree} as their authors marked; {slow:.2f} s by all, {fast:.2f} s"
    )
    assert indexed == exhaustive
    assert 30 < sum(indexed) < 500
    assert fast * 3 < slow
