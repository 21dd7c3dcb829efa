"""What a model's spec shows, and what it keeps to itself."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import Method, UsageError
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.load import recipe_from

SECRET = "sk-the-key-that-nobody-may-see"
FULL = {"endpoint": "http://localhost:8000/v1", "model": "m", "api_key": SECRET, "usd_per_mtok": {"in": 1, "out": 2}}


class Asking(Method):
    model: ModelSpec


def test_the_key_is_nowhere_but_in_its_field() -> None:
    spec = ModelSpec.model_validate(dict(FULL))
    assert spec.api_key is not None
    assert spec.api_key.get_secret_value() == SECRET
    shown = (repr(spec), str(spec), spec.model_dump_json(), str(spec.model_dump()), repr(Asking(model=spec)))
    assert not any(SECRET in text for text in shown)
    assert pickle.loads(pickle.dumps(spec)).api_key == spec.api_key


@pytest.mark.parametrize(
    "changed", [{"api_key": "other"}, {"concurrency": 3}, {"timeout": 9.0}, {"usd_per_mtok": None}]
)
def test_key_price_and_pace_do_not_change_a_digest(changed: dict[str, Any]) -> None:
    one, two = (Asking(model=ModelSpec.model_validate(fields)) for fields in (dict(FULL), {**FULL, **changed}))
    assert one.digest() == two.digest()
    assert one.model != two.model
    other = Asking(model=ModelSpec.model_validate({**FULL, "model": "n"}))
    able = Asking(model=ModelSpec.model_validate({**FULL, "capabilities": {"logprobs": True}}))
    assert len({one.digest(), other.digest(), able.digest()}) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"hf": "folder"},
        {"timeout": -1},
        {"concurrency": "many"},
        {"api_key": [SECRET], "timeout": -1},
        {"unknown": 1},
        {"capabilities": {"logprob": True}},
        {"endpoint": f"http://user:{SECRET}@host/v1"},
        {"endpoint": f"http://host/v1?key={SECRET}"},
        {"endpoint": f"http://host/v1#{SECRET}"},
        {"endpoint": f"http://host/{SECRET}/v1"},
        {"extra": {"api_key": SECRET}},
        {"extra": {"headers": [{"x": f"Bearer {SECRET}"}]}},
        {"extra": {"user": SECRET}},
        {"model": f"m-{SECRET}"},
        {"api_key": f"{SECRET}\nnext"},
        {"api_key": f"{SECRET}\u00e9"},
        {"endpoint": "host:8000"},
        {"model": None},
    ],
)
def test_no_complaint_shows_the_key(wrong: dict[str, Any]) -> None:
    recipe = {"name": "a", "pool": [{"path": "x"}], "steps": ["deduplicate"]}
    with pytest.raises(UsageError) as error:
        recipe_from({**recipe, "models": {"student": {**FULL, **wrong}}})
    assert SECRET not in str(error.value)


def test_a_line_end_behind_a_key_or_an_address_is_none_of_it() -> None:
    spec = ModelSpec.model_validate({**FULL, "api_key": f"{SECRET}\r\n", "endpoint": "http://localhost:8000/v1\r"})
    assert spec.api_key is not None
    assert (spec.api_key.get_secret_value(), spec.endpoint) == (SECRET, "http://localhost:8000/v1")


def test_addresses_and_extra_fields_that_hold_no_key_are_taken_as_they_are() -> None:
    for endpoint in ("http://api.host/api-gateway/token/v1", "https://router.host/hf-inference/models/gpt2/v1"):
        assert ModelSpec.model_validate({**FULL, "endpoint": endpoint}).endpoint == endpoint
    extra = {"chat_template_kwargs": {"enable_thinking": False}, "top_k": 20, "user": "skilled-annotator-01"}
    assert ModelSpec.model_validate({**FULL, "extra": extra}).extra == extra


def test_how_much_of_the_pool_is_read_counts_only_where_it_is_not_the_usual() -> None:
    usual, less = ModelSpec(builtin="tiny"), ModelSpec(builtin="tiny", tokens=300_000)
    assert "tokens" not in usual.model_dump()
    assert ModelSpec.model_validate(less.model_dump()) == less
    assert Asking(model=usual).digest() != Asking(model=less).digest()
    with pytest.raises(ValueError, match="greater than or equal to 10000"):
        ModelSpec(builtin="tiny", tokens=0)


def test_a_word_for_a_model_of_the_recipe_is_no_name_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    base = {"name": "a", "pool": [{"path": "pool.jsonl"}], "steps": [{"select": {"by": "longest", "keep": 1}}]}
    with pytest.raises(UsageError, match="no folder 'student' here; write the model out"):
        recipe_from({**base, "models": {"scorer": "student"}})
    with pytest.raises(ValueError, match="no folder 'teacher' here"):
        Asking(model="teacher")  # type: ignore[arg-type]  # as it stands in a recipe
    (tmp_path / "teacher").mkdir()
    assert Asking(model="teacher").model.hf == "teacher"  # type: ignore[arg-type]
    assert ModelSpec.model_validate("./student").hf == "./student"
