"""The examples in the help of each verb: shown whole, and what they say is understood."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import Any

import pytest
import typer

from dataflywheel import catalog
from dataflywheel.cli.examples import EXAMPLES, WIDEST
from dataflywheel.cli.main import VERBS, app

EVERY = [(verb, line) for verb, lines in EXAMPLES.items() for line in lines]


def understood(line: str) -> dict[str, object]:
    """The parameters of a command by name, its verb's work left undone.

    Raises:
        NoSuchOption, MissingParameter, BadParameter: as Typer's own parser has them.
    """
    program, *words = shlex.split(line)
    assert program == "flywheel"
    group: Any = typer.main.get_command(app)
    context = group.make_context(program, list(words))
    name, verb, given = group.resolve_command(context, [*context._protected_args, *context.args])
    assert verb is not None
    return {"": name, **verb.make_context(name, given, parent=context).params}


@pytest.mark.parametrize(("verb", "line"), EVERY, ids=[line for _, line in EVERY])
def test_each_is_understood(verb: str, line: str) -> None:
    assert len(line) <= WIDEST
    given = understood(line)
    assert given[""] == verb
    if given.get("by") and verb != "compress":  # whose measures are no methods
        assert catalog.get(str(given["by"]))


def test_a_wrong_one_would_be_seen() -> None:
    for wrong, kind in (("flywheel runs --jsno", "NoSuchOption"), ("flywheel why runs/a", "MissingParameter")):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - Typer brings a parser of its own
            understood(wrong)
        assert raised.type.__name__ == kind


def test_every_verb_has_some() -> None:
    assert list(EXAMPLES) == list(VERBS)


def test_help_shows_them_whole_on_a_terminal_of_80() -> None:
    command = [sys.executable, "-m", "dataflywheel.cli.main", "answer", "--help"]
    shown = subprocess.run(command, env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True, check=True)
    lines = [line.strip() for line in shown.stdout.splitlines() if line.strip()]
    at = lines.index("Examples:")
    assert lines[at + 1 :][: len(EXAMPLES["answer"])] == list(EXAMPLES["answer"])
