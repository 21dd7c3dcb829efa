"""What a method asks, seen by letting it ask: of a few made-up rows, with a tape in place of the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel import catalog
from dataflywheel.contracts import Composite, FlywheelError, Judge, Method, Metric, Selector, Signal, build
from dataflywheel.evolution.metrics.win_rate import WinRate
from dataflywheel.models.endpoint.account import standing_in
from dataflywheel.models.endpoint.chat_model import Asks
from dataflywheel.models.endpoint.recorder import Recorder, Tape
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, Gate, Proposal, Proposer, Surroundings
from dataflywheel.recipe.inputs.target_judge import judge_by
from dataflywheel.recipe.made_up_rows import ANSWERED, answers, cases, files, lines, seeds
from dataflywheel.rows.schema import table
from dataflywheel.rows.text import text_of

PICKS = 3
"""Ways to answer, so that questions are seen that depend on what was said before."""
RATED = 2
"""Rows that a signal is shown."""
USUAL: Mapping[str, Any] = {
    "at_least": 3.0,
    "template": "chatml",
    "question": "Is the answer useful to whoever wrote the prompt?",
    "answer": "yes_no",
    "tools": [
        {
            "name": "weather",
            "description": "The weather of the next days at a place.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["city"],
            },
        }
    ],
}
"""Parameters without which a method could not be made."""
_FENCE = re.compile(r"^</[^<>\n]+ [0-9a-f]{4,}>$", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """One kind of question."""

    to: str
    """Whose question it is: `model`, or another of the method's models."""
    request: Request
    """As it is sent where the endpoint takes no schema: the form stands in the last line."""
    schema: str | None
    """JSON Schema of the answer, sent in place of that where the endpoint takes one."""


def prompts(name: str, parameters: Mapping[str, Any] | None = None) -> list[Asked]:
    """The first question of each kind that a method asks, in the order in which it asks them; none of one that asks
    nobody.

    Nothing is sent: the method asks about rows that are made up, and gets answers that are made up.

    Raises:
        UsageError: no such method, or a parameter that it does not take.
    """
    kind = catalog.get(name)
    if not asks(kind):
        return []
    found: dict[tuple[str, ...], Asked] = {}
    with TemporaryDirectory() as folder:
        method = build(kind, {**usual(kind, files(Path(folder))), **(parameters or {})})
        for pick in range(PICKS):
            for one in _asked(method, pick):
                found.setdefault(_kind_of(one), one)
    return list(found.values())


def asks(kind: type[Method]) -> bool:
    """Whether a method has models that it asks."""
    return getattr(kind, "asks", False) is True or (issubclass(kind, Judge) and bool(_models(kind)))


def reads(kind: type[Method]) -> list[str]:
    """Of a method that asks nobody itself, the signals that do, and that it reads."""
    with suppress(FlywheelError):
        if issubclass(kind, Selector):
            signals = {column.partition(".")[0] for column in build(kind, {}).needs()}
            return sorted(one for one in signals if one in catalog.names(Signal) and asks(catalog.get(one)))
    return []


def _models(kind: type[Method]) -> list[str]:
    """Fields that hold models to ask."""
    named = [field for field, info in kind.model_fields.items() if "ModelSpec" in str(info.annotation)]
    return [] if issubclass(kind, Composite) else [n for n in named if n in ("model", "models")]


def usual(
    kind: type[Method], made: Mapping[str, str], model: Callable[[str], ModelSpec] | None = None
) -> dict[str, Any]:
    """Parameters without which the method cannot be tried: files by the names of the parameters that hold them, and
    `model` for each field that names a model to ask, one that nobody ever asks where it is not given."""
    spec = model or _spec
    own = getattr(kind, "own_models", {})
    found: dict[str, Any] = {}
    for name, info in kind.model_fields.items():
        if name == "models":
            found[name] = [spec(name), spec(name)]
        elif name in own:
            found[name] = ModelSpec(hf=name)
        elif "ModelSpec" in str(info.annotation) and (info.is_required() or issubclass(kind, Metric)):
            found[name] = spec(name)
        elif name in USUAL and (info.is_required() or name in ("template", "tools")):
            found[name] = USUAL[name]
        elif name in made and info.is_required():
            found[name] = made[name]
    return found


def _spec(name: str) -> ModelSpec:
    return ModelSpec(endpoint="http://localhost:8000/v1", model=name, capabilities={"logprobs": True})


def _asked(method: Method, pick: int) -> list[Asked]:
    """All that it asks where it is answered so; first with schemas, which say what to answer, then without."""
    by_schema = _recorded(method, Tape(pick, fields=ANSWERED))
    in_words = _recorded(method, Tape(pick, takes_schema=False, told=by_schema.replies))
    return [
        Asked(to, request, shaped.schema)
        for (to, request), (_, shaped) in zip(in_words.asked, by_schema.asked, strict=False)
    ]


def _recorded(method: Method, tape: Tape) -> Tape:
    def client_of(spec: ModelSpec) -> Asks:
        return Recorder(str(spec.model or spec.hf), tape)

    try:
        with standing_in(client_of):
            _work(method, tape.pick)
    except FlywheelError:  # made-up answers may lead to an end of that kind
        if not tape.asked:
            raise
    return tape


def _work(method: Method, pick: int) -> None:
    """Have the method do on the made-up rows what it is for."""
    if isinstance(method, Signal):
        method.measure(pa.RecordBatch.from_struct_array(table(seeds()[:RATED]).to_struct_array().combine_chunks()))
    elif isinstance(method, Judge):
        method.judge(cases(method.answers or 1))
    elif isinstance(method, Gate):
        rows = seeds()[: RATED + 1]  # a gate that compares finds another answer in the row that is replaced
        shown = [Proposal((row["id"],), row, before=rows[-1], source=text_of(row["messages"])) for row in rows[:RATED]]
        method.check(shown, Surroundings())
    elif isinstance(method, WinRate):
        rows = seeds()[:RATED]
        method.judged(judge_by(method, method.model or _spec("model")), answers()[: len(rows)], rows)
    elif isinstance(method, Proposer):
        rows = lines() if method.mends or method.writes_from == "tables" else seeds(getattr(method, "show", ()))
        demand = Demand(tuple(rows), (0,) * len(rows), (), np.random.default_rng(pick))
        method.rehearsed().propose(demand)


def _kind_of(one: Asked) -> tuple[str, ...]:
    """Equal for questions that differ by the row alone; a prompt of the row's own, sent as it is, is of one kind."""
    system = "".join(str(turn["content"]) for turn in one.request.messages if turn["role"] == "system")
    last = str(one.request.messages[-1]["content"]) if one.request.messages else ""
    asked = last.rpartition("\n")[2] if _FENCE.search(last) else ""
    return (one.to, system, asked, one.schema or "")
