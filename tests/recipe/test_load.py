"""Recipes: what is wrong is named with file, line, field and the nearest right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.load import load_recipe, recipe_from
from dataflywheel.recipe.steps import build_steps

GOOD = """\
name: demo
pool: {path: pool.jsonl}
steps:
  - deduplicate
  - select: {by: random, keep: 10%}
compare: [random, longest]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_short_forms_mean_the_long_ones(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, GOOD))
    assert recipe.pool[0].path == "pool.jsonl"
    assert recipe.named_steps() == [("deduplicate", {}), ("select", {"by": "random", "keep": "10%"})]
    assert recipe.compare is not None
    assert (recipe.compare.arms, recipe.compare.seeds) == (["random", "longest"], 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: demo\npool: [\n", r"recipe.yaml:3: not valid YAML"),
        (GOOD + "engine: {local: two}\n", r"engine.local"),
        (GOOD + "engine: {local: 2, ray: auto}\n", r"give `local` or `ray`, not both"),
        (GOOD.replace("pool:", "poool:"), r"recipe.yaml:2: unknown field 'poool'; did you mean 'pool'\?"),
        (GOOD.replace("{path:", "{paht:"), r"recipe.yaml:2: unknown field 'pool.0.paht'; did you mean 'path'\?"),
        (GOOD.replace("name: demo\n", ""), r"recipe.yaml:1: name is missing"),
        (GOOD + "seed: many\n", r"recipe.yaml:7: seed: .*valid integer.*got 'many'"),
        (GOOD + "rounds: 0\n", r"recipe.yaml:7: rounds: "),
        (GOOD.replace("steps:", "steps: ["), r"recipe.yaml:\d+: not valid YAML"),
        (GOOD + "budget: {hours: ${HOURS}}\n", r"recipe.yaml:7: not valid YAML.*needs quotes"),
        ("just a text", r"expected a mapping with `name`, `pool` and `steps`"),
        (GOOD.replace("demo", "${NOT_SET_ANYWHERE}"), r"NOT_SET_ANYWHERE is not set"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_recipe(write(tmp_path, text))


def test_a_key_in_clear_is_refused_without_showing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-0123456789abcdef")
    models = "models: {teacher: {endpoint: http://localhost:8000/v1, model: m, api_key: %s}}\n"
    with pytest.raises(UsageError, match=r"recipe.yaml:7: models.teacher.api_key: .*write `api_key") as error:
        load_recipe(write(tmp_path, GOOD + models % "sk-0123456789abcdef"))
    assert "sk-" not in str(error.value)
    for given, key in (('"${A_KEY}"', "sk-0123456789abcdef"), ("none", "none")):
        teacher = load_recipe(write(tmp_path, GOOD + models % given)).models.teacher
        assert teacher is not None
        assert teacher.api_key is not None
        assert teacher.api_key.get_secret_value() == key


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere.yaml: cannot be read"):
        load_recipe(tmp_path / "nowhere.yaml")


def test_environment_with_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL_FOLDER", "/somewhere")
    text = GOOD.replace("pool.jsonl", '"${POOL_FOLDER}/${OTHER:-a}.jsonl"')
    assert load_recipe(write(tmp_path, text)).pool[0].path == "/somewhere/a.jsonl"


def steps_of(step: object) -> object:
    return build_steps(recipe_from({"name": "x", "pool": {"path": "p"}, "steps": [step]}))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("dedup", r"step 1: there is no step 'dedup'; did you mean 'deduplicate'"),
        ({"deduplicate": {"neer": 0.8}}, r"deduplicate: unknown parameter 'neer'; did you mean 'near'\?"),
        ({"deduplicate": {"near": "much"}}, r"deduplicate: near: .*got 'much'"),
        ({"select": {"by": "random"}}, r"say how much to keep"),
        ({"select": {"by": "facility", "keep": 5}}, r"did you mean 'facility_location'"),
        ({"train": {"epoch": 1}}, r"step 1, train: unknown parameter 'epoch'; did you mean 'epochs'\?"),
    ],
)
def test_steps_are_checked_before_anything_runs(step: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        steps_of(step)


def test_the_budget_is_the_default_of_a_selection() -> None:
    value = {"name": "x", "pool": {"path": "p"}, "budget": {"rows": 7}, "steps": [{"select": {"by": "random"}}]}
    assert str(build_steps(recipe_from(value))[0].work.keep) == "7"
