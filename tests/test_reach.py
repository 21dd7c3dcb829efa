"""Every method of the catalogue can be run: a recipe that names it passes all checks, or a command takes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dataflywheel import catalog
from dataflywheel.contracts import (
    Cleaner,
    Composite,
    Judge,
    Metric,
    Objective,
    Policy,
    Reward,
    Sampler,
    Selector,
    Signal,
)
from dataflywheel.evolution.judging.session import make_judge
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.proposing.kinds import Gate, Proposer
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.planning.checks import check
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.selection.order import LEARNED

TEACHER = {
    "endpoint": "http://127.0.0.1:9/v1",
    "model": "m",
    "usd_per_mtok": {"in": 1, "out": 1},
    "capabilities": {"completion": True, "logprobs": True},
}
CLEAN: dict[str, Any] = {"decontaminate": {}}
TRAIN: dict[str, Any] = {"train": {"max_steps": 1}}
GIVEN: dict[str, dict[str, Any]] = {
    "quarantine": {"bounds": {"text.turns": [1, None]}},
    "filter": {"bounds": {"text.turns": [1, None]}},
    **{name: {"score": "alpagasus.score"} for name in ("rated", "diverse_by_score", "gumbel_top_k")},
    "diversify_and_conquer": {"score": "alpagasus.score"},
    "magpie": {"template": "chatml"},
    "scored": {"by": "final_answer", "least": 1},
    "judged": {"by": "rubric", "at_least": 4},
    "reward_model": {"hf": "./reward-model"},
    "classified": {"hf": "acme/classifier", "label": "good", "least": 0.5},
    "entailment": {"hf": "acme/inference"},
    "raked": {"margins": {"row.source": {"pool": 1.0}}},
    "mods": {"reward": "exact_match", "seed": 1, "keep": 2},
    "reverse_gen": {"rows": 2},
    "lance": {"rows": 2},
    "apigen": {"tools": [{"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}]},
}
TOLD: dict[str, dict[str, Any]] = {
    "answer_reward": {"reward": "final_answer"},
    "ask": {"question": "Is it useful?", "answer": "yes_no"},
    "classifier": {"hf": "acme/classifier", "label": "good"},
    "lexicon": {"words": "pool"},
    "qurating": {"anchors": "pool"},
    "token_lengths": {"tokenizer": "acme/model"},
    "toxicity": {"labels": "pool"},
}
"""What signals have to be told; `pool` is the file of rows."""
JUDGES = {"panel": {"models": [ModelSpec(endpoint="http://127.0.0.1:9/v1", model=name) for name in "ab"]}}


def recipe_for(name: str, folder: Path) -> dict[str, Any]:
    """A recipe with the method in its place."""
    kind, given = catalog.get(name), dict(GIVEN.get(name, {}))
    for field in ("labels", "pairs", "database", "others"):
        info = kind.model_fields.get(field)
        if info is not None and info.is_required():
            given[field] = str(folder / "pool.jsonl")
    (folder / "own.py").write_text("def score(answer, row=None):\n    return 1.0\n")
    if kind.of_function:
        given["function"] = str(folder / "own.py:score")
    by: Any = {name: given}
    made: dict[str, Any] = {"target": [{"path": str(folder / "pool.jsonl")}], "rounds": 1}
    steps: list[dict[str, Any]] = [CLEAN]
    if issubclass(kind, Selector):
        one = {"by": by} if name != "delt_folding" else {"by": "longest", "then": by}
        steps.append({"select": {**one, "keep": 2}})
        if LEARNED in kind.model_construct(**given).needs():
            made["signals"] = {"own_answer": {"reward": "exact_match", "of": "trained"}}
            steps.insert(1, {"warm_up": {"keep": 1}})
        if kind.begins:
            made |= {"rounds": 2, "feedback": {"uniform": {}}}
            steps += [TRAIN, {"evaluate": {}}]
    elif issubclass(kind, Cleaner | Composite):
        steps = [*([] if issubclass(kind, Cleaner) else steps), {name: given}]
        steps = steps[::-1] if name == "perturbation_suite" else steps  # what is trained on keeps away from its rows
    elif issubclass(kind, Proposer):
        verb = "mend" if kind.mends else "enhance"
        step = {verb: {"by": by}} if kind.rewrites else {"generate": {"by": by, "rows": 2}}
        steps += [TRAIN, step] if kind.from_failures or kind.own_model == "trained" or kind.own_models else [step]
    elif issubclass(kind, Gate):
        steps.append({"enhance": {"by": "revision", "gates": [by]}})
    elif issubclass(kind, Sampler):
        steps.append({"train": {"max_steps": 1, "sampler": by}})
        made["target"][0]["slice"] = "skill"
    elif issubclass(kind, Objective) or (issubclass(kind, Trainer) and kind.beside == "teacher"):
        steps.append({"distill": {"max_steps": 1, "by": by, "teacher": {"builtin": "tiny"}}})
    elif issubclass(kind, Reward):
        steps += [TRAIN, {"reinforce": {"reward": by}}]
    elif issubclass(kind, Trainer) and kind.learns == "prompts":
        steps += [TRAIN, {"reinforce": {"by": by, "reward": "final_answer"}}]
    elif issubclass(kind, Trainer):
        steps += [TRAIN, *([] if name == "fine_tuning" else [{"prefer": {"by": by}}])]
    elif issubclass(kind, Policy):
        made |= {"feedback": by, "rounds": 2}
        written = [{"generate": {"by": "grounded_rules", "rows": 2}}] * (2 if kind.writers_only else 0)
        steps += [{"select": {"by": "random", "keep": 2}}, *written, TRAIN, {"evaluate": {}}]
    elif issubclass(kind, Metric):
        if name == "python":
            by = {"python": str(folder / "own.py:score")}
        made["target"][0]["metric"] = by
        steps += [TRAIN, {"evaluate": {}}]
    elif issubclass(kind, Signal):
        column = next((c for c, t in kind.columns.items() if pa.types.is_floating(t) or pa.types.is_integer(t)), None)
        assert column, name
        told = {
            key: str(folder / "pool.jsonl") if value == "pool" else value for key, value in TOLD.get(name, {}).items()
        }
        made["signals"] = {name: told} if told else {}
        steps.append({"filter": {"bounds": {f"{name}.{column}": [0, None]}}})
    else:
        raise AssertionError(f"{name} is of no kind that a recipe takes")
    return {**made, "steps": steps}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("reach")
    lines = [{"prompt": f"Q{i}", "completion": f"A{i}", "skill": "ab"[i % 2]} for i in range(4)]
    (made / "pool.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return made


def feeding() -> dict[str, str]:
    """Signals whose columns a selector or a cleaner reads, each with one that does."""
    kinds = [catalog.get(name) for name in (*catalog.names(Selector), *catalog.names(Cleaner))]
    return {
        signal: kind.name
        for kind in kinds
        for signal in signals_of(kind.model_construct(**GIVEN.get(kind.name, {})).needs())  # type: ignore[attr-defined]
    }


@pytest.mark.parametrize("name", catalog.names())
def test_every_method_of_the_catalogue_can_be_run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataflywheel.proposing.gates.lean.require_lean", lambda settings: None)
    if issubclass(catalog.get(name), Judge):
        assert make_judge({name: JUDGES.get(name, {})}, None if name in JUDGES else TEACHER).name == name
        return
    if issubclass(catalog.get(name), Signal) and name in feeding():
        name = feeding()[name]
    models = {"student": {"builtin": "tiny"}, "teacher": TEACHER}
    recipe = recipe_from(
        {"name": "a", "pool": [{"path": str(folder / "pool.jsonl")}], "models": models} | recipe_for(name, folder)
    )
    check(recipe, build_steps(recipe), comparison=False)
