"""The card of a model says from what, on what, how and how good, and shows no text of strangers as markup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataflywheel.report.card.model_card import write_model_cards
from tests.report.fixture import HOSTILE, build_run


def trained(folder: Path, student: str = "", **more: Any) -> Path:
    run = build_run(folder, **more)
    for name in ("student", "student-sft"):
        (run / "models" / name).mkdir(parents=True)
        (run / "models" / name / "config.json").write_text("{}", encoding="utf-8")
    (run / "models" / "half").mkdir()
    if student:
        recipe = (run / "recipe.yaml").read_text(encoding="utf-8")
        (run / "recipe.yaml").write_text(recipe.replace("{builtin: tiny}", student), encoding="utf-8")
    return run


def read(path: Path) -> tuple[dict[str, Any], str]:
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front), body


def test_it_says_what_the_model_is_and_how_good(tmp_path: Path) -> None:
    run = trained(tmp_path / "run")
    paths = write_model_cards(run)
    assert paths == [run / "models" / name / "README.md" for name in ("student", "student-sft")]
    front, body = read(paths[0])
    assert (front["library_name"], front["pipeline_tag"]) == ("transformers", "text-generation")
    assert {"dataflywheel", "train", "ifd"} <= set(front["tags"])
    assert "base_model" not in front
    assert "Trained from `tiny` on 100 rows, by source: alpaca (100)." in body
    assert '- round-1/04-train: 38 steps, 61,200 tokens; `{"epochs": 3}`' in body
    assert "bits per byte (lower is better): 2.310 (2.270 to 2.350), all rows." in body
    assert "- writing: 2.400 (2.300 to 2.500)" in body
    assert "It was not compared with a model trained on random rows" in body


@pytest.mark.parametrize(
    ("student", "base"),
    [("{hf: Qwen/Qwen2.5-0.5B}", "Qwen/Qwen2.5-0.5B"), ("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B"),
     ("{hf: ./models/secret-place/mine}", None), ("{hf: /home/jane/mine}", None)],
)  # fmt: skip
def test_the_model_it_began_from_is_named_where_the_hub_has_it(tmp_path: Path, student: str, base: str | None) -> None:
    front, body = read(write_model_cards(trained(tmp_path / "run", student))[0])
    assert front.get("base_model") == base
    assert f"`{base or 'mine'}`" in body
    assert "jane" not in body
    assert "secret-place" not in body


def test_a_card_that_is_there_stays_where_only_missing_ones_are_wanted(tmp_path: Path) -> None:
    run = trained(tmp_path / "run")
    own = run / "models" / "student" / "README.md"
    own.write_text("my own words", encoding="utf-8")
    assert write_model_cards(run, missing=True) == [run / "models" / "student-sft" / "README.md"]
    assert own.read_text(encoding="utf-8") == "my own words"
    assert write_model_cards(run)[0] == own


def test_no_model_no_card(tmp_path: Path) -> None:
    assert write_model_cards(build_run(tmp_path / "run")) == []
    untrained = build_run(tmp_path / "other", finished=False)
    (untrained / "models" / "student").mkdir(parents=True)
    (untrained / "models" / "student" / "config.json").write_text("{}", encoding="utf-8")
    assert write_model_cards(untrained) == []


def test_text_of_strangers_is_no_markup(tmp_path: Path) -> None:
    _, body = read(write_model_cards(trained(tmp_path / "run", hostile=True))[0])
    assert "<script>" not in body
    assert HOSTILE not in body


def test_a_card_is_no_part_of_the_models_identity(tmp_path: Path) -> None:
    from dataflywheel.models.files import folder_digest

    run = trained(tmp_path / "run")
    before = folder_digest(run / "models" / "student")
    write_model_cards(run)
    assert folder_digest(run / "models" / "student") == before
    assert json.loads((run / "models" / "student" / "config.json").read_text()) == {}
