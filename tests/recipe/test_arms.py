"""The arms of a comparison: clean of leaks, each its own; the slices that they are scored by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.comparing.arms import build_arms, leaked_rows
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.ingest import eval_set, ingest_pool, ingest_target
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.clean import Clean
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.selection.spec import Select
from dataflywheel.store.run import RunDirectory

LEAK = "why does the heron stand on one leg in the shallow water of the cold northern lake at night"
SHARED = {"arms": ["random", "random_raw", {"longest": {}}, {"longest": {"length": "chars"}}, "full"], "seeds": 2}


def field_of(folder: Path) -> tuple[Context, Chosen]:
    """A pool of ten rows, of which one is a leak and one its near-copy."""
    import json

    rows = [f"{word} is a word that {word * 2} people say of {word * 3} things" for word in "abcdefgh"]
    lines = [{"prompt": text, "completion": f"it is {text} indeed"} for text in [LEAK, f"{LEAK} twice", *rows]]
    (folder / "pool.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "target.jsonl").write_text(json.dumps({"prompt": LEAK, "completion": "it rests"}), encoding="utf-8")
    value: dict[str, Any] = {
        "name": "arms",
        "pool": {"path": str(folder / "pool.jsonl")},
        "target": {"path": str(folder / "target.jsonl")},
        "steps": [{"decontaminate": {"semantic": None}}, {"select": {"by": "longest", "keep": 3}}],
        "compare": SHARED,
    }
    recipe = recipe_from(value)
    context = Context(recipe, RunDirectory(folder / "run"), folder / "store")
    context, _ = ingest_pool(context)
    context = ingest_target(context)
    assert context.pool is not None
    guard, select = build_steps(recipe)
    with PartWriter(folder / "selected") as writer:
        writer.write(read_rows(context.pool).slice(2, 3))
    assert isinstance(select.work, Select)
    return context, Chosen(context.pool, context.pool, (guard,), folder / "selected", select.work, 1.5)


def test_copies_of_leaks_stay_out_of_the_raw_arm(tmp_path: Path) -> None:
    context, field = field_of(tmp_path)
    assert context.pool is not None
    ids = read_rows(context.pool, ["id"])["id"].to_pylist()
    assert leaked_rows(context, field) == set(ids[:2])
    (guard,) = field.guards
    columns = context.measured(field.raw, guard.needs(), "compare", guard.signal_parameters())
    assert isinstance(guard, Clean)
    details = guard.decide(context, field.raw, columns).details
    assert {entry["setting"]: entry["rows"] for entry in details["settings"]}["any 8-gram"] == 2
    raw = next(arm for arm in build_arms(context, field, range(20), 1.0) if arm.name == "random_raw")
    assert not {id for seed in raw.ids for id in seed} & set(ids[:2])
    assert {id for seed in raw.ids for id in seed} == set(ids[2:])


def test_each_arm_has_a_name_and_every_cost(tmp_path: Path) -> None:
    arms = build_arms(*field_of(tmp_path), [0, 1], 9.0)
    names = [arm.name for arm in arms]
    assert names == ["selection", "random", "random_raw", "longest", "longest {'length': 'chars'}", "full"]
    assert arms[0].select_cost.seconds >= 1.5  # its own ranking too
    assert arms[1].ids[0] != arms[1].ids[1] or set(arms[1].ids[0]) != set(arms[2].ids[0])
    assert arms[3].ids[0] == arms[3].ids[1]
    full = arms[-1]
    assert len(full.ids[0]) == 10
    assert full.epochs == pytest.approx(9.0 * 3 / 10, rel=0.5)  # nine passes over three rows, over ten rows


def test_each_target_has_its_own_slices_without_being_given_a_source(tmp_path: Path) -> None:
    for name, skill in (("first", "sums"), ("second", "rhymes")):
        line = f'{{"prompt": "{name} question", "completion": "an answer", "skill": "{skill}", "level": "{name} b"}}'
        (tmp_path / f"{name}.jsonl").write_text(line, encoding="utf-8")
    targets = [
        {"path": str(tmp_path / "first.jsonl"), "slice": "skill"},
        {"path": str(tmp_path / "second.jsonl"), "slice": "level"},
    ]
    value = {"name": "t", "pool": {"path": str(tmp_path / "first.jsonl")}, "target": targets, "steps": ["deduplicate"]}
    context = Context(recipe_from(value), RunDirectory(tmp_path / "run"), tmp_path / "store")
    context = ingest_target(context)
    assert eval_set(context, Evaluate()).slices == ("sums", "second b")
