"""One process in a directory: a second is told who holds it, and a killed holder leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.store.lock import made_once, one_at_a_time, only_here

HOLD = """
import sys, time
from pathlib import Path
from dataflywheel.store.lock import only_here
with only_here(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_told_who_holds_the_directory_until_that_one_dies(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "job"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        told = rf"job: process {holder.pid} is at work .*\(kill {holder.pid}\)"
        with pytest.raises(FlywheelError, match=told), only_here(folder):
            raise AssertionError("two hold one directory")
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with only_here(folder):
        assert (folder / ".lock").read_text() == str(os.getpid())


def fail_while_holding(folder: Path) -> None:
    with only_here(folder):
        with pytest.raises(FlywheelError, match=re.escape(f"process {os.getpid()} ")), only_here(folder):
            raise AssertionError("one process holds it twice")
        raise ZeroDivisionError


def test_it_is_free_again_after_the_block_and_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail_while_holding(tmp_path)
    with only_here(tmp_path):
        pass
    assert (tmp_path / ".lock").read_text() == ""


MAKE = """
import sys, time
from pathlib import Path
from dataflywheel.store.lock import made_once

folder = Path(sys.argv[1])

def make():
    (folder.parent / "begun" / sys.argv[2]).mkdir(parents=True)
    time.sleep(0.3)
    folder.mkdir()

print("ready", flush=True)
sys.stdin.readline()
made_once(folder, make)
"""


def test_of_many_processes_one_makes_a_folder_and_the_others_wait(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(folder), str(i)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for i in range(4)
    ]
    for maker in makers:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        maker.communicate("go\n", timeout=30)
        assert maker.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".model.seal", "begun", "model"]  # no lock is left
    assert len(list((tmp_path / "begun").iterdir())) == 1


def test_threads_take_turns_and_an_error_leaves_the_turn_to_the_next(tmp_path: Path) -> None:
    path, inside, most = tmp_path / "model", [], []

    def work(number: int) -> None:
        with one_at_a_time(path):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.005)
            inside.remove(number)
            if number % 2:
                raise ZeroDivisionError

    with ThreadPoolExecutor(8) as pool:
        errors = [pool.submit(work, i).exception() for i in range(40)]
    assert most == [1] * 40
    assert sum(isinstance(error, ZeroDivisionError) for error in errors) == 20


def test_a_killed_maker_holds_nobody_up(tmp_path: Path) -> None:
    hold = HOLD.replace("only_here", "one_at_a_time")
    holder = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path / "m")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert made_once(tmp_path / "m", (tmp_path / "m").mkdir).is_dir()


def test_who_comes_next_removes_what_a_killed_maker_left_half_written(tmp_path: Path) -> None:
    for left in (".model.0123abcd.partial", ".other.0123abcd.partial"):
        (tmp_path / left).mkdir()
    made_once(tmp_path / "model", (tmp_path / "model").mkdir)
    assert sorted(p.name for p in tmp_path.glob(".*.partial")) == [".other.0123abcd.partial"]
