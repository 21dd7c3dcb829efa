"""A step's time over all attempts, those that were killed included, and without what others were billed for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataflywheel.contracts import Cost
from dataflywheel.store import stopwatch
from dataflywheel.store.ledger import Ledger
from dataflywheel.store.stopwatch import FILE, Stopwatch

NAME = "round-1/02-select"
KILLED = """
import sys, time
from pathlib import Path
from dataflywheel.store import stopwatch
from dataflywheel.store.ledger import Ledger
stopwatch.EVERY = 0.05
with stopwatch.Stopwatch(Ledger(Path(sys.argv[1]) / "ledger.json"), "round-1/02-select", "work"):
    time.sleep(0.4)
    print("slept", flush=True)
    time.sleep(60)
"""


def watch(folder: Path, work: str = "work", name: str = NAME) -> Stopwatch:
    return Stopwatch(Ledger(folder / "ledger.json"), name, work)


def test_attempts_add_up_until_the_bill_is_entered(tmp_path: Path) -> None:
    for _ in range(3):
        with watch(tmp_path) as one:
            time.sleep(0.06)
    assert 0.18 <= one.seconds < 1.0
    assert one.seconds == pytest.approx(watch(tmp_path).noted(), abs=0.001)
    with pytest.raises(KeyboardInterrupt), watch(tmp_path) as one:
        raise KeyboardInterrupt
    assert watch(tmp_path).noted() >= 0.18
    assert watch(tmp_path, "other work").noted() == 0.0
    assert watch(tmp_path, name="round-1/03-train").noted() == 0.0
    one.forget()
    assert not (tmp_path / FILE).exists()
    with watch(tmp_path) as anew:
        pass
    assert anew.seconds < 0.05


def test_a_killed_process_loses_no_more_than_what_was_not_noted_yet(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "slept\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert 0.2 <= watch(tmp_path).noted() < 30
    with watch(tmp_path) as again:
        time.sleep(0.05)
    assert again.seconds >= 0.25


def test_what_others_are_billed_for_meanwhile_is_not_counted_twice(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json")
    ledger.enter("round-1/01-filter", Cost(seconds=100.0))
    with Stopwatch(ledger, NAME, "work") as one:
        time.sleep(0.2)
        ledger.enter("helpers/scorer", Cost(seconds=0.15))
    assert 0.04 <= one.seconds <= 0.15


@pytest.mark.parametrize("held", ["{", "[]", '{"a": 3}', '{"round-1/02-select": ["work", "much"]}'])
def test_a_torn_note_counts_as_nothing(tmp_path: Path, held: str) -> None:
    (tmp_path / FILE).write_text(held, encoding="utf-8")
    assert watch(tmp_path).noted() == 0.0
    with watch(tmp_path) as one:
        assert one.seconds < 1.0
    assert stopwatch.EVERY <= 5.0
