"""One process in a directory: a second is told who holds it, and a killed holder leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.store.lock import only_here

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
