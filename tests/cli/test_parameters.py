"""`--set`: texts as they stand, all else as YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.cli.parameters import with_parameters
from dataflywheel.contracts import UsageError


@pytest.mark.parametrize(
    ("by", "given", "value"),
    [
        ("revision", 'instructions=Grade it. {"a": 1}', 'Grade it. {"a": 1}'),
        ("revision", "instructions=Shorten it: yes", "Shorten it: yes"),
        ("revision", "instructions=# no comment, - no list", "# no comment, - no list"),
        ("revision", "instructions=2024", "2024"),
        ("revision", 'instructions="Shorten it: yes"', "Shorten it: yes"),
        ("revision", 'instructions="Yes" or "no"?', '"Yes" or "no"?'),
        ("ask", "question=Is it: yes", "Is it: yes"),
        ("ask", "part=answer", "answer"),
        ("ask", "answer={type: integer, minimum: 1}", {"type": "integer", "minimum": 1}),
        ("pairwise", "persona=a teacher: strict", "a teacher: strict"),
        ("pairwise", "evidence=yes", True),
        ("self_refine", "rounds=2", 2),
        ("dsir", "noise=0.5", 0.5),
    ],
)
def test_a_text_is_taken_as_it_stands_and_all_else_as_yaml(by: str, given: str, value: Any) -> None:
    assert with_parameters(by, [given]) == {by: {given.partition("=")[0]: value}}


def test_files_hold_texts_or_yaml(tmp_path: Path) -> None:
    text, data = tmp_path / "told.txt", tmp_path / "told.yaml"
    text.write_text("Is it: yes\n", encoding="utf-8")
    data.write_text('"Is it: no"\n', encoding="utf-8")
    given = [f"instructions=@{text}", f"question=@{data}"]
    assert with_parameters("ask", given) == {"ask": {"instructions": "Is it: yes", "question": "Is it: no"}}
    with pytest.raises(UsageError, match="cannot be read"):
        with_parameters("ask", [f"question=@{tmp_path / 'none.txt'}"])
    with pytest.raises(UsageError, match="NAME=VALUE"):
        with_parameters("self_refine", ["rounds={"])


def test_what_stands_there_is_what_is_asked() -> None:
    told = 'Grade it. {"a": 1} - or: not'
    shown = CliRunner().invoke(app, ["methods", "--prompt", "alpagasus", "--set", f"instructions={told}", "--json"])
    assert json.loads(shown.output)[0]["messages"][0]["content"].startswith(told)
