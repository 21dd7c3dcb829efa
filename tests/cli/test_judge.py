"""`flywheel judge` on the command line, against the scripted endpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from dataflywheel.cli.judge import _judging
from dataflywheel.cli.main import app
from dataflywheel.contracts import UsageError
from dataflywheel.evolution.judging.gold import gold_sets
from dataflywheel.evolution.judging.pairwise import Pairwise
from dataflywheel.evolution.judging.rubric import Rubric
from dataflywheel.evolution.judging.session import make_judge
from tests.evolution.judging.scripted import KNOWS, knows, labels, script, two_files
from tests.support.endpoint import Endpoint


def test_the_command(endpoint: Endpoint, tmp_path: Path) -> None:
    script(endpoint)
    files = two_files(tmp_path)
    gold = labels(tmp_path / "gold.jsonl", [1] * 30 + [2] * 10)
    common = ["judge", *map(str, files), "--judge", endpoint.url, "--model", "m", "--home", str(tmp_path / "home")]
    shown = CliRunner().invoke(app, [*common, "--gold", str(gold), "--price", "1/2"], terminal_width=200)
    assert shown.exit_code == 0, shown.output
    for text in ("A wins", "80%", "30 won, 4 tied, 6 lost", "same verdict in both orders", "longer answer wins", "coin",
                 "Cohen's kappa", "93 calls", "6 of 6 obvious pairs right", "1 answer of A"):  # fmt: skip
        assert text in shown.output, text
    free = CliRunner().invoke(app, common, terminal_width=200)
    assert "price not known" in free.output
    plain = json.loads(CliRunner().invoke(app, [*common, "--price", "1/2", "--json"]).output)
    assert plain["win_rate"]["value"] == pytest.approx(0.8)
    assert plain["cost"]["usd"] > 0
    assert len(plain["judgements"]) == 40


def test_the_verdicts_are_written_with_their_texts(endpoint: Endpoint, tmp_path: Path) -> None:
    script(endpoint)
    files = two_files(tmp_path)
    common = ["judge", *map(str, files), "--judge", endpoint.url, "--model", "m", "--home", str(tmp_path / "home")]
    out, page = tmp_path / "verdicts.jsonl", tmp_path / "verdicts.html"
    done = CliRunner().invoke(app, [*common, "--out", str(out)])
    assert f"40 verdicts with their texts: {out}" in done.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    answers = {json.loads(line)["prompt"]: json.loads(line)["completion"] for line in files[0].read_text().splitlines()}
    assert len(rows) == 40
    assert all(row["a"] == answers[row["prompt"]] for row in rows)
    assert sum(row["verdict"] == "first" for row in rows) == 30
    assert CliRunner().invoke(app, [*common, "--out", str(page)]).exit_code == 0
    text = page.read_text()
    assert text.index("B is better: 6") < text.index("A is better: 30") < text.index("Level: 4")
    assert "<script" not in text
    wrong = CliRunner().invoke(app, [*common, "--out", str(tmp_path / "x.docx")])
    assert "cannot tell the format" in str(wrong.exception)


def test_the_command_calibrates(endpoint: Endpoint, tmp_path: Path, data: Path) -> None:
    parts = [part for part in gold_sets(data) if part.name.startswith("llmbar")]
    rules = [rule for part in parts for rule in knows(part.cases, part.gold)]
    endpoint.configure(rules=[*KNOWS, *rules, {"rule": "echo", "text": "I cannot say."}])
    common = ["judge", "--calibrate", "--judge", endpoint.url, "--model", "m", "--home", str(tmp_path)]
    done = CliRunner().invoke(app, [*common, "--data", str(data), "--limit", "8", "--json"])
    assert done.exit_code == 0, done.output
    lines = {line["name"]: line for line in json.loads(done.output)["sets"]}
    assert set(lines) == {part.name for part in gold_sets(data)}
    for name, line in lines.items():
        assert line["pairs"] <= 8
        knew = name.startswith("llmbar")
        assert line["policies"]["wrong"]["agreement"]["value"] == float(knew)
        assert line["invalid"] == float(not knew)
    shown = CliRunner().invoke(app, [*common, "--data", str(data), "--limit", "8"], terminal_width=200)
    assert "llmbar Adversarial/Neighbor" in shown.output


def test_what_an_endpoint_can_do_is_declared(endpoint: Endpoint, tmp_path: Path) -> None:
    files = two_files(tmp_path)
    common = ["judge", *map(str, files), "--judge", endpoint.url, "--model", "m", "--by", "calibra_eval"]
    refused = CliRunner().invoke(app, [*common, "--home", str(tmp_path)])
    assert "needs logprobs" in str(refused.exception)
    assert "--can" in str(refused.exception)
    assert not endpoint.bill().lines
    asked = CliRunner().invoke(app, [*common, "--home", str(tmp_path), "--can", "logprobs"])
    assert "obvious pairs right" in str(asked.exception)  # an echo is no judge
    assert len(endpoint.bill().charged) == 18


def test_a_terminal_shows_how_the_questions_are_going(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(endpoint)
    files = two_files(tmp_path)
    common = ["judge", *map(str, files), "--judge", endpoint.url, "--model", "m", "--calls", "500", "--json"]
    quiet = CliRunner().invoke(app, [*common, "--home", str(tmp_path / "one")])
    assert "in flight" not in quiet.output
    monkeypatch.setattr(Console, "is_terminal", property(lambda console: True))
    shown = CliRunner().invoke(app, [*common, "--home", str(tmp_path / "two")], terminal_width=200)
    assert "in flight" in shown.stderr
    assert "at most 500 calls" in " ".join(shown.stderr.split())
    assert "in flight" not in shown.stdout
    assert json.loads(shown.stdout)["verdicts"] == json.loads(quiet.stdout)["verdicts"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--judge", "x"], "name two files of answers"),
        (["a", "b", "--judge", "folder", "--model", "m"], "belong to an endpoint"),
        (["a", "b", "--judge", "http://localhost:1/v1", "--model", "m", "--price", "cheap"], "two numbers"),
        (["a", "b", "--judge", "http://localhost:1/v1", "--model", "m", "--usd", "1"], "--usd needs the price"),
        (["a", "b", "--judge", "http://localhost:1/v1", "--model", "m", "--key", "NO_SUCH_KEY"], "is not set"),
        (["a", "b", "--judge", "x", "--judge", "y"], "several are `--by panel`"),
        (["a", "b", "--judge", "x", "--by", "panel"], "two members or more"),
        (["a", "b", "--judge", "x", "--set", "criteria=@no.yaml"], "no.yaml cannot be read"),
        (["a", "b", "--calibrate", "--judge", "x"], "takes no A and B"),
        (["--calibrate", "--judge", "x", "--data", "."], "no pairs with human labels"),
    ],
)
def test_wrong_calls_say_what_is_wrong(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["judge", *arguments])
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


def test_a_panel_and_the_parameters_of_a_judge_are_given_on_the_command_line(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    script(endpoint)
    common = ["judge", *map(str, two_files(tmp_path)), "--judge", endpoint.url, "--json", "--home", str(tmp_path)]
    done = CliRunner().invoke(app, [*common, "--by", "panel", "--model", "one", "--model", "other"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["judge"], found["model"], found["pairs"]) == ("panel", "one, other", 40)
    levels = ["wrong", "poor", "fair", "good", "right"]
    rubric = tmp_path / "rubric.yaml"
    rubric.write_text(json.dumps([{"name": "safety", "asks": "Is it safe?", "levels": levels}]), encoding="utf-8")
    spec, method = _judging([endpoint.url], ["m"], "rubric", [f"criteria=@{rubric}"], "", "", [], {})
    made = make_judge(method, spec)
    assert isinstance(made, Rubric)
    assert [(c.name, list(c.levels)) for c in made.criteria] == [("safety", levels)]
    pairwise = make_judge(
        *_judging([endpoint.url], ["m"], "pairwise", ["evidence=true", "persona=a poet"], "", "", [], {})[::-1]
    )
    assert isinstance(pairwise, Pairwise)
    assert (pairwise.evidence, pairwise.persona) == (True, "a poet")
    folders = _judging(["a", "b"], [], "panel", ["evidence=true"], "", "", [], {})
    assert folders == (None, {"panel": {"evidence": True, "models": ["a", "b"]}})
