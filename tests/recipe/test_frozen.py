"""What a small recipe leaves on disk is what it left before; see `tests.recipe.frozen` for how and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.recipe.frozen import ASKED, FILE, NAMES, left_by
from tests.support.endpoint import Endpoint


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_leaves_what_it_left_before(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    endpoint: Endpoint | None = request.getfixturevalue("endpoint") if name in ASKED else None
    found, before = left_by(name, tmp_path, endpoint), json.loads(FILE.read_text(encoding="utf-8"))[name]
    other = sorted(path for path in {*found, *before} if found.get(path) != before.get(path))
    assert not other, f"other files than before; where that is meant: python -m tests.recipe.frozen {name}"


def test_the_file_holds_every_recipe() -> None:
    assert set(json.loads(FILE.read_text(encoding="utf-8"))) == set(NAMES)
