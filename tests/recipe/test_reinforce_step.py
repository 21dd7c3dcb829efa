"""The step `reinforce`: what it refuses beforehand, what it costs, and a run in which the reward rises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

import dataflywheel as fw
from dataflywheel.contracts import UsageError
from dataflywheel.models.files import folder_digest
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.report.card.used_methods import methods_of_run
from dataflywheel.report.html import write_report
from dataflywheel.report.rundir import load_run
from dataflywheel.store.record import StepRecord

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
ENDPOINT = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "usd_per_mtok": {"in": 1, "out": 2}}
TRUTH = {"reward": "executable_truth"}


def recipe(folder: Path, steps: list[Any], gold: str = "3", **more: Any) -> Recipe:
    rows = [
        {"prompt": f"Name a digit for {w}.", "completion": f"#### {k}", **({"gold": gold} if gold else {})}
        for w in WORDS
        for k in range(1, 5)
    ]
    rows.append({"prompt": "Tell a story.", "completion": "Once upon a time.\nThe end."})
    (folder / "p.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return recipe_from({"name": "r", "pool": [{"path": str(folder / "p.jsonl")}], "steps": steps, **more})


@pytest.mark.slow
def test_a_model_learns_what_execution_accepts(tmp_path: Path) -> None:
    grpo = {"grpo": {"max_new_tokens": 6}}
    steps = [
        {"train": {"max_steps": 40, "batch_size": 16, "learning_rate": 5e-3}},
        {"reinforce": {"by": grpo, **TRUTH, "max_steps": 30, "learning_rate": 2e-3}},
    ]
    models = {"student": {"builtin": "tiny", "size": "0.5m"}}
    made = recipe(tmp_path, steps, models=models)
    where = {"runs": tmp_path / "runs", "home": tmp_path / "home"}
    found = fw.run(made, **where)
    step = orjson.loads((found.path / "round-1" / "02-reinforce" / "metrics.json").read_bytes())
    told = step["details"]
    assert told["last"] > told["first"] + 0.15
    assert (told["unjudged"], told["answers"]) == (0, 30 * 8 * 8)
    assert (step["rows_in"], step["rows_out"]) == (33, 32)
    decisions = pq.read_table(found.path / "round-1" / "02-reinforce" / "decisions.parquet").to_pylist()
    assert [d["reason"] for d in decisions if d["action"] == "dropped"] == [
        "not trained, its answers cannot be scored, nothing to check"
    ]
    assert folder_digest(found.path / "models" / "student") == told["digest"]
    assert (found.path / "models" / "student-sft").is_dir()
    assert found.model == found.path / "models" / "student"
    assert {"grpo", "executable_truth"} <= set(methods_of_run(load_run(found.path)))
    write_report(found.path)
    page = (found.path / "report.html").read_text(encoding="utf-8")
    assert "Reward by step" in page
    assert "its answers cannot be scored, nothing to check" in page
    before = (found.path / "round-1" / "02-reinforce" / "metrics.json").read_bytes()
    fw.run(made, **where)
    assert (found.path / "round-1" / "02-reinforce" / "metrics.json").read_bytes() == before


def test_the_plan_prices_answers_and_judgements(tmp_path: Path) -> None:
    def cost(**work: Any) -> dict[str, float]:
        made = recipe(tmp_path, [{"train": {}}, {"reinforce": work}], models={"teacher": ENDPOINT})
        found: dict[str, float] = fw.plan(made)["steps"][-1]["cost"]
        return found

    plain = cost(**TRUTH)
    assert (plain["backward"], plain["forward"], plain["calls"], plain["usd"]) == (33 * 8, 2 * 33 * 8, 0, 0)
    assert plain["seconds"] > 0
    judged = cost(reward="rubric", by={"grpo": {"group": 4}}, epochs=2)
    assert (judged["backward"], judged["calls"]) == (33 * 2 * 4, 33 * 2 * 4 * 2)
    assert judged["usd"] > 0
    told = fw.plan(recipe(tmp_path, [{"train": {}}, {"reinforce": TRUTH}]))["rewarded"]
    assert told == {"rows": 33, "not_scored": {"nothing to check": 1}}


@pytest.mark.parametrize(
    ("steps", "more", "message"),
    [
        ([{"reinforce": TRUTH}], {}, "a model that was never trained has no right answer to learn from"),
        ([{"reinforce": TRUTH}, {"train": {}}], {}, "reinforce comes behind the last `train`"),
        ([{"train": {}}, {"reinforce": TRUTH}, {"reinforce": TRUTH}], {}, "at most one `reinforce` step"),
        ([{"train": {}}, {"reinforce": {}}], {}, "reward"),
        ([{"train": {}}, {"reinforce": {"reward": "novelty"}}], {}, "novelty scores no answer by itself"),
        ([{"train": {}}, {"reinforce": {"reward": "exekutable_truth"}}], {}, "did you mean 'executable_truth'"),
        ([{"train": {}}, {"reinforce": {**TRUTH, "by": "dpo"}}], {}, "dpo learns from no rewards; there is grpo"),
        ([{"train": {}}, {"reinforce": {**TRUTH, "by": {"grpo": {"group": 1}}}}], {}, "group"),
        ([{"train": {}}, {"reinforce": {**TRUTH, "learning_rate": 0.1}}], {}, "learning_rate"),
        ([{"train": {}}, {"reinforce": {"reward": "rubric"}}], {}, "rubric asks a model that judges: name one"),
        ([{"train": {}}, {"reinforce": {"reward": {"python": "./nowhere.py:f"}}}], {}, "nowhere.py is not there"),
        ([{"train": {}}, {"reinforce": {"reward": "rubric"}}], {"models": {"teacher": {**ENDPOINT, "batch": True}}},
         "batch"),
        ([{"train": {}}, {"reinforce": {"reward": "unit_tests"}}], {}, "unit_tests cannot score answers to 33 of 33"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_before_anything_is_done(
    tmp_path: Path, steps: list[Any], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        fw.plan(recipe(tmp_path, steps, **more))


def test_models_of_trainings_before_stay_beside(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_bytes(
        b"".join(orjson.dumps({"prompt": f"{i}?", "chosen": "#### 3", "rejected": "#### 4"}) + b"\n" for i in range(5))
    )
    steps = [{"train": {}}, {"prefer": {}}, {"reinforce": TRUTH}]
    made = recipe_from({"name": "r", "pool": [{"path": str(tmp_path / "pairs.jsonl")}], "steps": steps})
    fw.plan(made)
    built = build_steps(made)

    class Given:
        class context:  # noqa: N801
            recipe = made

        steps = built

    names = [step.model_name(Given()) for step in built]  # type: ignore[attr-defined]
    assert names == ["student-sft", "student-preferred", "student"]


def test_a_reward_that_fails_everywhere_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def score(answer, row):\n    return row['none']\n", encoding="utf-8")
    reward = {"python": f"{tmp_path / 'bad.py'}:score"}
    small = {"max_steps": 1, "batch_size": 2}
    steps = [{"train": small}, {"reinforce": {"by": {"grpo": {"max_new_tokens": 4}}, "reward": reward, **small}}]
    made = recipe(tmp_path, steps, models={"student": {"builtin": "tiny", "size": "0.5m"}})
    found = fw.run(made, runs=tmp_path / "runs", home=tmp_path / "home")
    record = StepRecord.model_validate_json((found.path / "round-1" / "02-reinforce" / "metrics.json").read_bytes())
    assert build_steps(made)[1].note(record) == (
        "no answer of 16 could be scored (the function failed: KeyError (bad.py, line 2)): nothing was learned"
    )
