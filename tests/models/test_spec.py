"""What a model's spec shows, and what it keeps to itself."""

from __future__ import annotations

import pickle
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
        {"endpoint": "host:8000"},
        {"model": None},
    ],
)
def test_no_complaint_shows_the_key(wrong: dict[str, Any]) -> None:
    recipe = {"name": "a", "pool": [{"path": "x"}], "steps": ["deduplicate"]}
    with pytest.raises(UsageError) as error:
        recipe_from({**recipe, "models": {"student": {**FULL, **wrong}}})
    assert SECRET not in str(error.value)
