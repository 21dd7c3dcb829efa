"""Answers of a model to prompts of any kind, in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.inline.given import Given, given
from dataflywheel.inline.page import page, preview
from dataflywheel.recipe import single
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.single import Around
from dataflywheel.report.pages import write_pages
from dataflywheel.rows.formats import holding, shape_named
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.parse import Parsed
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.quarantine import Quarantined
from dataflywheel.rows.reading import iter_parsed
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of, split_answer
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.run import RunDirectory

if TYPE_CHECKING:
    from datasets import Dataset
    from pandas import DataFrame

METHOD = "sequence_level"
SHOWN = 3


@dataclass(frozen=True)
class Unanswered:
    """A prompt without an answer: its place among the rows that were given, from 0, why, and the row."""

    index: int
    reason: str
    row: Record


@dataclass(frozen=True)
class Answered:
    """Prompts with a model's answers as their last turns, in the order given. What a row held as its answer before is
    in `reference`."""

    model: str
    run: Result = field(repr=False)
    rows: tuple[Record, ...]
    unanswered: tuple[Unanswered, ...] = ()

    def __len__(self) -> int:
        """How many prompts were answered."""
        return len(self.rows)

    @property
    def path(self) -> Path:
        return self.run.path

    @property
    def stopped(self) -> str:
        """Why it ended early, "" where it did not."""
        return self.run.stopped

    @cached_property
    def reasons(self) -> Counter[str]:
        """Prompts without an answer, by reason."""
        return Counter(one.reason.partition(":")[0] for one in self.unanswered)

    def to_pandas(self) -> DataFrame:
        from pandas import DataFrame

        return DataFrame(list(self.rows))

    def to_dataset(self) -> Dataset:
        from datasets import Dataset

        return Dataset.from_list(list(self.rows))

    def __repr__(self) -> str:
        why = "; ".join(f"{reason} ({number:,})" for reason, number in self.reasons.most_common(SHOWN))
        return f"{self.told()}{f'; no answer: {why}' if why else ''}"

    def _repr_html_(self) -> str:
        shown = [(str(at), preview(row)) for at, row in enumerate(self.rows[:SHOWN])]
        return page(self.told(), "", [("no answer", "prompts", _counted(self.reasons)), ("answered", "row", shown)])

    def told(self) -> str:
        return f"{len(self):,} of {len(self) + len(self.unanswered):,} prompts answered by {self.model}"


def answer(
    rows: object,
    model: str | Mapping[str, Any],
    *,
    max_tokens: int = 1024,
    temperature: float = 0.0,
    thoughts: bool = False,
    columns: Mapping[str, Any] | None = None,
    roles: Mapping[str, str] | None = None,
    home: str | Path = ".flywheel",
    **options: Any,
) -> Answered:
    """Have a model answer prompts: `fw.answer(rows, "runs/a/models/student").rows`. Answers are kept, and the same
    question is not paid twice.

    Args:
        rows: in any form that `enhance` takes; answers that are there are not shown to the model.
        model: a folder with a model, `{"builtin": "tiny"}`, or `{"endpoint": URL, "model": NAME}`.
        max_tokens: of one answer; one that is longer is no answer.
        temperature: 0 is the model's likeliest answer.
        thoughts: keep what the model thought before it answered, as `reasoning` of the turn.
        options: `budget`, `seed`, `name`, `runs`, `watcher`.

    Raises:
        UsageError: rows in no form that is known, or a model that cannot be asked.
        FlywheelError: no row can be read.
    """
    source = given(rows, Path(home), columns, roles)
    there = [one for each in source.inputs() for block in iter_parsed(each) for one in _in_order(block)]
    read = [one for one in there if not isinstance(one, Quarantined)]
    if not read:
        raise FlywheelError(f"{', '.join(source.paths)}: no row can be read; flywheel profile tells why")
    prompts = [_prompt(row) for row in read]
    asked = given([_plain(row) for row in prompts], Path(home))
    by = {METHOD: {"max_tokens": max_tokens, "temperature": temperature, "thoughts": thoughts, "max_chars": 10**6}}
    models = {**options.pop("models", {}), "teacher": model}
    around, rest = Around.of({"name": _name(source, model), **options, "models": models})
    run = single.enhance(asked.entries, by, around, gates=[], home=Path(home), finish=write_pages, **rest)
    return _answered(_shown(model), run, there, prompts)


def _in_order(block: Parsed) -> list[Row | Quarantined]:
    """The rows of a block, and what could not be read, as they stand there."""
    placed: list[tuple[int, Row | Quarantined]] = list(zip(block.lines, block.rows, strict=True))
    placed += [(one.line, one) for one in block.quarantined]
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])]


def _prompt(row: Row) -> Row:
    """The row without its answer."""
    extra: dict[str, Any] = {} if row["extra"] == "{}" else orjson.loads(row["extra"])
    extra.pop("flywheel", None)  # how the answer was spelled
    turns = split_answer(row["messages"])[0]
    return make_row(turns, tools=row["tools"], tags=row["tags"], extra=extra, media=row["media"], cells=row["cells"])


def _answered(model: str, run: Result, there: Sequence[Row | Quarantined], prompts: Sequence[Row]) -> Answered:
    """Each row that was given with what came of its prompt; equal prompts were asked once."""
    step = RunDirectory(run.path).step(1, "enhance")
    done = (step / "decisions.parquet").is_file()
    decisions = read_decisions(step / "decisions.parquet").to_pylist() if done else []
    fates = {one["id"]: one for one in decisions}
    written = {row["id"]: row for row in read_rows(step / "rows").to_pylist()} if done else {}
    found: list[Record] = []
    lost: list[Unanswered] = []
    asked = iter(prompts)
    for index, row in enumerate(there):
        if isinstance(row, Quarantined):
            lost.append(Unanswered(index, f"could not be read: {row.reason}", {"text": row.text}))
            continue
        prompt = next(asked)
        fate = fates.get(prompt["id"])
        if fate is not None and fate["action"] == "changed":
            reference = part_of(row["messages"], "answer")
            record = _plain({**prompt, "messages": written[fate["other"]]["messages"]})
            found.append({**record, **({"reference": reference} if reference else {})})
        else:
            why = fate["reason"].removeprefix("as it was: ") if fate is not None else run.stopped or "not asked"
            lost.append(Unanswered(index, why, _plain(row)))
    return Answered(model, run, tuple(found), tuple(lost))


def _plain(row: Row) -> Record:
    """The row in the plainest shape that holds it."""
    return shape_named(holding(row)).write(row, lineage=False)


def _name(source: Given, model: str | Mapping[str, Any]) -> str:
    return f"answer-{source.name}-{_shown(model)}"


def _shown(model: str | Mapping[str, Any]) -> str:
    """A model in a word."""
    spec = {"hf": model} if isinstance(model, str) else model
    named = next((str(spec[key]) for key in ("model", "hf", "builtin", "endpoint") if spec.get(key)), "model")
    return named.rstrip("/").rpartition("/")[2]


def _counted(reasons: Counter[str]) -> list[tuple[str, str]]:
    return [(reason, f"{number:,}") for reason, number in reasons.most_common()]
