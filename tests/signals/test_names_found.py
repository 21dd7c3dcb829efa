"""Planted names beside patterns, code and stand-ins: what of them counts."""

from __future__ import annotations

import pytest

from dataflywheel.signals.safety.names_found import code_places, names_in
from tests.signals.planted_names import found, plant


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ask Jane Doe.", ["Jane Doe"]),
        ("Ask `Jane Doe` or ``a ` Jane Doe``, then Jane Doe", ["Jane Doe"]),
        ("```py\nJane Doe\n```\nJane Doe", ["Jane Doe"]),
        ("~~~\nJane Doe", []),
        ("Jane Doe jane@corp.org", ["Jane Doe"]),
        ("Person-Badukelo and Jane", ["Jane"]),
        ("(Jane Doe's) Jane Doe\u2019s", ["Jane Doe", "Jane Doe"]),
        ("X met Y", []),
        ("\u738b\u5728\u5317\u4eac", ["\u738b"]),
    ],
)
def test_what_of_a_name_counts(monkeypatch: pytest.MonkeyPatch, text: str, names: list[str]) -> None:
    wide = (
        "Jane Doe jane@corp.org",
        "Person-Badukelo and Jane",
        "Jane Doe's",
        "Jane Doe\u2019s",
        "Jane Doe",
        "X",
        "\u738b",
    )
    plant(monkeypatch, dict.fromkeys(wide, "person"))
    assert [name for _, name in next(found([text], names_in([text], "any")))] == names


def test_every_text_is_read_once_and_without_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = plant(monkeypatch, {"Ann": "person"})
    text = "Ann `x` Ann"
    assert [len(spans) for spans in names_in([text, "12", text], "any")] == [2, 0, 2]
    assert planted.read == ["Ann     Ann"]


def test_code_is_found_between_marks_of_its_own() -> None:
    text = "`a` and ``b ` c`` but not ` alone\n\nor ` here"
    assert [text[start:end] for start, end in code_places(text)] == ["`a`", "``b ` c``"]
