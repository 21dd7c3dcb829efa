"""What the step `select` accepts, and what it says of wrong requests."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dataflywheel.contracts import UsageError
from dataflywheel.selection.spec import Select


def test_needs_is_the_union() -> None:
    spec = Select(by=["ifd", "longest"], then="diverse_by_score", keep="100 tokens", per="source")
    assert set(spec.needs()) == {
        "likelihood.loss_answer_given_prompt",
        "likelihood.loss_answer",
        "text.tokens_answer",
        "text.tokens_prompt",
        "embedding.vector",
        "row.source",
    }
    assert Select(by="random", keep=1).needs() == ()


def test_one_meaning_one_form() -> None:
    spec = Select(by="ifd", keep=10)
    assert spec == Select(by=[{"ifd": {}}], keep=10) == Select(by={"ifd": None}, keep=10)
    assert Select(**spec.model_dump(mode="json")) == spec
    assert spec.label() == "ifd"
    assert Select(by="ifd", then="k_center", keep=1).label() == "ifd > k_center"
    assert spec.deterministic
    assert not Select(by="ifd", then="density", keep=1).deterministic


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"by": "idf", "keep": 1}, "did you mean 'ifd'"),
        ({"by": {"ifd": {"ration": "loss"}}, "keep": 1}, "did you mean 'ratio'"),
        ({"by": "ifd", "keep": "many"}, "budget 'many' is not understood"),
        ({"by": "ifd", "keep": 1, "quota": "equal"}, "per: source"),
        ({"by": "diverse_by_score", "keep": 1}, "put it in `then`"),
        ({"by": {"ifd": {}, "longest": {}}, "keep": 1}, "one method with its parameters"),
        ({"by": [], "keep": 1}, "at least one selector"),
        ({"by": "ifd", "keep": 1, "per": "source", "quota": {"a": 0}}, "shares must be positive"),
    ],
)
def test_wrong_requests(spec: dict[str, Any], message: str) -> None:
    with pytest.raises((UsageError, ValidationError), match=message):
        Select(**spec)
