from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import Columns, Decisions, UsageError, build
from dataflywheel.enhancement.preparation.deduplicate import Deduplicate
from dataflywheel.signals.text.near_duplicate import NearDuplicate
from dataflywheel.signals.text.text_statistics import TextStatistics
from tests.enhancement.columns import lookup, measured
from tests.signals.rows import Pair, alpaca

LONG = "The river rises in the mountains, crosses four countries and reaches the sea after nine hundred kilometres"
PAIRS: list[Pair] = [
    ("Describe the river.", f"{LONG}."),
    ("Name a colour.", "Blue is a colour that many people like."),
    ("Describe the river.", f"{LONG} of water."),
    ("Describe the river!", LONG.upper()),
    ("?", "!"),
    ("...", "--"),
]


def dropped(decisions: Decisions) -> dict[str, str | None]:
    return {i: o for i, a, o in zip(decisions.ids, decisions.action, decisions.other, strict=True) if a == "dropped"}


def test_first_copy_stays_and_is_named() -> None:
    columns = measured(PAIRS, NearDuplicate())
    asked: list[str] = []
    found = Deduplicate().decide(columns, lookup(PAIRS, asked=asked), None)
    assert found.ids == columns.ids.tolist()
    assert dropped(found) == {"r000002": "r000000", "r000003": "r000000"}
    assert found.score[3] == 1.0
    assert found.score[2] is not None
    assert 0.8 <= found.score[2] < 1
    assert found.reason[2].startswith("near-duplicate: Jaccard 0.900 >= 0.8")
    assert set(asked) == {"r000000", "r000002", "r000003"}  # texts of candidates only


def test_longest_copy_stays() -> None:
    columns = measured(PAIRS, NearDuplicate(), TextStatistics())
    cleaner = Deduplicate(keep="longest")
    assert set(cleaner.needs()) == {"near_duplicate.signature", "text.chars_prompt", "text.chars_answer"}
    assert dropped(cleaner.decide(columns, lookup(PAIRS), None)) == {"r000000": "r000002", "r000003": "r000002"}


def test_best_scored_copy_stays_and_unscored_rows_come_last() -> None:
    columns = measured(PAIRS, NearDuplicate())
    columns.values["rating.quality"] = np.array([np.nan, 1.0, 2.0, 5.0, 1.0, 1.0])
    found = Deduplicate(keep="rating.quality").decide(columns, lookup(PAIRS), None)
    assert dropped(found) == {"r000000": "r000003", "r000002": "r000003"}


def test_ties_go_to_the_smaller_id() -> None:
    pairs = [("same words here", "again")] * 3
    columns = measured(pairs, NearDuplicate())
    columns.ids = np.array(["r000002", "r000000", "r000001"], dtype=object)
    columns.values["rating.quality"] = np.ones(3)
    found = Deduplicate(keep="rating.quality").decide(columns, lookup(pairs), None)
    assert dropped(found) == {"r000002": "r000000", "r000001": "r000000"}


@pytest.mark.parametrize("semantic", [None, 0.97])
def test_the_order_of_rows_plays_no_part(data: Path, semantic: float | None) -> None:
    rng = random.Random(0)
    texts = [pair for pair in alpaca(data)[:400] if len(pair[1].split()) > 20]
    pairs = [*texts, *((p, a.replace(rng.choice(a.split()), "edit")) for p, a in texts[:150] for _ in range(3))]
    columns = measured(pairs, NearDuplicate())
    vectors = np.random.default_rng(0).normal(size=(len(pairs), 8)).astype(np.float32)
    vectors[len(texts) :: 2] = vectors[: len(vectors[len(texts) :: 2])] + 0.05
    columns.values["embedding.vector"] = vectors
    order = rng.sample(range(len(pairs)), len(pairs))
    ids = columns.ids.tolist()
    shuffled = Columns(columns.ids[order], {name: value[order] for name, value in columns.values.items()})
    cleaner = Deduplicate(semantic=semantic)
    here = cleaner.decide(columns, lookup(pairs), None)
    there = cleaner.decide(shuffled, lookup(pairs), None)
    assert [here.action[k] for k in order] == there.action
    assert [here.other[k] for k in order] == there.other
    assert here.action.count("dropped") > 100
    assert cleaner.decide(columns, lookup(pairs), None).ids == ids
    by_place = [Deduplicate(keep="first").decide(c, lookup(pairs), None).action for c in (columns, shuffled)]
    assert [by_place[0][k] for k in order] != by_place[1]


def test_part_chooses_what_is_compared() -> None:
    pairs = [("What is the capital of France today?", "Paris"), ("what is the capital of france today", "It is Paris")]
    for part, expected in (("prompt", 1), ("answer", 0)):
        cleaner = build(Deduplicate, {"part": part})
        assert isinstance(cleaner, Deduplicate)
        assert cleaner.text == part
        columns = measured(pairs, NearDuplicate(part=cleaner.part))
        assert len(dropped(cleaner.decide(columns, lookup(pairs, cleaner.part), None))) == expected


def test_semantic_copies_among_those_left() -> None:
    columns = measured(PAIRS, NearDuplicate())
    vectors = np.eye(6, dtype=np.float32)
    vectors[4] = vectors[1] + 0.01
    vectors[5] = vectors[2]  # row 2 goes as a near-duplicate, so that row 5 has nothing left to be a copy of
    columns.values["embedding.vector"] = vectors
    columns.values["embedding.status"] = np.zeros(6, dtype=np.uint8)
    found = Deduplicate(semantic=0.95).decide(columns, lookup(PAIRS), None)
    assert dropped(found) == {"r000002": "r000000", "r000003": "r000000", "r000004": "r000001"}
    assert found.reason[4].startswith("semantic duplicate: cosine 1.000 >= 0.95")
    columns.values["embedding.status"][4] = 3  # a failed embedding is no evidence
    assert "r000004" not in dropped(Deduplicate(semantic=0.95).decide(columns, lookup(PAIRS), None))
    assert Deduplicate(near=None, semantic=0.9).needs() == ("embedding.vector",)


def test_nothing_to_compare_keeps_everything() -> None:
    pairs: list[Pair] = [("?", "!"), ("?", "!")]
    assert dropped(Deduplicate().decide(measured(pairs, NearDuplicate()), lookup(pairs), None)) == {}
    assert Deduplicate().decide(measured([], NearDuplicate()), lookup([]), None).ids == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"near": None}, "near, semantic or both"),
        ({"near": 1.2}, "expected 1 or less"),
        ({"keep": "best"}, "'any', 'longest', 'first' or a column"),
        ({"nearr": 0.8}, "did you mean 'near'"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(Deduplicate, parameters)


def test_signatures_are_not_copied() -> None:
    rng = np.random.default_rng(0)
    peaks = []
    for rows in (100, 20_000):  # the first only compiles
        columns = Columns(np.array([f"{i:05d}" for i in rng.permutation(rows)], dtype=object))
        columns.values["near_duplicate.signature"] = rng.integers(0, 2**32, (rows, 128)).astype(np.uint32)
        tracemalloc.start()
        found = Deduplicate(keep="any").decide(columns, lookup([]), None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert set(found.action) == {"kept"}
    assert peaks[1] < columns["near_duplicate.signature"].nbytes
