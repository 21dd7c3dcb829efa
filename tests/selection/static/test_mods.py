"""A model of a few rows, and MoDS, which goes on from it: what it chooses, against its three stages done by hand."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.embedding.shared_embedder import shared_embedder
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.select import Selecting
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.record import StepRecord
from tests.selection.static.test_k_center import one_at_a_time

REWARD = """
from zlib import crc32

def score(answer, row):
    return crc32((answer + row["messages"][0]["content"]).encode()) % 100 - 50
"""
NOUNS = ["river", "hill", "town", "road", "tree", "stone", "bird", "fish", "cloud", "wind", "lamp", "boat"]
PAIRS = [(f"What of the {noun} {i}?", f"The {noun} is {i} feet away.") for i in range(5) for noun in NOUNS]
MODS: dict[str, Any] = {"seed": 6, "keep": 12, "max_new_tokens": 10, "training": {"max_steps": 3, "max_length": 64}}


def worth(answer: str, prompt: str) -> int:
    return crc32((answer + prompt).encode()) % 100 - 50


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rewards.py").write_text(REWARD)
    lines = [json.dumps({"prompt": prompt, "completion": answer}) for prompt, answer in PAIRS]
    (tmp_path / "pool.jsonl").write_text("\n".join(lines))
    (tmp_path / "target.jsonl").write_text('{"prompt": "Who goes there?", "completion": "A friend of the old king."}\n')
    return tmp_path


def job(name: str, steps: list[Any], **more: Any) -> Recipe:
    models = {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static"}
    return recipe_from({"name": name, "pool": [{"path": "pool.jsonl"}], "models": models, "steps": steps, **more})


@lru_cache
def loaded(model: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model)


def own_answer(model: Path, prompt: str) -> str:
    """By plain transformers."""
    tokens, weights = loaded(model)
    turns = [{"role": "user", "content": prompt}]
    given = tokens.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    made = weights.generate(**given, max_new_tokens=10, do_sample=False, pad_token_id=tokens.eos_token_id)
    return str(tokens.decode(made[0, given["input_ids"].shape[1] :], skip_special_tokens=True))


def covered(prompts: list[str], budget: int) -> list[str]:
    """Farthest first in float64, from the prompt that is nearest to the mean."""
    points = shared_embedder(EmbedderSpec(builtin="static")).embed(prompts)[0].astype(np.float64)
    first = int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())
    return [prompts[i] for i in one_at_a_time(points, budget, first)]


def prompts_in(rows: Path) -> list[str]:
    return [row["messages"][0]["content"] for row in read_rows(rows).to_pylist()]


@pytest.mark.slow
def test_mods_chooses_what_its_three_stages_choose_also_after_a_kill(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reward = {"python": {"function": "rewards.py:score"}}
    made = job("mods", [{"mods": {"reward": reward, **MODS}}])
    do = Selecting.do
    monkeypatch.setattr(Selecting, "do", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    where: dict[str, Any] = {"runs": folder / "runs", "home": folder / "store"}
    with pytest.raises(KeyboardInterrupt):
        run(made, **where)
    monkeypatch.setattr(Selecting, "do", do)
    there = folder / "runs" / "mods" / "round-1"
    before = (there / "02-warm_up" / "metrics.json").stat().st_mtime_ns
    assert run(made, **where).rows_out == 12
    assert (there / "02-warm_up" / "metrics.json").stat().st_mtime_ns == before

    good = [prompt for prompt, answer in PAIRS if worth(answer, prompt) >= 0]
    assert 20 < len(good) < 50
    assert sorted(prompts_in(there / "01-filter" / "rows")) == sorted(good)
    seed = covered(good, 6)
    learned = read_decisions(there / "02-warm_up" / "decisions.parquet").to_pylist()
    id_of = {row["id"]: row["messages"][0]["content"] for row in read_rows(there / "01-filter" / "rows").to_pylist()}
    assert {id_of[line["id"]] for line in learned if line["score"] == 1} == set(seed)
    model = folder / "runs" / "mods" / "models" / "student-02-warm_up"
    bad = [p for p in good if p not in seed and worth(own_answer(model, p), p) < 0]
    assert len(bad) > 6
    assert set(prompts_in(there / "03-select" / "rows")) == {*seed, *covered(bad, 6)}

    by_hand = job(
        "by-hand",
        [
            {"filter": {"bounds": {"mods_quality.reward": [0, None]}, "unmeasured": "drop"}},
            {"warm_up": {"by": {"k_center": {"vector": "mods_prompts.vector"}}, "keep": 6, **MODS["training"]}},
            {"select": {"by": {"necessary": {"reward": "mods_answers.reward", "below": 0.0,
             "vector": "mods_prompts.vector", "augment": "k_center"}}, "keep": 12}},
        ],
        signals={
            "mods_prompts": {"embedding": {"part": "prompt"}},
            "mods_quality": {"answer_reward": {"reward": reward}},
            "mods_answers": {"own_answer": {"reward": reward, "max_new_tokens": 10, "of": "trained"}},
        },
    )  # fmt: skip
    run(by_hand, **where)
    for step in ("01-filter", "02-warm_up", "03-select"):
        records = [StepRecord.read(folder / "runs" / name / "round-1" / step) for name in ("mods", "by-hand")]
        assert records[0].fingerprint == records[1].fingerprint
    data = [(folder / "runs" / name / "dataset" / "train.jsonl").read_bytes() for name in ("mods", "by-hand")]
    assert data[0] == data[1]


def test_what_a_plan_says_and_what_it_refuses(folder: Path) -> None:
    target = {"target": [{"path": "target.jsonl"}]}
    clean, train = {"decontaminate": {}}, {"train": {"max_steps": 1}}
    mods = {"mods": {"reward": "exact_match", **MODS}}
    lines = plan(job("a", [clean, mods, train, "evaluate"], **target))["steps"]
    assert [line["rows"] for line in lines] == [60, 60, 60, 12, 12, 12]
    assert lines[2]["cost"]["backward"] == 3 * 16  # of the rows of a step, as `train` counts them
    assert lines[3]["cost"]["forward"] == 60  # the answers of the seed's model
    wheel = {**target, "rounds": 2, "feedback": "uniform"}
    necessary = {"select": {"by": {"necessary": {"reward": "text.tokens_answer"}}, "keep": 5}}
    warm = {"warm_up": {"keep": 3}}
    refused: list[tuple[list[Any], dict[str, Any], str]] = [
        ([clean, mods, train, "evaluate"], wheel, r"step 2, mods chooses once.*rounds: 1"),
        (
            [clean, warm, {"select": {"by": "longest", "keep": 5}}, train, "evaluate"],
            wheel,
            "02-warm_up: a wheel trains",
        ),
        ([mods], target, r"`decontaminate` step before the first(.|\n)*mods: \{.*stands for 01-filter, 02-warm_up"),
        ([necessary], {}, "01-select: necessary goes on from the rows that a `warm_up` learned"),
        ([{"warm_up": {"by": "rds_plus", "keep": 3}}], {}, "rds_plus compares rows with a target"),
        ([{"mods": {**mods["mods"], "keep": 6}}], {}, "a seed of 6 rows leaves no room in `keep: 6`"),
        (
            [{"mods": {**mods["mods"], "training": {"epoch": 1}}}],
            {},
            r"mods: training: 'epoch' is no setting of a training; did you mean 'epochs'",
        ),
        (
            [{"mods": {**mods["mods"], "seed": 20, "keep": "20%"}}],
            {},
            r"03-select: 12 rows would be kept, and the 20 that 02-warm_up learns",
        ),
        ([clean, mods, train, "evaluate"], {**target, "compare": ["random", "mods"]}, "mods is a procedure, which"),
        (
            [clean, mods, train, "evaluate"],
            {**target, "compare": ["random", "necessary"]},
            "an arm is chosen before any",
        ),
    ]
    for steps, more, said in refused:
        with pytest.raises(UsageError, match=said):
            plan(job("a", steps, **more))


def test_a_seed_that_no_selection_holds_is_found_before_it_is_learned(folder: Path) -> None:
    """Of how many rows a share is known once they are cleaned: half of the 60 are too many, half of 30 not."""
    necessary = {"necessary": {"reward": "text.tokens_answer", "vector": "embedding.vector"}}
    warm = {"warm_up": {"by": "random", "keep": "50%", "max_steps": 1, "max_length": 32}}
    made = job("room", [warm, {"select": {"by": necessary, "keep": 20}}])
    assert len(plan(made)["steps"]) == 2
    with pytest.raises(UsageError, match=r"02-select: 20 rows would be kept, and the 30 that 01-warm_up learns"):
        run(made, runs=folder / "runs", home=folder / "store")
    assert not (folder / "runs" / "room" / "models").exists()
