"""The answer store: atomic group commits, caps between processes, recovery of what a killed process left."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.store.answer_ledger import Amount, Caps, Reserve, Settle, Verdict
from dataflywheel.store.answers import AnswerStore, Ended, Record
from dataflywheel.store.owner import owner_of

NONE = Caps()
WORST = Amount(1, 100, 50, 10**9)


def wish(name: str, caps: Caps = NONE, worst: Amount = WORST, scope: str = "s", again: bool = False) -> Reserve:
    return Reserve(name.encode(), scope, worst, caps, again)


def answer(name: str, cost: Amount = WORST, failure: bool = False, scope: str = "s") -> Ended:
    said = {"text": f"to {name}", "finish": "stop", "detail": "", "logprobs": []}
    record = Record("server error" if failure else "answered", said, cost, b'{"asked": 1}', failure)
    return Ended(Settle(name.encode(), scope, cost), record)


def test_an_answer_is_kept_with_its_request_and_its_cost(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    assert store.commit([wish("a"), wish("b")]) == [Verdict.GRANTED, Verdict.GRANTED]
    assert store.spent("s").reserved_calls == 2
    store.commit([answer("a", Amount(1, 10, 5, 3)), answer("b", Amount(), failure=True)])
    found = AnswerStore(tmp_path / "answers.db").find(b"a")
    assert found is not None
    assert (found.reply["text"], found.cost) == ("to a", Amount(1, 10, 5, 3))
    assert store.find(b"b") is None
    failed = store.explain(b"b")
    assert failed is not None
    assert (failed["outcome"], failed["request"]) == ("server error", {"asked": 1})
    assert store.explain(b"c") is None
    spent = store.spent("s")
    assert (spent.calls, spent.tokens_in, spent.usd, spent.reserved_calls) == (1, 10, 3e-12, 0)


def test_one_key_is_asked_by_one_at_a_time(tmp_path: Path) -> None:
    store, other = AnswerStore(tmp_path / "answers.db"), AnswerStore(tmp_path / "answers.db")
    assert store.commit([wish("a"), wish("a")]) == [Verdict.GRANTED, Verdict.BUSY]
    assert other.commit([wish("a")]) == [Verdict.BUSY]
    store.commit([answer("a")])
    assert other.commit([wish("a"), wish("a", again=True)]) == [Verdict.ANSWERED, Verdict.GRANTED]


def test_reservations_count_against_caps_and_scopes_do_not_mix(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    caps = Caps(calls=2)
    assert store.commit([wish(name, caps) for name in "abc"]) == [Verdict.GRANTED, Verdict.GRANTED, Verdict.WAIT]
    store.commit([answer("a"), Ended(Settle(b"b", "s", Amount(1, 100, 50, 1), maybe="lost"))])
    assert store.commit([wish("c", caps), wish("c", caps, scope="t")]) == [Verdict.OVER, Verdict.GRANTED]


def test_what_ends_after_the_close_is_kept_all_the_same(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    store.commit([wish("a")])
    store.close()
    store.commit([answer("a")])
    store.close()
    again = AnswerStore(tmp_path / "answers.db")
    assert again.find(b"a") is not None
    assert again.spent("s").reserved_calls == 0


@pytest.mark.parametrize("seed", range(20))
def test_no_sequence_of_writes_exceeds_a_cap(tmp_path: Path, seed: int) -> None:
    draw, store = random.Random(seed), AnswerStore(tmp_path / "answers.db")
    caps = Caps(usd=draw.uniform(0, 2e-9), tokens=draw.randint(50, 2000), calls=draw.randint(1, 40))
    held: dict[str, Amount] = {}
    paid = Amount()
    for turn in range(60):
        wishes = []
        for i in range(draw.randint(0, 4)):
            worst = Amount(1, draw.randint(1, 30), draw.randint(1, 30), draw.randint(0, 200))
            wishes.append((f"{turn}-{i}", worst))
        ended: list[Ended] = []
        for name in draw.sample(sorted(held), min(len(held), draw.randint(0, 4))):
            worst = held.pop(name)
            kind = draw.random()
            cost = worst if kind < 0.3 else Amount(1, draw.randint(1, worst.tokens_in), 1, worst.pico // 2)
            if kind < 0.1:
                cost = Amount()
            paid += cost
            ended.append(
                Ended(Settle(name.encode(), "s", cost, maybe="lost")) if 0.1 < kind < 0.2 else answer(name, cost)
            )
        verdicts = store.commit([*ended, *(wish(name, caps, worst) for name, worst in wishes)])[len(ended) :]
        held |= {w[0]: w[1] for w, verdict in zip(wishes, verdicts, strict=True) if verdict is Verdict.GRANTED}
        total = sum(held.values(), paid)
        assert caps.allow(total)
        spent = store.spent("s")
        assert spent.calls + spent.maybe_paid_calls + spent.reserved_calls == total.calls


LEAVE = """
import sys, time
from pathlib import Path
from dataflywheel.store.answer_ledger import Amount, Caps, Reserve
from dataflywheel.store.answers import AnswerStore
store = AnswerStore(Path(sys.argv[1]))
store.commit([Reserve(f"{i}".encode(), "s", Amount(1, 10, 10, 5), Caps()) for i in range(3)])
print("ready", flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_is_maybe_paid_and_may_be_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    process = subprocess.Popen([sys.executable, "-c", LEAVE, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    store = AnswerStore(path)
    assert store.recovered == 0
    assert store.commit([wish("0")]) == [Verdict.BUSY]
    process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while owner_of(process.pid).rpartition(":")[2] and time.monotonic() < until:
        time.sleep(0.01)
    assert store.recover() == 3  # before the parent has reaped it, too
    process.wait()
    process.stdout.close()
    spent = AnswerStore(path).spent("s")
    assert (spent.maybe_paid_calls, spent.maybe_paid_tokens, spent.reserved_calls) == (3, 60, 0)
    caps = Caps(calls=4)
    assert store.commit([wish("0", caps), wish("1", caps)]) == [Verdict.GRANTED, Verdict.WAIT]


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    mine = owner_of(os.getpid())
    assert mine == owner_of(os.getpid())
    assert mine.rpartition(":")[2]
    assert owner_of(2**22 - 1).endswith(":")


def test_a_file_that_is_no_store_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(FlywheelError, match="move it away"):
        AnswerStore(path)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "circle"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "answers.db"
    make = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/null"),
        "circle": lambda: path.symlink_to("answers.db"),
    }
    make[kind]()
    with pytest.raises(FlywheelError, match=r"answers\.db: no file, .*move it away"):
        AnswerStore(path)


def test_a_full_disk_is_called_so_and_with_space_the_store_goes_on(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    with store.transaction() as db:
        db.execute("PRAGMA max_page_count=12")
    with pytest.raises(FlywheelError, match=r"answers\.db: cannot be written \(database or disk is full\)"):
        store.commit([answer(f"{i}") for i in range(1000)])
    assert store.commit([answer(f"{i}") for i in range(1000)]) == [None] * 1000
    assert store.spent("s").calls == 1000


def test_where_a_file_may_not_grow_the_way_out_is_named(tmp_path: Path) -> None:
    """As under a quota or `ulimit -f`; moving the store away would lose what was paid for."""
    store = AnswerStore(tmp_path / "answers.db")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    try:
        with pytest.raises(FlywheelError, match=r"cannot be written \(disk I/O error\).*ulimit -f") as error:
            store.commit([answer(f"{i}") for i in range(5000)])
        with pytest.raises(FlywheelError, match="ulimit -f"):
            AnswerStore(tmp_path / "fresh" / "answers.db").commit([answer(f"{i}") for i in range(5000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "move it away" not in str(error.value)
    assert store.commit([answer(f"{i}") for i in range(1000)]) == [None] * 1000


def test_a_failed_commit_leaves_nothing(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    broken = Ended(Settle(b"b", "s", Amount(1, 2**70, 0, 0)))
    with pytest.raises((FlywheelError, OverflowError)):
        store.commit([answer("a"), broken])
    assert store.find(b"a") is None
    assert store.spent("s").calls == 0
    assert store.commit([wish("a")]) == [Verdict.GRANTED]


def test_the_log_is_moved_into_the_file_while_writing_goes_on(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    for i in range(1200):
        store.commit([wish(f"{i}")])
        store.commit([answer(f"{i}")])
    log = tmp_path / "answers.db-wal"
    assert log.stat().st_size < 60e6
    db = sqlite3.connect(tmp_path / "answers.db")
    assert db.execute("SELECT count(*) FROM answers").fetchone() == (1200,)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
