from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.rouge import RougeIndex, frequencies, indexed, rouge_l
from dataflywheel.signals.words.rouge_kernels import common_subsequences
from dataflywheel.signals.words.shingles import word_hashes
from tests.signals.rows import alpaca

sequences = st.lists(st.lists(st.integers(0, 12), max_size=12), max_size=25)


def common(a: list[int], b: list[int]) -> int:
    """Longest common subsequence, by trying every subset of the shorter side from the largest."""
    if not a or not b:
        return 0
    if a[-1] == b[-1]:
        return common(a[:-1], b[:-1]) + 1
    return max(common(a[:-1], b), common(a, b[:-1]))


def table_of(a: list[int], b: list[int]) -> int:
    best = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            best[i + 1, j + 1] = best[i, j] + 1 if x == y else max(best[i, j + 1], best[i + 1, j])
    return int(best[-1, -1])


def hashes(of: list[int]) -> AnyArray:
    return np.array(of, dtype=np.uint64)


def flat(of: list[list[int]]) -> tuple[AnyArray, AnyArray]:
    return hashes([word for words in of for word in words]), np.cumsum([0, *map(len, of)])


@given(st.lists(st.integers(0, 3), max_size=6), st.lists(st.integers(0, 3), max_size=6))
def test_the_two_references_agree(a: list[int], b: list[int]) -> None:
    assert common(a, b) == table_of(a, b)


@given(sequences, st.lists(st.integers(0, 12), max_size=12), st.sampled_from([0.3, 0.5, 0.7, 0.95]))
def test_the_nearest_above_is_never_missed(held: list[list[int]], query: list[int], threshold: float) -> None:
    index = indexed([str(k) for k in range(len(held))], *flat(held), threshold)
    scores = [rouge_l(table_of(query, other), len(query), len(other)) for other in held]
    best = max(scores, default=0.0)
    found = index.above(index.words(hashes(query)))
    if best > threshold + 1e-9:
        assert found is not None
        assert found == (str(scores.index(best)), pytest.approx(best))
        others = [s if k != scores.index(best) else 0.0 for k, s in enumerate(scores)]
        second = index.above(index.words(hashes(query)), (found[0],))
        assert (second is None) == (max(others) <= threshold + 1e-9)
    else:
        assert found is None


def test_exactly_the_threshold_is_not_above() -> None:
    index = RougeIndex(0.7)
    index.add("a", index.words(hashes(list(range(10)))))
    query = index.words(hashes([*range(7), 20, 21, 22]))  # 7 of 10 and 10 in common: F is 0.7
    assert index.above(query) is None
    assert index.above(index.words(hashes([*range(8), 21, 22]))) == ("a", pytest.approx(0.8))


def test_few_of_real_rows_are_compared_in_full(data: Path) -> None:
    prompts = [prompt for prompt, _ in alpaca(data)[:2000]]
    words, offsets = word_hashes(prompts)
    index = indexed(prompts, words, offsets, 0.7)
    for k in range(0, 2000, 10):
        found = index.above(index.words(words[offsets[k] : offsets[k + 1]]))
        assert found is not None
        assert found[1] == 1.0
    print(f"{index.compared} of {200 * 2000} compared")
    assert index.compared < 0.1 * 200 * 2000


def test_frequencies_count_words() -> None:
    assert frequencies(hashes([3, 1, 3])) == {1: 1, 3: 2}


@pytest.mark.parametrize("sizes", [(63, 65), (64, 64), (200, 130), (1, 300), (129, 1)])
def test_sequences_of_more_words_than_a_machine_word_has_bits(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(sizes[0])
    for words in (2, 9, 400):
        a, b = (rng.integers(0, words, size).tolist() for size in sizes)
        lengths = np.zeros(2, dtype=np.int64)
        common_subsequences(hashes(a), hashes([*b, *a]), np.array([0, len(b)]), np.array([len(b), len(a + b)]), lengths)
        assert lengths.tolist() == [table_of(a, b), len(a)]


@pytest.mark.parametrize("piece", ["7 ", "-", "\n", "a", "one two ", "は", "word1 word2 word3 "])
def test_a_megabyte_of_odd_text_takes_linear_time(piece: str) -> None:
    text = piece * (10**6 // len(piece))
    words, offsets = word_hashes([text, text + " more", "short"])
    began = time.process_time()
    index = indexed(["a", "b", "c"], words, offsets, 0.7)
    found = index.above(index.words(words[offsets[1] : offsets[2]]), ["b"])
    assert time.process_time() - began < 4
    assert (found is not None) == (" " in piece)  # the others are one word, or none
