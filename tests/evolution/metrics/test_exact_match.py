"""Word for word, but for case and signs."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import Mark
from dataflywheel.evolution.feedback.evaluate import Evaluate, score_rows
from dataflywheel.evolution.metrics.exact_match import ExactMatch, normalised
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import message
from tests.evolution.metrics.planted import ROWS, copier, rows


def test_it_reads_what_the_model_writes() -> None:
    found = score_rows(copier(), rows(), ["exact_match"] * ROWS, ["s"] * ROWS, Evaluate(max_new_tokens=16))
    assert found.metric() > 0.8
    assert set(np.unique(found.value)) <= {0.0, 1.0}


def test_case_and_punctuation_are_forgiven_but_not_signs_of_meaning() -> None:
    assert normalised("Forty-two.") == normalised("forty two")
    assert normalised("not good") != normalised("good")


def test_a_text_of_signs_alone_matches_itself_alone() -> None:
    assert normalised("->") == normalised(" -> ")
    assert normalised("+") != normalised("-")
    assert normalised("+") != ""


def test_the_thoughts_of_a_reference_are_no_part_of_it() -> None:
    row = make_row([message("user", "Q"), message("assistant", "Four.", reasoning="Two and two.")])
    assert [ExactMatch().mark(text, row) for text in ("four", "two and two four")] == [Mark(1.0), Mark(0.0)]
    assert ExactMatch().lacks(make_row([message("user", "Q"), message("assistant", "", reasoning="Hm.")]))
