"""Imputation: planted dependencies fill exactly, real tables as often as it says, and what is not known stays empty."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataflywheel.enhancement.tables.columns import columns_of
from dataflywheel.enhancement.tables.fill_table import FillTable
from dataflywheel.enhancement.tables.nearest_rows import by_neighbours
from dataflywheel.enhancement.tables.predicted import foretold, voice
from tests.enhancement.tables.support import mend, places, propose, read, seeds


def test_what_another_column_says_is_filled_in_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    clean = places(500, rng)
    dirty = [dict(line) for line in clean]
    for i in rng.permutation(500)[:60].tolist():
        dirty[i][("city", "state", "amount")[i % 3]] = ("", "?", "N/A")[i // 3 % 3]
    after = mend(FillTable(least=0.9), dirty)
    cells = [(i, k) for i, line in enumerate(dirty) for k in ("city", "state") if line[k] != clean[i][k]]
    assert len(cells) > 30
    assert all(after[i][k] == clean[i][k] for i, k in cells)
    assert [a["amount"] for a in after] == [d["amount"] for d in dirty]


def test_a_voice_is_what_the_other_rows_say() -> None:
    rng = np.random.default_rng(4)
    lines = [{"a": str(a), "b": f"{a % 3 if rng.random() < 0.8 else 9}", "c": ""} for a in rng.integers(0, 12, 200)]
    lines[5]["b"], lines[6]["a"] = "", "?"
    table = columns_of(lines)
    said = voice((table["a"],), table["b"])
    assert said is not None
    hits = []
    for i, line in enumerate(lines):
        others = [o["b"] for j, o in enumerate(lines) if j != i and o["a"] == line["a"] != "?" and o["b"]]
        value = table["b"].value(int(said.codes[i])) if said.codes[i] >= 0 else None
        assert (value is None) == (not others), i
        if others:
            assert others.count(value) == max(map(others.count, others))
            assert said.share[i] == pytest.approx(others.count(value) / len(others))
            hits += [value == line["b"]] if line["b"] else []
    assert said.right == pytest.approx(np.mean(hits))
    assert voice((table["c"],), table["b"]) is None


def test_neighbours_are_the_nearest_by_cosine() -> None:
    rng = np.random.default_rng(5)
    words = np.array(["red", "blue", "green", "round", "square", "heavy", "light"])
    lines = [{"kind": str(k), "text": " ".join(rng.choice(words[k::2], 3))} for k in rng.integers(0, 2, 80)]
    lines[0]["kind"] = lines[1]["kind"] = ""
    table = columns_of(lines)
    found = by_neighbours(table, "kind")
    from sklearn.feature_extraction.text import TfidfVectorizer

    parts = [[*(line["text"].split()), line["text"]] for line in lines]
    vectors = TfidfVectorizer(analyzer=lambda p: p).fit_transform(parts).toarray()
    for i in range(len(lines)):
        cosine = vectors @ vectors[i]
        known = [j for j in range(len(lines)) if j != i and lines[j]["kind"]]
        near = sorted(known, key=lambda j: -cosine[j])[:5]
        total = {k: sum(cosine[j] for j in near if lines[j]["kind"] == k) for k in "01"}
        ties = [j for j in known if abs(cosine[j] - cosine[near[-1]]) < 1e-6]
        if len(set(ties) - set(near)) == 0 and abs(total["0"] - total["1"]) > 1e-6:
            assert table["kind"].value(int(found.codes[i])) == max(total, key=total.__getitem__)


@pytest.mark.parametrize("name", ["impute_restaurant/restaurant_5_1.csv", "impute_bridges/bridges_5_1.csv"])
def test_real_tables_are_filled_as_often_right_as_it_says(name: str, data: Path) -> None:
    dirty, clean = read(data / name), read((data / name).parent / "clean.csv")
    for least in (0.7, 0.8):
        made = propose(FillTable(least=least), seeds(dirty))
        told = [(i, one) for i, p in enumerate(made) for one in p.facts.get("cells", ())]
        gaps = [(i, one) for i, one in told if dirty[i][one["column"]] != clean[i][one["column"]]]
        right = [one["after"] == clean[i][one["column"]] for i, one in gaps]
        said = [one["confidence"] for _, one in gaps]
        assert len(right) >= 10
        assert np.mean(right) >= np.mean(said) - 2 * np.sqrt(0.25 / len(right))
        if least == 0.7:
            lines = list(zip(dirty, clean, strict=True))
            assert sum(right) > 0.2 * sum(d[k] != c[k] for d, c in lines for k in d)


def test_a_table_that_says_nothing_is_left_alone() -> None:
    rng = np.random.default_rng(6)
    lines = [{"x": f"{rng.random():.6f}", "y": f"{rng.random():.6f}"} for _ in range(100)]
    lines[0]["y"] = ""
    assert mend(FillTable(), lines) == lines
    assert mend(FillTable(), [{"x": ""}, {"x": ""}]) == [{"x": ""}, {"x": ""}]
    assert foretold(columns_of(lines), "y").codes.tolist() == [-1] * 100
