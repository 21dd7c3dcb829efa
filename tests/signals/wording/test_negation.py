from __future__ import annotations

import pytest

from dataflywheel.signals.wording.negation import changed, negations
from dataflywheel.signals.wording.sentences import sentences


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It is not here.", 1),
        ("It isn't here and can\u2019t come.", 2),
        ("I cannot.", 1),
        ("Neither red nor blue.", 1),
        ("Not only red, but also blue.", 0),
        ("Tell me whether or not it rains.", 0),
        ("See No. 5 and no 7.", 0),
        ("Nothing, nobody, never, without.", 4),
        ("A knot, a note, an annotation.", 0),
        ("He failed to come and lacks time.", 2),
    ],
)
def test_negations_are_counted(text: str, count: int) -> None:
    assert negations(text) == count


@pytest.mark.parametrize(
    ("before", "after", "whole", "found"),
    [
        ("It is safe to go there now.", "It is not safe to go there now.", False, True),
        ("It is possible to go there now.", "It is impossible to go there now.", False, True),
        ("It is not possible to go there now.", "It is impossible to go there now.", False, False),
        ("It is good to go there now.", "It is bad to go there now.", False, True),
        ("I have less time now than ever.", "I have fewer hours now than ever.", False, False),
        ("I like it here. I do not like it there.", "I do not like it here. I like it there.", True, True),
        ("The cat sleeps all day.", "That animal never wakes before night.", True, True),
        ("The cat sleeps all day.", "That animal never wakes before night.", False, False),
        ("It is always so here.", "It is never so here.", False, True),
    ],
)
def test_a_change_is_found(before: str, after: str, whole: bool, found: bool) -> None:
    assert bool(changed(sentences(before), sentences(after), whole)) is found
