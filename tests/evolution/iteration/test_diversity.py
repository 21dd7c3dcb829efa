"""Measures by hand, planted collapses that ring, and real texts that do not."""

from __future__ import annotations

import gzip
import json
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.collapse import encoded, generations
from dataflywheel.contracts import UsageError
from dataflywheel.evolution.iteration.diversity import Diversity, alarms, collapsed, diversity, vendi
from dataflywheel.recipe.rounds.round_outcome import Judgement
from dataflywheel.rows.python_docs import python_docs
from dataflywheel.rows.text import text_of
from dataflywheel.store.round_record import Measure


@pytest.fixture(scope="module")
def answers(data: Path) -> list[str]:
    with gzip.open(data / "dolly" / "dolly_pool.jsonl.gz", "rt", encoding="utf-8") as lines:
        found = [json.loads(line)["output"] for line in lines]
    return [found[i] for i in np.random.default_rng(0).permutation(len(found))]


def rung(first: list[str], now: list[str]) -> set[str]:
    return {one.name for one in diversity(first, now, Diversity(resamples=10)) if one.alarm}


def test_measures_by_hand() -> None:
    texts = ["a b a b"] * 40
    found = {one.name: one for one in diversity(texts, texts, Diversity(resamples=10))}
    size = 20
    raw = "\n".join(["a b a b"] * size).encode()
    assert found["distinct_2"].now == 2 / (3 * size)  # ab ba ab in each
    assert found["distinct_3"].now == 2 / (2 * size)
    assert found["incompressible"].now == len(zlib.compress(raw, 6)) / len(raw)
    assert found["mean_length"].now == 4
    assert found["tail"].now == 0.5  # one of the two words is common
    assert found["novelty"].now == 0
    assert found["novelty"].change != found["novelty"].change
    assert alarms(list(found.values())) == []


def test_vendi_is_the_entropy_of_the_whole_similarity_matrix() -> None:
    rng = np.random.default_rng(0)
    for shape in ((30, 5), (5, 30)):
        vectors = rng.normal(size=shape)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        values = np.linalg.eigvalsh(unit @ unit.T / len(unit))
        values = values[values > 1e-9]
        assert vendi(vectors) == pytest.approx(np.exp(-(values * np.log(values)).sum()))
    copies = np.repeat(np.eye(3), 4, axis=0)
    assert vendi(copies) == pytest.approx(3)


def test_another_sample_of_the_same_texts_rings_nothing(answers: list[str]) -> None:
    for start in range(0, 3000, 600):
        part = answers[start : start + 600]
        assert rung(part[:400], part[400:]) == set()


def test_planted_collapses_ring(answers: list[str]) -> None:
    first, now = answers[:400], answers[400:800]
    assert {"distinct_2", "incompressible"} <= rung(first, now[:20] * 20)
    assert "mean_length" in rung(first, [" ".join(text.split()[:8]) for text in now])
    common = sorted({word for text in first for word in text.split()}, key="\n".join(first).count)[-300:]
    plain = [" ".join(w for w in text.split() if w in common) or "the" for text in now]
    assert "tail" in rung(first, plain)
    assert "novelty" in rung(first, first)


def test_equal_vectors_ring_whatever_the_words_are(answers: list[str]) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 16))
    same = np.ones((400, 16)) + rng.normal(0, 0.1, (400, 16))
    settings = Diversity(resamples=10)
    found = diversity(answers[:400], answers[400:800], settings, vectors=(vectors, same))
    assert [one.name for one in found if one.alarm] == ["vendi"]
    assert "fell by" in alarms(found)[0]
    assert collapsed(found) == [], "one measure alone is told and stops nothing"


@pytest.mark.parametrize(
    ("names", "stops"),
    [
        (["tail"], False),
        (["distinct_2", "distinct_3", "incompressible"], False),
        (["incompressible", "mean_length"], False),
        (["mean_length", "tail"], False),
        (["distinct_2", "tail"], True),
        (["incompressible", "novelty"], True),
        ([], False),
    ],
)
def test_measures_stop_a_wheel_together_and_not_alone(names: list[str], stops: bool) -> None:
    every = ("distinct_2", "distinct_3", "incompressible", "mean_length", "tail", "novelty")
    measures = [Measure.of(name, 0.5, 1.0, 0.9, f"{name} fell" if name in names else "") for name in every]
    judgement = Judgement(True, ["level"], None, measures)
    assert judgement.alarms == [f"{name} fell" for name in names]
    assert judgement.stops == (judgement.alarms if stops else [])
    assert Judgement(True, ["level"], None, measures, ["the judge is pleased"]).stops[-1] == "the judge is pleased"


def test_rows_of_people_about_one_subject_are_no_collapse(answers: list[str]) -> None:
    """Feedback that sends the budget to one skill, and a choice by length, bring such rows."""
    rows = list(python_docs("pool"))
    every = [text_of(rows[i]["messages"]) for i in np.random.default_rng(0).permutation(len(rows))[:300]]
    subjects, settings = ("logging", "pathlib", "decimal"), Diversity(resamples=10)
    rang = []
    for subject in subjects:
        measures = diversity(every, [text_of(r["messages"]) for r in rows if subject in r["tags"]][:300], settings)
        rang += alarms(measures)
        assert collapsed(measures) == [], subject
    assert len(rang) >= 2 * len(subjects), "they ring, and stop nothing"
    by_length = sorted(answers[:1200], key=len, reverse=True)
    assert collapsed(diversity(by_length[:300], by_length[300:600], settings)) == []
    assert collapsed(diversity(answers[:400], [text[:40] for text in answers[400:410]] * 40, settings)), "copies do"


def test_too_few_texts_say_so() -> None:
    with pytest.raises(UsageError, match="19 and 40 texts"):
        diversity(["a"] * 19, ["a"] * 40)


@pytest.mark.slow
def test_replacing_collapses_and_accumulating_does_not(data: Path) -> None:
    real, unseen, words = encoded(data)
    first = [" ".join(words[i] for i in text) for text in real]
    for seed in range(3):
        bits, written = zip(
            *(generations(real, unseen, len(words), mode, seed) for mode in ("replace", "accumulate", "anchor")),
            strict=True,
        )
        replaced, accumulated, anchored = bits
        print(f"\nseed {seed}: replace {replaced[-1]:.3f}, accumulate {accumulated[-1]:.3f}, anchor {anchored[-1]:.3f}")
        assert all(after > before + 0.03 for before, after in pairwise(replaced))
        assert max(accumulated) < accumulated[0] + 0.06 < replaced[1]
        assert anchored[-1] < accumulated[-1] + 0.01
        late = [" ".join(words[i] for i in text) for text in written[0][-1]]
        assert "distinct_2" in rung(first, late)
        for mode in (1, 2):  # words that the model never met are gone from what it writes, whatever it is fitted to
            assert rung(first, [" ".join(words[i] for i in text) for text in written[mode][-1]]) <= {"tail"}
    # At a temperature below 1, as models are asked in practice, the second generation rings already.
    _, cold = generations(real, unseen, len(words), "replace", 0, temperature=0.8)
    assert len(rung(first, [" ".join(words[i] for i in text) for text in cold[1]])) >= 4
