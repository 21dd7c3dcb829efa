"""Plans: counts that are right, nothing written, and training tokens near what training then reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows import reading
from dataflywheel.rows.containers import read_blocks
from dataflywheel.rows.python_docs import python_docs
from tests.recipe.jobs import CLEAN, TRAIN, job


def test_a_plan_counts_without_doing(tmp_path: Path) -> None:
    recipe = job(tmp_path, [*CLEAN, *TRAIN])
    found = plan(recipe)
    rows = len(list(python_docs())[::29][:400])
    assert found["pool"]["rows"] == rows
    assert [s["step"] for s in found["steps"]] == [
        "deduplicate",
        "decontaminate",
        "filter",
        "select",
        "train",
        "evaluate",
    ]
    assert found["steps"][3]["rows"] == round(rows * 0.2)
    assert found["total"]["usd"] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["held_out.jsonl", "pool.jsonl"]


def test_what_rows_do_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"rows have no 'row.sourze'; did you mean 'row.source'"):
        plan(job(tmp_path, [{"filter": {"equals": {"row.sourze": ["a"]}}}, *TRAIN]))


def test_two_metrics_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    recipe = job(tmp_path, [*CLEAN, *TRAIN])
    entries = [
        entry.model_copy(update={"metric": name}) for entry in recipe.target for name in ("exact_match", "answer_loss")
    ]
    recipe = recipe.model_copy(update={"target": entries})
    with pytest.raises(UsageError, match=r"one metric for all entries, not \['answer_loss', 'exact_match'\]"):
        plan(recipe)


def test_a_comparison_is_priced_by_arms_and_seeds(tmp_path: Path) -> None:
    alone = plan(job(tmp_path, [*CLEAN, *TRAIN]))
    with_arms = plan(job(tmp_path, [*CLEAN, *TRAIN], compare={"arms": ["random", "longest"], "seeds": 3}))
    one = sum(s["cost"]["tokens"] for s in alone["steps"] if s["step"] in ("train", "evaluate"))
    assert with_arms["comparison"]["cost"]["tokens"] == 9 * one


def test_a_pattern_under_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    recipe = job(tmp_path, CLEAN)
    everywhere = {"pool": [{"path": "~/po*.jsonl"}], "target": [{"path": "~/**/held_*.jsonl"}]}
    by_pattern = job(tmp_path, CLEAN, **everywhere)
    assert plan(by_pattern)["pool"] == plan(recipe)["pool"]
    with pytest.raises(UsageError, match=r"pool\[0\].path: ~/pa\*.jsonl is not there"):
        plan(job(tmp_path, CLEAN, pool=[{"path": "~/pa*.jsonl"}]))


def test_a_training_is_priced_by_its_steps_where_it_has_a_number_of_them(tmp_path: Path) -> None:
    def backward(**given: int) -> int:
        recipe = job(tmp_path, [{"train": {"batch_size": 4, **given}}], target=[])
        return int(next(line for line in plan(recipe)["steps"] if line["step"] == "train")["cost"]["backward"])

    assert (backward(max_steps=6), backward(max_steps=500), backward(epochs=2)) == (24, 2000, 800)


@pytest.mark.slow
def test_planned_training_tokens_are_near_those_read(tmp_path: Path) -> None:
    steps = [
        {"decontaminate": {"semantic": None}},
        {"select": {"by": "random", "keep": "50%"}},
        {"train": {"epochs": 2}},
        "evaluate",
    ]
    recipe = job(tmp_path, steps)
    planned = next(s for s in plan(recipe)["steps"] if s["step"] == "train")["cost"]["tokens"]
    result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    import json

    read = json.loads((result.path / "round-1" / "03-train" / "metrics.json").read_text())["details"]["tokens"]
    assert 0.5 < planned / read < 2


def test_runs_without_a_step_and_the_curve_are_priced(tmp_path: Path) -> None:
    written = {"generate": {"by": "grounded_rules", "rows": 40}}
    compare = {"arms": ["random"], "seeds": 3}
    more = {**compare, "leave_one_out": ["filter", "select", "generate"], "curve": True}
    alone = plan(job(tmp_path, [*CLEAN, written, *TRAIN], compare=compare))
    found = plan(job(tmp_path, [*CLEAN, written, *TRAIN], compare=more))
    lines = {line["what"]: line["cost"] for line in found["comparison"]["more"]}
    assert list(lines) == ["without 03-filter", "without 04-select", "without 05-generate", "learning curve"]
    assert alone["comparison"]["more"] == []
    one = {s["step"]: s["cost"]["tokens"] for s in found["steps"]}
    trial = one["train"] + one["evaluate"]
    assert lines["without 03-filter"]["tokens"] == 3 * trial  # cleaners are planned to drop nothing
    assert lines["without 05-generate"]["tokens"] < 3 * trial < lines["without 04-select"]["tokens"]
    assert lines["learning curve"]["tokens"] == pytest.approx(3 * (0.75 * one["train"] + 2 * one["evaluate"]), abs=2)
    added = sum(cost["tokens"] for cost in lines.values())
    assert found["total"]["tokens"] == alone["total"]["tokens"] + added


def test_a_run_without_a_step_pays_for_what_is_written_from_other_rows(tmp_path: Path) -> None:
    models = {
        "student": {"builtin": "tiny", "size": "0.5m"},
        "teacher": {"endpoint": "http://localhost:1", "model": "x", "usd_per_mtok": {"in": 1, "out": 1}},
    }
    asked = {"enhance": {"by": {"revision": {"revise": "answer"}}}}
    compare = {"arms": ["random"], "seeds": 2, "leave_one_out": True}
    steps = [*CLEAN[:2], {"select": {"by": "random", "keep": "50%"}}, asked, *TRAIN]
    found = plan(job(tmp_path, steps, models=models, compare=compare))
    lines = {line["what"]: line["cost"] for line in found["comparison"]["more"]}
    calls = found["steps"][3]["cost"]["calls"]
    assert calls > 0
    assert lines["without 01-deduplicate"]["calls"] == calls
    assert lines["without 03-select"]["calls"] == pytest.approx(2 * calls, abs=2)
    assert lines["without 04-enhance"]["calls"] == 0


def test_a_plan_reads_the_beginning_of_the_pool_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = job(tmp_path, [*CLEAN, *TRAIN])
    read: list[str] = []
    monkeypatch.setattr(
        reading, "read_blocks", lambda path, *given: read.append(path.name) or read_blocks(path, *given)
    )
    plan(recipe)
    assert read.count("pool.jsonl") == 1


def test_what_is_told_of_two_trainings_is_told_of_the_first_behind_what_is_told_of_all(tmp_path: Path) -> None:
    short, whole = {"train": {"max_length": 16}}, {"train": {"max_length": 4096}}
    models = {"student": {"builtin": "tiny", "size": "0.5m"}}
    cut = [plan(job(tmp_path, steps, target=[], models=models)) for steps in ([short, whole], [whole, short])]
    assert cut[0]["shown"]["cut"] > 0 == cut[1]["shown"]["cut"]
    assert list(cut[0].as_dict())[:5] == ["name", "seed", "pool", "dataset", "notes"]


@pytest.mark.slow
def test_the_recipe_for_a_domain_is_planned_whole(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_DATA", str(data))
    found = plan(Path("recipes/domain.yaml"))
    assert (found.pool.bad, found.pool.unread) == (0, [])
    assert [line.step for line in found.steps if line.step == "select"] == ["select", "select"]
    assert found.comparison is not None
    assert (found.comparison.arms, found.comparison.seeds) == (8, 5)
    assert 0 < found.steps[4].rows < 0.05 * found.steps[0].rows


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"filter": {"bounds": {"row.source": [0, 1]}}}, r"bounds: 'row.source' holds texts"),
        ({"filter": {"quantiles": {"language.code": [0, 0.5]}}}, r"quantiles: 'language.code' holds texts"),
        ({"deduplicate": {"keep": "tone.tone"}}, r"keep: 'tone.tone' holds texts"),
        ({"select": {"by": {"rated": {"score": "tone.tone"}}, "keep": 5}}, r"score: 'tone.tone' holds texts"),
        (
            {"enhance": {"by": "redact_personal_data", "where": {"tone.tone": [0, 1]}}},
            r"where: 'tone.tone' holds texts",
        ),
    ],
)
def test_texts_are_not_compared_as_numbers(tmp_path: Path, step: dict[str, Any], told: str) -> None:
    asked = {"question": "Which tone?", "answer": {"tone": ["kind", "rude"], "hard": "integer"}}
    models = {"teacher": {"endpoint": "http://localhost:1/v1", "model": "m"}}
    with pytest.raises(UsageError, match=told):
        plan(job(tmp_path, [step], signals={"tone": {"ask": asked}}, models=models))


def test_numbers_and_texts_in_their_places_are_planned(tmp_path: Path) -> None:
    asked = {"question": "Which tone?", "answer": {"tone": ["kind", "rude"], "hard": "integer"}}
    models = {"teacher": {"endpoint": "http://localhost:1/v1", "model": "m"}}
    step = {"filter": {"bounds": {"tone.hard": [1, 3]}, "equals": {"tone.tone": ["kind"], "row.source": ["a"]}}}
    assert plan(job(tmp_path, [step], signals={"tone": {"ask": asked}}, models=models))["steps"]


def test_a_word_that_is_no_choice_of_its_question_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    asked = {"question": "Which tone?", "answer": {"tone": ["kind", "rude"], "hard": "integer"}}
    models = {"teacher": {"endpoint": "http://localhost:1/v1", "model": "m"}}
    step = {"filter": {"equals": {"tone.tone": ["kindd"]}}}
    with pytest.raises(UsageError, match=r"'tone.tone' is never 'kindd'.*'kind'.*the choices are kind, rude"):
        plan(job(tmp_path, [step], signals={"tone": {"ask": asked}}, models=models))


@pytest.mark.parametrize(("column", "lacking"), [("token_lengths.whole", "tokenizer"), ("classifier.score", "hf")])
def test_a_signal_that_has_to_be_told_more_is_refused_before_the_run(tmp_path: Path, column: str, lacking: str) -> None:
    with pytest.raises(UsageError, match=rf"{column}.*has to be told more; write `signals: .*{lacking}: "):
        plan(job(tmp_path, [{"filter": {"bounds": {column: [0, 1]}}}]))


def test_signals_that_mean_nothing_and_steps_that_cannot_be_hide_nothing_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(
        "name: a\npool: [{path: nowhere.jsonl}]\n"
        "signals:\n  lenght: {}\n  mine: {embeding: {}}\n  perplexity: {}\n"
        "steps:\n- select: {by: mine.vector, rows: 10}\n- filter: {bounds: {mine.vector: [0, 1], text.charz: [0, 1]}}\n"
    )
    with pytest.raises(UsageError) as found:
        plan(tmp_path / "recipe.yaml")
    lines = str(found.value).splitlines()
    for told in (
        "recipe.yaml:4: signals.lenght: there is no signal 'lenght'; did you mean 'token_lengths'?",
        "recipe.yaml:5: signals.mine: there is no signal 'embeding'; did you mean 'embedding'?",
        "recipe.yaml:6: signals.perplexity: 'perplexity' is no signal but of selection, static",
        "select: say how much to keep",
        "step 1, select: unknown parameter 'rows'",
        "nowhere.jsonl is not there",
        "'text.charz': text has no such column",
    ):
        assert any(told in line for line in lines), told
    assert not any("'mine.vector'" in line for line in lines)  # the name is what is wrong, and that is told
