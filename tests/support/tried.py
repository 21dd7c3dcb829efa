"""A method tried on a few rows: what of its answers could be read, what was accepted, and why not."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataflywheel import catalog
from dataflywheel.contracts import Case, Judge, Method, Metric, Signal, Status, build
from dataflywheel.evolution.metrics.win_rate import WinRate
from dataflywheel.models.endpoint.account import standing_in
from dataflywheel.models.endpoint.chat_model import Capabilities, ChatModel
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, TokenLogprob
from dataflywheel.models.spec import ModelSpec, Price
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.kinds import Gate, Proposal, Proposer, Surroundings
from dataflywheel.proposing.ledger import Fate
from dataflywheel.recipe.inputs.target_judge import judge_by
from dataflywheel.recipe.made_up_rows import lines
from dataflywheel.recipe.prompts import asks, usual
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row, table
from dataflywheel.rows.text import text_of
from dataflywheel.synthesis.instruction.grid_proposer import GridProposer

TOKENS = 200
"""Of an answer: a small model that has lost its thread writes until it is stopped."""
TOP = 6
"""Alternatives of a token that are kept of a reply."""
OTHER = "I would rather speak of trains, which run on time."
"""The answer of a stranger, beside which judges see the row's own."""
SOURCE = "made up"
FEW: Mapping[str, Any] = {
    "grid": {"topic": ["bread", "rain"], "difficulty": ["easy", "hard"]},
    "tree": {"home": ["cooking", "sleep"]},
    "tasks": ["explaining"],
    "difficulties": ["easy", "hard"],
    "ways": 2,
    "tries": 2,
}
"""Of methods that ask about every cell of a grid, or try what they chose: so few that a small model can be asked."""
OTHERS = {("dynosaur", "tasks")}
"""Parameters of the same name that mean something else."""


@dataclass
class Tried:
    """What came of it: items are rows, proposals or cases, as the kind of method has them."""

    name: str
    kind: str
    items: int = 0
    read: int = 0
    """Items of which every answer could be read."""
    accepted: int | None = None
    """Proposals that passed the method's own gates; None for what proposes nothing, or where no gates were asked."""
    why: Counter[str] = field(default_factory=Counter)
    """Of the others, by reason."""
    shown: list[str] = field(default_factory=list)
    """What was read, in short."""

    def lost(self, reason: str) -> None:
        self.why[reason.split(";")[0][:90]] += 1


class Taped:
    """In the place of every model: each question goes to `answer`, and its reply onto the tape."""

    def __init__(self, can: Capabilities, answer: Callable[[Sequence[Request]], Iterable[Reply]]) -> None:
        self.model: ChatModel = _Model(can)
        self.replies: list[Reply] = []
        self._answer = answer

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        found = list(self._answer(requests))
        self.replies += found
        return found


class _Model:
    identity, price = "tried", Price()

    def __init__(self, can: Capabilities) -> None:
        self.capabilities = can

    async def send(self, request: Request) -> Reply:
        raise AssertionError("questions go to the tape")

    def tokens(self, request: Request) -> int:
        return 0

    async def close(self) -> None:
        """Nothing is open."""


def asking_methods() -> list[str]:
    """Those that lean on a program which test machines have not are left out."""
    return [name for name in catalog.names(Method) if asks(kind := catalog.get(name)) and "lean" not in kind.card.needs]


def rows_of(pairs: Sequence[tuple[str, str, str]]) -> list[Row]:
    """Rows of prompt, answer and tag."""
    return [prompt_answer_row(prompt, answer, source=SOURCE, tags=[tag]) for prompt, answer, tag in pairs]


def attempt(name: str, rows: Sequence[Row], tape: Taped, made: Mapping[str, str], gated: bool) -> Tried:
    """The method on these rows, every model's questions on the tape; `made` are files by parameter."""
    kind = catalog.get(name)
    found = Tried(name, next(one.__name__ for one in (Signal, Judge, Gate, Metric, Proposer) if issubclass(kind, one)))
    with standing_in(lambda spec: tape):
        method = build(kind, {**usual(kind, made, lambda _: MODEL), **_short(kind)})
        if isinstance(method, Proposer) and not isinstance(method, GridProposer):  # of grids, all cells
            method = method.rehearsed()
        for read, accepted, reason, text in _items(method, rows, gated):
            found.items += 1
            found.read += read
            if accepted is not None:
                found.accepted = (found.accepted or 0) + accepted
            if reason:
                found.lost(reason)
            elif text:
                found.shown.append(text)
    return found


def gates_ask(name: str) -> bool:
    """Whether the method's own gates ask a model, so that their questions are on the tape too."""
    kind = catalog.get(name)
    own = kind.own_gates() if issubclass(kind, Proposer) else []
    return any(getattr(catalog.get(gate, Gate), "asks", False) for gate, _ in own)


MODEL = ModelSpec(endpoint="http://localhost:1/v1", model="tried")
"""Of nobody who is ever asked: the tape stands in its place."""

Item = tuple[bool, bool | None, str, str]
"""Whether it could be read, whether it was accepted, why not, and what it is."""


