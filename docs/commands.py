"""The command line and its functions in Python, as the reference shows them."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import typer

import dataflywheel
from dataflywheel.cli.examples import EXAMPLES
from dataflywheel.cli.main import VERBS
from docs.fields import one_line, table

EXITS = {
    "0": "Done.",
    "1": "Failed. The message on stderr names the file, line, field or step and the way out.",
    "2": "Usage: a wrong option, an unreadable recipe, or a need that is not met. A recipe with a complaint is "
    "refused before anything runs.",
    "3": "Not finished: a budget ended it (calls, dollars, tokens, hours), or a batch's answers are not there yet. "
    "There is no `dataset/`, unless only the comparison is missing; what there is, is in `dataset.partial/`. The last "
    "line on stderr says why, `stopped` says it in JSON and in Python. The same command goes on, with a larger budget.",
    "130": "Interrupted with Ctrl-C. The same command goes on from there.",
    "143": "Stopped by SIGTERM, as schedulers send it. The same command goes on from there; 129 is the same, where the "
    "terminal was closed.",
}


def commands() -> list[str]:
    """Every verb with its arguments and options, and the exit codes."""
    lines = [
        "Results go to stdout and progress to stderr. `--json` prints the result for machines.",
        "`flywheel --version` prints the version.",
        "",
    ]
    for name, help_text in VERBS.items():
        command = _command(name)
        words = " ".join(_usage(p) for p in command.params if p.param_type_name == "argument")
        lines += [f"### `flywheel {name} {words}`", "", help_text, ""]
        lines += table(["argument or option", "default", "meaning"], [_row(p) for p in command.params])
        lines += ["```text", *EXAMPLES.get(name, ()), "```", ""]
    lines += ["### Exit codes", ""]
    return lines + table(["code", "meaning"], [[code, text] for code, text in EXITS.items()])


def _command(name: str) -> Any:
    verb = typer.Typer(add_completion=False)
    verb.command(name)(getattr(import_module(f"dataflywheel.cli.{name}"), f"{name}_command"))
    return typer.main.get_command(verb)


def _usage(parameter: Any) -> str:
    name = parameter.name.upper() + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _row(parameter: Any) -> list[str]:
    if parameter.param_type_name == "argument":
        return [f"`{parameter.name.upper()}`", "required" if parameter.required else "", parameter.help or ""]
    default = parameter.default
    flag = isinstance(default, bool) or getattr(parameter, "is_flag", False)
    shown = "required" if parameter.required else "" if flag or default in (None, "") else f"`{default}`"
    return [f"`{parameter.opts[0]}`", shown, parameter.help or ""]


def functions() -> list[str]:
    """The function behind each verb: signature and docstring."""
    lines = [
        "`import dataflywheel as fw`; each verb has a function of the same name.",
        "`run`, `compare` and `select` also take `runs` and `home` (paths, as on the command line) and `watcher`",
        "(see `dataflywheel.recipe.progress.Watcher`).",
        "",
    ]
    for name in VERBS:
        function = getattr(dataflywheel, name)
        signature = str(inspect.signature(function)).replace("'", "")
        lines += [f"### `fw.{name}`", "", "```text", *_wrapped(f"fw.{name}{signature}"), "```", ""]
        for paragraph in (inspect.getdoc(function) or "").split("\n\n"):
            title, _, rest = paragraph.partition(":\n")
            items = [one_line(item) for item in _items(rest)] if title in ("Args", "Raises", "Returns") else []
            lines += [*([f"{title}:", ""] if items else []), *([f"- {i}" for i in items] or [one_line(paragraph)]), ""]
    return lines


def _items(text: str) -> list[str]:
    """Entries of an `Args:` or `Raises:` block: a line at the smallest indent begins one."""
    lines = text.splitlines()
    edge = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    found: list[str] = []
    for line in lines:
        if len(line) - len(line.lstrip()) > edge and found:
            found[-1] += f" {line}"
        else:
            found.append(line)
    return found


def _wrapped(signature: str, width: int = 110) -> list[str]:
    """A long signature with one parameter a line."""
    if len(signature) <= width:
        return [signature]
    head, _, rest = signature.partition("(")
    inner, _, result = rest.rpartition(") -> ")
    parts, depth = [""], 0
    for character in inner:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [f"{head}(", *(f"    {part.strip()}," for part in parts), f") -> {result}"]
