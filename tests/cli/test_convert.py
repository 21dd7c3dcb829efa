"""The verbs `convert` and `diff`: results on standard output, what was set aside on standard error."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from dataflywheel.cli.convert import convert_command
from dataflywheel.cli.diff import diff_command

app = typer.Typer()
app.command("convert")(convert_command)
app.command("diff")(diff_command)


def test_convert_prints_what_it_wrote(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"prompt": "q", "completion": "a"}\n{broken\n', encoding="utf-8")
    out = tmp_path / "out.jsonl"
    result = CliRunner().invoke(app, ["convert", str(tmp_path / "a.jsonl"), str(out), "--to", "messages", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["records"] == 1
    result = CliRunner().invoke(app, ["convert", str(tmp_path / "a.jsonl"), str(out), "--to", "messages"])
    assert "1 rows as 1 messages records" in result.stdout
    assert "line 2" in result.stderr


def test_convert_says_what_a_format_cannot_hold(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    rows = [{"messages": turns}, {"messages": [*turns, turns[0]]}, {"prompt": "q", "chosen": "a", "rejected": "b"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = CliRunner().invoke(app, ["convert", str(tmp_path / "a.jsonl"), str(tmp_path / "out.jsonl"), "--to", "trl"])
    assert result.exit_code == 0
    assert "3 rows of several kinds as 2 trl records" in result.stdout
    assert f"1 preference: {tmp_path / 'out.preference.jsonl'}" in result.stdout
    assert f"({tmp_path / 'a.jsonl'}, line 2): trl cannot hold a row without an answer to learn" in result.stderr
    assert "left out, since trl cannot hold a row without an answer to learn: 1" in result.stderr


def test_diff_shows_text_of_rows_without_control_characters(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"prompt": "q", "completion": "\\u001b[31mred"}\n', encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"prompt": "q", "completion": "blue"}\n', encoding="utf-8")
    arguments = ["diff", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert json.loads(result.stdout)["changed"] == 1
    result = CliRunner().invoke(app, arguments)
    assert "in B:   blue" in result.stdout
    assert "\x1b[31m" not in result.stdout