def _short(kind: type[Method]) -> dict[str, Any]:
    """Few tokens an answer, and few cells of a grid or tree."""
    fields = kind.model_fields
    short: dict[str, Any] = {name: TOKENS for name in ("max_tokens", "answer_tokens") if name in fields}
    fitting = {name: few for name, few in FEW.items() if name in fields and (kind.name, name) not in OTHERS}
    return short | fitting


def _items(method: Method, rows: Sequence[Row], gated: bool) -> Iterator[Item]:
    if isinstance(method, Signal):
        yield from _measured(method, rows)
    elif isinstance(method, Judge):
        yield from _judged(method, rows)
    elif isinstance(method, Gate):
        before = prompt_answer_row("", OTHER)
        shown = [Proposal((row["id"],), row, before=before, source=text_of(row["messages"])) for row in rows]
        for check in method.check(shown, Surroundings()):
            yield check.decided, check.passed, "" if check.passed else check.reason, ""
    elif isinstance(method, WinRate):
        for mark in method.judged(judge_by(method, method.model or MODEL), [OTHER] * len(rows), rows):
            yield mark.value is not None, None, "" if mark.value is not None else mark.note, f"{mark.value}"
    elif isinstance(method, Proposer):
        yield from _written(method, rows, gated)


def _measured(method: Signal, rows: Sequence[Row]) -> Iterator[Item]:
    found = method.measure(pa.RecordBatch.from_struct_array(table(rows).to_struct_array().combine_chunks()))
    first = next(iter(method.columns))
    errors = list(found.get("error", [None] * len(rows)))
    for status, error, value in zip(found["status"], errors, list(found[first]), strict=True):
        good = int(status) in (Status.OK, Status.TRUNCATED)
        yield good, None, "" if good else str(error), str(value)


def _judged(method: Judge, rows: Sequence[Row]) -> Iterator[Item]:
    answers = [row["messages"][-1]["content"] for row in rows]
    asked = [row["messages"][0]["content"] for row in rows]
    of = method.answers or 1
    cases = [Case(str(i), prompt, (answers[i], OTHER)[:of]) for i, prompt in enumerate(asked)]
    for judgement in method.judge(cases):
        good = not any(math.isnan(score) for score in judgement.scores)
        yield good, None, "" if good else judgement.reason or "no verdict", str(judgement.scores)


def _written(method: Proposer, rows: Sequence[Row], gated: bool) -> Iterator[Item]:
    if method.mends or method.writes_from == "tables":
        rows = lines([(row["messages"][0]["content"], row["messages"][-1]["content"], row["tags"][0]) for row in rows])
    named = [] if not gated else type(method).own_gates()
    kinds = [(catalog.get(name, Gate), given) for name, given in named if name != "contamination"]  # no target
    gates = [
        build(kind, {**({"model": MODEL} if getattr(kind, "asks", False) else {}), **given}) for kind, given in kinds
    ]
    done = fulfil(method, gates, rows, Terms(), Surroundings(), 0)
    for entry in done.entries:
        row = entry.proposal.row
        good = entry.fate is Fate.ACCEPTED
        text = " | ".join(turn["content"] for turn in row["messages"]) if row else ""
        yield row is not None, good if gated else None, "" if good else entry.reason, text


def on_line(reply: Reply) -> dict[str, Any]:
    """What is kept of a reply: the model's own words, and how sure it was of them."""
    top = [
        [one.token, round(one.logprob, 4), {k: round(v, 4) for k, v in list(one.top.items())[:TOP]} if at < 8 else {}]
        for at, one in enumerate(reply.logprobs)
    ]
    said: dict[str, Any] = {"outcome": reply.outcome.value, "text": reply.text, "finish": reply.finish}
    more = {"detail": reply.detail, "reasoning": reply.reasoning, "calls": reply.calls, "logprobs": top}
    return said | {name: value for name, value in more.items() if value}


def from_line(line: Mapping[str, Any]) -> Reply:
    logprobs = tuple(TokenLogprob(token, logprob, top) for token, logprob, top in line.get("logprobs", ()))
    texts = {name: line.get(name, "") for name in ("text", "finish", "detail", "reasoning", "calls")}
    return Reply(Outcome(line["outcome"]), logprobs=logprobs, **texts)


def write_tape(path: Path, rows: int, tried: Sequence[tuple[Tried, Sequence[Reply]]], can: Capabilities) -> None:
    """A line for each method: what it came to, and the replies that it got, in order."""
    head = {"rows": rows, "json_schema": can.json_schema, "logprobs": can.logprobs, "completion": can.completion}
    lines = [head]
    for one, replies in tried:
        lines.append({"method": one.name, "items": one.items, "read": one.read, "why": dict(one.why),
                      "replies": [on_line(reply) for reply in replies]})  # fmt: skip
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


@contextmanager
def replayed(replies: Sequence[Reply], can: Capabilities) -> Iterator[Taped]:
    """A tape that gives these replies in order, and fails where more is asked."""
    left = iter(replies)

    def answer(requests: Sequence[Request]) -> Iterator[Reply]:
        for _ in requests:
            reply = next(left, None)
            assert reply is not None, "more is asked than was recorded: record anew with `make real`"
            yield reply

    yield Taped(can, answer)
    assert next(left, None) is None, "less is asked than was recorded: record anew with `make real`"
