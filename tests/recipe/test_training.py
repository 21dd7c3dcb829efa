"""What takes part in the training of a recipe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import Cost, UsageError
from dataflywheel.distillation.model.distill import TaughtBy
from dataflywheel.evolution.iteration.training_setup import TrainingSetup
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.inputs.ingest import ingest_pool, ingest_target
from dataflywheel.recipe.inputs.steering import told
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import make_plan
from dataflywheel.recipe.planning.targeting import guides_and_judges
from dataflywheel.recipe.steps import train
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.distill import Distill, Distilling
from dataflywheel.recipe.steps.learning import Learning
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given
from dataflywheel.recipe.steps.train import Train, Training
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import RunDirectory
from tests.recipe.jobs import write_pool


@pytest.mark.parametrize(("sampler", "learnt"), [("rho_loss", "steer"), ("doremi", "pool")])
def test_a_reference_is_trained_on_what_the_sampler_compares_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampler: str, learnt: str
) -> None:
    asked: list[tuple[Path, Sequence[str]]] = []

    def trained(home: Path, rows: Path, ids: Sequence[str], *given: Any) -> tuple[Path, dict[str, Any]]:
        asked.append((rows, ids))
        return tmp_path / "reference", {"seconds": 0.0, "steps": 1, "tokens": 1}

    monkeypatch.setattr(train, "trained", trained)
    recipe = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": ["train"]})
    context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
    rows = {name: prompt_answer_row(name, "a") for name in ("pool", "steer")}
    for name, row in rows.items():
        with PartWriter(tmp_path / name) as writer:
            writer.write(build([row]))
    context = replace(context, pool=tmp_path / "pool", guide=tmp_path / "steer")
    step = Training(1, "train", Train(sampler=sampler))  # type: ignore[arg-type]
    found = step.teaching(context, tmp_path)
    assert found.reference == tmp_path / "reference"
    assert asked == [(tmp_path / learnt, [rows[learnt]["id"]])]


def test_a_sampler_that_compares_with_the_target_is_refused_without_one() -> None:
    plain = {"name": "a", "pool": [{"builtin": "python_docs"}], "steps": ["train"]}
    untargeted = recipe_from(plain)
    targeted = recipe_from({**plain, "target": [{"builtin": "python_docs", "split": "held_out"}]})

    def step(sampler: str) -> Training:
        return Training(1, "train", Train(sampler=sampler))  # type: ignore[arg-type]

    step("doremi").check(untargeted, comparison=False)
    step("rho_loss").check(targeted, comparison=False)
    with pytest.raises(UsageError, match="name evaluation rows"):
        step("rho_loss").check(untargeted, comparison=False)


def test_the_step_distill_is_read_as_its_method_is() -> None:
    for by in ("uld", {"uld": None}, {"top_k_distillation": {"k": 4}}):
        step = Distill(by=by, epochs=2)  # type: ignore[arg-type]
        assert step.objective() == TaughtBy(by=by).method()  # type: ignore[arg-type]
        assert step.settings() == TrainSettings(epochs=2)
    assert Distill().by == TaughtBy().by
    with pytest.raises(UsageError, match="on_policy gives no objective to train with"):
        Distill(by="on_policy").objective()  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="sequence_level trains no student"):
        Distill(by={"sequence_level": {"model": "folder"}}).objective()


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        (["train"], ["student"]),
        (["train", "prefer"], ["student-sft", "student"]),
        (["train", "train"], ["student-01-train", "student"]),
        (["train", "distill", "prefer"], ["student-01-train", "student-sft", "student"]),
    ],
)
def test_no_training_takes_the_place_of_another_so_that_the_same_command_again_finds_both(
    tmp_path: Path, steps: list[str], names: list[str]
) -> None:
    recipe = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": steps})
    context, made = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store"), build_steps(recipe)
    found = []
    for step in made:
        assert isinstance(step, Learning)
        given = Given(context, made, State(tmp_path, ""), tmp_path / step.place, "f")
        name = step.model_name(given)
        folder = context.run.path / "models" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(step.place, encoding="utf-8")
        found.append((step, given, StepRecord(details={"model": f"models/{name}", "digest": folder_digest(folder)})))
    assert [Path(record.details["model"]).name for *_, record in found] == names
    assert [step.intact(given, record) for step, given, record in found] == [[]] * len(names)


def test_a_teacher_is_heard_by_the_method_and_trained_with_the_recipes_seed_on_top_of_the_steps(tmp_path: Path) -> None:
    distil = {"by": {"top_k_distillation": {"k": 4}}, "teacher": {"hf": str(tmp_path)}, "seed": 3}
    recipe = recipe_from(
        {"name": "a", "seed": 40, "pool": [{"builtin": "python_docs"}], "steps": [{"distill": distil}]}
    )
    context, (step,) = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store"), build_steps(recipe)
    assert isinstance(step, Distilling)
    taught = step.teaching(context, tmp_path)
    assert taught.objective is not None
    assert taught.objective == step.work.objective()
    assert taught.teacher == step.work.teacher
    assert step.seeded(context).seed == 43


def skilled(folder: Path, **more: Any) -> dict[str, Any]:
    """A recipe that draws skills: tags of the pool that are slices of the target."""
    folder.mkdir(exist_ok=True)
    for name, count in (("pool", 24), ("target", 40)):
        lines = [
            {"prompt": f"{name} {i}", "completion": f"{name} {i}", "tags": ["odd" if i % 2 else "even"]}
            for i in range(count)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return {
        "name": "skilled",
        "pool": [{"path": str(folder / "pool.jsonl")}],
        "target": [{"path": str(folder / "target.jsonl"), "slice": "tag"}],
        "models": {"student": {"builtin": "tiny", "size": "0.5m"}},
        "steps": [
            {"decontaminate": {"semantic": None}},
            {"train": {"sampler": "skill_it", "max_steps": 4, "batch_size": 4, "max_length": 64}},
            "evaluate",
        ],
    } | more


def test_a_sampler_hears_of_the_rows_that_steer_and_never_of_those_that_are_scored(tmp_path: Path) -> None:
    recipe = recipe_from(skilled(tmp_path))
    steps = build_steps(recipe)
    assert guides_and_judges(recipe, steps)  # so that the target is divided between the two
    context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
    context, _ = ingest_pool(context)
    context = ingest_target(context, divided=True)
    assert context.pool is not None
    assert context.guide is not None
    assert context.scored is not None
    step = steps[1]
    assert isinstance(step, Training)
    teaching = step.teaching(context, tmp_path)
    assert teaching.validation is not None
    steer = set(read_rows(teaching.validation[0])["id"].to_pylist())
    assert teaching.validation[0] == context.guide
    assert not steer & set(read_rows(context.scored)["id"].to_pylist())
    assert sorted(set(teaching.validation[1])) == ["even", "odd"]
    heard = told(context, teaching, context.pool, "train")
    pool = read_rows(context.pool)
    tags = {id: tags[0] for id, tags in zip(pool["id"].to_pylist(), pool["tags"].to_pylist(), strict=True)}
    assert heard.columns == {"row.slice": tags}
    assert teaching.digest() == heard.digest() != TrainingSetup(step.work.sampling()).digest()


def test_a_plan_prices_what_a_sampler_asks_for_and_refuses_what_cannot_be(tmp_path: Path) -> None:
    def cost(sampler: Any) -> Cost:
        train = {"sampler": sampler, "max_steps": 12, "batch_size": 4}
        recipe = recipe_from(
            skilled(tmp_path, steps=[{"decontaminate": {"semantic": None}}, {"train": train}, "evaluate"])
        )
        made = make_plan(recipe, build_steps(recipe), comparison=False)
        return Cost(**made["steps"][1]["cost"])

    plain, edgeless = cost("in_order"), cost({"skill_it": {"graph": {}}})
    linear, pairs = cost("skill_it"), cost({"skill_it": {"graph": "brute_force", "graph_steps": 5}})
    steered = 16  # of the 40 rows of the target
    assert edgeless.backward == plain.backward
    assert edgeless.forward - plain.forward == 6 * steered
    assert linear.backward - plain.backward == 2 * 2 * 4  # two skills, two steps each, four rows
    assert linear.forward - plain.forward == 16 + (6 + 2) * steered
    assert pairs.backward - plain.backward == 3 * 5 * 4
    assert plain.tokens < edgeless.tokens < linear.tokens < pairs.tokens
    for more, said in [
        ({"target": []}, "skill_it follows losses on the target's slices; name evaluation rows"),
        ({"target": [{"path": str(tmp_path / "target.jsonl")}]}, "the target has one slice, 'target'"),
    ]:
        recipe = recipe_from(skilled(tmp_path, **more) | {"steps": ["train"]})
        with pytest.raises(UsageError, match=said):
            Training(1, "train", Train(sampler="skill_it")).check(recipe, comparison=False)  # type: ignore[arg-type]
    recipe = recipe_from(skilled(tmp_path))
    with pytest.raises(UsageError, match=r"graph: the target has no slice 'od'.*odd"):
        Training(1, "train", Train(sampler={"skill_it": {"graph": {"od": {"even": 1}}}})).check(recipe, False)


@pytest.mark.slow
@pytest.mark.parametrize(("by", "heard"), [("dense_distillation", 2), ("top_k_distillation", 1)])
def test_a_plan_prices_a_distillation_as_it_is_billed(tmp_path: Path, by: str, heard: int) -> None:
    """The student reads each row twice both ways, and its teacher as often or once; an evaluation reads each once."""
    pool, target = write_pool(tmp_path, 24), write_pool(tmp_path, 10, "held_out")
    lines = [line for file in (pool, target) for line in file.read_text(encoding="utf-8").splitlines()]
    rows = list(map(json.loads, lines))  # a tokenizer of so few rows cuts words that it has not seen into letters
    messages = [prompt_answer_row(row["prompt"], row["completion"])["messages"] for row in rows]
    base = init_tiny(pool_tokenizer(messages), "0.5m")
    learning = {"by": by, "teacher": str(base), "epochs": 2, "batch_size": 7, "max_length": 2048}
    recipe = recipe_from(
        {
            "name": "priced",
            "pool": [{"path": str(pool)}],
            "target": [{"path": str(target)}],
            "models": {"student": str(base)},
            "steps": [{"decontaminate": {"semantic": None}}, {"distill": learning}, "evaluate"],
        }
    )
    told = {line.step: line.cost for line in make_plan(recipe, build_steps(recipe), False, tmp_path / "store").steps}
    result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    held = RunDirectory(result.path).ledger.steps
    (learned,) = (bill for name, bill in held.items() if name.endswith("distill"))
    (scored,) = (bill for name, bill in held.items() if name.endswith("evaluate"))
    assert result.rows_out == 24
    assert (learned.forward, learned.backward) == (24 * (2 + heard), 24 * 2)
    assert (told["distill"].forward, told["distill"].backward) == (learned.forward, learned.backward)
    assert (told["evaluate"].forward, scored.forward) == (10, 10)
    assert told["distill"].tokens == pytest.approx(learned.tokens, rel=0.3)
    assert told["evaluate"].tokens == pytest.approx(scored.tokens, rel=0.3)
    assert told["distill"].seconds > 0
