"""`profile`: what is in a pool, before anything is done with it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Columns, FlywheelError, TargetView, build
from dataflywheel.enhancement.preparation.decontaminate import Decontaminate
from dataflywheel.enhancement.preparation.near_copies import near_duplicates
from dataflywheel.report.languages import language_shares
from dataflywheel.report.profile.pool_facts import PoolFacts, collect, numbers
from dataflywheel.report.profile.pool_profile import EXACT, LENGTHS, NEAR, NOT_MEASURED, Profile
from dataflywheel.report.profile.pool_toxicity import pool_toxicity
from dataflywheel.report.profile.profile_page import write_profile_page
from dataflywheel.report.reading import read_lines
from dataflywheel.rows.ingest import Ingested, Input, ingest
from dataflywheel.rows.mapping import column_mapping
from dataflywheel.rows.parts import count_rows, iter_batches, read_rows
from dataflywheel.rows.quarantine import reason_class
from dataflywheel.rows.text import texts, texts_of_both
from dataflywheel.signals.model.token_lengths import TokenLengths
from dataflywheel.signals.words.shingles import text_keys

NEAR_ROWS = 200_000
LANGUAGE_ROWS = 2_000
LEAK_ROWS = 50_000
PERCENTILES = (5, 25, 50, 75, 95, 99)
OUTLIERS = {
    "mostly symbols (symbol ratio over 0.4)": ("symbol_ratio", 0.4, True),
    "very repetitive (compression ratio under 0.2)": ("compression_ratio", 0.2, False),
    "repeated word 3-grams (over half of the text)": ("repeated_ngrams", 0.5, True),
}


def profile(
    pool: str | Sequence[str],
    *,
    output: Path | None = None,
    target: str | None = None,
    toxicity: str | None = None,
    tokenizer: str | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    roles: Mapping[str, str] | None = None,
) -> Profile:
    """Read a pool (file, folder, pattern or data set name, or several of them) and tell what is in it.

    Args:
        output: where to write the HTML page, if anywhere.
        target: evaluation rows; the rows of the pool that hold one of them are counted.
        toxicity: labelled rows, as of the signal `toxicity`; the rows of the pool that they make toxic are counted.
        tokenizer: a folder with a tokenizer, or a hub name, by which lengths are counted beside the estimates.
        columns: columns of the pool under other names, such as `{"prompt": "q", "answer": "a"}`; `roles` likewise.

    Raises:
        UsageError: a mapping that makes no sense, or a tokenizer that is not there.
        FlywheelError: the pool names nothing, or no row of it can be read.
    """
    exact = build(TokenLengths, {"tokenizer": tokenizer}) if tokenizer else None
    with tempfile.TemporaryDirectory(prefix="flywheel-profile-") as scratch:
        rows = Path(scratch) / "rows"
        paths = [pool] if isinstance(pool, str) else list(pool)
        named, mapping = ", ".join(paths), column_mapping(columns, roles)
        read = ingest([Input(path, mapping=mapping) for path in paths], rows)
        if not read.rows:
            raise FlywheelError(f"{named}: none of {read.quarantined:,} entries is a row{_first_reason(rows)}")
        found = _measure(named, read, rows, target, toxicity)
        if exact is not None:
            found.tokenizer = tokenizer
            found.lengths |= _exact(rows, exact)
    if output is not None:
        write_profile_page(found, output)
    return found


def _first_reason(rows: Path) -> str:
    entries = read_lines(rows / "quarantine.jsonl")
    return f"; the first: {entries[0]['file']}, line {entries[0]['line']}: {entries[0]['reason']}" if entries else ""


def _measure(pool: str, read: Ingested, rows: Path, target: str | None, labels: str | None) -> Profile:
    facts = collect(rows)
    reasons = Counter(reason_class(str(entry.get("reason", ""))) for entry in read_lines(rows / "quarantine.jsonl"))
    keys = [key for key in facts.prompt_keys if key is not None]
    near, near_rows, pairs = _near_copies(rows)
    languages, language_rows = language_shares(_texts(rows, LANGUAGE_ROWS))
    return Profile(
        pool=pool,
        files=read.files,
        rows=read.rows,
        merged=read.merged,
        quarantined=read.quarantined,
        quarantine_reasons=dict(reasons.most_common()),
        unread=read.unread,
        facts=facts,
        lengths={name: _percentiles(facts.numbers[name]) for name in LENGTHS},
        languages=languages,
        language_rows=language_rows,
        near_copies=near,
        near_rows=near_rows,
        near_examples=pairs,
        same_prompt=len(keys) - len(set(keys)),
        outliers={name: _count(facts.numbers[c], limit, above) for name, (c, limit, above) in OUTLIERS.items()},
        leaks=None if target is None else _leaks(rows, target, facts),
        toxicity=None if labels is None else pool_toxicity(rows, labels),
        not_measured={name: why for name, why in NOT_MEASURED.items() if name != "toxicity" or labels is None},
    )


def _percentiles(values: AnyArray) -> dict[str, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return {}
    found = {f"p{p}": float(v) for p, v in zip(PERCENTILES, np.percentile(known, PERCENTILES), strict=True)}
    return {**found, "mean": float(known.mean()), "max": float(known.max())}


def _exact(rows: Path, signal: TokenLengths) -> dict[str, dict[str, float]]:
    """Percentiles of the lengths in a tokenizer's own tokens."""
    found: dict[str, list[AnyArray]] = {name: [np.zeros(0)] for name in EXACT}
    for batch in iter_batches(rows):
        for name, values in signal.measure(batch).items():
            if name in found:
                found[name].append(numbers(values))
    return {f"exact_{name}": _percentiles(np.concatenate(values)) for name, values in found.items()}


