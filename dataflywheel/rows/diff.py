"""What changed between two data sets: rows by identity, answers by prompt."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of

EXAMPLES = 5
SHOWN = 300


@dataclass
class Diff:
    """Counts of distinct rows. `changed` rows are made from a row of A and stand in its place, or have the same prompt
    and another answer; the others are on one side only.

    `by_source` holds the counts of each source; `examples` up to five rows of each kind (id, source, prompt, answer).
    """

    a: str
    b: str
    rows_a: int = 0
    rows_b: int = 0
    only_in_a: int = 0
    only_in_b: int = 0
    in_both: int = 0
    changed: int = 0
    quarantined: int = 0
    by_source: dict[str, dict[str, int]] = field(default_factory=dict)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class _Side:
    """One data set in memory: about 150 bytes a row, no texts."""

    path: str
    prompts: dict[str, bytes] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    """Of rows that are made from one other row: that row."""
    quarantined: int = 0


def diff(a: str, b: str) -> Diff:
    """Compare two files, folders of rows or runs (their final rows).

    Raises:
        FlywheelError: a path names nothing.
    """
    left, right = _load(a), _load(b)
    result = Diff(a, b, len(left.prompts), len(right.prompts), quarantined=left.quarantined + right.quarantined)
    gone = [id for id in left.prompts if id not in right.prompts]
    new = [id for id in right.prompts if id not in left.prompts]
    pairs = _pairs(left, gone, right, new)
    after = set(pairs.values())
    kinds = {
        "in_both": [id for id in left.prompts if id in right.prompts],
        "only_in_a": [id for id in gone if id not in pairs],
        "only_in_b": [id for id in new if id not in after],
        "changed": list(pairs),
    }
    for kind, ids in kinds.items():
        setattr(result, kind, len(ids))
        sources = right.sources if kind == "only_in_b" else left.sources
        for source, count in Counter(sources[id] for id in ids).items():
            result.by_source.setdefault(source, dict.fromkeys(kinds, 0))[kind] = count
    result.by_source = dict(sorted(result.by_source.items()))
    result.examples = _examples(left, right, kinds, pairs)
    return result


def _load(path: str) -> _Side:
    side = _Side(path)
    for parsed in iter_parsed(Input(side.path)):
        side.quarantined += len(parsed.quarantined)
        for row in parsed.rows:
            side.prompts.setdefault(row["id"], prompt_digest(row))
            side.sources.setdefault(row["id"], row["source"])
            if len(row["parents"]) == 1:
                side.parents.setdefault(row["id"], row["parents"][0])
    return side


def prompt_digest(row: Row) -> bytes:
    """16 bytes over everything before the final answer; a document without a prompt has no counterpart but itself."""
    prompt = part_of(row["messages"], "prompt")
    return hashlib.blake2b((prompt or row["id"]).encode(), digest_size=16).digest()


def _pairs(left: _Side, gone: Iterable[str], right: _Side, new: Sequence[str]) -> dict[str, str]:
    """Rows of A to the rows of B that are made from them, else to those that have their prompt: the first to the first,
    the second to the second."""
    left_there, pairs = set(gone), dict[str, str]()
    for id in new:
        parent = right.parents.get(id)
        if parent in left_there and parent not in pairs:
            pairs[parent] = id
    taken = set(pairs.values())
    waiting: dict[bytes, list[str]] = {}
    for id in new:
        if id not in taken:
            waiting.setdefault(right.prompts[id], []).append(id)
    for id in gone:
        if id in pairs:
            continue
        candidates = waiting.get(left.prompts[id])
        if candidates:
            pairs[id] = candidates.pop(0)
    return pairs


def _examples(
    left: _Side, right: _Side, kinds: dict[str, list[str]], pairs: dict[str, str]
) -> dict[str, list[dict[str, Any]]]:
    shown = {kind: ids[:EXAMPLES] for kind, ids in kinds.items() if kind != "in_both"}
    before = _texts(left, [*shown["only_in_a"], *shown["changed"]])
    after = _texts(right, [*shown["only_in_b"], *(pairs[id] for id in shown["changed"])])
    return {
        "only_in_a": [before[id] for id in shown["only_in_a"]],
        "only_in_b": [after[id] for id in shown["only_in_b"]],
        "changed": [
            {**before[id], **{f"other_{key}": after[pairs[id]][key] for key in ("id", "prompt", "answer")}}
            for id in shown["changed"]
        ],
    }


def _texts(side: _Side, ids: list[str]) -> dict[str, dict[str, Any]]:
    wanted = set(ids)
    found: dict[str, dict[str, Any]] = {}
    for row in _rows(side.path) if wanted else ():
        if row["id"] in wanted and row["id"] not in found:
            prompt, answer = part_of(row["messages"], "prompt"), part_of(row["messages"], "answer")
            shown = {"prompt": prompt[:SHOWN], "answer": answer[:SHOWN]}
            found[row["id"]] = {"id": row["id"], "source": row["source"], **shown}
            if len(found) == len(wanted):
                break
    return found


def _rows(path: str) -> Iterator[Row]:
    for parsed in iter_parsed(Input(path)):
        yield from parsed.rows
