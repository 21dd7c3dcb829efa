"""Hashed n-grams: buckets as the authors' package computes them, and the same counts with either hash."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Status
from dataflywheel.signals.text.hashed_ngrams import BUCKETS, WORD, HashedNgrams, bucket_counts
from tests.signals.rows import alpaca, batch


def buckets(signal: HashedNgrams, *answers: str) -> list[list[int] | None]:
    values = signal.measure(batch([("", text) for text in answers]))["buckets"]
    return [None if v is None else np.frombuffer(v, "<u2").tolist() for v in values.to_pylist()]  # type: ignore[union-attr]


def sha256_bucket(gram: str) -> int:
    return int(hashlib.sha256(gram.encode()).hexdigest(), 16) % 10_000


def test_buckets_of_the_authors_package() -> None:
    """Values that data-selection 1.0.3 gives for these n-grams."""
    (found,) = buckets(HashedNgrams(hash="sha256"), "The cat")
    assert found is not None
    assert (found[0], found[2]) == (8288, 143)
    (found,) = buckets(HashedNgrams(hash="sha256"), "a + ):")
    assert found is not None
    assert (found[2], found[3]) == (9524, 7186)


@given(st.text(alphabet="aB1 .,_é\n", max_size=30))
def test_sha256_is_the_plain_formula(text: str) -> None:
    words = WORD.findall(text.lower())
    expected = [sha256_bucket(gram) for gram in words + [" ".join(pair) for pair in pairwise(words)]]
    assert buckets(HashedNgrams(hash="sha256"), text) == [expected or None]


@given(st.lists(st.text(alphabet="ab .", max_size=12), min_size=1, max_size=5))
def test_the_fast_hash_counts_the_same_n_grams(texts: list[str]) -> None:
    """Few distinct n-grams fall into one bucket, so the counts must be equal up to the buckets' names."""
    fast, slow = (buckets(HashedNgrams(hash=h), *texts) for h in ("fast", "sha256"))  # type: ignore[arg-type]
    for a, b in zip(fast, slow, strict=True):
        assert sorted(Counter(a or []).values()) == sorted(Counter(b or []).values())
        assert a == buckets(HashedNgrams(), texts[fast.index(a)])[0]


def test_rows_do_not_depend_on_their_neighbours(data: Path) -> None:
    pairs = alpaca(data)[:60]
    together = HashedNgrams().measure(batch(pairs))["buckets"].to_pylist()  # type: ignore[union-attr]
    alone = [HashedNgrams().measure(batch([pair]))["buckets"].to_pylist()[0] for pair in pairs]  # type: ignore[union-attr]
    assert together == alone
    assert bucket_counts(together).sum() == sum(len(value) // 2 for value in together)
    assert len(bucket_counts(together)) == BUCKETS


def test_parts_and_empty_rows() -> None:
    rows = batch([("only prompt", " "), (" ", " \n"), ("", "Word")])
    found = HashedNgrams().measure(rows)
    assert list(found["status"]) == [Status.OK, Status.EMPTY, Status.OK]
    assert [v is None for v in found["buckets"].to_pylist()] == [False, True, False]  # type: ignore[union-attr]
    answers = HashedNgrams(part="answer").measure(rows)
    assert list(answers["status"]) == [Status.EMPTY, Status.EMPTY, Status.OK]


def test_words_of_other_scripts_are_not_torn_at_their_marks() -> None:
    hindi, thai = buckets(HashedNgrams(), "हिन्दी में", "สวัสดีครับ")
    assert hindi is not None
    assert thai is not None
    assert (len(hindi), len(thai)) == (3, 3)
    assert buckets(HashedNgrams(), "كتـــاب جديد") == buckets(HashedNgrams(), "كِتَاب جديد")
