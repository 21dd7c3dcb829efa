"""`instruction` with `instances` of `{input, output}`: Self-Instruct tasks, one row an instance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from dataflywheel.rows.formats.alpaca import Alpaca
from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record, kind
from dataflywheel.rows.formats.shape import OURS, Shape
from dataflywheel.rows.schema import Row

POSITION = "instance"


class SelfInstruct(Shape):
    """Every field but `instances` is repeated in the `extra` of each row; `instance` counts the rows of one task."""

    name = "self_instruct"
    system_column = True
    _inner = Alpaca("alpaca", "input", "output")

    def matches(self, keys: frozenset[str]) -> bool:
        return {"instruction", "instances"} <= keys

    def parse(self, record: Record) -> Draft:
        instance = record.pop("instances")[0]
        draft = self._inner.parse({**instance, "instruction": record.pop("instruction")})
        asked = draft.extra.get("constraints")  # Unnatural Instructions
        if isinstance(asked, str) and asked.strip(" .").lower() not in ("", "none") and asked not in said(draft):
            raise ReadError("instances[0].constraints", "belongs to what is asked; write it into the instruction")
        given = draft.extra.pop("input", None)
        extra = {**record, "instance_fields": draft.extra} if draft.extra else record
        draft.extra = extra if given is None else {**extra, "input": given}
        return draft

    def render(self, draft: Draft) -> Record:
        inner = self._inner.render(draft)
        if inner.keys() != {"instruction", "input", "output"}:
            raise CannotHold("a system prompt, several turns or a rejected answer")
        beside = draft.extra.pop("instance_fields", {})
        instance = {"input": inner["input"], "output": inner["output"], **(beside if isinstance(beside, dict) else {})}
        return {"instruction": inner["instruction"], "instances": [instance]}

    def read(self, record: Record, source: str = "") -> list[Row]:
        instances = record["instances"]
        if not isinstance(instances, list) or not instances:
            raise ReadError(
                "instances", f"expected a list of {{input, output}}, got {kind(instances) if instances else 'none'}"
            )
        rows: list[Row] = []
        for position, instance in enumerate(instances):
            if not isinstance(instance, dict) or "output" not in instance:
                raise ReadError(f"instances[{position}]", "expected {input, output}")
            one = {**record, "instances": [instance]}
            if len(instances) > 1:
                one[POSITION] = position
            rows += super().read(one, source)
        return rows

    def write_all(self, rows: Iterable[Row], lineage: bool = True, source: str = "") -> Iterator[tuple[Row, Record]]:
        """Rows that follow each other as instances 0, 1, ... of one task become one record again."""
        waiting: list[tuple[Row, Record]] = []
        for row in rows:
            record = self.write(row, lineage, source)
            if waiting and not follows(waiting[-1][1], record):
                yield from gather(waiting)
                waiting = []
            waiting.append((row, record))
        yield from gather(waiting)


def said(draft: Draft) -> str:
    return "\n".join(turn["content"] for turn in draft.messages)


def follows(before: Record, after: Record) -> bool:
    """Whether `after` is the next instance of the task of `before`."""
    at, then = before.get(POSITION), after.get(POSITION)
    return (
        type(at) is int and then == at + 1 and task(before) == task(after) and OURS not in before and OURS not in after
    )


def task(record: Record) -> bytes:
    rest: dict[str, Any] = {key: value for key, value in record.items() if key not in ("instances", POSITION)}
    return orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)


def gather(waiting: list[tuple[Row, Record]]) -> Iterator[tuple[Row, Record]]:
    """One record for a task that is whole (it begins at instance 0 and has several), else one a row."""
    if len(waiting) > 1 and waiting[0][1].get(POSITION) == 0:
        record = {key: value for key, value in waiting[0][1].items() if key != POSITION}
        record["instances"] = [instance for _, one in waiting for instance in one["instances"]]
        yield waiting[0][0], record
    else:
        yield from waiting
