"""What a real small model once replied to every method that asks: it is read today as it was read then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.models.endpoint.chat_model import Capabilities
from dataflywheel.recipe.made_up_rows import files
from tests.support.small_rows import ROWS
from tests.support.tried import asking_methods, attempt, from_line, gates_ask, replayed, rows_of

HEAD, *LINES = [json.loads(line) for line in Path(__file__).with_name("smollm2.jsonl").read_text("utf-8").splitlines()]
CAN = Capabilities(seed=True, thinks=False, **{name: HEAD[name] for name in ("json_schema", "logprobs", "completion")})


@pytest.mark.parametrize("line", [one for one in LINES if one["items"]], ids=lambda line: str(line["method"]))
def test_replies_are_read_as_they_were(line: dict[str, Any], tmp_path: Path) -> None:
    with replayed([from_line(reply) for reply in line["replies"]], CAN) as tape:
        gated = gates_ask(line["method"])
        found = attempt(line["method"], rows_of(ROWS[: HEAD["rows"]]), tape, files(tmp_path), gated=gated)
    assert (found.items, found.read) == (line["items"], line["read"])


def test_every_method_that_asks_was_tried() -> None:
    assert {line["method"] for line in LINES} == set(asking_methods())


def test_most_of_what_was_asked_could_be_read() -> None:
    """Of so small a model; where it falls, a question has become harder to understand."""
    items, read = sum(line["items"] for line in LINES), sum(line["read"] for line in LINES)
    assert sum(len(line["replies"]) for line in LINES) > 100
    assert read > 0.5 * items
