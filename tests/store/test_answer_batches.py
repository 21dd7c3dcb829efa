from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.store.answer_batches import BatchBook
from dataflywheel.store.answer_ledger import Amount, Caps, Reserve, Settle, Verdict
from dataflywheel.store.answers import AnswerStore, Ended, Record

KEYS = [hashlib.sha256(bytes([i])).digest() for i in range(4)]


def wish(key: bytes, caps: Caps | None = None) -> Reserve:
    return Reserve(key, "s", Amount(1, 10, 10, 1000), caps or Caps())


def ended(key: bytes) -> Ended:
    cost = Amount(1, 8, 2, 500)
    return Ended(Settle(key, "s", cost), Record("answered", {"text": "x"}, cost, b"{}"))


@pytest.fixture
def book(tmp_path: Path) -> BatchBook:
    return BatchBook(AnswerStore(tmp_path / "answers.db"))


def test_a_batch_holds_its_reservations_over_processes_and_settles_each_once(book: BatchBook, tmp_path: Path) -> None:
    batch, verdicts = book.open("h", "m", [wish(key) for key in KEYS], [b"{}"] * 4)
    assert batch is not None
    assert verdicts == [Verdict.GRANTED] * 4
    # Another process: nothing is recovered, and nobody else may ask.
    later = BatchBook(AnswerStore(tmp_path / "answers.db"))
    assert later.answers.recovered == later.answers.recover() == 0
    assert later.answers.commit([wish(KEYS[0])]) == [Verdict.DEFERRED]
    assert later.waiting() == ["h"]
    assert later.holder(KEYS[2]) == "h"
    found = later.sent(later.get("h"), "batch-1")
    assert later.get("h") == found
    assert later.settle(found, [ended(KEYS[0]), ended(KEYS[0]), ended(KEYS[1])]) == 2
    assert later.settle(found, [ended(KEYS[0]), ended(KEYS[2])]) == 1
    spent = later.answers.spent("s")
    assert (spent.calls, spent.tokens_in, spent.reserved_calls, spent.maybe_paid_calls) == (3, 24, 1, 0)
    assert list(later.left(found)) == [KEYS[3]]
    renewed = later.next_round(found)
    assert (renewed.round, renewed.provider, later.get("h")) == (1, None, renewed)
    later.settle(renewed, [ended(KEYS[3])])
    assert later.waiting() == []
    assert later.holder(KEYS[3]) is None
    assert later.answers.commit([wish(KEYS[0])]) == [Verdict.ANSWERED]


def test_caps_and_other_batches_take_requests_out(book: BatchBook) -> None:
    caps = Caps(calls=2)
    batch, verdicts = book.open("a", "m", [wish(key, caps) for key in KEYS[:3]], [b"{}"] * 3)
    assert verdicts == [Verdict.GRANTED, Verdict.GRANTED, Verdict.WAIT]
    assert batch is not None
    assert sorted(book.left(batch)) == sorted(KEYS[:2])
    assert book.open("b", "m", [wish(KEYS[0])], [b"{}"]) == (None, [Verdict.DEFERRED])
    with pytest.raises(UsageError, match=r"no batch 'b'.*\['a'\]"):
        book.get("b")
