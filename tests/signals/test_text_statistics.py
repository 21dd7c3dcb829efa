from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import Status
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import message, table
from dataflywheel.signals.text.text_statistics import TextStatistics, estimate_tokens
from tests.signals.rows import alpaca, batch
from tests.signals.words import words


def measure(*pairs: tuple[str, str]) -> dict[str, list[object]]:
    found = TextStatistics().measure(batch(list(pairs)))
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value.to_pylist() for name, value in found.items()
    }


def repeated(found: list[str]) -> float:
    grams = [tuple(found[i : i + 3]) for i in range(len(found) - 2)]
    often = Counter(grams)
    inside = {i + k for i, gram in enumerate(grams) if often[gram] > 1 for k in range(3)}
    return sum(len(found[i].encode()) for i in inside) / sum(len(word.encode()) for word in found)


def test_agrees_with_plain_python_on_real_rows(data: Path) -> None:
    pairs = [pair for pair in alpaca(data)[:800] if all(text.isascii() for text in pair)]
    found = measure(*pairs)
    for i, (prompt, answer) in enumerate(pairs):
        whole = f"{prompt}\n\n{answer}" if prompt and answer else prompt or answer
        parts = words(whole)
        assert found["chars_prompt"][i] == len(prompt)
        assert found["chars_answer"][i] == len(answer)
        assert found["turns"][i] == 2
        assert found["type_token_ratio"][i] == pytest.approx(len(set(parts)) / len(parts))
        assert found["repeated_ngrams"][i] == pytest.approx(repeated(parts))
        assert found["compression_ratio"][i] == pytest.approx(len(zlib.compress(whole.encode())) / len(whole.encode()))
        visible = [c for c in whole if not c.isspace()]
        assert found["symbol_ratio"][i] == pytest.approx(sum(not c.isalnum() for c in visible) / len(visible))


def test_repetition_and_symbols_tell_planted_defects_from_prose() -> None:
    prose = "Photosynthesis turns light, water and carbon dioxide into sugar, which feeds the plant and, in turn, us."
    found = measure(("p", prose), ("p", "buy it now " * 40), ("p", "#### **** ---- ==== $$$$ word"))
    assert found["repeated_ngrams"][0] == 0
    assert found["repeated_ngrams"][1] > 0.95  # type: ignore[operator]
    assert found["compression_ratio"][1] < 0.2 < found["compression_ratio"][0]  # type: ignore[operator]
    assert found["symbol_ratio"][2] > 0.7 > found["symbol_ratio"][0]  # type: ignore[operator]


def test_empty_rows_hold_no_value() -> None:
    found = measure(("", ""), (" \n", ""), ("question?", ""))
    assert found["status"] == [Status.EMPTY, Status.EMPTY, Status.OK]
    for name in TextStatistics.columns:
        for row in (0, 1):
            value = found[name][row]
            assert value is None or np.isnan(value), name  # type: ignore[call-overload]
    assert found["chars_answer"][2] == found["tokens_answer"][2] == 0


def test_text_without_a_word_has_no_ratio_over_words() -> None:
    found = measure(("?!", "..."))
    assert found["status"] == [Status.OK]
    assert np.isnan(found["type_token_ratio"][0])  # type: ignore[call-overload]
    assert np.isnan(found["repeated_ngrams"][0])  # type: ignore[call-overload]
    assert found["symbol_ratio"] == [1.0]
    assert found["prompt_key"] == [None]


def test_prompt_key_joins_prompts_that_differ_in_form_only() -> None:
    keys = measure(("Say: hello!", "a"), ("say   HELLO", "b"), ("say hallo", "c"))["prompt_key"]
    assert keys[0] == keys[1] != keys[2]


def test_turns_leave_out_the_system_message() -> None:
    row = make_row([message(role, "x") for role in ("system", "user", "assistant", "user", "assistant")])
    found = TextStatistics().measure(table([row]).to_batches()[0])
    assert found["turns"].to_pylist() == [4]
    assert found["chars_answer"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("internationalization", 3),
        ("2024 + 1 = 2025", 7),
        ("黑豹队", 3),
        ("wait.....", 2),
        ("a\n\nb", 3),
    ],
)
def test_token_estimate(text: str, tokens: int) -> None:
    assert estimate_tokens([text]).tolist() == [tokens]


def test_batches_and_unicode_change_nothing() -> None:
    pairs = [("naïve café", "Größe 黑豹队 🙂"), ("x" * 5000, "y"), ("日本語のテキスト", "ok"), ("a", "b c d")] * 5
    whole, parts = measure(*pairs), [measure(*pairs[i : i + 3]) for i in range(0, len(pairs), 3)]
    for name, values in whole.items():
        joined = [value for part in parts for value in part[name]]
        assert np.array_equal(values, joined) if name != "prompt_key" else values == joined, name


def test_columns_have_the_declared_types() -> None:
    found = TextStatistics().measure(batch([("p", "a")]))
    assert set(found) == {*TextStatistics.columns, "status"}
    for name, kind in TextStatistics.columns.items():
        value = found[name]
        assert (value.dtype.name == "float32") if isinstance(value, np.ndarray) else value.type == kind, name
