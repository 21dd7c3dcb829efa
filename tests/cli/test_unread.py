"""What lies beside the rows or among them and was not read: a line of every verb, and in its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dataflywheel.cli.convert import convert_command
from dataflywheel.cli.plan import plan_command
from dataflywheel.cli.profile import profile_command
from dataflywheel.cli.run import run_command

VERBS = {"convert": convert_command, "profile": profile_command, "plan": plan_command, "run": run_command}


@pytest.mark.parametrize("verb", VERBS)
def test_the_other_split_and_a_torn_line_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    monkeypatch.chdir(tmp_path)
    repo = tmp_path / "repo"
    repo.mkdir()
    for split, count in (("train", 30), ("test", 3)):
        rows = [{"prompt": f"{split} question {i}?", "completion": f"answer {i * i}"} for i in range(count)]
        torn = "{torn\n" if split == "train" else ""
        (repo / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + torn)
    (tmp_path / "job.yaml").write_text(
        "name: job\npool: [{path: repo}]\nsteps: [{select: {by: random, keep: 10}}]\nbudget: {rows: 10}\n"
    )
    given = {"convert": ["repo", "out.jsonl", "--to", "messages"], "profile": ["repo"]}.get(verb, ["job.yaml"])
    app = typer.Typer()
    app.command()(VERBS[verb])
    shown = CliRunner().invoke(app, given)
    assert shown.exit_code == 0, shown.output
    assert "not read: test.jsonl (of the split test; name it as repo#test to read it)" in shown.output.replace(
        "\n", " "
    )
    said = {
        "plan": "1 entries cannot be read; the first: repo/train.jsonl line 31: not JSON",
        "run": "1 set aside as unreadable",
    }
    assert said.get(verb, "") in " ".join(shown.output.split())
    found: dict[str, Any] = json.loads(CliRunner().invoke(app, [*given, "--json"]).stdout)
    unread = found["pool"]["unread"] if verb == "plan" else found["unread"]
    assert unread == [["repo/test.jsonl", "of the split test; name it as repo#test to read it"]]
