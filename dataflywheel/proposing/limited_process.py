"""Runs Python that nobody trusts, for a moment, in a process that may do almost nothing.

What stands between the program and the machine, none of which needs root:

- an interpreter of its own without site packages, environment and standard input, in an empty directory that is removed
  afterwards; limits on processor time, address space, size and number of files; the whole process group is killed at
  the wall-clock limit;
- on Linux, Landlock (kernel 5.13 on): nothing outside the directory can be opened but Python's library, for reading;
- on Linux on x86-64, a seccomp filter: the process is killed when it forks, starts a thread, signals another process
  or changes its limits, and it gets no socket;
- an audit hook that ends the process at the same acts and names the one that it was.

Where the kernel offers neither filter, the audit hook alone stands, and a program written to defeat it can: it is then
a guard against accidents and no sandbox. In no case is this a virtual machine: a fault of the kernel is not covered.
The tests run in the program's own process, so a program that sets out to deceive its tests can; one that merely ends
early, or swallows the exceptions, does not pass.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.proposing import jail

SLOW = "ran too long"
FAILED = "program failed"
TESTS_FAILED = "tests failed"
EARLY = "ended before its end"
FORBIDDEN = "made a forbidden system call"
REASONS = (
    *(SLOW, FAILED, TESTS_FAILED, EARLY, FORBIDDEN),
    *(jail.PROCESS, jail.NETWORK, jail.WROTE, jail.READ, jail.MUCH, jail.MEMORY, jail.INTERNALS),
)
"""Why a program did not finish: the closed list."""
OUTPUT_BYTES = 65_536
"""What is read of a program's output, from its end."""


class Limits(BaseModel):
    """What one program may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(default=5.0, gt=0, le=600)
    """Wall-clock time; processor time is limited to the next whole second."""
    memory_mb: int = Field(default=512, ge=64)
    """Address space in units of 2^20 bytes."""
    file_mb: int = Field(default=1, ge=1)
    """Size of any one file that it writes, its output included; 64 files at most."""


@dataclass(frozen=True)
class Run:
    """How one program ended: `reason` is "" where it ran to its end, and its tests passed where it has any."""

    reason: str = ""
    detail: str = ""
    """The name of the exception."""
    checked: int = 0
    """Assertions of the tests that were made."""
    value: str | None = None
    """What `solution()` gave, else the variable `answer`, else the last line that was printed."""


def run_limited(program: str, tests: str = "", limits: Limits | None = None) -> Run:
    """Run a program, then its tests in the same namespace.

    Equal programs give equal runs (the seed of hashes is fixed), time limits and programs that ask the clock aside.
    """
    limits = limits or Limits()
    token = secrets.token_hex(16)
    job = {
        "program": program,
        "tests": tests,
        "token": token,
        "seconds": int(limits.seconds) + 1,
        "memory": limits.memory_mb << 20,
        "file": limits.file_mb << 20,
    }
    with (
        tempfile.TemporaryDirectory(prefix="limited-", ignore_cleanup_errors=True) as home,
        tempfile.TemporaryFile() as output,
    ):
        try:
            text = json.dumps(job).encode()
        except UnicodeEncodeError:
            return Run(FAILED, "UnicodeEncodeError")
        code, said = _process(home, text, output, limits.seconds)
        return _ending(code, said, token, output, bool(tests))


def _process(home: str, job: bytes, output: BinaryIO, seconds: float) -> tuple[int | None, dict[str, Any]]:
    """The exit code (None: it was killed at the time limit) and the report."""
    ours, theirs = os.pipe()
    command = [sys.executable, "-s", "-S", "-P", "-B", "-X", "utf8", str(Path(jail.__file__).resolve()), str(theirs)]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL, cwd=home, pass_fds=(theirs,),
            env={"PYTHONHASHSEED": "0", "TMPDIR": home}, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        code: int | None
        try:
            process.communicate(job, timeout=seconds)
            code = process.returncode
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        os.set_blocking(ours, False)
        try:
            said = json.loads(os.read(ours, 65_536) or b"{}")
        except (BlockingIOError, ValueError):
            said = {}
        return code, said if isinstance(said, dict) else {}
    finally:
        os.close(ours)


def _ending(code: int | None, said: dict[str, Any], token: str, output: BinaryIO, tested: bool) -> Run:
    if code is None or code == -signal.SIGXCPU:
        return Run(SLOW)
    if code == -signal.SIGSYS:
        return Run(FORBIDDEN)
    if code == jail.STOPPED and said.get("reason") in REASONS:
        return Run(said["reason"])
    if code == -signal.SIGKILL:
        return Run(jail.MEMORY)
    if code != 0 or said.get("token") != token:
        return Run(EARLY)
    if said.get("reason") in REASONS:
        return Run(said["reason"])
    if "error" in said:
        return Run(TESTS_FAILED if said.get("part") == "tests" else FAILED, str(said["error"])[:80])
    if tested:
        return Run(checked=int(said["checked"]))
    return Run(value=said["value"] if said.get("value") is not None else _last_line(output))


def _last_line(output: BinaryIO) -> str | None:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - OUTPUT_BYTES))
    lines = output.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][: jail.VALUE_CHARS] if lines else None
