"""The built-in pool: stable, messy as promised, and its two splits share no module."""

from __future__ import annotations

import inspect
from collections import Counter

import pytest

from dataflywheel.rows.ingest import Input
from dataflywheel.rows.peek import peek
from dataflywheel.rows.python_docs import _texts, held_out, python_docs


def test_the_splits_share_no_module_and_no_row() -> None:
    pool, target = list(python_docs()), list(python_docs("held_out"))
    assert len(pool) > 5000
    assert len(target) > 300
    assert not {r["tags"][0] for r in pool} & {r["tags"][0] for r in target}
    assert not {r["id"] for r in pool} & {r["id"] for r in target}
    assert all(held_out(r["tags"][0]) for r in target)


def test_a_third_of_the_pool_or_more_is_copies_of_answers() -> None:
    answers = Counter(r["messages"][1]["content"] for r in python_docs())
    assert len(answers) < 2 / 3 * answers.total()


def test_the_held_out_split_asks_each_text_once() -> None:
    answers = Counter(r["messages"][1]["content"] for r in python_docs("held_out"))
    assert max(answers.values()) == 1


def test_peek_counts_what_is_made_in_memory() -> None:
    rows = list(python_docs())
    size = peek(Input(None, records=python_docs))
    assert size.rows == len(rows)
    assert size.chars >= sum(len(m["content"]) for r in rows for m in r["messages"])


def test_the_pool_does_not_depend_on_what_a_process_has_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(python_docs())
    monkeypatch.setattr(inspect, "getfile", lambda thing: "replaced, as torch does it")
    _texts.cache_clear()
    assert list(python_docs()) == before
