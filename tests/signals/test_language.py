from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import Status
from dataflywheel.signals.text.language import Language
from tests.signals.rows import batch, json_lines

pytest.importorskip("lingua")


def paragraphs(data: Path, language: str, rows: int) -> list[tuple[str, str]]:
    found = json_lines(data / "xquad" / f"xquad.{language}.jsonl.gz")
    return [("", text) for text in dict.fromkeys(r["context"][:300] for r in found)][:rows]


def test_parallel_paragraphs_are_told_apart(data: Path) -> None:
    for language in ("en", "de", "zh"):
        found = Language(accurate=False).measure(batch(paragraphs(data, language, 30)))
        assert found["code"].to_pylist().count(language) >= 28
        assert ((found["confidence"] > 0) & (found["confidence"] <= 1)).all()


def test_batches_change_nothing(data: Path) -> None:
    pairs = [pair for trio in zip(*(paragraphs(data, c, 8) for c in ("en", "de", "zh")), strict=True) for pair in trio]
    pairs += [("", "ok"), ("", "hello there"), ("", "42"), ("", "")]
    signal = Language(accurate=False)
    whole = signal.measure(batch(pairs))
    for size in (1, 5):
        parts = [signal.measure(batch(pairs[i : i + size])) for i in range(0, len(pairs), size)]
        assert whole["code"].to_pylist() == [code for part in parts for code in part["code"].to_pylist()]
        assert np.array_equal(whole["confidence"], np.concatenate([p["confidence"] for p in parts]), equal_nan=True)
        assert whole["status"].tolist() == [status for part in parts for status in part["status"].tolist()]


def test_no_letters_no_language_and_long_text_is_marked() -> None:
    long = "This is an ordinary English sentence, and it goes on for quite a while. " * 10
    found = Language(accurate=False).measure(batch([("", "12 + 5 = 17"), ("", ""), ("", long)]))
    assert found["status"].tolist() == [Status.EMPTY, Status.EMPTY, Status.TRUNCATED]
    assert found["code"].to_pylist() == [None, None, "en"]
    assert np.isnan(found["confidence"][:2]).all()


@pytest.mark.slow
def test_all_models_know_short_questions_better(data: Path) -> None:
    questions = [("", r["question"]) for r in json_lines(data / "xquad" / "xquad.en.jsonl.gz")[:300]]
    right = {
        accurate: Language(accurate=accurate).measure(batch(questions))["code"].to_pylist().count("en")
        for accurate in (True, False)
    }
    assert right[True] >= 0.97 * 300
    assert right[True] > right[False]
