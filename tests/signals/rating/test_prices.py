"""What a plan says that rating costs is what is asked: every signal that asks a model, from its defaults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel import catalog
from dataflywheel.contracts import PoolStatistics, Signal, build
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.needs import asks
from dataflywheel.signals.rating.rating import Rating
from tests.models.endpoint.fake import FakeClient, first_token
from tests.signals.rating.support import rows

ROWS = 30
GIVEN: dict[str, dict[str, Any]] = {
    "ask": {"question": "Is it useful? Reply with yes or no.", "answer": "yes_no"},
    "decision_tree_of_thought": {"depth": 1, "categories": {"word": ["another"]}},
}
"""What has no default."""
RATINGS = [name for name in catalog.names(Signal) if asks(catalog.get(name))]


def formed(schema: dict[str, Any], whole: dict[str, Any], many: int) -> Any:
    """The least that fits a JSON schema; a list has as many entries as answers were shown."""
    if "$ref" in schema:
        return formed(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, many)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: formed(part, whole, many) for name, part in schema["properties"].items()}
    if kind == "array":
        return [formed(schema["items"], whole, many)] * many
    return {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True}.get(str(kind), "word")


def says(request: Request) -> str | Reply:
    if request.schema is not None:
        schema = json.loads(request.schema)
        return json.dumps(formed(schema, schema, 5))
    if request.sampling.top_logprobs:
        return first_token({"yes": 0.5, "2": 0.4})
    return "yes" if "yes or no" in str(request.messages) else "3\nIt is an answer."


@pytest.mark.parametrize("logprobs", [False, True])
@pytest.mark.parametrize("name", RATINGS)
def test_the_estimate_is_the_count(name: str, logprobs: bool, tmp_path: Path) -> None:
    kind = catalog.get(name, Signal)
    if "logprobs" in getattr(kind, "capabilities", ()) and not logprobs:
        return
    can: dict[Any, bool] = {"chat": True, "samples": True, "json_schema": True, "logprobs": logprobs}
    spec = ModelSpec(endpoint="http://localhost:1/v1", model="m", capabilities=can)
    anchors = tmp_path / "anchors.jsonl"
    anchors.write_text("\n".join(json.dumps({"prompt": f"A{i}?", "completion": f"B{i}."}) for i in range(12)))
    signal = build(
        kind,
        {"model": spec, **GIVEN.get(name, {}), **({"anchors": str(anchors)} if "anchors" in kind.model_fields else {})},
    )
    assert isinstance(signal, Rating)
    client = FakeClient(says, **can)
    batch = rows(*((f"Question {i}?", f"Answer {i}.") for i in range(ROWS)))
    measured = signal.measure_with(client, batch)
    assert measured["status"].to_pylist().count(0) == ROWS
    assert signal.estimate(PoolStatistics(ROWS, 40 * ROWS, 10 * ROWS)).calls == len(client.requests)
