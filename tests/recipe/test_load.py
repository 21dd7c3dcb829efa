"""Recipes: what is wrong is named with file, line, field and the nearest right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.load import load_recipe, recipe_from
from dataflywheel.recipe.steps.build import build_steps

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
        (GOOD + "seed: many\n", r"recipe.yaml:7: seed: expected a whole number.*got 'many'"),
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


HEX = "a8f3c2e19b7d4f60a1c2e3f4b5d6a7c8"
LEAKING = [
    ("SK", "endpoint: 'http://localhost:8000/${SK}/v1', model: m"),
    ("SK", "endpoint: 'http://localhost:8000/v1;key=${SK}', model: m"),
    ("HEX", "endpoint: 'http://localhost:8000/${HEX}/v1', model: m"),
    ("HEX", "endpoint: http://localhost:8000/v1, model: '${HEX}'"),
    ("HEX", "endpoint: http://localhost:8000/v1, model: m, extra: {a: [{b: 'x ${HEX}'}]}"),
    ("A_TOKEN", "endpoint: http://localhost:8000/v1, model: m, extra: {user: '${A_TOKEN}'}"),
    ("A_TOKEN", "hf: '${A_TOKEN}'"),
    ("SK", "endpoint: http://localhost:8000/v1, model: m, api_key: ['${SK}']"),
    ("SK", "endpoint: http://localhost:8000/v1, model: m, timeout: '${SK}'"),
    ("A", "endpoint: http://localhost:8000/v1, model: m, timeout: '${A}'"),
    ("A", "endpoint: http://localhost:8000/v1, model: m, usd_per_mtok: '${A}'"),
    ("A", "endpoint: http://localhost:8000/v1, model: '${A}', api_key: '${A}'"),
    ("SK", "endpoint: http://localhost:8000/v1, model: m, api_key: '${NOT_SET:-sk-0123456789abcdef}'"),
    ("SK", "endpoint: http://localhost:8000/v1, model: m, api_key: 'sk-0123456789abcdef${NOT_SET:-}'"),
]


@pytest.mark.parametrize(("name", "model"), LEAKING)
def test_a_key_stands_in_its_field_alone_and_in_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, model: str
) -> None:
    keys = {"SK": "sk-0123456789abcdef", "HEX": HEX, "A_TOKEN": "one-two-three-four", "A": "a-word'with\\more"}
    for variable, key in keys.items():
        monkeypatch.setenv(variable, key)
    with pytest.raises(UsageError, match=r"recipe.yaml:7: .*(to disk|teacher)") as error:
        load_recipe(write(tmp_path, GOOD + f"models: {{teacher: {{{model}}}}}\n"))
    assert keys[name] not in str(error.value)
    assert repr(keys[name])[1:-1] not in str(error.value)


def test_a_models_key_stands_nowhere_else_in_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "a-word-of-some-letters")
    models = "models: {teacher: {endpoint: http://localhost:8000/v1, model: m, api_key: '${A}'}}\n"
    text = GOOD.replace("pool.jsonl", "'${A}.jsonl'")
    with pytest.raises(UsageError, match=r"recipe.yaml:2: pool.path holds the key of a model") as error:
        load_recipe(write(tmp_path, text + models))
    assert "a-word" not in str(error.value)


def test_what_is_no_key_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses, models, folders, accounts and commits, however long."""
    given = {
        "TEACHER_URL": "https://llm.example.org/v1",
        "TEACHER_MODEL": "meta-llama/Llama-3.1-405B-Instruct-AWQ-INT4-2024",
        "ACCOUNT_ID": HEX,
        "GIT_SHA": HEX + "01234567",
        "TOKEN_FILE": str(tmp_path),
        "MOST_TOKENS": "512",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    text = GOOD.replace("demo", "run-${GIT_SHA}").replace("pool.jsonl", "'${TOKEN_FILE}/${GIT_SHA}'")
    extra = "extra: {a: '${MOST_TOKENS}'}"
    for address in ("${TEACHER_URL}", "https://api.example.org/accounts/${ACCOUNT_ID}/v1"):
        models = f"models: {{teacher: {{endpoint: '{address}', model: '${{TEACHER_MODEL}}', {extra}}}}}\n"
        assert load_recipe(write(tmp_path, text + models)).name == f"run-{given['GIT_SHA']}"


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
