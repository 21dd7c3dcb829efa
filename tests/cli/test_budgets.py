"""A command that a budget ended: exit status 3, said first and last, and nothing that looks like its result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from dataflywheel.cli import main
from dataflywheel.cli.main import app
from dataflywheel.errors import DeferredError, FlywheelError, OverBudgetError
from tests.evolution.judging.scripted import script, two_files
from tests.support.endpoint import Endpoint

RATER = {"rule": "rater", "low": 0, "high": 5, "template": "$score\nBecause."}


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    rows = [{"prompt": f"What is {i} plus {i}?", "completion": f"It is {2 * i}."} for i in range(60)]
    path = tmp_path / "pool.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def ended(*command: object) -> Result:
    """The command that a budget of five calls ended."""
    found = CliRunner().invoke(app, list(map(str, command)))
    assert found.exit_code == 3, found.output
    last = found.stderr.splitlines()[-1]
    assert last.startswith("flywheel: not finished: ")
    assert "was reached" in last
    return found


def places(folder: Path, endpoint: Endpoint) -> list[object]:
    where = ["--runs", folder / "runs", "--home", folder / "home"]
    return [*where, "--ask", endpoint.url, "--model", "m", "--calls", 5]


@pytest.mark.parametrize(
    "verb",
    [
        ["select", "--by", "rated", "--set", "score=alpagasus.score", "--keep", "9"],
        ["enhance", "--by", "revision"],
        ["generate", "--by", "self_instruct", "--rows", "30"],
    ],
)
def test_a_verb_of_one_step(verb: list[str], pool: Path, tmp_path: Path, endpoint: Endpoint) -> None:
    endpoint.configure(rules=[RATER])
    name, *options = verb
    shown = ended(name, pool, *options, *places(tmp_path, endpoint))
    assert shown.stdout.startswith("Not finished: 01-")
    assert "No step is finished, and nothing was written" in shown.stdout
    assert shown.stdout.splitlines()[-1].startswith("Cost: 5 calls, ")
    assert shown.stderr.startswith("Planned: about "), "before any of it"
    assert not list((tmp_path / "runs").glob("*/dataset*"))
    plain = json.loads(ended(name, pool, *options, *places(tmp_path, endpoint), "--json").stdout)
    assert "was reached" in plain["stopped"]
    assert plain["dataset"] is None


def test_a_run(pool: Path, tmp_path: Path, endpoint: Endpoint) -> None:
    endpoint.configure(rules=[RATER])
    value: dict[str, Any] = {
        "name": "job",
        "pool": [{"path": str(pool)}],
        "models": {"teacher": {"endpoint": endpoint.url, "model": "m"}},
        "budget": {"calls": 5},
        "steps": ["deduplicate", {"select": {"by": {"rated": {"score": "alpagasus.score"}}, "keep": 9}}],
    }
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(value))
    command = ["run", recipe, "--runs", tmp_path / "runs", "--home", tmp_path / "home"]
    shown = ended(*command)
    assert shown.stdout.startswith("Not finished: 02-select: ")
    assert f"60 of 60 rows so far: {tmp_path / 'runs' / 'job' / 'dataset.partial'}" in shown.stdout
    assert "rows kept" not in shown.stdout
    assert "02-select" in json.loads(ended(*command, "--json").stdout)["stopped"]
    recipe.write_text(yaml.safe_dump({**value, "budget": {}}))
    done = CliRunner().invoke(app, list(map(str, command)))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("9 of 60 rows kept: ")


def test_answer(pool: Path, tmp_path: Path, endpoint: Endpoint) -> None:
    """What was answered stays in the store; no file of answers is written from a part of the prompts."""
    endpoint.configure(rules=[{"rule": "echo", "text": "Twelve."}])
    out = tmp_path / "answers.jsonl"
    command = ["answer", endpoint.url, pool, "--out", out, "--model", "m"]
    where = ["--runs", tmp_path / "runs", "--home", tmp_path / "home"]
    short = ended(*command, *where, "--calls", 5)
    said = short.stdout.splitlines()
    assert said[0].startswith("Not finished: ")
    assert said[0].endswith("the same command goes on.")
    assert said[1] == "0 of 60 prompts answered by m: nothing was written"
    assert said[-1].startswith("Cost: 5 calls, ")
    plain = json.loads(ended(*command, *where, "--calls", 5, "--json").stdout)
    assert (plain["answered"], plain["output"], plain["cost"]["calls"]) == (0, None, 5)
    assert not out.exists()
    whole = CliRunner().invoke(app, list(map(str, [*command, *where])))
    assert whole.exit_code == 0, whole.output
    assert len(endpoint.bill().charged) == 60


def test_diff_reads_no_run_that_is_not_finished(pool: Path, tmp_path: Path, endpoint: Endpoint) -> None:
    endpoint.configure(rules=[RATER])
    select = ["select", pool, "--by", "rated", "--set", "score=alpagasus.score", "--keep", "9"]
    ended(*select, *places(tmp_path, endpoint))
    (run,) = (tmp_path / "runs").iterdir()
    refused = CliRunner().invoke(app, ["diff", str(pool), str(run)])
    assert "this run is not finished and has no data set" in str(refused.exception)


def test_judge(tmp_path: Path, endpoint: Endpoint) -> None:
    """One call is for what the endpoint can do, twelve are for the obvious pairs; a cap among these ends it too."""
    script(endpoint)
    files = two_files(tmp_path)
    command = ["judge", *files, "--judge", endpoint.url, "--model", "m", "--home", tmp_path / "home"]
    shown = ended(*command, "--calls", 23)
    said = " ".join(shown.stdout.split())
    assert said.startswith("Not finished: the cap on dollars or calls was reached with 35 of 40 pairs not judged")
    assert "with 35 of 40 pairs" in json.loads(ended(*command, "--calls", 23, "--json").stdout)["stopped"]
    fresh = [*command[:-1], tmp_path / "other", "--calls", 4]
    early = CliRunner().invoke(app, list(map(str, fresh)))
    assert isinstance(early.exception, OverBudgetError)
    whole = CliRunner().invoke(app, list(map(str, command)))
    assert whole.exit_code == 0
    assert "Not finished" not in whole.output


@pytest.mark.parametrize(("error", "status"), [(OverBudgetError, 3), (DeferredError, 3), (FlywheelError, 1)])
def test_what_ends_a_command_has_its_status(
    monkeypatch: pytest.MonkeyPatch, error: type[FlywheelError], status: int
) -> None:
    left: list[int] = []

    def ends() -> None:
        raise error("why")

    monkeypatch.setattr(main, "app", ends)
    monkeypatch.setattr(main, "listen", lambda: None)
    monkeypatch.setattr(main, "leave", lambda code, message: left.append(code))
    main.main()
    assert left == [status]
