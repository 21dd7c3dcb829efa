"""An answer store that is damaged, also while it is in use: named, nobody waits for it, and what is whole is kept."""

from __future__ import annotations

import os
import sqlite3
import threading
import warnings
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.store.answer_ledger import Amount, Caps, Reserve, Verdict
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.fake_model import FakeModel, numbered
from tests.store.test_answers import WORST, answer, wish

HEADER, FRAME = 32, 4096 + 24


def filled(path: Path, count: int = 300) -> AnswerStore:
    store = AnswerStore(path)
    for i in range(count):
        store.commit([wish(f"{i}")])
        store.commit([answer(f"{i}")])
    return store


def answers_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        found: int = db.execute("SELECT count(*) FROM answers").fetchone()[0]
        return found


CUTS: dict[str, Callable[[int], int]] = {
    "in a frame": lambda size: size // 2 + 13,
    "between frames": lambda size: HEADER + FRAME * (size // FRAME // 2),
    "at the last byte": lambda size: size - 1,
    "in the header": lambda size: 10,
    "to nothing": lambda size: 0,
}


@pytest.mark.filterwarnings("ignore:.*set aside as answers.db.damaged")
@pytest.mark.parametrize("cut", CUTS)
def test_a_log_that_is_cut_while_it_is_in_use_is_whole_to_its_cut_when_it_is_opened_next(
    tmp_path: Path, cut: str
) -> None:
    path = tmp_path / "answers.db"
    store, log = filled(path), tmp_path / "answers.db-wal"
    size = log.stat().st_size
    os.truncate(log, CUTS[cut](size))
    with suppress(FlywheelError):
        store.find(b"299")
    store.close()
    again = AnswerStore(path)  # in the same process
    kept = answers_in(path)
    assert again.spent("s").calls == kept
    assert again.spent("s").reserved_calls == 0
    assert kept >= {"at the last byte": 290, "in a frame": 100, "between frames": 100}.get(cut, 0)
    assert all(
        verdict in (Verdict.ANSWERED, Verdict.GRANTED) for verdict in again.commit([wish(f"{i}") for i in range(300)])
    )


def test_whoever_asks_when_the_log_is_cut_is_told_and_the_next_client_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    store, model = AnswerStore(path), FakeModel(seconds=0.01)
    client = Client(model, store, scope="s")
    client.ask(numbered(50))
    threading.Timer(0.1, lambda: os.truncate(tmp_path / "answers.db-wal", 0)).start()
    with suppress(FlywheelError):  # no other error, and no wait
        client.ask(numbered(3000))
    client.close()
    store.close()
    found: list[Reply] = []
    for _ in range(2):  # what is not seen to be damaged at the first start is at the second
        with warnings.catch_warnings(), suppress(FlywheelError):
            warnings.simplefilter("ignore")
            with closing(AnswerStore(path)) as again:
                found = Client(model, again, scope="s").ask(numbered(200))
    assert [reply.text for reply in found] == [f"echo question {i}" for i in range(200)]


def test_a_damaged_file_is_set_aside_and_made_anew_of_what_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    filled(path, 600).close()
    pages = path.stat().st_size // 4096
    assert pages > 15
    with path.open("r+b") as file:
        for page in (pages // 3, pages // 2):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)
    store = AnswerStore(path)
    with pytest.raises(FlywheelError, match="cannot be read"):
        [store.find(f"{i}".encode()) for i in range(600)]
    store.close()
    with pytest.warns(UserWarning, match=r"set aside as answers\.db\.damaged, and made anew of the \d+ answers"):
        again = AnswerStore(path)
    assert 400 < answers_in(path) < 600
    assert again.spent("s").calls == 600
    whole = [i for i in range(600) if again.find(f"{i}".encode())]
    assert len(whole) == answers_in(path)
    assert (tmp_path / "answers.db.damaged").exists()
    assert AnswerStore(path).spent("s").calls == 600


@pytest.mark.parametrize("part", [0.4, 0.67, 0.95])
def test_of_a_file_that_was_cut_the_answers_before_the_cut_are_kept(tmp_path: Path, part: float) -> None:
    path = tmp_path / "answers.db"
    filled(path, 600).close()
    os.truncate(path, int(path.stat().st_size * part))
    with pytest.warns(UserWarning, match="made anew"):
        assert AnswerStore(path).spent("s").calls == 600
    assert 100 < answers_in(path) < 600


def test_what_was_spent_is_no_less_than_what_the_answers_cost(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    filled(path, 50).close()
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name='spent'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    store = AnswerStore(path)
    with pytest.raises(FlywheelError, match="cannot be read"):
        store.spent("s")
    store.close()
    with pytest.warns(UserWarning, match="of the 50 answers"):
        spent = AnswerStore(path).spent("s")
    assert (spent.calls, spent.tokens_in, spent.usd) == (50, 5000, 0.05)


def test_a_suspect_that_is_whole_stays_and_one_in_use_is_left_alone(tmp_path: Path) -> None:
    path, note = tmp_path / "answers.db", tmp_path / "answers.db.suspect"
    store = filled(path, 5)
    note.touch()
    with pytest.raises(FlywheelError, match="another process has it open"):
        AnswerStore(path)
    store.close()
    assert AnswerStore(path).spent("s").calls == 5
    assert sorted(file.name for file in tmp_path.iterdir() if "damaged" in file.name or "suspect" in file.name) == []


def test_nobody_waits_for_a_reservation_that_nobody_holds(tmp_path: Path) -> None:
    """Of this process, its settlement lost; and of another one, killed while somebody waits for its money."""
    path = tmp_path / "answers.db"
    store, model, (one, other) = AnswerStore(path), FakeModel(), numbered(2)
    client = Client(model, store, Caps(calls=3), "s")

    def reserve(key: bytes, owner: str) -> None:
        with store.transaction() as db:
            db.execute("INSERT INTO reserved VALUES (?,?,?,?,?,?,?)", (key, "s", owner, 10, 10, 0, 0.0))

    reserve(bytes.fromhex(one.key(model.identity)), store.owner)
    assert client.ask([one])[0].answered
    reserve(b"another", "here:1:long-ago")
    assert client.ask([other])[0].outcome is Outcome.OVER_BUDGET
    assert (store.spent("s").maybe_paid_calls, store.spent("s").reserved_calls) == (2, 0)


def test_a_second_run_of_the_process_waits_for_what_the_first_asks(tmp_path: Path) -> None:
    first, second = AnswerStore(tmp_path / "answers.db"), AnswerStore(tmp_path / "answers.db")
    assert first.commit([Reserve(b"k", "s", Amount(1, 1, 1, 1), Caps())]) == [Verdict.GRANTED]
    assert second.recover() == 0
    assert second.commit([wish("k")]) == [Verdict.BUSY]
    first.commit([answer("k", WORST)])
    assert second.commit([wish("k")]) == [Verdict.ANSWERED]
