"""Facts of pages: each against an independent computation, and planted pages of each fault before the rules."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Status
from dataflywheel.contracts.composite import Around
from dataflywheel.enhancement.preparation.web_rules import RULES, SIGNAL, WebRules
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.python_docs import python_docs
from dataflywheel.rows.schema import table
from dataflywheel.rows.text import part_of
from dataflywheel.signals.text.page import Page

WORDS = st.sampled_from(["the", "and", "rain", "Rain", "42", "#", "sea.", "…", "-", "of", "{x}"])
TEXTS = st.lists(st.lists(WORDS, max_size=9).map(" ".join), max_size=8).map("\n".join)


def facts(text: str) -> dict[str, float]:
    found = Page().facts(text)
    assert found is not None
    return found


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_each_fact_is_what_its_words_say(text: str) -> None:
    found, words = Page().facts(text), text.split()
    if not words:
        assert found is None
        return
    assert found is not None
    low = [word.lower() for word in words]
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    assert found["words"] == len(words)
    assert found["mean_word_length"] == pytest.approx(sum(map(len, words)) / len(words))
    assert found["letter_words"] == pytest.approx(sum(any(c.isalpha() for c in w) for w in words) / len(words))
    assert found["stop_words"] == len(set(low) & {"the", "be", "to", "of", "and", "that", "have", "with"})
    assert found["short_lines"] == pytest.approx(sum(len(line) <= 30 for line in lines) / len(lines))
    assert found["repeated_lines"] == pytest.approx((len(lines) - len(set(lines))) / len(lines))
    for n in (2, 3, 4):
        grams = Counter(tuple(low[i : i + n]) for i in range(len(low) - n + 1))
        most = max(grams.values(), default=0)
        sizes = [sum(map(len, gram)) for gram, count in grams.items() if count == most]
        wanted = min(1.0, most * max(sizes, default=0) / sum(map(len, words))) if most > 1 else 0.0
        assert found[f"top_{n}grams"] == pytest.approx(wanted, abs=1e-6), n
    for n in (5, 7, 10):
        seen: set[tuple[str, ...]] = set()
        covered = set[int]()
        for i in range(len(low) - n + 1):
            gram = tuple(low[i : i + n])
            covered |= set(range(i, i + n)) if gram in seen else set()
            seen.add(gram)
        assert found[f"repeated_{n}grams"] == pytest.approx(sum(len(words[i]) for i in covered) / sum(map(len, words)))


PROSE = " ".join(
    f"The river number {i} runs down to the sea, and boats that carry stone go with it." for i in range(12)
)


def broken(text: str, rules: str) -> set[str]:
    """The rules that a text fails."""
    found = facts(text)
    return {
        name
        for name, (low, high) in RULES[rules].items()  # type: ignore[index]
        if (low is not None and found[name] < low) or (high is not None and found[name] > high)
    }


@pytest.mark.parametrize(
    ("text", "rules", "wanted"),
    [
        ("Too short a page.", "gopher", "words"),
        (" ".join(f"hyperdimensionalisation{i}" for i in range(60)), "gopher", "mean_word_length"),
        (PROSE.replace(" ", " # "), "gopher", "symbol_words"),
        ("\n".join(f"- the item {i} of that list and more" for i in range(30)), "gopher", "bullet_lines"),
        ("\n".join(f"the part {i} of that is told and more..." for i in range(30)), "gopher", "ellipsis_lines"),
        (" ".join(f"{i}" for i in range(100)), "gopher", "letter_words"),
        (" ".join(f"boat{i} rows" for i in range(60)), "gopher", "stop_words"),
        ("\n".join([PROSE, *["Subscribe to the letter of that"] * 9]), "gopher", "repeated_lines"),
        (PROSE + PROSE, "gopher", "repeated_5grams"),
        ("buy now " * 60 + PROSE, "gopher", "top_2grams"),
        ("One sentence of five words.", "c4", "whole_sentences"),
        (PROSE + " function () { }", "c4", "braces"),
        (PROSE + " Lorem ipsum dolor", "c4", "lorem_ipsum"),
        ("\n".join(f"Home {i}" for i in range(20)), "fineweb", "punctuated_lines"),
        ("\n".join(f"Short line {i}." for i in range(20)), "fineweb", "short_lines"),
        ("\n".join(["A line of this page that comes again and again."] * 5), "fineweb", "repeated_line_chars"),
    ],
)
def test_each_planted_fault_breaks_its_rule(text: str, rules: str, wanted: str) -> None:
    assert wanted in broken(text, rules)


def test_real_prose_keeps_the_rules() -> None:
    texts = [part_of(row["messages"], "answer") for row in python_docs("pool")]
    prose = [text for text in texts if len(text.split()) > 120 and "::" not in text and ">>>" not in text][:300]
    assert len(prose) > 100
    kept = [not broken(text, "gopher") for text in prose]
    assert np.mean(kept) > 0.8


def test_rows_without_words_are_empty_and_the_part_counts() -> None:
    rows = [prompt_answer_row("Why?", ""), prompt_answer_row("Say it twice.", "It is so.")]
    (batch,) = table(rows).combine_chunks().to_batches()
    answer, whole = Page().measure(batch), Page(part="all").measure(batch)
    assert list(answer["status"]) == [Status.EMPTY, Status.OK]
    assert pa.array(answer["words"]).to_pylist() == [None, 3]
    assert pa.array(whole["words"]).to_pylist()[1] > 3


def test_the_presets_are_one_filter_and_the_narrower_bound_counts() -> None:
    (step,) = WebRules(rules=["gopher", "fineweb"]).steps(Around())
    bounds = step["filter"]["bounds"]
    assert bounds[f"{SIGNAL}.words"] == [50, 100_000]
    assert bounds[f"{SIGNAL}.repeated_line_chars"] == [None, 0.1]
    assert bounds[f"{SIGNAL}.punctuated_lines"] == [0.12, None]
    assert re.fullmatch(r"\w+", SIGNAL)
