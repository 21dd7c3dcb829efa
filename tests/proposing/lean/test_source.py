"""Lean as text: comments, strings, statements and what they leave open."""

# ruff: noqa: RUF001

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.proposing.lean.source import closed, code_only, scopes, statement_of, without_imports


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a -- b", "a"),
        ("a /- b -- -/ c", "a c"),
        ('a /- b " -/ c', "a c"),
        ('a "-- no /- comment" b', "a b"),
        ('a "\\"--" b', "a b"),
        ("a /- b /- c -/ d", "a"),
        ("/-- doc -/ theorem t", "theorem t"),
        ("a - / b", "a - / b"),
    ],
)
def test_what_is_no_code_is_blank(text: str, code: str) -> None:
    assert " ".join(code_only(text).split()) == code


@given(st.text(alphabet='/-"\\ab\n ', max_size=60))
def test_places_stay(text: str) -> None:
    found = code_only(text)
    assert len(found) == len(text)
    assert [i for i, sign in enumerate(found) if sign == "\n"] == [i for i, sign in enumerate(text) if sign == "\n"]
    assert all(a in (b, " ") for a, b in zip(found, text, strict=True))


@pytest.mark.parametrize(
    ("text", "name", "declared"),
    [
        ("theorem t : 1 = 1 := rfl", "t", "theorem t : 1 = 1"),
        ("theorem t (x : Nat := 3) : x = x := by\n  rfl", "t", "theorem t (x : Nat := 3) : x = x"),
        ("lemma foo.bar' {n : ℕ} : n = n := by sorry", "foo.bar'", "lemma foo.bar' {n : ℕ} : n = n"),
        ("theorem a : True := trivial\ntheorem b : 1 = 1 :=", "b", "theorem b : 1 = 1"),
        ("theorem t : ∃ x, (let y := x; y) = 1", "t", "theorem t : ∃ x, (let y := x; y) = 1"),
        ("/-- theorem old : x := y -/\n@[simp] theorem t : 1 = 1 := rfl", "t", "@[simp] theorem t : 1 = 1"),
    ],
)
def test_statements(text: str, name: str, declared: str) -> None:
    found = statement_of(text)
    assert found is not None
    assert (found.name, found.declared) == (name, declared)


@pytest.mark.parametrize(
    "text", ["", "example : 1 = 1 := rfl", "-- theorem t : 1 = 1", "What is a theorem?", "def f := 1"]
)
def test_without_a_name_there_is_none(text: str) -> None:
    assert statement_of(text) is None


def test_what_is_open_is_closed() -> None:
    text = "namespace A\nsection\nopen Nat in\nnamespace B -- end B\nnoncomputable section C"
    assert scopes(text) == [("namespace", "A"), ("section", ""), ("namespace", "B"), ("section", "C")]
    assert scopes(closed(text)) == []
    found = statement_of(f"{text}\ntheorem t : 1 = 1 := rfl")
    assert found is not None
    assert found.full_name == "A.B.t"


def test_imports_are_taken_off() -> None:
    text = "import  Mathlib\n-- import Hidden\nimport Aesop\nopen Nat\n"
    assert without_imports(text) == (("import Mathlib", "import Aesop"), "\n-- import Hidden\n\nopen Nat\n")


def test_statements_of_olympiads_are_read_whole(data: Path) -> None:
    """Written for Lean 3, whose theorems have the same heads."""
    file = data / "minif2f" / "valid.lean"
    if not file.is_file():
        pytest.skip("minif2f not found")
    header, *every = re.split(r"^(?=theorem )", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(every) > 200
    for text in every:
        head = re.split(r":=\s*(?:begin|by\b|sorry)", text)[0].strip()
        found = statement_of(f"{header}\n{text}")
        assert found is not None
        assert found.declared == head
        assert found.name == head.split()[1]
        assert found.imports == ("import minif2f_import",)
