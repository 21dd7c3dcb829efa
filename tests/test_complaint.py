"""What is said of a value that does not fit: in plain words, all of it at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from dataflywheel.contracts.complaint import Complaints, said
from dataflywheel.errors import UsageError
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe

LIBRARY = ("Input should", "Value error", "Assertion failed", "Field required", "valid dictionary", "pydantic")


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (int, "many", "expected a whole number (got 'many')"),
        (int, 2.5, "expected a whole number (got 2.5)"),
        (float, "high", "expected a number (got 'high')"),
        (bool, "perhaps", "expected true or false (got 'perhaps')"),
        (str, 3, "expected a text (got 3)"),
        (list[int], "a", "expected a list (got 'a')"),
        (dict[str, int], [1], "expected a mapping (got [1])"),
        (Literal["last", "all"], "one", "expected 'last' or 'all' (got 'one')"),
        (Annotated[int, Field(ge=1)], 0, "expected 1 or more (got 0)"),
        (Annotated[float, Field(gt=0, le=1)], 1.5, "expected 1 or less (got 1.5)"),
        (Annotated[list[int], Field(min_length=1)], [], "expected 1 entry or more (got [])"),
        (Annotated[str, Field(min_length=1)], "", "expected a text of 1 or more letters (got '')"),
        (Path, 3, "expected a path (got 3)"),
    ],
)
def test_a_problem_is_said_in_plain_words(kind: Any, value: object, expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    assert said(caught.value.errors()[0]) == expected


def test_whatever_kind_of_value_stands_in_a_recipe_no_library_speaks() -> None:
    """Every kind of problem that the recipe's fields can have with a text, a number, a list, a mapping and nothing."""
    heard = set()
    for name in Recipe.model_fields:
        for value in ("x", -3, 2.5, [], ["x"], {"x": 1}, None, True):
            try:
                Recipe.model_validate({"name": "r", "pool": [{"path": "p"}], "steps": [], name: value})
            except ValidationError as error:
                heard |= {said(problem) for problem in error.errors() if problem["type"] != "extra_forbidden"}
    assert len(heard) > 30
    assert not [line for line in heard if any(word in line for word in LIBRARY)]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text(json.dumps({"prompt": "a", "completion": "b"}) + "\n")
    (tmp_path / "r.yaml").write_text(
        f"""
name: r
pool: [{{path: {tmp_path}/pool.jsonl}}, {{path: {tmp_path}/nowhere.jsonl}}]
steps:
  - filter: {{bounds: {{text.token_answer: [3, 600]}}}}
  - deduplicate: {{near: 0.8, keep: txt.tokens}}
  - select: {{by: dsir, keep: 5}}
"""
    )
    with pytest.raises(UsageError) as caught:
        plan(tmp_path / "r.yaml")
    told = str(caught.value).splitlines()
    assert len(told) == 4
    for part in ("nowhere.jsonl", "dsir compares", "01-filter: 'text.token_answer'", "02-deduplicate: 'txt.tokens'"):
        assert any(part in line for line in told), part


def test_all_steps_of_wrong_parameters_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(
        "name: r\npool: [{path: p}]\nsteps:\n  - deduplicate: {near: high}\n  - fliter: {}\n  - train: {epochs: x}\n"
    )
    with pytest.raises(UsageError) as caught:
        plan(load_recipe(tmp_path / "r.yaml"))
    told = str(caught.value).splitlines()
    parts = ("near: expected a number", "'fliter'", "epochs: expected a number", "p is not there")
    for line, part in zip(told, parts, strict=True):
        assert part in line


def test_equal_complaints_are_told_once_and_other_errors_go_through() -> None:
    complaints = Complaints()
    for text in ("a", "b", "a"):
        with complaints.heard():
            raise UsageError(text)
    with pytest.raises(ZeroDivisionError), complaints.heard():
        _ = 1 / 0
    with pytest.raises(UsageError, match=r"^a\nb$"):
        complaints.end()
    Complaints().end()


def test_a_model_of_fields_names_what_is_missing() -> None:
    class Two(BaseModel):
        one: int

    with pytest.raises(ValidationError) as caught:
        Two()  # type: ignore[call-arg]
    assert said(caught.value.errors()[0]) == "is missing"


def test_what_was_made_of_parameters_is_not_shown_for_what_was_written() -> None:
    from dataflywheel import catalog
    from dataflywheel.contracts import build

    asked = {"model": {"endpoint": "http://localhost:1/v1", "model": "m"}, "instructions": "Write {nosuch}"}
    with pytest.raises(UsageError, match=r"\{nosuch\} stands for no part of a row") as caught:
        build(catalog.get("ask_for_rows"), asked)
    assert "ModelSpec(" not in str(caught.value)


def test_choices_that_yaml_reads_as_true_and_false() -> None:
    from dataflywheel import catalog
    from dataflywheel.contracts import build

    asked = {"model": {"endpoint": "http://localhost:1/v1", "model": "m"}, "question": "Useful?"}
    with pytest.raises(UsageError, match=r"YAML reads yes, no") as caught:
        build(catalog.get("ask"), {**asked, "answer": [True, False]})
    assert len(str(caught.value).splitlines()) == 1


def test_a_fault_of_the_program_says_what_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from dataflywheel.cli import main as cli

    def broken() -> None:
        raise TypeError("odd")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setattr(cli, "listen", lambda: None)
    monkeypatch.setattr(cli, "leave", lambda status, why: ended.append((status, why)))
    ended: list[tuple[int, str]] = []
    cli.main()
    assert ended[0][0] == 1
    assert "a fault of flywheel itself (TypeError): report it" in ended[0][1]
    assert "what was finished is kept" in ended[0][1]
    assert "Traceback" in capsys.readouterr().err


def test_a_row_is_found_by_a_short_text_in_any_letters(tmp_path: Path) -> None:
    import dataflywheel as fw

    rows = [{"prompt": "Say the ABC.", "completion": "A, b, c."}, {"prompt": "Why?", "completion": "So."}]
    kept = fw.select(rows, by="longest", keep=1, runs=tmp_path / "runs", home=tmp_path / "store")
    for wanted in ("abc", "ABC", "SAY THE"):
        assert "Say the ABC." in json.dumps(fw.why(kept.path, wanted, home=tmp_path / "store"), default=str)


def test_of_several_rows_with_a_text_the_others_are_named(tmp_path: Path) -> None:
    import dataflywheel as fw
    from dataflywheel.report.why import OTHERS, as_text

    rows = [{"prompt": f"Say {i}.", "completion": f"A word, {'Twice' if i < 7 else 'once'}."} for i in range(9)]
    kept = fw.select(rows, by="longest", keep=4, runs=tmp_path / "runs", home=tmp_path / "store")
    life = fw.why(kept.path, "twice", home=tmp_path / "store")
    assert len(life["others"]) == len(set(life["others"])) == 6
    assert life["row"]["id"] not in life["others"]
    [line] = [one for one in as_text(life).splitlines() if "others" in one]
    assert line == f"1 of 7 rows with this text; others: {', '.join(life['others'][:OTHERS])}, ..."
    alone = fw.why(kept.path, life["row"]["id"], home=tmp_path / "store")
    assert alone["others"] == []
