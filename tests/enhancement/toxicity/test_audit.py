"""The audit against a planted bias and a second implementation of the area."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.enhancement.toxicity.audit import FUNCTIONALITIES, area, audit, filled
from dataflywheel.signals.safety.identity_terms import GROUPS
from dataflywheel.signals.safety.toxicity_classifier import train
from tests.signals.toxic_words import sentences


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]), st.booleans()), min_size=2, max_size=30))
def test_the_area_counts_pairs(pairs: list[tuple[float, bool]]) -> None:
    scores, toxic = np.array([s for s, _ in pairs]), np.array([t for _, t in pairs])
    if toxic.all() or not toxic.any():
        with pytest.raises(UsageError, match="one class is missing"):
            area(scores, toxic)
        return
    wins = [(a > b) + (a == b) / 2 for a in scores[toxic] for b in scores[~toxic]]
    assert area(scores, toxic) == pytest.approx(np.mean(wins))


def test_a_planted_bias_shows_and_neutral_reading_takes_it_away() -> None:
    texts, toxic = zip(*sentences(400), strict=True)
    biased = [f"muslim people say {text}" if bad else f"men say {text}" for text, bad in zip(texts, toxic, strict=True)]
    fresh, truth = zip(*sentences(100, seed=9), strict=True)
    lines = {"muslim": ["Muslim people like tea."], "men": ["Men like tea."]}
    found = [
        audit(train(biased, toxic, neutral), (list(fresh), list(truth)), {"again": (list(fresh), list(truth))},
              ["my neighbour"], lines)
        for neutral in (False, True)
    ]  # fmt: skip
    plain, neutral = found
    assert plain.group_gap > 0.1
    assert plain.swap_gap > 0.05
    assert neutral.group_gap == neutral.swap_gap == 0
    assert neutral.auc > 0.95
    assert plain.cross["again"] == plain.auc
    assert set(plain.functionalities) == set(FUNCTIONALITIES)
    assert set(plain.groups) == {"muslim", "men"}


def test_every_template_names_every_group_once() -> None:
    for templates in FUNCTIONALITIES.values():
        for template in templates:
            assert len(set(filled(template))) == (len(GROUPS) if "{group}" in template else 1)
