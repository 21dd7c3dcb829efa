"""What is refused of `prefer` before anything is computed, and what the plan says that it costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import PoolStatistics, UsageError
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.pricing import efficiency
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.prefer import Prefer, Preferring
from dataflywheel.rows import peek as peeking
from dataflywheel.rows.ingest import Input
from dataflywheel.rows.peek import peek

SPIN: dict[str, Any] = {"generate": {"by": "spin", "rows": 12}}


def write(path: Path, pairs: int, plain: int) -> Path:
    rows: list[dict[str, str]] = [{"prompt": f"p{i}", "chosen": "yes", "rejected": "no"} for i in range(pairs)]
    rows += [{"prompt": f"q{i}", "completion": "yes"} for i in range(plain)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def job(folder: Path, steps: list[Any], pairs: int = 0, **more: Any) -> Recipe:
    pool = {"path": str(write(folder / "pool.jsonl", pairs, 30))}
    held = {"path": str(write(folder / "held.jsonl", 0, 9))}
    return recipe_from(
        {"name": "a", "pool": [pool], "target": [held], "steps": [{"decontaminate": {}}, *steps], **more}
    )


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["prefer"], "prefer goes on from a trained model: put a `train`"),
        (["prefer", "train"], "prefer goes on from a trained model: put a `train`"),
        (["train", "prefer", "train"], "behind the last `train`"),
        (["train", "prefer", "prefer"], "at most one `prefer` step, and this one has 2"),
        ([{"train": {"pairs": False}}, "evaluate"], "leaves pairs to a `prefer` step, and there is none"),
    ],
)
def test_the_step_has_one_place(tmp_path: Path, steps: list[Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plan(job(tmp_path, steps, pairs=3))


def test_no_pair_is_refused_where_it_is_known(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="no row of the pool, and none that a step before writes, holds a worse answer"
    ):
        plan(job(tmp_path, ["train", "prefer"]))
    with pytest.raises(UsageError, match="no row of the pool"):
        plan(job(tmp_path, ["train", "prefer", SPIN]))
    plan(job(tmp_path, ["train", "prefer"], pairs=1))
    plan(job(tmp_path, ["train", SPIN, "prefer"]))
    refine = {"self_refine": {"model": {"endpoint": "http://localhost:9/v1", "model": "m"}, "pairs": True}}
    plan(job(tmp_path, [{"enhance": {"by": refine}}, "train", "prefer"]))
    refine["self_refine"]["pairs"] = False
    with pytest.raises(UsageError, match="no row of the pool"):
        plan(job(tmp_path, [{"enhance": {"by": refine}}, "train", "prefer"]))


def test_a_comparison_knows_no_pairs(tmp_path: Path) -> None:
    steps = [{"select": {"by": "random", "keep": 20}}, "train", "prefer", "evaluate"]
    with pytest.raises(UsageError, match="leave `compare` or `prefer` out"):
        plan(job(tmp_path, steps, pairs=9, compare=["random"]))


def test_a_wheel_ends_with_train_prefer_evaluate(tmp_path: Path) -> None:
    more: dict[str, Any] = {"rounds": 2, "feedback": {"uniform": {}}}
    chosen = {"select": {"by": "random", "keep": 20}}
    plan(job(tmp_path, [chosen, SPIN, "train", "prefer", "evaluate"], **more))
    for steps in ([chosen, SPIN, "train", "evaluate", "prefer"], [chosen, SPIN, "prefer", "train", "evaluate"]):
        with pytest.raises(UsageError, match=r"a wheel ends with `train` and `evaluate`|put a `train`"):
            plan(job(tmp_path, steps, **more))


def test_pairs_are_counted_and_a_look_that_ends_early_says_perhaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.jsonl", 3, 5)
    seen = peek(Input(str(path)))
    assert (seen.rows, seen.pairs) == (8, 3)
    assert peek(Input(str(write(tmp_path / "b.jsonl", 0, 5)))).pairs == 0
    monkeypatch.setattr(peeking, "BLOCKS", 0)
    assert peek(Input(str(path))).pairs == 1


def test_pairs_go_through_the_steps_of_a_plan(tmp_path: Path) -> None:
    kept, spin, prefer = build_steps(
        job(tmp_path, [{"select": {"by": "random", "keep": "50%"}}, SPIN, "prefer"], models={"teacher": "./m"})
    )[1:]
    pool = PoolStatistics(rows=100, chars=4000, tokens=1000, pairs=5)
    half = kept.left(pool)
    assert (half.rows, half.pairs) == (50, 3)
    more = spin.left(half)
    assert (more.rows, more.pairs) == (62, 15)
    assert prefer.left(more) == more


def test_the_price_is_both_answers_read_by_the_model_and_its_reference(tmp_path: Path) -> None:
    recipe = job(tmp_path, ["train", "prefer"], pairs=10, models={"student": {"builtin": "tiny", "size": "2m"}})
    cost = Preferring(2, "prefer", Prefer(epochs=2)).cost(recipe, PoolStatistics(40, 4000, 1000, 10), speed=1e9)
    assert (cost.forward, cost.backward, cost.tokens) == (10 * 2 * 2 * 2, 10 * 2 * 2, 10 * 2 * 2 * 25)
    assert cost.seconds == pytest.approx((3 + 1) * 2 * 2e6 * 1000 / (1e9 * efficiency(2e6)), abs=0.01)
    lines = {line["step"]: line for line in plan(recipe)["steps"]}
    assert lines["prefer"]["cost"]["backward"] == 2 * 10
    assert lines["prefer"]["params"]["beta"] == 0.1
