"""One pass over the rows of a pool: counts, lengths, empty and refused answers, hints of personal data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray
from dataflywheel.report import personal_data
from dataflywheel.rows.parts import iter_batches
from dataflywheel.rows.text import BESIDE, beside, part_of, split_answer
from dataflywheel.signals.text.text_statistics import TextStatistics

NUMBERS = (
    "chars_prompt", "chars_answer", "tokens_prompt", "tokens_answer", "turns",
    "type_token_ratio", "compression_ratio", "repeated_ngrams", "symbol_ratio",
)  # fmt: skip
MASKED_EXAMPLES = 3
REFUSAL_CHARS = 200
SHOWN, SHOWN_CHARS, SHOWN_SOURCES = 2, 600, 200
"""Rows of a source to look at, characters of each side of them, and sources of which any are kept."""

# The openings with which assistants decline; a refusal further down is part of an answer.
REFUSAL = re.compile(
    r"\b(?:as an? (?:ai|artificial intelligence)(?: language)?(?: model| assistant)?\b"
    r"|i(?:'m| am) (?:sorry|afraid)\b.{0,40}\b(?:can(?:no|')t|unable|not able)"
    r"|i(?: can(?:no|')t|'m unable to| am unable to|'m not able to| am not able to) "
    r"(?:help|assist|provide|fulfill|comply|answer|complete|create|generate|do that))",
    re.IGNORECASE | re.DOTALL,
)


@dataclass
class Hints:
    """Hints of personal data of one kind."""

    hits: int = 0
    rows: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class PoolFacts:
    """What one pass finds. Arrays are parallel to the rows."""

    sources: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    personal: int = 0
    """Rows with a hint of any kind."""
    hints: dict[str, Hints] = field(default_factory=lambda: {kind: Hints() for kind in personal_data.KINDS})
    numbers: dict[str, AnyArray] = field(default_factory=dict)
    prompt_keys: list[str | None] = field(default_factory=list)
    row_sources: list[str] = field(default_factory=list)
    """The source of each row; equal names are one object."""
    shown: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """By source a few rows by chance, as (id, prompt, answer), the beginnings of both."""


def collect(rows: Path) -> PoolFacts:
    """Read a directory of rows once; memory holds a few numbers a row."""
    facts, signal = PoolFacts(), TextStatistics()
    parts: dict[str, list[AnyArray]] = {name: [] for name in NUMBERS}
    known: dict[str, str] = {}
    for batch in iter_batches(rows):
        values = signal.measure(batch)
        for name in NUMBERS:
            parts[name].append(numbers(values[name]))
        facts.prompt_keys += pa.array(values["prompt_key"]).to_pylist()
        named = [known.setdefault(name, name) for name in batch.column("source").to_pylist()]
        facts.row_sources += named
        facts.sources.update(named)
        facts.tags.update(tag for tags in batch.column("tags").to_pylist() for tag in tags or ())
        _count_kinds(facts, batch)
        rest_of = batch.select(BESIDE).to_pylist()
        ids = batch.column("id").to_pylist()
        every = zip(batch.column("messages").to_pylist(), rest_of, named, ids, strict=True)
        for messages, rest, source, id in every:
            _count_row(facts, messages or [])
            _show(facts, source, id, messages or [])
            _count_hints(facts, personal_data.find(f"{part_of(messages or [], 'all')}\n\n{beside(rest)}"))
    facts.numbers = {name: np.concatenate([np.zeros(0), *found]) for name, found in parts.items()}
    return facts


def _show(facts: PoolFacts, source: str, id: str, messages: list[Any]) -> None:
    """Keep the row where its id is among the least of its source: ids are digests, so that is a draw."""
    if source not in facts.shown and len(facts.shown) == SHOWN_SOURCES:
        return
    held = facts.shown.setdefault(source, [])
    if len(held) < SHOWN or id < held[-1][0]:
        begin = [part_of(messages, part)[:SHOWN_CHARS] for part in ("prompt", "answer")]
        facts.shown[source] = sorted([*held, (id, begin[0], begin[1])])[:SHOWN]


def numbers(values: Any) -> AnyArray:
    """float64 (n,), NaN where not measured."""
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return np.asarray(array.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False))


def _count_kinds(facts: PoolFacts, batch: pa.RecordBatch) -> None:
    for name, column in (("preference pairs", "rejected"), ("tool specifications", "tools"), ("labels", "label")):
        facts.kinds[name] += len(batch) - batch.column(column).null_count


def _count_row(facts: PoolFacts, messages: list[Any]) -> None:
    facts.roles.update(message["role"] for message in messages)
    facts.turns[sum(message["role"] != "system" for message in messages)] += 1
    facts.kinds["tool calls"] += any(message["tool_calls"] for message in messages)
    prompt, answer = split_answer(messages)
    facts.kinds["plain text"] += not prompt and bool(answer)
    if not answer:
        facts.answers["no answer"] += 1
    elif not (text := part_of(messages, "answer")).strip():
        facts.answers["empty answer"] += 1
    elif REFUSAL.search(text[:REFUSAL_CHARS]):
        facts.answers["refused answer"] += 1


def _count_hints(facts: PoolFacts, found: Iterable[tuple[str, str]]) -> None:
    seen = set()
    for kind, text in found:
        hints = facts.hints[kind]
        hints.hits += 1
        if kind not in seen:
            hints.rows += 1
        seen.add(kind)
        if len(hints.examples) < MASKED_EXAMPLES:
            hints.examples.append(personal_data.masked(kind, text))
    facts.personal += bool(seen)
