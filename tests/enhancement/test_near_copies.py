from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.enhancement.preparation.near_copies import banding, near_duplicates
from dataflywheel.signals.words.shingles import shingle_hashes, signatures, signed_shingles
from tests.signals.rows import json_lines, p3
from tests.signals.words import jaccard, shingles

Sets = list[set[tuple[str, ...]]]


def pairs_at(sets: Sets, threshold: float) -> dict[tuple[int, int], float]:
    """All pairs at the threshold or above, by brute force over those that share a shingle."""
    holders: dict[tuple[str, ...], list[int]] = {}
    shared: dict[tuple[int, int], int] = {}
    for i, found in enumerate(sets):
        for shingle in found:
            for j in holders.setdefault(shingle, []):
                shared[j, i] = shared.get((j, i), 0) + 1
            holders[shingle].append(i)
    similarity = {(j, i): n / (len(sets[i]) + len(sets[j]) - n) for (j, i), n in shared.items()}
    return {pair: value for pair, value in similarity.items() if value >= threshold}


def keep_first(rows: int, pairs: dict[tuple[int, int], float]) -> list[bool]:
    earlier: dict[int, list[int]] = {}
    for j, i in pairs:
        earlier.setdefault(i, []).append(j)
    kept: list[bool] = []
    for i in range(rows):
        kept.append(not any(kept[j] for j in earlier.get(i, [])))
    return kept


def edited(text: str, share: float, random_: random.Random) -> str:
    words = text.split(" ")
    for place in random_.sample(range(len(words)), max(1, round(share * len(words)))):
        words[place] = f"edit{random_.randrange(10**6)}"
    return " ".join(words)


def test_recall_and_precision_against_brute_force(data: Path) -> None:
    chosen = random.Random(0).sample(p3(data), 3500)
    sets = [shingles(text) for text in chosen]
    pairs = pairs_at(sets, 0.8)
    found = near_duplicates(chosen, 0.8)
    truly_copies = {i for _, i in pairs}
    assert len(truly_copies) > 150
    expected = keep_first(len(chosen), pairs)
    assert np.mean(found.kept == np.array(expected)) > 0.9995
    # Every pair has a dropped member, unless the search missed it.
    covered = [not (found.kept[i] and found.kept[j]) for j, i in pairs]
    print(f"pairs {len(pairs)}, dropped {len(found.dropped)}, pair recall {np.mean(covered):.5f}")
    assert np.mean(covered) >= 0.98
    for row, other, similarity in zip(found.dropped, found.copy_of, found.similarity, strict=True):
        truth = jaccard(sets[row], sets[other])
        assert found.kept[other]
        assert truth >= 0.8 - 1e-12
        assert truth == pytest.approx(similarity)


def test_planted_copies_with_three_percent_of_the_words_changed(data: Path) -> None:
    random_ = random.Random(1)
    originals = [text for text in p3(data) if 40 < len(text.split(" ")) < 300]
    originals = [originals[i] for i in np.flatnonzero(near_duplicates(originals, 0.5).kept)][:1500]
    copies = [edited(text, 0.03, random_) for text in originals[:500]]
    truth = [jaccard(shingles(a), shingles(b)) for a, b in zip(originals, copies, strict=False)]
    found = near_duplicates([*originals, *copies], 0.8)
    assert found.kept[:1500].all()
    copy_of = dict(zip(found.dropped.tolist(), found.copy_of.tolist(), strict=True))
    similar = [k for k in range(500) if truth[k] >= 0.8]
    assert len(similar) > 350
    assert np.mean([copy_of.get(1500 + k) == k for k in similar]) >= 0.98
    assert all(1500 + k not in copy_of for k in range(500) if truth[k] < 0.8)


WORDS = st.lists(st.sampled_from("abcdef"), max_size=7).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=40), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_keep_first_law(texts: list[str], threshold: float) -> None:
    found = near_duplicates(texts, threshold)
    sets = [shingles(text) for text in texts]
    copy_of = dict(zip(found.dropped.tolist(), found.copy_of.tolist(), strict=True))
    assert sorted(copy_of) == np.flatnonzero(~found.kept).tolist()
    for row, other in copy_of.items():
        assert other < row
        assert found.kept[other]
        assert jaccard(sets[row], sets[other]) >= threshold
    assert all(found.kept[i] for i, shingle_set in enumerate(sets) if not shingle_set)
    first: dict[frozenset[tuple[str, ...]], int] = {}
    for i, shingle_set in enumerate(sets):  # equal sets are never missed
        if shingle_set and first.setdefault(frozenset(shingle_set), i) != i:
            assert not found.kept[i]


