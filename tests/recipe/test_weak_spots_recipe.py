"""The recipe of weak spots that is shipped, its wheel turned twice against the scripted endpoint on small documents."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from dataflywheel.cli.asked import paid
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.parts import read_rows
from tests.recipe.jobs import write_pool
from tests.support.endpoint import Endpoint

POOL, HELD_OUT = "{builtin: python_docs, license: PSF-2.0}", "{builtin: python_docs, split: held_out,"


@pytest.mark.slow
def test_failures_are_written_from_beside_random_texts_and_the_bill_is_within_the_plan(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.configure(rules=[{"rule": "inventor"}])
    monkeypatch.setenv("TEACHER_URL", endpoint.url)
    text = Path("recipes/weak_spots.yaml").read_text(encoding="utf-8")
    assert POOL in text
    assert HELD_OUT in text
    text = text.replace(POOL, json.dumps({"path": str(write_pool(tmp_path))}))
    text = text.replace(HELD_OUT, f'{{path: "{write_pool(tmp_path, split="held_out")}",').replace(
        "slice: kind", "slice: tag"
    )
    text = text.replace("keep: 300", "keep: 100")
    (tmp_path / "weak_spots.yaml").write_text(text, encoding="utf-8")
    recipe = load_recipe(tmp_path / "weak_spots.yaml")
    told = plan(recipe).total
    done = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    by = [
        Counter(row["made_by"] for row in read_rows(done.path / f"round-{n}" / "08-generate" / "rows").to_pylist())
        for n in (1, 2)
    ]
    assert by[0] == {"": 50, "oss_instruct": 12}  # nothing was evaluated yet
    assert by[1][""] == 50
    assert 20 <= by[1]["llm2llm"] <= 24  # a slice may have no failure left to write from
    assert 10 <= by[1]["oss_instruct"] <= 12
    steps = [json.loads((done.path / f"round-{n}" / "10-evaluate" / "metrics.json").read_text()) for n in (1, 2)]
    for step in steps:
        assert {"perturbed_typos", "perturbed_case"} == step["details"]["renewed"].keys()
    charged = endpoint.bill().charged
    assert len(charged) == len({line.key for line in charged})
    bill = paid(done.path)
    assert 0 < bill["calls"] == len(charged) <= told.calls
    assert bill["tokens"] == sum(line.tokens_in + line.tokens_out for line in charged)  # and not those of training
    assert told.usd is not None
    assert 0 < bill["usd"] <= told.usd
    again = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    assert (again.rows_out, len(endpoint.bill().charged)) == (done.rows_out, len(charged))
