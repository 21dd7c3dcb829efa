"""`flywheel methods --prompt`: what a method asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from dataflywheel.recipe.prompts import Asked


def say_prompts(name: str, given: Sequence[str], as_json: bool) -> None:
    """Print the first question of each kind that a method asks, with made-up rows in it.

    Raises:
        UsageError: no such method, or a parameter that it does not take.
    """
    from dataflywheel import catalog
    from dataflywheel.cli.parameters import with_parameters
    from dataflywheel.recipe.prompts import asks, prompts, reads

    kind = catalog.get(name)
    found = prompts(name, with_parameters(name, given)[name])
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in found], indent=2, ensure_ascii=False))
    elif not asks(kind):
        behind = "".join(f"; it reads {one}: flywheel methods --prompt {one}" for one in reads(kind))
        typer.echo(f"{name} asks no model itself{behind}.")
    else:
        kinds = "1 kind of question" if len(found) == 1 else f"{len(found)} kinds of questions"
        typer.echo(f"{name} asks {kinds}. The rows in them are made up, and what is answered to one for the next too.")
        for number, one in enumerate(found, 1):
            typer.echo("\n".join(["", *_lines(number, one)]))


def _plain(one: Asked) -> dict[str, Any]:
    sampling = one.request.sampling
    return {
        "to": one.to,
        "messages": [dict(turn) for turn in one.request.messages],
        "prompt": one.request.prompt,
        "schema": None if one.schema is None else json.loads(one.schema),
        "sampling": {name: getattr(sampling, name) for name in sampling.__slots__},
    }


def _lines(number: int, one: Asked) -> list[str]:
    sampling = one.request.sampling
    drawn = [f"temperature {sampling.temperature:g}", f"at most {sampling.max_tokens} tokens"]
    drawn += [f"top_p {sampling.top_p:g}"] if sampling.top_p != 1 else []
    drawn += [f"stop at {json.dumps(sampling.stop)}"] if sampling.stop else []
    drawn += [f"{sampling.top_logprobs} alternatives to each token"] if sampling.top_logprobs else []
    lines = [f"--- {number}, to `{one.to}`: {', '.join(drawn)}"]
    if one.request.prompt is not None:
        lines += ["[raw prompt]", one.request.prompt]
    for turn in one.request.messages:
        lines += [f"[{turn['role']}]", str(turn["content"])]
    if one.schema is not None:
        lines += [
            "[response_format, where the endpoint takes a schema: in place of the last sentence of the question]",
            one.schema,
        ]
    return lines
