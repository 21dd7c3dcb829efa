"""The verbs that write rows or train with a teacher, without a recipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.errors import UsageError
from tests.recipe.jobs import write_pool
from tests.support.command import flywheel
from tests.support.endpoint import Endpoint


def dataset(folder: Path, path: str) -> list[dict[str, list[dict[str, str]]]]:
    lines = (folder / path / "dataset" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_generate_adds_exactly_what_was_asked_for_and_says_what_was_lost(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, rows=60)
    done = flywheel("generate", str(pool), "--rows", "12", "--visits", "3", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("12 of ")
    assert "proposals accepted by format_and_length, grounded" in done.stdout
    again = flywheel("generate", str(pool), "--rows", "12", "--visits", "3", "--json", folder=tmp_path)
    result = json.loads(again.stdout)
    assert result["rows_out"] == result["rows_in"] + 12 == len(dataset(tmp_path, result["path"]))


def test_a_shortfall_is_said(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, rows=5)
    done = flywheel("generate", str(pool), "--rows", "500", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Fewer than wanted: every one of the" in done.stdout


def test_enhance_asks_a_model_and_keeps_rows_that_a_gate_turns_away(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "writer", "errors": 0.5}])
    pool = write_pool(tmp_path, rows=20)
    asked = ["--ask", endpoint.url, "--model", "writer", "--price", "1/10", "--set", "revise=answer"]
    done = flywheel("enhance", str(pool), "--by", "revision", *asked, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    answers = [row["messages"][-1]["content"] for row in dataset(tmp_path, result["path"])]
    assert len(answers) == result["rows_in"]
    revised = [answer for answer in answers if answer.endswith("This is the whole of it.")]
    assert 0 < len(revised) < len(answers)
    assert not any("4711" in answer for answer in answers)
    assert len(endpoint.bill().charged) == result["rows_in"] + 1, "and one question what the endpoint can do"
    assert result["cost"]["calls"] == len(endpoint.bill().charged)
    assert result["cost"]["usd"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["enhance", "pool.jsonl", "--by", "revison"], "did you mean 'revision'"),
        (["enhance", "pool.jsonl", "--by", "revision"], "asks a model"),
        (["enhance", "pool.jsonl", "--by", "revision", "--set", "revise"], "--set takes NAME=VALUE"),
        (["generate", "pool.jsonl", "--gate", "groundet"], "did you mean 'grounded'"),
        (["generate", "pool.jsonl", "--by", "magpie", "--ask", "http://localhost:9/v1", "--model", "m"], "completion"),
        (["distill", "pool.jsonl", "--teacher", "nowhere/model/x"], "nowhere/model/x"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(tmp_path: Path, arguments: list[str], message: str) -> None:
    write_pool(tmp_path, rows=5)
    done = flywheel(*arguments, folder=tmp_path)
    assert done.returncode != 0
    assert message in done.stderr


@pytest.mark.slow
def test_distill_ends_with_a_model_that_loads(tmp_path: Path) -> None:
    from dataflywheel.models.language.language_model import LanguageModel
    from dataflywheel.models.spec import ModelSpec
    from dataflywheel.models.training.tiny import train_tiny
    from dataflywheel.rows.reading import read_file

    pool = write_pool(tmp_path, rows=60)
    rows = read_file(str(pool))[0]["messages"].to_pylist()
    teacher = train_tiny(rows, size="0.5m", tokens=20_000, cache_dir=tmp_path / "models")
    sizes = ["--student", str(teacher), "--epochs", "1", "--max-length", "128", "--json"]
    done = flywheel("distill", str(pool), "--teacher", str(teacher), *sizes, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    model = tmp_path / json.loads(done.stdout)["model"]
    assert LanguageModel.load(ModelSpec(hf=str(model))).parameters > 100_000


def test_every_selector_can_be_run_with_its_parameters_target_and_teacher(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "rater", "low": 0, "high": 5, "template": "$score\nBecause."}])
    pool, target = str(write_pool(tmp_path, rows=30)), str(write_pool(tmp_path, rows=5, split="held_out"))
    common = ["--keep", "4", "--json", "--runs", str(tmp_path / "runs"), "--home", str(tmp_path / "home")]
    asking = ["--ask", endpoint.url, "--model", "grader"]
    for by, options in (
        ("dsir", ["--target", target, "--set", "noise=0"]),
        ("rated", [*asking, "--set", "score=alpagasus.score", "--set", "at_least=0.5"]),
    ):
        done = CliRunner().invoke(app, ["select", pool, "--by", by, *options, *common])
        assert done.exit_code == 0, done.output
        result = json.loads(done.stdout.splitlines()[-1])
        assert result["rows_out"] == 4
        params = json.loads((Path(result["path"]) / "round-1" / "01-select" / "metrics.json").read_text())["params"]
        assert set(params["by"][0][by]) == {one.split("=")[0] for one in options if "=" in one}
    after = ["--by", "longest", "--then", "diversify_and_conquer", "--set", "then.clusters=2", "--embedder", "static"]
    done = CliRunner().invoke(app, ["select", pool, *after, "--set", "then.score=text.tokens_answer", *common])
    assert done.exit_code == 0, done.output
    made = Path(json.loads(done.stdout.splitlines()[-1])["path"]) / "round-1" / "01-select" / "metrics.json"
    assert json.loads(made.read_text())["params"]["then"] == {
        "diversify_and_conquer": {"clusters": 2, "score": "text.tokens_answer"}
    }
    lone = CliRunner().invoke(app, ["select", pool, "--set", "then.clusters=2", *common])
    assert "no method is named there" in str(lone.exception)
    wrong = CliRunner().invoke(app, ["select", pool, "--model", "folder", *common])
    assert wrong.exit_code != 0
    assert isinstance(wrong.exception, UsageError | SystemExit)
