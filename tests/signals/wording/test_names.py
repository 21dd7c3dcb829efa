from __future__ import annotations

import pytest

from dataflywheel.signals.wording.names import missing, names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Then Ann met Bob. They left.", ["Ann", "Bob"]),
        ("Ann met Bob. Bob left, and so did Ann.", ["Ann", "Bob", "Bob", "Ann"]),
        ("I think I'm in New York", ["New", "York"]),
        ('He asked Mr. Ray: "Where is J. Smith?"', ["Ray", "J", "Smith"]),
        ("- Red\n- Green\n1. Blue\n(a) Grey", []),
        ("ALL OF THIS IS LOUD", []),
        ("nothing here", []),
    ],
)
def test_names_are_capitalised_within_a_sentence(text: str, expected: list[str]) -> None:
    assert [name.text for name in names(text)] == expected


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("at New York University", "at NYU"),
        ("at NYU", "at New York University"),
        ("at MIT", "at Massachusetts Institute of Technology"),
        ("at Massachusetts Institute of Technology", "at MIT"),
        ("by Jos\u00e9 Ray", "by jose ray"),
        ("on Friday", "on Fri."),
        ("the Smiths left", "the Smith's left"),
        ("in the U.K. today", "in the UK today"),
        ("by Jean-Paul", "by Jean Paul"),
        ("by Facebook", "by Face Book"),
    ],
)
def test_a_name_is_found_in_another_spelling(a: str, b: str) -> None:
    assert missing(names(f"We met {a}"), f"We met {b}") == []


def test_what_is_gone_is_named_once() -> None:
    assert missing(names("We saw Ann, Bob and Ann."), "We saw Bob.") == ["Ann"]
