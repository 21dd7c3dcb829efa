"""A command that is stopped from outside says so in one line, and the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.support.endpoint import Endpoint
from tests.support.killed import start

GOES_ON = "; what was finished is kept, and the same command goes on from there\n"
PROGRAM = """
import os, signal, sys, time
import dataflywheel.cli.main as main
from typer.core import TyperGroup
signal.signal(signal.SIGINT, signal.default_int_handler)  # which whoever runs the tests may ignore
signal.signal(signal.SIGHUP, signal.SIG_IGN)
def work(*given):
    for number in (signal.SIGHUP, int(sys.argv[1])):
        os.kill(os.getpid(), number)
def taken_in(*given):
    try:
        work()
    finally:
        print("taken in")
        if sys.argv[2] == "long":
            work()
            time.sleep(20)
TyperGroup.invoke = taken_in
main.app = work if sys.argv[2] == "early" else lambda: main.Lazy(name="flywheel").invoke(None)
main.main()
"""


WHEN = [(15, "early"), (2, "early"), (15, "at work"), (2, "at work"), (15, "long")]


@pytest.mark.parametrize(("number", "when"), WHEN)
def test_a_signal_is_told_whatever_the_command_does(number: int, when: str) -> None:
    """What is ignored, as SIGHUP under `nohup`, stays ignored; what is under way is taken in, but not for ever."""
    command = [sys.executable, "-c", PROGRAM, str(number), when]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=15)
    assert ended.stderr == f"flywheel: stopped{' by SIGTERM' if number == 15 else ''}{GOES_ON}"
    assert (ended.returncode, "taken in" in ended.stdout) == (128 + number, when != "early")


@pytest.mark.slow
def test_a_run_that_a_scheduler_stops_goes_on(endpoint: Endpoint, tmp_path: Path) -> None:
    rater = {"rule": "rater", "low": 0, "high": 5, "template": "$score\nBecause."}
    endpoint.configure(rules=[rater], latency={"median_ms": 60})
    pool = [f'{{"prompt": "What is {i} plus {i}?", "completion": "It is {2 * i}."}}\n' for i in range(80)]
    (tmp_path / "pool.jsonl").write_text("".join(pool))
    value = {
        "name": "job",
        "pool": [{"path": str(tmp_path / "pool.jsonl")}],
        "models": {"teacher": {"endpoint": endpoint.url, "model": "m", "concurrency": 4}},
        "steps": [{"select": {"by": {"rated": {"score": "alpagasus.score"}}, "keep": 9}}],
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(value))
    command = ["run", str(tmp_path / "recipe.yaml"), "--runs", str(tmp_path), "--home", str(tmp_path / "home")]
    process = start(command, tmp_path / "log")
    until = time.monotonic() + 60
    while len(endpoint.bill(wait=0).charged) < 8 and time.monotonic() < until:
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    process.join(30)
    said = (tmp_path / "log").read_text()
    assert process.exitcode == 128 + signal.SIGTERM, said
    assert said.endswith(f"\nflywheel: stopped by SIGTERM{GOES_ON}")
    process = start(command, tmp_path / "log")
    process.join(60)
    assert process.exitcode == 0
    assert len(endpoint.bill().charged) == 80  # what was under way at the signal was taken in
