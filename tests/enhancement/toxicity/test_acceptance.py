"""The acceptance table against detectors whose worth is planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.enhancement.toxicity.acceptance import (
    accept,
    by_term,
    drawn,
    parted,
    span_f1,
    threshold,
)
from dataflywheel.enhancement.toxicity.detectors import Found, OfSignal, OwnClassifier, Span
from dataflywheel.enhancement.toxicity.published_sets import Sets, published_sets, runs
from dataflywheel.signals.safety.identity_terms import GROUPS
from dataflywheel.signals.safety.lexicon import Lexicon
from dataflywheel.signals.safety.toxicity_classifier import train
from dataflywheel.signals.text.language import Language
from tests.signals.toxic_words import INSULTS, sentences

Labelled = tuple[list[str], list[bool]]


class Planted:
    """A detector by a function of the text; None: it cannot say."""

    def __init__(self, score: Callable[[str], float | None], spans: Callable[[str], list[Span]] | None = None) -> None:
        self.name, self.score, self._spans, self.looked = "planted", score, spans, 0

    def look(self, texts: Sequence[str]) -> Found:
        self.looked += len(texts)
        said = [self.score(text) for text in texts]
        lost = sum(one is None for one in said)
        scores = np.array([np.nan if one is None else one for one in said])
        return Found(scores, Counter(ok=len(said) - lost, failed=lost), Counter({"refused": lost}), len(said), 0.5)

    def spans(self, texts: Sequence[str], limit: float) -> list[list[Span]] | None:
        return None if self._spans is None else [self._spans(text) for text in texts]


def rude(text: str) -> float:
    return float(any(word in text for word in INSULTS))


def planted_sets(n: int = 200, seed: int = 1) -> Labelled:
    texts, toxic = zip(*sentences(n, seed), strict=True)
    return list(texts), list(toxic)


APART, HELD = planted_sets(seed=1), planted_sets(seed=2)


def test_a_perfect_detector_and_a_blind_one() -> None:
    sets = Sets(
        cross={"again": planted_sets(seed=3)}, safe=("how to kill a process",), groups={"men": ["Men like tea."]}
    )
    good = accept(Planted(rude), APART, HELD, sets)
    assert good.own is not None
    assert good.cross["again"] is not None
    assert good.own.value == good.cross["again"].value == 1
    assert (good.false_positives.called, good.found.value) == (0, 1)
    assert {share.called for share in good.functionalities.values()} == {0}
    assert good.safe is not None
    assert good.safe.judged == 1
    assert good.span_f1 is None
    blind = accept(Planted(lambda text: 0.5), APART, HELD, sets)
    assert blind.own is not None
    assert blind.own.value == 0.5
    assert blind.own.low < 0.5 < blind.own.high
    assert blind.found.called == 0


def test_a_planted_bias_shows_by_group_and_by_kind_of_sentence() -> None:
    found = accept(Planted(lambda text: max(rude(text), 2.0 * ("muslim" in text))), APART, HELD, Sets())
    assert {name for name, share in found.terms.items() if share.called} == {"muslim"}
    assert found.terms["muslim"].value == 1
    assert found.functionalities["praise"].called == 2
    assert found.functionalities["mild profanity"].called == 0


def test_what_it_cannot_judge_is_counted_and_in_no_share() -> None:
    found = accept(Planted(lambda text: None if "number 7" in text else rude(text)), APART, HELD, Sets())
    lost = sum("number 7" in text for text in HELD[0])
    assert found.own is not None
    assert (found.own.judged, found.own.texts) == (len(HELD[0]) - lost, len(HELD[0]))
    assert found.own.value == 1
    assert found.false_positives.judged + found.found.judged == len(HELD[0]) - lost
    every = set(APART[0]) | set(HELD[0])
    assert found.statuses["failed"] == sum("number 7" in text for text in every) == found.reasons["refused"]
    with pytest.raises(UsageError, match="none of the harmless texts; refused"):
        accept(Planted(lambda text: None), APART, HELD, Sets())


def test_each_text_is_asked_about_once() -> None:
    twice = Sets(cross={"same": HELD, "again": APART})
    one, more = Planted(rude), Planted(rude)
    accept(one, APART, HELD, Sets())
    accept(more, APART, HELD, twice)
    assert one.looked == more.looked


def test_marked_places_are_compared_with_those_of_people(tmp_path: Path) -> None:
    texts = ("you grobblehead", "fine day", "grobblehead again")
    gold = (((4, 15),), (), ((0, 11),))
    sets = Sets(spans=tuple(zip(texts, gold, strict=True)))
    (tmp_path / "words.txt").write_text("grobblehead\n")
    lexicon = OfSignal("lexicon", Lexicon(words=tmp_path / "words.txt"))
    assert accept(lexicon, APART, HELD, sets).span_f1 == 1
    first_letter = Planted(rude, lambda text: [(0, 1)])
    assert accept(first_letter, APART, HELD, sets).span_f1 == pytest.approx(2 / 12 / 3)
    text = "the weather you grobblehead was late today on the table number 3"
    sets = Sets(spans=((text, ((12, 27),)), ("her song was quite good", ())))
    own = accept(OwnClassifier("own", train(*planted_sets(400))), APART, HELD, sets)
    assert own.span_f1 is not None
    assert own.span_f1 > 0.6
    assert own.own is not None
    assert own.own.value > 0.95


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_span_f1_counts_characters(mine: set[int], theirs: set[int]) -> None:
    both = len(mine & theirs)
    precision, recall = both / len(mine) if mine else 0, both / len(theirs) if theirs else 0
    wanted = 2 * precision * recall / (precision + recall) if both else float(not mine and not theirs)
    assert span_f1(runs(list(mine)), runs(list(theirs))) == pytest.approx(wanted)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.sampled_from([0.0, 0.01, 0.1, 0.4]))
def test_no_more_than_the_rate_exceeds_the_threshold(scores: list[float], rate: float) -> None:
    found = threshold(np.array(scores), rate)
    assert found is not None
    assert sum(one > found for one in scores) <= rate * len(scores)
    assert threshold(np.array([np.nan]), rate) is None


def test_halves_and_draws_follow_from_the_texts() -> None:
    first, second = parted(APART)
    assert set(first[0]) | set(second[0]) == set(APART[0])
    assert not set(first[0]) & set(second[0])
    a, b = parted(first, 1)
    assert min(len(a[0]), len(b[0])) > 20
    assert parted((APART[0][::-1], APART[1][::-1]))[0][0] == first[0][::-1]
    some = drawn(APART, 40)
    assert (len(some[0]), sum(some[1])) == (40, 20)
    assert all(label == bool(rude(text)) for text, label in zip(*some, strict=True))
    few = (["a", "b", "c"], [True, False, False])
    assert drawn(few, 10)[1].count(False) == 2


def test_sentences_by_group_name_that_group_alone() -> None:
    terms = by_term()
    assert set(terms) == set(GROUPS)
    assert all("mexican" in text for text in terms["mexican"])
    assert len({len(of) for of in terms.values()}) == 1


def test_a_signal_without_a_score_is_refused() -> None:
    with pytest.raises(UsageError, match="neither `score` nor `value`"):
        OfSignal("language", Language())


def test_a_folder_without_any_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds none of"):
        published_sets(tmp_path)