def _count(values: AnyArray, limit: float, above: bool) -> int:
    return int((values > limit).sum() if above else (values < limit).sum())


def _texts(rows: Path, most: int) -> list[str]:
    """Whole texts of at most `most` rows, evenly spaced; memory holds no others."""
    total = count_rows(rows)
    wanted = np.unique(np.linspace(0, total - 1, min(most, total)).astype(np.int64))
    found: list[str] = []
    start = 0
    for batch in iter_batches(rows, ["messages"]):
        inside = wanted[(wanted >= start) & (wanted < start + len(batch))] - start
        found += texts(batch.column("messages").take(pa.array(inside)))
        start += len(batch)
    return found


def _near_copies(rows: Path) -> tuple[int, int, list[tuple[str, str, float]]]:
    """Copies among the rows, rows looked at, and the pairs that are least and most alike."""
    found = _texts(rows, NEAR_ROWS)
    copies = near_duplicates(found, NEAR)
    order = np.argsort(copies.similarity, kind="stable")
    shown = order[np.unique(np.linspace(0, len(order) - 1, min(4, len(order))).astype(int))] if len(order) else order
    pairs = [(found[copies.dropped[i]], found[copies.copy_of[i]], float(copies.similarity[i])) for i in shown]
    return len(copies.dropped), len(found), pairs


def _leaks(rows: Path, target: str, facts: PoolFacts) -> dict[str, int]:
    """Rows of the pool that hold a target row by its words; embeddings are left to the step `decontaminate`."""
    with tempfile.TemporaryDirectory(prefix="flywheel-profile-") as scratch:
        ingest([Input(target)], Path(scratch))
        held = read_rows(Path(scratch))
    prompts = texts(held["messages"], "prompt")
    theirs = Columns(np.asarray(held["id"].to_pylist(), dtype=object), {"text.prompt_key": _keys(text_keys(prompts))})
    view = TargetView(theirs, prompts, texts(held["messages"], "answer"))
    words_only = Decontaminate.model_validate({"semantic": None})
    found: Counter[str] = Counter()
    start = 0
    for batch in iter_batches(rows, ["id", "messages", "rejected"], LEAK_ROWS):
        ids = batch.column("id").to_pylist()
        by_id = dict(zip(ids, texts_of_both(batch), strict=True))
        keys = _keys(facts.prompt_keys[start : start + len(batch)])
        ours = Columns(np.asarray(ids, dtype=object), {"text.prompt_key": keys})
        decisions = words_only.decide(ours, partial(_pick, by_id), view)
        reasons = zip(decisions.action, decisions.reason, strict=True)
        found.update(_leak_class(reason) for action, reason in reasons if action == "dropped")
        start += len(batch)
    return dict(found.most_common())


def _pick(by_id: dict[str, str], ids: Sequence[str]) -> list[str]:
    return [by_id[id] for id in ids]


def _keys(keys: Sequence[str | None]) -> AnyArray:
    return np.asarray(keys, dtype=object)


def _leak_class(reason: str) -> str:
    """`leak: holds 83% of the 8-grams of a target prompt` -> `holds a target prompt`."""
    text = reason.removeprefix("leak: ")
    return "holds a target " + text.rsplit(" ", 1)[-1] if text.startswith("holds") else text
