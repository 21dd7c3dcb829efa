"""Signals under names of a recipe's own, and of the model that was trained last."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import Columns, UsageError
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.recipe.asked_signals import asked_signal
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.checks import check
from dataflywheel.recipe.planning.plan import make_plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps import select
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.selection.spec import Select
from dataflywheel.signals.model.likelihood import Likelihood
from dataflywheel.store.run import RunDirectory
from tests.recipe.jobs import CLEAN, job

ROWS = [prompt_answer_row(f"Question {i}?", f"Answer number {i}, at some length.") for i in range(6)]
LATELY = {"likelihood": {"of": "trained"}}


def recipe(signals: Any, steps: list[Any] | None = None, **more: Any) -> Recipe:
    chosen = steps or [{"select": {"by": "random", "keep": 2}}]
    return recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": chosen, "signals": signals, **more})


@pytest.mark.parametrize(
    ("given", "name", "kind", "parameters", "trained"),
    [
        ({"embedding": {"part": "prompt"}}, "embedding", "embedding", {"part": "prompt"}, False),
        ({"embedding": None}, "embedding", "embedding", {}, False),
        ({}, "embedding", "embedding", {}, False),
        ({"prompts": {"embedding": {"part": "prompt"}}}, "prompts", "embedding", {"part": "prompt"}, False),
        ({"prompts": {"embedding": {"part": "prompt"}}}, "embedding", "embedding", {}, False),
        ({"prompts": {"embedding": None}}, "prompts", "embedding", {}, False),
        ({"all-of-it": "embedding"}, "all-of-it", "embedding", {}, False),
        ({"likelihood": {"of": "trained", "max_length": 64}}, "likelihood", "likelihood", {"max_length": 64}, True),
        ({"lately": {"likelihood": {"of": "trained"}}}, "lately", "likelihood", {}, True),
        ({"late": {"likelihood": {"max_length": 64}, "of": "trained"}}, "late", "likelihood", {"max_length": 64}, True),
        ({"lately": {"of": "trained", "likelihood": None}}, "lately", "likelihood", {}, True),
        ({"lately": {"likelihood": {"of": "trained"}}}, "likelihood", "likelihood", {}, False),
    ],
)  # fmt: skip
def test_forms_of_one_signal(given: Any, name: str, kind: str, parameters: Any, trained: bool) -> None:
    asked = asked_signal(recipe(given).signals, name)
    assert (asked.kind.name, asked.given, asked.trained) == (kind, parameters, trained)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"embeding": {"part": "prompt"}}, r"no signal 'embeding'; did you mean 'embedding'\?"),
        ({"prompts": {"embeding": {}}}, "no signal 'embeding'; did you mean 'embedding'"),
        ({"prompts": "embeding"}, "no signal 'embeding'"),
        ({"prompts": {"k_center": {}}}, "no signal 'k_center'"),
        ({"prompts": {}}, "a name of your own stands for one signal"),
        ({"prompts": {"of": "trained"}}, "a name of your own stands for one signal"),
        ({"prompts": {"embedding": {}, "likelihood": {}}}, "a name of your own stands for one signal"),
        ({"prompts": ["embedding"]}, "a name of your own stands for one signal"),
        ({"prompts": {"embedding": "prompt"}}, "embedding takes parameters"),
        ({"my.prompts": {"embedding": {}}}, "no name of a column"),
        ({"row": {"embedding": {}}}, "'row' is taken"),
        ({"ifd": {"likelihood": {}}}, "'ifd' is taken"),
        ({"lately": {"likelihood": {"of": "student"}}}, "'student' is not known"),
        ({"prompts": {"embedding": {"of": "trained"}}}, "is for .*hidden_state, learner_gap, likelihood"),
        ({"text": {"of": "trained"}}, "does not measure text"),
        ({"lately": {"likelihood": {"of": "trained", "model": "tiny"}}}, "name two models"),
    ],
)
def test_what_no_signal_is_meant_by_is_refused_with_the_way_out(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        recipe(given)


@pytest.mark.parametrize(
    ("given", "column", "said"),
    [
        ({"prompts": {"embedding": {"prt": "prompt"}}}, "text.turns", "unknown parameter 'prt'"),
        ({"prompts": "embedding"}, "promts.vector", r"no signal 'promts'; did you mean 'prompts'\?"),
        ({"prompts": "embedding"}, "prompts.vectr", "prompts has no such column; did you mean 'vector'"),
        ({}, "text.tokens_answr", "did you mean 'tokens_answer'"),
        ({}, "ifd.value", "'ifd' is not a signal"),
    ],
)  # fmt: skip
def test_a_column_that_is_not_there_is_refused_before_anything_is_measured(given: Any, column: str, said: str) -> None:
    asked = recipe(given, [{"filter": {"bounds": {column: [0, 1]}}}])
    with pytest.raises(UsageError, match=said):
        check(asked, build_steps(asked), comparison=False)


@pytest.fixture(scope="module")
def models() -> list[Path]:
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    tokenizer = pool_tokenizer([row["messages"] for row in ROWS], cache_dir=cache)
    return [init_tiny(tokenizer, "0.5m", seed=seed, cache_dir=cache) for seed in (1, 2)]


def context_of(asked: Recipe, folder: Path) -> Context:
    return Context(asked, RunDirectory(folder / "run"), folder / "store")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    with PartWriter(tmp_path / "rows") as writer:
        writer.write(table(ROWS))
    return tmp_path / "rows"


def test_one_signal_under_several_names_is_measured_once_for_each_meaning(rows: Path, tmp_path: Path) -> None:
    signals = {
        "prompts": {"embedding": {"part": "prompt"}},
        "answers": {"embedding": {"part": "answer"}},
        "all": "embedding",
    }
    context = context_of(recipe(signals, models={"embedder": "static"}), tmp_path)
    names = ["prompts.vector", "answers.vector", "all.vector", "embedding.vector"]
    found = context.measured(rows, names, "t")
    assert {found[name].shape[0] for name in names} == {6}
    assert not np.array_equal(found["prompts.vector"], found["answers.vector"])
    np.testing.assert_array_equal(found["all.vector"], found["embedding.vector"])
    assert len(list((tmp_path / "store" / "signals").iterdir())) == 3
    assert found.ok("prompts.vector").all()
    assert "prompts.status" in found.values


def test_of_trained_is_the_model_that_was_trained_last(models: list[Path], rows: Path, tmp_path: Path) -> None:
    context = context_of(recipe({"lately": LATELY}, models={"student": str(models[0])}), tmp_path)
    names, told, scored = ["lately.loss_answer", "likelihood.loss_answer"], [], []
    for trained, model in ((None, models[0]), (models[1], models[1])):
        context = replace(context, trained=trained)
        found = context.measured(rows, names, "t")
        same = Likelihood(model=ModelSpec(hf=str(model))).measure(table(ROWS).to_batches()[0])
        np.testing.assert_array_equal(found[names[0]], same["loss_answer"])
        scored.append(found[names[1]])
        told.append(context.followed(names))
    np.testing.assert_array_equal(scored[0], scored[1])  # the scorer's, whatever is trained
    assert told[0] == [""]
    assert told[1] not in ([], [""]), "it is part of a step's fingerprint"
    assert context.followed(["likelihood.loss_answer", "learner_gap.gap"]) == []
    before = context.before_training()
    assert (before.trained, context.trained) == (None, models[1])
    np.testing.assert_array_equal(before.measured(rows, names, "t")[names[0]], scored[0])
    assert len(list((tmp_path / "store" / "signals").iterdir())) == 2


@pytest.mark.parametrize(
    ("read", "by", "rounds", "said"),
    [
        (
            "lately.margin",
            "random",
            1,
            "03-filter: lately is of the model.*, and nothing is trained before",
        ),
        ("lately.margin", "random", 2, "03-filter: lately .*cleaning is done once, before the first round"),
        ("text.turns", "ifd", 1, "04-select: likelihood is of the model"),
        ("text.turns", "diverse_evol", 1, "diverse_evol goes on from the rows.*rounds: 3"),
    ],
)
def test_a_model_that_is_never_there_is_refused(tmp_path: Path, read: str, by: str, rounds: int, said: str) -> None:
    signals = {"lately": LATELY, "likelihood": {"of": "trained"}}
    turn: list[Any] = [{"select": {"by": by, "keep": 9}}, {"train": {"max_steps": 1}}, "evaluate"]
    more: dict[str, Any] = {"feedback": {"uniform": {}}} if rounds > 1 else {}
    steps = [*CLEAN[:2], {"filter": {"bounds": {read: [0, 1]}}}, *turn]
    asked = job(tmp_path, steps, rounds=rounds, signals=signals, **more)
    with pytest.raises(UsageError, match=said):
        check(asked, build_steps(asked), comparison=False)


@pytest.mark.parametrize(
    ("by", "signals", "said"),
    [
        ("diverse_evol", {"hidden_state": {"pooling": "last"}}, "the recipe says `hidden_state: {pooling: last}`"),
        (["diverse_evol", "rds_plus"], {}, "rds_plus reads it too"),
    ],
)
def test_a_signal_that_would_mean_two_things_is_refused(tmp_path: Path, by: Any, signals: Any, said: str) -> None:
    turn = [{"select": {"by": by, "keep": 9}}, {"train": {"max_steps": 1}}, "evaluate"]
    asked = job(tmp_path, [*CLEAN[:3], *turn], rounds=2, signals=signals, feedback={"uniform": {}})
    with pytest.raises(UsageError, match=said):
        check(asked, build_steps(asked), comparison=False)


def test_a_plan_says_what_is_measured_anew_and_prices_it(tmp_path: Path) -> None:
    costs = {}
    for by, of in (("ifd", {}), ("ifd", {"of": "trained"}), ("diverse_evol", {})):
        turn = [{"select": {"by": by, "keep": 9}}, {"train": {"max_steps": 1}}, "evaluate"]
        more = {
            "feedback": {"uniform": {}},
            "signals": {"likelihood": of, "spare": "text"},
            "compare": {"arms": ["random", "ifd"]},
        }
        asked = job(tmp_path, [*CLEAN[:3], *turn], rounds=3, **more)
        plan = make_plan(asked, build_steps(asked), comparison=True)
        costs[by, bool(of)] = plan["steps"][3]["cost"]["forward"], plan["notes"]
    once = costs["ifd", False][0]
    assert costs["ifd", True][0] == 3 * once
    assert costs["diverse_evol", False][0] == 2 * once / 2  # one pass and not two, in two rounds of three
    assert costs["ifd", False][1] == ["signals: nothing reads spare"]
    anew, arms, _ = costs["ifd", True][1]
    assert anew == (
        "04-select: likelihood is measured anew in 3 rounds, with the model of the best round before; in the first, "
        "before any training, the scorer measures it"
    )
    assert arms == "compare: arms are chosen before any training; the scorer measures likelihood for them"
    assert costs["diverse_evol", False][1][:1] == [
        "04-select: hidden_state is measured anew in 2 rounds, with the model of the best round before"
    ]


def test_evaluation_rows_are_measured_in_their_own_way_under_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = context_of(recipe({"mine": {"gradient_projection": {"dimension": 64}}}), tmp_path)
    context, seen = replace(context, guide=tmp_path), dict[str, Any]()

    def measured(self: Context, rows: Path, names: Any, step: str, wanted: Any) -> Columns:
        seen.update(wanted)
        return Columns(np.array([]))

    monkeypatch.setattr(Context, "measured", measured)
    monkeypatch.setattr(select, "slices_by_id", lambda *_: {})
    for vector in ("mine.vector", "hidden_state.vector"):
        chosen = Select(by=[{"rds_plus": {"vector": vector}}], keep=1)
        select.with_target(context, chosen, Columns(np.array([])), "t")
    assert seen == {"mine": {"direction": "gradient"}, "hidden_state": {}}
