"""What verbs share that ask a model or take a method with parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

Asked = Annotated[str, typer.Option(help="Who is asked: the address of an endpoint, or a folder with a model.")]
ModelName = Annotated[str, typer.Option(help="The model's name at the endpoint.")]
Price = Annotated[str, typer.Option(help="Dollars per million tokens read and written, such as 0.1/0.4.")]
Key = Annotated[str, typer.Option(help="Environment variable that holds the endpoint's key.")]
Can = Annotated[
    list[str] | None,
    typer.Option(help="What the endpoint can do beyond chat: completion, logprobs, json_schema; or that it thinks."),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="A parameter of the method, such as rounds=2, in YAML or, where it is a text, as it stands; or NAME=@FILE "
        "with its value in YAML, of a .txt or .md file its text; repeatable.",
    ),
]
Gates = Annotated[list[str] | None, typer.Option("--gate", help="A gate for every proposal; the method's own if none.")]
Concurrency = Annotated[
    int | None,
    typer.Option(min=1, max=1000, help="Requests at the endpoint at a time, at most; fewer where that is best."),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        help="Seconds without a sign of an answer, once the endpoint can have begun it; 120 if not given.",
    ),
]
Patience = Annotated[
    float | None,
    typer.Option(min=0.001, help="Seconds to wait for an endpoint that is away; 600 if not given."),
]
Usd = Annotated[float | None, typer.Option(min=0, help="Dollars to spend on this, at most, over all its runs.")]
Calls = Annotated[int | None, typer.Option(min=0, help="Requests to send for this, at most, over all its runs.")]

OF_ENDPOINT = "--model, --price, --key, --can, --concurrency, --timeout and --patience"
WAYS_OUT = (
    ("truncated", "cut at the token limit: raise it, --set max_tokens=..."),
    ("server error", "the same command asks again"),
    ("timed out", "the same command asks again, and --timeout allows more"),
    ("malformed", "not of the asked form: a larger model, or one that takes a schema, follows it better"),
    ("refused", "the model declined: name another one"),
    ("rejected", "the endpoint does not take the question, which is too long for most that do not"),
)
"""What to do where a proposal has no row, by how its reason begins."""
FATES = (
    ("rejected", "rejected"),
    ("failed", "gave no row"),
    ("left", "left as they were on purpose"),
    ("dropped", "dropped"),
    ("surplus", "more than wanted"),
)


def paced(concurrency: int | None, timeout: float | None, patience: float | None) -> dict[str, float]:
    """What was said of how an endpoint is asked."""
    given = {"concurrency": concurrency, "timeout": timeout, "patience": patience}
    return {name: value for name, value in given.items() if value is not None}


def asked_model(
    place: str, model: str, price: str, key: str, can: Sequence[str], pace: Mapping[str, float]
) -> dict[str, Any] | str:
    """The model at an address or in a folder, as recipes write it.

    Raises:
        UsageError: options of an endpoint beside a folder, an endpoint without a model, an unreadable price, or a key
            that is not set.
    """
    import os

    from dataflywheel.errors import UsageError

    if not place.startswith(("http://", "https://")):
        if model or price or key or can or pace:
            raise UsageError(f"{OF_ENDPOINT} belong to an endpoint, and {place} is a folder")
        return place
    if not model:
        raise UsageError(f"{place}: name the model that is asked there, as its server calls it: --model NAME")
    spec: dict[str, Any] = {"endpoint": place, "model": model, "capabilities": dict.fromkeys(can, True)}
    spec |= pace
    if price:
        try:
            read, written = (float(part) for part in price.split("/"))
        except ValueError:
            raise UsageError(f"--price is two numbers, such as 0.1/0.4, not {price!r}") from None
        spec["usd_per_mtok"] = {"in": read, "out": written}
    if key:
        if not os.environ.get(key):
            raise UsageError(f"--key names an environment variable that holds the key; {key} is not set")
        spec["api_key"] = os.environ[key]
    return spec


def with_models(
    embedder: str, ask: str, model: str, price: str, key: str, can: Sequence[str] | None, pace: Mapping[str, float]
) -> dict[str, Any]:
    """The models that a verb's options name: the embedder, and who is asked where somebody is.

    Raises:
        UsageError: options of an endpoint, and nobody is asked.
    """
    from dataflywheel.errors import UsageError

    if not ask and (model or price or key or can or pace):
        raise UsageError(
            f"{OF_ENDPOINT} belong to an endpoint that is asked: name its address, --ask URL; what "
            "measures likelihoods is the --student of flywheel select"
        )
    named = {"embedder": embedder} if embedder else {}
    return {**named, **({"teacher": asked_model(ask, model, price, key, can or [], pace)} if ask else {})}


def limits(usd: float | None, calls: int | None) -> dict[str, Any]:
    """The caps that were given."""
    return {name: value for name, value in (("usd", usd), ("calls", calls)) if value is not None}


def say(result: Any, what: str, as_json: bool) -> None:
    """Print the result of a step that wrote rows: as JSON, or in sentences, or why it is not finished."""
    show(result, as_json, lambda: told(result, what))


def show(result: Any, as_json: bool, finished: Callable[[], Sequence[str]]) -> None:
    """Print the result of one step: as JSON, or in the lines of what is `finished`, or why it is not.

    Raises:
        typer.Exit: with 3, where a budget ended it.
    """
    import json

    from dataflywheel.cli.stopping import unfinished

    told = {**result.as_dict(), "cost": paid(result.path)} if as_json else {}
    lines = [json.dumps(told, ensure_ascii=False)] if as_json else []
    for line in lines or ([*so_far(result), *bill(result.path)] if result.stopped else finished()):
        typer.echo(line)
    unfinished(result.stopped)


def so_far(result: Any) -> list[str]:
    """Where a run stands that did not come to its end."""
    there = f"{result.rows_out:,} of {result.rows_in:,} rows so far: {result.dataset}, which is not the result"
    nothing = "No step is finished, and nothing was written"
    return [f"Not finished: {result.stopped}.", f"{there if result.dataset else nothing}; the same command goes on."]


def way_out(reason: str) -> str:
    """Why a proposal has no row, and what to do about it where something can be done."""
    return next((f"{reason}; {way}" for start, way in WAYS_OUT if reason.startswith(start)), reason)


def told(result: Any, what: str) -> list[str]:
    """What a step that wrote rows came to: its yield, its bill, and where the rows are."""
    import json

    (path,) = result.path.glob("round-1/01-*/metrics.json")
    details = json.loads(path.read_text(encoding="utf-8"))["details"]
    found = details["funnel"]
    passed = ", ".join(details["gates"]) or ("" if "cells" in details else "no gate")
    # What is left with a mark to drop it goes: only the rest stays as it was. Earlier versions told no two apart.
    stayed = found.get("left_as_they_were")
    told = {**found, "left": found["left"] if stayed is None else sum(one["rows"] for one in stayed)}
    lost = [f"{told[name]:,} {word}" for name, word in FATES if told.get(name)]
    what_for = f"proposals accepted by {passed}" if passed else "rows changed"
    lines = [f"{found['accepted']:,} of {found['proposed']:,} {what_for}{''.join(f'; {one}' for one in lost)}."]
    lines += [f"  {one['rows']:,} rejected by {one['gate']}: {one['reason']}" for one in found["rejections"][:3]]
    lines += [f"  {one['rows']:,} gave no row: {way_out(one['reason'])}" for one in found.get("failures", [])[:3]]
    if shown := details.get("unread_reply"):
        lines.append(f"  one of the replies without a row: {shown}")
    if details["shortfall"]:
        lines.append(f"Fewer than wanted: {details['shortfall']}.")
    lines += bill(result.path)
    lines.append(f"{result.rows_out:,} rows {what}: {result.path / 'dataset'}")
    lines.append(f"Report: {result.path / 'report.html'}")
    lines.append(f"Next: flywheel why {result.path} ROW shows a row before and after, and what was asked for it.")
    return lines


def paid(run: Path) -> dict[str, Any]:
    """What a run spent on models that are asked, over all attempts at it: calls, tokens and dollars, and of these what
    may have been paid for requests that were cut off.

    It is the sum over the ledger's steps that asked, not over the rows: what was cut off or failed, and was asked
    again, is paid for too; what other steps read in training or scoring is not.
    """
    from dataflywheel.contracts import Cost
    from dataflywheel.store.ledger import maybe_paid, read_bills

    text = (run / "ledger.json").read_text(encoding="utf-8")
    spent = sum((bill for bill in read_bills(text).values() if bill.calls), Cost())
    maybe, names = maybe_paid(text), ("calls", "tokens", "usd")
    return {n: getattr(spent, n) for n in names} | {"maybe_paid": {n: getattr(maybe, n) for n in names}}


def bill(run: Path) -> list[str]:
    """The line on what a run spent on models that are asked; none where nobody was asked."""
    found = paid(run)
    if not found["calls"]:
        return []
    maybe = found["maybe_paid"]
    doubt = f", of which may have been paid: {_spent(**maybe)}" if maybe["calls"] else ""
    return [f"Cost: {_spent(found['calls'], found['tokens'], found['usd'])}{doubt}."]


def _spent(calls: int, tokens: int, usd: float) -> str:
    return f"{calls:,} call{'' if calls == 1 else 's'}, {tokens:,} tokens, ${usd:.4f}"
