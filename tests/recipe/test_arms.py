"""The arms of a comparison: clean of leaks, each its own; the slices that they are scored by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.comparing.arms import build_arms, leaked_rows
from dataflywheel.recipe.comparing.reading import Reading, passes
from dataflywheel.recipe.comparing.trials import settings_of
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
    raw = next(arm for arm in build_arms(context, field, range(20), TrainSettings(), words) if arm.name == "random_raw")
    assert not {id for seed in raw.ids for id in seed} & set(ids[:2])
    assert {id for seed in raw.ids for id in seed} == set(ids[2:])


def words(rows: Path) -> Reading:
    """Stands for a tokenizer: white space divides, and an answer of the word `silence` teaches nothing."""
    table = read_rows(rows, ["id", "messages"]).to_pylist()
    said = {row["id"]: " ".join(one["content"] for one in row["messages"]).split() for row in table}
    taught = {id: found for id, found in said.items() if "silence" not in found}
    return Reading({id: len(found) for id, found in taught.items()}, dict.fromkeys(taught, 1))


def test_each_arm_has_a_name_and_every_cost(tmp_path: Path) -> None:
    arms = build_arms(*field_of(tmp_path), [0, 1], TrainSettings(epochs=9), words)
    names = [arm.name for arm in arms]
    assert names == ["selection", "random", "random_raw", "longest", "longest {'length': 'chars'}", "full"]
    assert arms[0].select_cost.seconds >= 1.5  # its own ranking too
    assert arms[1].ids[0] != arms[1].ids[1] or set(arms[1].ids[0]) != set(arms[2].ids[0])
    assert arms[3].ids[0] == arms[3].ids[1]
    full = arms[-1]
    assert len(full.ids[0]) == 10
    assert full.epochs == pytest.approx(9.0 * 3 / 10, rel=0.5)  # nine passes over three rows, over ten rows
    stepped = build_arms(*field_of(tmp_path), [0, 1], TrainSettings(max_steps=5, batch_size=3), words)[-1]
    assert stepped.epochs == pytest.approx(5 / 9 * (full.epochs or 0))  # five passes in place of nine


def uneven(folder: Path, **more: Any) -> tuple[Context, Chosen]:
    """Sixty short rows, sixty long ones, and as many that teach nothing; the recipe chose twelve long ones."""
    import json

    rows = [
        {"prompt": f"row {n}", "completion": " ".join([f"word{n}"] * times)}
        for n in range(180)
        for times in [(8, 28, 8)[n % 3]]
    ]
    for n in range(2, 180, 3):
        rows[n]["completion"] = f"silence {n}"
    (folder / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    value: dict[str, Any] = {
        "name": "uneven",
        "pool": {"path": str(folder / "pool.jsonl")},
        "steps": [{"select": {"by": "longest", "keep": 12}}],
        "compare": {"arms": ["random", "random_raw", "longest", "length_matched_random", "full"], "seeds": 3, **more},
    }
    recipe = recipe_from(value)
    context, _ = ingest_pool(Context(recipe, RunDirectory(folder / "run"), folder / "store"))
    assert context.pool is not None
    (select,) = build_steps(recipe)
    assert isinstance(select.work, Select)
    pool = read_rows(context.pool)
    tokens = words(context.pool).tokens
    long = [n for n, id in enumerate(pool["id"].to_pylist()) if tokens.get(id) == 30][:12]
    with PartWriter(folder / "selected") as writer:
        writer.write(pool.take(long))
    return context, Chosen(context.pool, context.pool, (), folder / "selected", select.work)


def test_all_arms_are_read_for_as_many_tokens(tmp_path: Path) -> None:
    """Random rows are a third shorter in the mean than the chosen ones: as many rows would be much less training."""
    context, chosen = uneven(tmp_path)
    assert context.pool is not None
    held = words(context.pool)
    arms = build_arms(context, chosen, [0, 1, 2], TrainSettings(max_steps=6, batch_size=4), words)
    for arm in arms:
        steps = [settings_of(TrainSettings(max_steps=6, batch_size=4), arm, seed, seed) for seed in range(3)]
        for ids, settings in zip(arm.ids, steps, strict=True):
            read = held.read(ids) * passes(settings, len(ids))
            assert read == pytest.approx(12 * 30 * 2, rel=0.05), arm.name
            assert all(id in held.tokens for id in ids)
    named = {arm.name: arm for arm in arms}
    assert 14 <= len(named["random"].ids[0]) <= 36
    assert {len(arm.ids[0]) for arm in arms if arm.name in ("longest", "length_matched_random")} == {12}


def test_rows_are_equal_where_the_recipe_says_so(tmp_path: Path) -> None:
    context, chosen = uneven(tmp_path, equal="rows")
    settings = TrainSettings(max_steps=6, batch_size=4)
    arms = build_arms(context, chosen, [0, 1, 2], settings, words)
    assert {len(ids) for arm in arms if arm.name != "full" for ids in arm.ids} == {12}
    assert {settings_of(settings, arm, 0, 0).max_steps for arm in arms if arm.name != "full"} == {6}


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