def test_texts_of_more_words_than_there_is_room_for(data: Path) -> None:
    crowded = [" ".join(random.Random(i).choices("abcdefghij", k=200)) for i in range(30)]  # two characters a word
    ordinary = p3(data)[:4000]  # several megabytes: pieces of both kinds
    for texts in (crowded, [*ordinary, *crowded * 400]):
        signature, words, (flat, begins, ends) = signed_shingles(texts)
        assert np.array_equal(signature, signatures(texts)[0])
        expected, offsets = shingle_hashes(texts)
        assert words.sum() >= len(expected)
        assert np.array_equal(ends - begins, np.diff(offsets))
        for i in range(0, len(texts), 7):
            assert np.array_equal(flat[begins[i] : ends[i]], expected[offsets[i] : offsets[i + 1]])


def test_chain_keeps_what_only_resembles_a_dropped_row() -> None:
    words = [f"w{i}" for i in range(30)]
    a, b, c = words[:22], words[1:23], words[3:25]
    assert jaccard(shingles(" ".join(a)), shingles(" ".join(b))) >= 0.8
    assert jaccard(shingles(" ".join(b)), shingles(" ".join(c))) >= 0.8
    assert jaccard(shingles(" ".join(a)), shingles(" ".join(c))) < 0.8
    found = near_duplicates([" ".join(x) for x in (a, b, c)], 0.8)
    assert found.kept.tolist() == [True, False, True]
    assert near_duplicates([" ".join(x) for x in (b, a, c)], 0.8).kept.tolist() == [True, False, False]


def test_empty_unicode_and_identical_rows() -> None:
    texts = [
        "",
        "?!",
        "黑豹队 赢了 比赛",
        "黑豹队赢了比赛。",
        "Größe",
        "GRÖSSE",
        "größe!",
        "🙂 🙂 🙂",
        "🙂🙂🙂",
        "",
        "yes",
        "no",
        "Yes",
    ]
    found = near_duplicates(texts, 0.8)
    assert found.dropped.tolist() == [3, 5, 6, 8, 12]
    assert found.copy_of.tolist() == [2, 4, 4, 7, 10]
    assert near_duplicates([], 0.8).kept.tolist() == []
    assert near_duplicates(["same text"] * 5, 1.0).kept.tolist() == [True, False, False, False, False]


def test_thousands_of_boilerplate_rows_are_cheap() -> None:
    boilerplate = [
        f"The requested page could not be found on this server, error {i % 7}, try again." for i in range(40_000)
    ]
    near_duplicates(boilerplate[:10])
    started = time.process_time()
    found = near_duplicates(boilerplate)
    assert found.kept.sum() <= 7
    assert time.process_time() - started < 10  # all pairs would be 800 million


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_banding_finds_pairs_at_the_threshold(threshold: float) -> None:
    bands, rows = banding(threshold)
    assert bands * rows <= 128
    assert 1 - (1 - threshold**rows) ** bands >= 0.98


def test_recall_of_rows_marked_too_similar(data: Path) -> None:
    rows = json_lines(data / "alpaca_libre" / "alpaca_libre_tasks_v1.jsonl.gz")
    prompts = [r["instruction"] for r in rows]
    marked, fine = (np.array([r["status"] == status for r in rows]) for status in ("too similar", "ok"))
    recalled = {}
    for threshold in (0.8, 0.5, 0.3):
        dropped = ~near_duplicates(prompts, threshold).kept
        recalled[threshold] = dropped[marked].mean()
        print(
            f"at {threshold}: {dropped[marked].mean():.3f} of {marked.sum()} marked, {dropped[fine].mean():.3f} of ok"
        )
        assert dropped[marked].mean() > 3 * dropped[fine].mean()
    # The marks come from the longest common subsequence of seven-word sentences, which is a far looser measure.
    assert recalled[0.3] > 0.5
    assert recalled[0.8] > 0.1
