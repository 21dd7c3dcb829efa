"""The plugins of the how-to, one for each kind: the method of the file is really what is used, here and elsewhere."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import dataflywheel as fw
from dataflywheel import catalog
from dataflywheel.cli.main import app
from dataflywheel.contracts import (
    REGISTRY,
    STEPS,
    AnswerPositions,
    Case,
    FlywheelError,
    Method,
    Policy,
    Reward,
    TrainingRows,
    build,
)
from dataflywheel.distillation.model.dense_distillation import DenseDistillation
from dataflywheel.evolution.judging.session import make_judge
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.plugins.carried import loaded
from dataflywheel.recipe.load import load_recipe, recipe_from
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.distill import Distill
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.train import Train
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.store.decisions import read_decisions
from tests.pages import blocks, own_files

FILES = own_files("docs/how-to.md")
PLUGINS = [name for name in FILES if name not in ("checks.py", "worth.py")]  # these are of plain functions
NAMES = {
    "vowels", "few_vowels", "questions", "echoes", "short_enough", "brevity", "long_first", "early_distillation",
    "overlap", "first_slice", "thin", "brief", "squared", "steady",
}  # fmt: skip
ANSWERS = ("aaaa", "b", "aa", "bb", "a", "e" * 200)


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    for name, body in FILES.items():
        (tmp_path / name).write_text(body, encoding="utf-8")
    rows = [{"prompt": f"What is {n}?" if n % 3 else f"Say {n}", "completion": a} for n, a in enumerate(ANSWERS)]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def load_all() -> None:
    for name in PLUGINS:
        fw.plugin(name)


def done(folder: Path, steps: list[Any], plugins: list[str]) -> Path:
    value = {"name": "own", "plugins": plugins, "pool": {"path": "pool.jsonl"}, "steps": steps}
    return fw.run(recipe_from(value), runs=folder / "runs", home=folder / "store").path


def answers(run: Path) -> list[str]:
    lines = (run / "dataset" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"][-1]["content"] for line in lines]


def test_a_plugin_is_about_thirty_lines_and_defines_what_it_says() -> None:
    load_all()
    assert {name for plugin in loaded() for name in plugin.names} == NAMES
    assert max(len(body.splitlines()) for body in FILES.values()) <= 46
    assert {card["name"] for card in fw.methods() if "plugin" in card} == NAMES


def test_signal_and_selector_choose_by_the_plugin_s_values(tmp_path: Path) -> None:
    steps: list[Any] = [{"select": {"by": "few_vowels", "keep": 3}}]
    run = done(tmp_path, steps, ["vowels.py"])
    assert sorted(answers(run)) == ["a", "b", "bb"]
    card = (run / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "- `few_vowels`: Keeps answers with few vowels. Of vowels.py, whose code is " in card
    assert "- `vowels`: Counts vowels. Of vowels.py" in card
    assert "of vowels.py, whose code is" in (run / "report.html").read_text(encoding="utf-8")
    for name in ("vowels", "few_vowels"):  # a report is read where the plugin is not
        del REGISTRY[name]
    life = as_text(why(run, "aaaa"))
    assert "few_vowels, of vowels.py: Keeps answers with few vowels." in life
    assert "vowels, of vowels.py: Counts vowels." in life
    from dataflywheel.report.card.card import write_card

    assert write_card(run).read_text(encoding="utf-8") == card
    text = (tmp_path / "vowels.py").read_text()
    (tmp_path / "vowels.py").write_text(text.replace('"aeiou"', '"b"'))
    assert not {"b", "bb"} & {*answers(done(tmp_path, steps, ["vowels.py"]))}  # measured again, and chosen by that


def test_the_command_line_takes_a_plugin(tmp_path: Path) -> None:
    asked = ["select", "pool.jsonl", "--by", "few_vowels", "--keep", "2", "--plugin", "vowels.py"]
    made = CliRunner().invoke(app, asked)
    assert made.exit_code == 0, made.output
    assert sorted(answers(next((tmp_path / "runs").iterdir()))) == ["b", "bb"]
    listed = CliRunner().invoke(app, ["methods", "--plugin", "thin.py", "--why", "thin"])
    assert "does: Keeps every second row." in listed.stdout
    assert "plugin: thin.py" in listed.stdout


def test_cleaner_and_step_drop_what_they_say(tmp_path: Path) -> None:
    run = done(tmp_path, [{"questions": {}}, {"thin": {"every": 2}}], ["questions.py", "thin.py"])
    assert sorted(answers(run)) == ["a", "b"]
    told = {one["reason"] for one in read_decisions(run / "round-1" / "01-questions" / "decisions.parquet").to_pylist()}
    assert told == {"a question", "no question"}
    assert "`thin`: Keeps every second row." in (run / "dataset" / "README.md").read_text(encoding="utf-8")
    step = run / "round-1" / "02-thin" / "metrics.json"
    before = step.stat().st_mtime_ns
    done(tmp_path, [{"questions": {}}, {"thin": {"every": 2}}], ["questions.py", "thin.py"])
    assert step.stat().st_mtime_ns == before
    (tmp_path / "thin.py").write_text(FILES["thin.py"].replace('"dropped" if', '"kept" if'))
    assert len(answers(done(tmp_path, [{"questions": {}}, {"thin": {"every": 2}}], ["questions.py", "thin.py"]))) == 4


def test_proposer_and_gate_write_and_judge(tmp_path: Path) -> None:
    step = {"generate": {"by": "echoes", "rows": 6}}
    said = answers(done(tmp_path, [step], ["echoes.py"]))
    assert "aaaa aaaa" in said
    assert f"{ANSWERS[5]} {ANSWERS[5]}" not in said  # longer than the gate lets pass
    step["generate"]["gates"] = [{"short_enough": {"most": 5}}]
    made = [one for one in answers(done(tmp_path, [step], ["echoes.py"])) if " " in one]
    assert sorted(made) == ["a a", "aa aa", "b b", "bb bb"]


def test_a_plugin_that_fails_at_work_is_named_with_its_line(tmp_path: Path) -> None:
    text = FILES["questions.py"].replace("        decisions = Decisions()", "        decisions = Decisions(1 / 0)")
    (tmp_path / "questions.py").write_text(text)
    line = text.splitlines().index("        decisions = Decisions(1 / 0)") + 1
    said = rf"01-questions: plugin questions\.py, line {line}: ZeroDivisionError: division by zero"
    with pytest.raises(FlywheelError, match=said):
        done(tmp_path, [{"questions": {}}], ["questions.py"])


def test_metric_sampler_policy_and_judge_are_the_plugin_s() -> None:
    load_all()
    row = prompt_answer_row("Say two words", "Good morning")
    assert [metric_of("brevity").score(text, row) for text in ("Hello", "Hello to you")] == [1.0, 0.0]
    sampler = Train(sampler={"long_first": {}}).sampling()
    assert sampler is not None
    draw = sampler.start(TrainingRows(["a", "b", "c"], np.array([5, 2, 9]), ["x"] * 3), 2, 0)
    assert draw.candidates(2).tolist() == [2, 0]
    amounts = (
        build(catalog.get("first_slice", Policy), {}).allocate([], ["b", "a"], 4, np.random.default_rng(0)).amounts
    )
    assert amounts == {"a": 4, "b": 0}
    (said,) = make_judge("overlap", None).judge([Case("x", "name a red fruit", ("a red cherry", "an apple"))])
    assert said.verdict.value == "first"


def test_a_reward_scores_answers_as_a_gate_too(tmp_path: Path) -> None:
    load_all()
    reward = build(catalog.get("steady", Reward), {})
    assert reward.score(["One. Two.", "One.", " "], [{}, {}, {}]) == [0.5, 1.0, None]
    step = {"generate": {"by": "echoes", "rows": 6, "gates": [{"scored": {"by": "steady", "least": 1.0}}]}}
    (tmp_path / "pool.jsonl").write_text(
        "".join(json.dumps({"prompt": f"Say {text}", "completion": text}) + "\n" for text in ("a.", "a. b."))
    )
    made = [one for one in answers(done(tmp_path, [step], ["echoes.py", "steady.py"])) if one not in ("a.", "a. b.")]
    assert made == []  # an echo of one sentence has two
    step["generate"]["gates"] = [{"scored": {"by": "steady", "least": 0.5}}]
    assert "a. a." in answers(done(tmp_path, [step], ["echoes.py", "steady.py"]))


@pytest.mark.slow
def test_a_trainer_is_what_prefer_trains_by(tmp_path: Path) -> None:
    """The first loss of IPO is (0 - 1 / (2 beta))^2, where the model and the reference are one."""
    pairs = [{"prompt": f"Say {n}", "chosen": f"It is {n}.", "rejected": "No."} for n in range(12)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in pairs))
    tiny = {"max_steps": 2, "max_length": 64}
    steps = [{"train": tiny}, {"prefer": {"by": {"squared": {"beta": 0.25}}, **tiny}}]
    models = {"student": {"builtin": "tiny", "size": "0.5m"}}
    value = {"name": "own", "pool": {"path": "pairs.jsonl"}, "plugins": ["squared.py"], "models": models}
    run = fw.run(recipe_from({**value, "steps": steps}), runs=tmp_path / "runs", home=tmp_path / "store").path
    losses = json.loads((run / "round-1" / "02-prefer" / "metrics.json").read_text())["details"]["losses"]
    assert losses[0] == [1, pytest.approx(4.0, abs=1e-3)]


def test_an_objective_is_what_distill_trains_by(monkeypatch: pytest.MonkeyPatch) -> None:
    load_all()
    made = Distill(by={"early_distillation": {"first": 2}}).objective()
    assert made.name == "early_distillation"
    seen: list[AnswerPositions] = []
    monkeypatch.setattr(DenseDistillation, "loss", lambda self, at, table: seen.append(at))
    places = np.array([0, 1, 2, 0, 1, 2, 3])
    at = AnswerPositions(np.arange(7), np.arange(7), np.array([0, 0, 0, 1, 1, 1, 1]), places, [3, 4])
    made.loss(at, None)
    assert seen[0].labels.tolist() == [0, 1, 3, 4]
    assert replace(seen[0], states=at.states).tokens == [3, 4]


def test_a_recipe_with_all_of_them_is_planned(tmp_path: Path) -> None:
    (tmp_path / "benchmark.jsonl").write_text((tmp_path / "pool.jsonl").read_text().replace("is", "was"))
    body = next(block.body for block in blocks("docs/how-to.md") if block.body.startswith("# my-own.yaml"))
    (tmp_path / "my-own.yaml").write_text(body)
    recipe = load_recipe(Path("my-own.yaml"))
    assert len(build_steps(recipe)) == 8
    found = fw.plan(recipe)["plugins"]
    named = {name for one in found for name in one["methods"]}
    assert named == NAMES - {"early_distillation", "overlap", "brief", "squared", "steady"}
    shown = CliRunner().invoke(app, ["plan", "my-own.yaml"])
    assert "vowels, few_vowels: of vowels.py, whose code is" in shown.stdout


def test_a_worker_process_has_every_kind() -> None:
    load_all()
    kinds = [REGISTRY.get(name) or STEPS[name] for name in sorted(NAMES)]
    made = [kind() for kind in kinds if issubclass(kind, Method)]
    sent = pickle.dumps((made, kinds))
    code = (
        "import pickle, sys; from dataflywheel.plugins.carried import restore;"
        "plugins, sent = pickle.load(sys.stdin.buffer); restore(plugins); made, kinds = pickle.loads(sent);"
        "from dataflywheel.evolution.metrics.named import metric_of; assert metric_of('brevity').share;"
        "from dataflywheel.contracts import REGISTRY;"
        "print(*[one.digest() for one in made], *[kind.source for kind in kinds], len(REGISTRY))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps((loaded(), sent)),
        capture_output=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    *said, _ = done.stdout.decode().split()
    assert said == [*(one.digest() for one in made), *(kind.source for kind in kinds)], done.stderr
    assert all(kind.source for kind in kinds)
    assert catalog.get("k_center").source == ""


def test_an_edited_metric_is_not_what_an_evaluation_rests_on() -> None:
    """The step `evaluate` names no metric: the target does, and its code counts."""

    def resting(metric: Any) -> list[str]:
        target = {"path": "pool.jsonl", "metric": metric}
        value = {"name": "x", "pool": {"path": "pool.jsonl"}, "target": target, "steps": ["evaluate"]}
        recipe = recipe_from({**value, "plugins": ["scoring.py"]})
        (step,) = build_steps(recipe)
        return step.evidence(SimpleNamespace(recipe=recipe), State(Path(), ""))  # type: ignore[arg-type]

    for file, metric in (("scoring.py", "brevity"), ("checks.py", {"python": "./checks.py:score"})):
        before = resting(metric)
        Path(file).write_text(FILES[file] + "# edited\n")
        assert len(before) == 1
        assert resting(metric) != before
    assert resting("exact_match") == []
